"""Durations and rates: exact both ways, and refused where a unit or a number is missing."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel, TypeAdapter, ValidationError

from voicegraph.schemas.quantities import (
    Decibels,
    Duration,
    Milliseconds,
    Rate,
    format_duration,
    format_rate,
    parse_duration,
    parse_milliseconds,
    parse_rate,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", Fraction(1, 4)),
        ("2.5s", Fraction(5, 2)),
        ("10 ms", Fraction(1, 100)),
        ("62.5us", Fraction(1, 16000)),
        ("1min", Fraction(60)),
        ("-5ms", Fraction(-1, 200)),
        (0, Fraction(0)),
        (Fraction(1, 3), Fraction(1, 3)),
    ],
)
def test_a_duration_is_exact(text, seconds):
    assert parse_duration(text) == seconds


def test_ten_milliseconds_at_44100_are_441_samples():
    assert parse_duration("10ms") * 44100 == 441


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (250, "write 250ms or 250s"),
        (0.25, "write 0.25ms or 0.25s"),
        ("250", "expected a duration such as 250ms"),
        ("1h", "expected a duration"),
        ("ms", "expected a duration"),
        ("1e3ms", "expected a duration"),
        ("9" * 5000 + "ms", "expected a duration"),
        ("\u0661ms", "expected a duration"),  # an Arabic digit
        (True, "expected a duration"),
        (None, "expected a duration"),
        ([], "expected a duration"),
    ],
)
def test_what_is_no_duration(value, message):
    with pytest.raises(ValueError, match=message):
        parse_duration(value)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (Fraction(0), "0s"),
        (Fraction(1, 4), "250ms"),
        (Fraction(5, 2), "2.5s"),
        (Fraction(-1, 200), "-5ms"),
        (Fraction(49, 1600), "30.625ms"),
        (Fraction(12345678, 1000), "12345.678s"),
        (Fraction("123.4565"), "123456.5ms"),
        (Fraction(1, 10_000_000), "0.1us"),
        (Fraction(-3, 2_000_000), "-1.5us"),
        (Fraction(1, 3), "333.333ms"),
    ],
)
def test_a_duration_in_words(seconds, text):
    assert format_duration(seconds) == text


@given(st.integers(-(10**15), 10**15), st.integers(0, 12))
def test_every_decimal_duration_comes_back(digits, places):
    seconds = Fraction(digits, 10**places)
    assert parse_duration(format_duration(seconds)) == seconds


@given(st.fractions(min_value=-1000, max_value=1000))
def test_other_durations_round_trip_within_microsecond(seconds):
    assert abs(parse_duration(format_duration(seconds)) - seconds) <= Fraction(1, 1_000_000)


@pytest.mark.parametrize(
    ("value", "rate"),
    [
        (48000, Fraction(48000)),
        ("48000", Fraction(48000)),
        ("16000/3", Fraction(16000, 3)),
        (62.5, Fraction(125, 2)),
        (Fraction(44100), Fraction(44100)),
    ],
)
def test_a_rate_is_exact(value, rate):
    assert parse_rate(value) == rate
    assert parse_rate(str(rate)) == rate


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0, "above 0 Hz"),
        (-5, "above 0 Hz"),
        ("0", "above 0 Hz"),
        (float("nan"), "expected a rate"),
        (float("inf"), "expected a rate"),
        ("1/0", "expected a rate"),
        ("1e999999999", "expected a rate"),
        ("fast", "expected a rate"),
        (True, "expected a rate"),
        (None, "expected a rate"),
        (16000.1, "must be exact"),
    ],
)
def test_what_is_no_rate(value, message):
    with pytest.raises(ValueError, match=message):
        parse_rate(value)


def test_rates_in_words():
    assert format_rate(Fraction(48000)) == "48000 Hz"
    assert format_rate(Fraction(16000, 3)) == "16000/3 Hz"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Duration, "250ms"),
        (Duration, "-2.5 s"),
        (Duration, 0),
        (Rate, 48000),
        (Rate, "16000/3"),
        (Rate, 62.5),
    ],
)
def test_json_schema_accepts_like_the_parser(kind, value):
    adapter = TypeAdapter(kind)
    parsed = adapter.validate_python(value)
    schema = Draft202012Validator(adapter.json_schema())
    schema.validate(value)
    schema.validate(adapter.dump_python(parsed))
    assert adapter.validate_python(adapter.dump_python(parsed)) == parsed


@pytest.mark.parametrize(
    ("kind", "value"), [(Duration, 250), (Duration, "250"), (Rate, 0), (Rate, "fast")]
)
def test_json_schema_refuses_like_the_parser(kind, value):
    adapter = TypeAdapter(kind)
    with pytest.raises(ValidationError):
        adapter.validate_python(value)
    assert not Draft202012Validator(adapter.json_schema()).is_valid(value)


def test_a_level_must_be_finite():
    class Level(BaseModel):
        db: Decibels

    with pytest.raises(ValidationError):
        Level(db=float("inf"))
    assert Level(db=-6).db == -6


@pytest.mark.parametrize("value", [30, 30.0, "30", "30.0", "30ms", "0.03s", " 30000us"])
def test_milliseconds_are_numbers_or_durations(value: object) -> None:
    assert TypeAdapter(Milliseconds).validate_python(value) == 30.0


@pytest.mark.parametrize("value", ["soon", "", "1e3", "3 Hz", "nan"])
def test_other_text_is_no_time_in_milliseconds(value: str) -> None:
    with pytest.raises(ValueError, match="expected a time in ms such as 30 or 30ms"):
        parse_milliseconds(value)
