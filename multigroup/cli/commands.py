"""The commands and their order in `multigroup --help`."""

from __future__ import annotations

import click

from .._version import __version__
from .carriers import carriers
from .demo import demo
from .normalize import normalize
from .recover import explain, resume, worker
from .simulate import simulate

__all__ = ["commands"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="multigroup")
def commands() -> None:
    """Group MMS, portable over carriers."""


commands.add_command(demo)
commands.add_command(simulate)
commands.add_command(normalize)
commands.add_command(carriers)
commands.add_command(explain)
commands.add_command(resume)
commands.add_command(worker)
