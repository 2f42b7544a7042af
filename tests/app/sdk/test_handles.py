"""Handles: numbers that are never used twice."""

from __future__ import annotations

from typing import Any, cast

import pytest

from voicegraph.app.sdk.call_errors import HandleError
from voicegraph.app.sdk.handles import HandleTable, Holder


def _holder() -> Holder:
    return cast(Any, object())


def test_a_handle_stands_for_what_was_added() -> None:
    table, one, two = HandleTable(), _holder(), _holder()
    first, second = table.add(one), table.add(two)
    assert first != second
    assert table.find(first) is one
    assert table.find(second) is two
    assert table.count == 2


def test_a_closed_handle_is_told_from_a_stray_number() -> None:
    table = HandleTable()
    number = table.add(_holder())
    table.take(number)
    for use in (table.find, table.take):
        with pytest.raises(HandleError, match="the handle is closed"):
            use(number)
    for stray in (0, -1, number + 1, number + 16, 0x7FFF_1234_5670):
        with pytest.raises(HandleError, match="it was not opened by this library"):
            table.find(stray)
    assert table.add(_holder()) != number
