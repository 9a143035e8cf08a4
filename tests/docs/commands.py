"""The command line, read from click's own commands."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Final

import click

from multigroup.cli.commands import commands as group
from tests.docs.markdown import code, table

__all__ = ["commands"]

_NAME: Final = "multigroup"


def commands() -> str:
    """Return every command with its usage and its options."""
    above = click.Context(group, info_name=_NAME, **group.context_settings)
    told = [_command(group, above)]
    for name, command in group.commands.items():
        told.append(_command(command, click.Context(command, above, name)))
    return "\n\n".join(told)


def _command(command: click.Command, context: click.Context) -> str:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    options = (
        (code(names), " ".join(words.split()))
        for names, words in filter(None, _records(command, context))
    )
    return "\n\n".join(
        [
            f"## {context.command_path}",
            f"```text\n{usage}\n```",
            inspect.cleandoc(command.help or ""),
            table(("option", "what it does"), options),
        ]
    )


def _records(
    command: click.Command, context: click.Context
) -> Iterator[tuple[str, str] | None]:
    return (option.get_help_record(context) for option in command.get_params(context))
