"""Our logic as programs: they ask for effects and never do I/O."""
