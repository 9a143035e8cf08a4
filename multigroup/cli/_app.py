"""`APP` on the command line: the application's own client, named `module:client`."""

from __future__ import annotations

import inspect
import os
import sys
from importlib import import_module
from types import ModuleType
from typing import Final

import click

from ..client import AsyncClient, Client
from ..errors import is_a

__all__ = ["APP", "client_of"]

_EXAMPLE: Final = "'module:client', as an ASGI server's app"


def client_of(written: str) -> Client | AsyncClient:
    """Return the client that *written* names, its module looked for here first.

    Raises:
        BadParameter: there is no such module or attribute, or it gives no client.
    """
    name, colon, attribute = written.partition(":")
    if not (name and colon and attribute):
        raise click.BadParameter(f"{written!r} is not of the form {_EXAMPLE}")
    found: object = _module(name)
    for step in attribute.split("."):
        try:
            found = getattr(found, step)
        except AttributeError:
            raise click.BadParameter(f"{name!r} has no {attribute!r}") from None
    if callable(found) and not is_a(found, type):
        found = _made(found, written)
    if not isinstance(found, Client | AsyncClient):
        raise click.BadParameter(
            f"{written!r} is a {type(found).__name__}: name a Client, an AsyncClient "
            "or a function that returns one"
        )
    return found


def _module(name: str) -> ModuleType:
    if os.getcwd() not in sys.path:  # noqa: PTH109 - as Python itself writes it
        sys.path.insert(0, os.getcwd())  # noqa: PTH109
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name + ".").startswith(error.name + "."):
            raise click.BadParameter(
                f"there is no module {error.name!r} in the working directory, nor "
                "installed"
            ) from None
        raise click.BadParameter(f"{name!r} needs a module: {error}") from error
    except Exception as error:
        raise click.BadParameter(
            f"{name!r} failed as it was imported: {_said(error)}"
        ) from error


def _made(make: object, written: str) -> object:
    assert callable(make)  # noqa: S101 - for the type checker; the caller looked
    try:
        made: object = make()
    except Exception as error:
        raise click.BadParameter(f"{written!r} failed: {_said(error)}") from error
    if inspect.iscoroutine(made):
        made.close()
        raise click.BadParameter(
            f"{written!r} is a coroutine function: name one that returns the client"
        )
    return made


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")


def _named(
    _context: click.Context, _argument: click.Parameter, written: str
) -> Client | AsyncClient:
    return client_of(written)


APP: Final = click.argument("client", callback=_named, metavar="APP")
