"""Numbers that options do not take: what was found, and what is expected."""

from __future__ import annotations

import pytest

from .conftest import Cli


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("app --port abc", "--port': 'abc' is not a whole number from 0 to 65535"),
        ("app --port 65536", "--port': '65536' is not a whole number from 0 to 65535"),
        ("bench world --streams 1.5", "--streams': '1.5' is not a whole number of at least 1"),
        ("soak world --minutes nan", "--minutes': 'nan' is not a number of at least 0.1"),
        ("voice merge a b c --ratio half", "--ratio': 'half' is not a number"),
    ],
)
def test_number_and_range_are_told(cli: Cli, line: str, said: str) -> None:
    code, _, err = cli(*line.split())
    assert code == 2
    assert said in " ".join(err.split())
