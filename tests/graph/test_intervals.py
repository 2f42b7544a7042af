"""Interval arithmetic: exact, and never smaller than the request."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.graph.intervals import Interval, Request, hull, merge

TIMES = st.fractions(-100, 100, max_denominator=48000)
LENGTHS = st.fractions(0, 10, max_denominator=48000)
RATES = st.one_of(
    st.sampled_from([8000, 16000, 44100, 48000, 100, 50]).map(Fraction),
    st.fractions(Fraction(1, 10), 100000, max_denominator=441).filter(lambda r: r > 0),
)


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    start = draw(TIMES)
    return Interval(start, start + draw(LENGTHS))


@st.composite
def requests(draw: st.DrawFn) -> Request:
    core = draw(intervals())
    return Request(core.widen(draw(LENGTHS), draw(LENGTHS)), core)


@given(intervals(), TIMES)
def test_shift_keeps_the_duration_and_can_be_undone(span: Interval, by: Fraction) -> None:
    assert span.shift(by).duration == span.duration
    assert span.shift(by).start == span.start + by
    assert span.shift(by).shift(-by) == span


@given(intervals(), LENGTHS, LENGTHS)
def test_widen_covers_and_adds_up(span: Interval, before: Fraction, after: Fraction) -> None:
    wide = span.widen(before, after)
    assert wide.covers(span)
    assert wide.duration == span.duration + before + after
    assert span.widen(before).widen(after=after) == wide


@given(intervals(), RATES)
def test_on_grid_is_the_smallest_span_of_whole_samples(span: Interval, rate: Fraction) -> None:
    found = span.on_grid(rate)
    assert found.covers(span)
    assert (found.start * rate).denominator == (found.end * rate).denominator == 1
    assert span.start - found.start < 1 / rate
    assert found.end - span.end < 1 / rate
    assert found.on_grid(rate) == found


@given(intervals(), st.integers(-5000, 5000), RATES)
def test_on_grid_moves_with_whole_samples(span: Interval, samples: int, rate: Fraction) -> None:
    """So a plan made for one tick holds for all of them."""
    by = samples / rate
    assert span.shift(by).on_grid(rate) == span.on_grid(rate).shift(by)


@given(intervals(), intervals(), intervals())
def test_covers_is_an_order(a: Interval, b: Interval, c: Interval) -> None:
    assert a.covers(a)
    assert not (a.covers(b) and b.covers(a)) or a == b
    assert not (a.covers(b) and b.covers(c)) or a.covers(c)


@given(st.lists(intervals(), min_size=1, max_size=5))
def test_hull_is_the_smallest_cover(spans: list[Interval]) -> None:
    found = hull(spans)
    assert all(found.covers(span) for span in spans)
    assert found.start in {span.start for span in spans}
    assert found.end in {span.end for span in spans}


def test_hull_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="empty"):
        hull([])


@given(requests(), requests(), requests())
def test_merge_is_a_join(a: Request, b: Request, c: Request) -> None:
    assert merge([a]) == merge([a, a]) == a
    assert merge([a, b]) == merge([b, a])
    assert merge([merge([a, b]), c]) == merge([a, merge([b, c])]) == merge([a, b, c])
    both = merge([a, b])
    assert both.interval.covers(a.interval)
    assert both.core.covers(b.core)
    assert both.interval.covers(both.core)


@given(requests(), TIMES, LENGTHS, LENGTHS)
def test_request_shifts_core_but_widens_context_only(
    request: Request, by: Fraction, before: Fraction, after: Fraction
) -> None:
    assert request.shift(by).interval == request.interval.shift(by)
    assert request.shift(by).core == request.core.shift(by)
    wide = request.widen(before, after)
    assert (wide.start, wide.end) == (request.start - before, request.end + after)
    assert wide.core == request.core


def test_text_names_both_ends() -> None:
    assert str(Interval(Fraction(-1, 4), Fraction(0))) == "[-250ms, 0s)"
