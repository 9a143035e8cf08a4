"""The bucket that limits requests."""

from __future__ import annotations

from multigroup.simulator import SteppedClock
from multigroup.simulator.bucket import Bucket


def test_a_bucket_lets_a_second_s_worth_through() -> None:
    """At a rate of two, the third request of an instant is turned away."""
    bucket = Bucket(SteppedClock(0.0).now)
    assert [bucket.take(2) for _ in range(3)] == [True, True, False]


def test_a_bucket_refills_with_time() -> None:
    """Half a second later there is room for one more."""
    clock = SteppedClock(0.0)
    bucket = Bucket(clock.now)
    assert [bucket.take(2) for _ in range(2)] == [True, True]
    clock.advance(0.5)
    assert [bucket.take(2) for _ in range(2)] == [True, False]


def test_no_rate_is_no_limit() -> None:
    """Without a rate every request passes."""
    bucket = Bucket(SteppedClock(0.0).now)
    assert all(bucket.take(None) for _ in range(100))


def test_a_bucket_may_hold_more_than_a_second_s_worth() -> None:
    """Several requests are taken out together or not at all."""
    bucket = Bucket(SteppedClock(0.0).now)
    assert bucket.take(1, count=3, room=4)
    assert not bucket.take(1, count=2, room=4)
    assert bucket.take(1, count=1, room=4)
