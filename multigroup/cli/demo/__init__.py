"""`multigroup demo`: the product, shown on the simulated network in half a minute."""

from __future__ import annotations

import os
import sys

import click

__all__ = ["demo"]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write JSON, a line per fact.")
@click.option(
    "--carrier",
    type=click.Choice(["telnyx", "vonage"]),
    help="Show this carrier only; failover then is left out.",
)
def demo(*, as_json: bool, carrier: str | None) -> None:
    """Text a simulated group and watch what happens.

    Starts both carriers on free ports of this machine, speaks real HTTP with real
    signatures, needs no keys, and ends by itself.
    """
    try:
        from .scenes import scenes_for  # noqa: PLC0415 - the extra may be absent
        from .stage import Stage  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"the demo needs {error.name}: pip install 'multigroup[all]'"
        ) from None
    from .show import JsonShow, TerminalShow  # noqa: PLC0415 - after what it shows

    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]  # all that is said here stays on this machine
    scenes = scenes_for(carrier)
    show = JsonShow(sys.stdout) if as_json else TerminalShow(len(scenes))
    with Stage() as stage:
        for scene in scenes:
            show.play(stage, scene)
        show.end()
