"""Jobs by the time they fall due."""

from __future__ import annotations

from multigroup.simulator.agenda import Agenda


def _job() -> None:
    return None


def _other() -> None:
    return None


def test_jobs_come_out_in_order_of_time() -> None:
    """The earlier job is first, whichever was added first."""
    agenda = Agenda()
    agenda.add(2.0, _job)
    agenda.add(1.0, _other)
    assert (agenda.pop(9.0), agenda.pop(9.0)) == (_other, _job)


def test_jobs_of_one_instant_keep_their_order() -> None:
    """Two jobs due at once run in the order they were added."""
    agenda = Agenda()
    agenda.add(1.0, _job)
    agenda.add(1.0, _other)
    assert (agenda.pop(1.0), agenda.pop(1.0)) == (_job, _other)


def test_nothing_comes_out_early() -> None:
    """A job waits until it is due, and the agenda says when that is."""
    agenda = Agenda()
    agenda.add(5.0, _job)
    assert agenda.pop(4.9) is None
    assert agenda.next_due() == 5.0
    assert len(agenda) == 1


def test_an_empty_agenda_has_nothing_due() -> None:
    """Neither a job nor a time."""
    agenda = Agenda()
    assert agenda.pop(1.0) is None
    assert agenda.next_due() is None
