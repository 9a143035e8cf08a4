"""One carrier, one file: how it is spoken to and how it is understood."""
