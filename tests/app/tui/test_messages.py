from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voicegraph.app.tui._messages import MessageDiff, MessageLog

from .plain_text import plain

_IN_STATUS = 8


@given(st.lists(st.integers(0, _IN_STATUS), max_size=12))
def test_every_message_is_new_exactly_once(steps: list[int]) -> None:
    """However many come between two updates, as long as the status still holds them."""
    diff, said, found = MessageDiff(), [], []
    for count in steps:
        said += [f"message {len(said) + i}" for i in range(count)]
        found += diff.update(said[-_IN_STATUS:])
    assert found == said


def test_repeated_text_is_a_new_message() -> None:
    diff = MessageDiff()
    assert diff.update(["late"]) == ["late"]
    assert diff.update(["late"]) == []
    assert diff.update(["late", "late"]) == ["late"]


def test_list_without_known_beginning_is_all_new() -> None:
    diff = MessageDiff()
    diff.update(["a", "b"])
    assert diff.update(["x", "y", "b"]) == ["x", "y", "b"]


def test_newest_messages_that_fit_are_shown() -> None:
    log = MessageLog()
    log.update([f"message {i}" for i in range(8)])
    log.add("not allowed", "bad")
    found = log.lines([], 40, 3)
    assert [plain(line) for line in found] == [" message 6", " message 7", " not allowed"]
    assert found[-1][0][1] == "bad"


def test_long_messages_are_wrapped_completely() -> None:
    log = MessageLog()
    log.update(["first", "a message that takes more than one line of this screen"])
    found = [plain(line) for line in log.lines([], 30, 3)]
    assert found == [" a message that takes more", "   than one line of this", "   screen"]
    assert all(len(line) <= 30 for line in found)


def test_advice_takes_half_of_the_lines() -> None:
    log = MessageLog()
    log.update(["one", "two", "three"])
    found = [plain(line) for line in log.lines(["A" * 20, "B", "C"], 40, 4)]
    assert found == [f" advice: {'A' * 20}", " advice: B", " two", " three"]


def test_log_adds_only_new_messages() -> None:
    log = MessageLog()
    for messages in (["a"], ["a", "b"], ["a", "b"], ["b", "b"]):
        log.update(messages)
    assert log.texts == ["a", "b", "b"]


def test_log_without_room_has_no_lines() -> None:
    log = MessageLog()
    log.update(["a"])
    assert log.lines(["b"], 40, 0) == log.lines(["b"], 3, 4) == []
