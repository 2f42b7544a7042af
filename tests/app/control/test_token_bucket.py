"""Budgets per second, on a clock of the test."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voicegraph.app.control.token_bucket import PAUSE_S, TokenBucket


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@given(st.integers(10, 5000), st.lists(st.floats(0, 0.1), max_size=100))
def test_never_more_than_the_rate_and_one_burst(rate: int, pauses: list[float]) -> None:
    clock = Clock()
    bucket = TokenBucket(rate, clock)
    taken = 0
    for pause in [0.0, *pauses]:
        clock.now += pause
        while not bucket.wait_s():
            bucket.take()
            taken += 1
    assert taken <= rate * (clock.now + 0.25) + 1


def test_empty_bucket_opens_after_a_pause_with_several_tokens() -> None:
    clock = Clock()
    bucket = TokenBucket(1000, clock)
    while not bucket.wait_s():
        bucket.take()
    assert bucket.wait_s() == PAUSE_S
    clock.now += PAUSE_S
    taken = 0
    while not bucket.wait_s():
        bucket.take()
        taken += 1
    assert taken == 1000 * PAUSE_S


def test_overdrawn_bucket_stays_closed_until_it_is_repaid() -> None:
    clock = Clock()
    bucket = TokenBucket(100, clock)
    bucket.take(225)
    assert bucket.wait_s() > 2
