"""Every public name: its signature, what it is, and what it raises."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from enum import Enum
from importlib import import_module
from types import FunctionType
from typing import Any, Final

import attrs

import multigroup
from tests.docs.markdown import paragraphs

__all__ = ["api", "names"]

GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "Clients and conversations": ("client", "conversation", "routing", "_drive"),
    "Before and after a send": (
        "_programs.planning",
        "_programs.due",
        "breaker",
        "archive",
        "consent",
    ),
    "Webhooks": ("webhooks", "wire"),
    "Carriers": (
        "providers.bandwidth",
        "providers.telnyx",
        "providers.twilio",
        "providers.vonage",
        "providers.base",
    ),
    "Messages, outcomes, receipts": ("models",),
    "Events": ("events",),
    "Errors": ("errors",),
    "Journals": ("journal",),
}
"""Heading → the modules whose names stand below it."""

_BY_BASE: Final = (str, BaseException, multigroup.Event)
"""Nobody makes these by hand, or has a page for what they hold."""

_PLAIN: Final = (str, int, float, bool, tuple, type(None))
_RAISES: Final = re.compile(r"^Raises:\n(?P<raised>(?:[ ]+.*\n?)+)", re.MULTILINE)
_RAISED: Final = re.compile(r"^ {4}(\w+):", re.MULTILINE)


def api() -> str:
    """Return every public name, by what it is for."""
    parts: list[str] = []
    for title, modules in GROUPS.items():
        parts.append(f"## {title}")
        parts += [_entry(module, name) for module in modules for name in names(module)]
    return "\n\n".join(parts)


def names(module: str) -> tuple[str, ...]:
    """Return the public names that live in *module*."""
    return multigroup._HOMES.get(module, ())


def _entry(module: str, name: str) -> str:
    found = getattr(multigroup, name)
    home = import_module(f"multigroup.{module}")
    if inspect.isclass(found):
        doc = paragraphs(found)
        parts = [_signature(found, name), _first(doc), _raised(found), _kept(found)]
    elif isinstance(found, FunctionType):
        parts = [_signature(found, name), _first(paragraphs(found)), _raised(found)]
    else:
        parts = [_written(home, name)]
    return "\n\n".join([f"### {name}", *filter(None, parts)])


def _first(doc: str) -> str:
    return doc.partition("\n\n")[0]


def _signature(found: Callable[..., object], name: str) -> str:
    if inspect.isclass(found) and issubclass(found, Enum):
        return f"```text\n{name}: {', '.join(member.value for member in found)}\n```"
    if inspect.isclass(found) and issubclass(found, _BY_BASE):
        bases = [base.__name__ for base in found.__bases__ if base is not object]
        return f"```text\nclass {name}({', '.join(bases)})\n```".replace("()", "")
    if _is_protocol(found):
        return f"```text\nclass {name}(Protocol)\n```"
    given = inspect.signature(found).parameters.values()
    return f"```text\n{_call(name, list(given))}\n```"


def _call(name: str, given: list[inspect.Parameter]) -> str:
    words: list[str] = []
    for place, one in enumerate(given):
        named = one.kind is one.KEYWORD_ONLY
        if named and (not place or given[place - 1].kind is not one.KEYWORD_ONLY):
            words.append("*")
        words.append(_parameter(one))
    line = f"{name}({', '.join(words)})"
    if len(line) <= 88:  # as long as a line of ours may be
        return line
    return "\n".join([f"{name}(", *(f"    {word}," for word in words), ")"])


def _parameter(one: inspect.Parameter) -> str:
    star = "*" if one.kind is one.VAR_POSITIONAL else ""
    kind = f": {_kind(one.annotation)}" if one.annotation is not one.empty else ""
    if one.default is one.empty:
        return f"{star}{one.name}{kind}"
    default = repr(one.default) if type(one.default) in _PLAIN else "…"
    return f"{star}{one.name}{kind} = {default}"


def _kind(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else annotation.__name__


def _raised(found: object) -> str:
    told = _RAISES.search(f"{paragraphs(found)}\n")
    raised = _RAISED.findall(told["raised"]) if told else []
    return f"Raises {', '.join(f'`{name}`' for name in raised)}." if raised else ""


def _kept(found: type) -> str:
    """Return a line for each method and property of a class that has its own."""
    return "\n".join(_members(found))


def _members(found: type) -> Iterator[str]:
    fields = {field.name for field in attrs.fields(found)} if attrs.has(found) else {""}
    for name in dir(found):
        kept = inspect.getattr_static(found, name)
        if name.startswith("_") or name in fields or _inherited(found, name):
            continue
        if isinstance(kept, property):
            yield f"- `{name}`: {_told(kept)}"
        elif isinstance(kept, FunctionType | classmethod):
            given = list(inspect.signature(getattr(found, name)).parameters.values())
            own = [one for one in given if one.name != "self"]
            call = ", ".join(one.name for one in own)
            yield f"- `{name}({call})`: {_told(getattr(found, name))}"


def _inherited(found: type, name: str) -> bool:
    """Tell whether *name* is Python's own, or told of a class above this one."""
    owner = next(base for base in found.__mro__ if name in vars(base))
    if not owner.__module__.startswith("multigroup"):
        return True
    above = [base for base in found.__mro__[1:] if base.__name__ in multigroup.__all__]
    if found.__module__.startswith("multigroup.journal.") and not _is_protocol(found):
        above.append(multigroup.Journal)  # which no journal inherits from
    return any(name in vars(base) for base in above)


def _is_protocol(found: object) -> bool:
    return bool(getattr(found, "_is_protocol", False))


def _told(found: object) -> str:
    sentence = " ".join(_first(paragraphs(found)).split())
    return f"{sentence} {_raised(found)}".rstrip()


def _written(home: object, name: str) -> str:
    """Return how a name that is no class is assigned, and the words below it."""
    tree = ast.parse(inspect.getsource(home))  # type: ignore[arg-type] # a module
    for one, after in zip(tree.body, [*tree.body[1:], None], strict=True):
        target = one.targets[0] if isinstance(one, ast.Assign) else None
        target = one.target if isinstance(one, ast.AnnAssign) else target
        if isinstance(target, ast.Name) and target.id == name:
            assert isinstance(after, ast.Expr)
            assert isinstance(after.value, ast.Constant)
            code = ast.unparse(one)
            return f"```text\n{code}\n```\n\n{_first(str(after.value.value))}"
    raise LookupError(name)
