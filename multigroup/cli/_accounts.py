"""The accounts at the simulated carriers: their numbers, and where webhooks go."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypedDict, TypeVar

import click

if TYPE_CHECKING:
    from ..simulator import Network

__all__ = ["CARRIERS", "Accounts", "account_options", "give_numbers"]

Command = TypeVar("Command", bound=Callable[..., object])

CARRIERS = ("telnyx", "vonage", "bandwidth", "twilio")


class Accounts(TypedDict):
    """What `account_options` give."""

    telnyx_number: tuple[str, ...]
    vonage_number: tuple[str, ...]
    bandwidth_number: tuple[str, ...]
    twilio_number: tuple[str, ...]
    telnyx_webhook_url: str | None
    vonage_webhook_url: str | None
    bandwidth_webhook_url: str | None
    twilio_webhook_url: str | None
    twilio_classic_webhook_url: str | None


def _url(name: str, words: str) -> Callable[[Command], Command]:
    return click.option(f"--{name}-webhook-url", help=f"Where {words}.")


def _numbers(carrier: str, default: str) -> Callable[[Command], Command]:
    return click.option(
        f"--{carrier}-number",
        multiple=True,
        default=[default],
        show_default=True,
        help=f"A number of the {carrier.capitalize()} account; may be repeated.",
    )


def account_options(command: Command) -> Command:
    """Give *command* the options of the accounts."""
    options: tuple[Callable[[Command], Command], ...] = (
        _url("telnyx", "Telnyx posts its webhooks"),
        _url("vonage", "Vonage posts its webhooks"),
        _url("bandwidth", "Bandwidth posts its callbacks"),
        _url("twilio", "Twilio posts the events of conversations"),
        _url(
            "twilio-classic",
            "Twilio posts incoming messages, with their other recipients",
        ),
        _numbers("telnyx", "+14155550150"),
        _numbers("vonage", "+14155550160"),
        _numbers("bandwidth", "+14155550170"),
        _numbers("twilio", "+14155550180"),
    )
    for option in reversed(options):
        command = option(command)
    return command


def give_numbers(network: Network, given: Accounts) -> None:
    """Give the accounts of *network* their numbers."""
    for number in given["telnyx_number"]:
        network.telnyx.add_number(number, webhook_url=given["telnyx_webhook_url"])
    for number in given["vonage_number"]:
        url = given["vonage_webhook_url"]
        network.vonage.add_number(number, inbound_url=url, status_url=url)
    for number in given["bandwidth_number"]:
        url = given["bandwidth_webhook_url"]
        network.bandwidth.add_number(number, inbound_url=url, status_url=url)
    for number in given["twilio_number"]:
        network.twilio.add_number(
            number,
            conversations_url=given["twilio_webhook_url"],
            classic_url=given["twilio_classic_webhook_url"],
        )
