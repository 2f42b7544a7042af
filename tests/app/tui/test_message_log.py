from __future__ import annotations

from voicegraph.app.tui._message_log import MessageLog
from voicegraph.app.tui._text_lines import plain


def test_the_newest_stand_below_and_fit() -> None:
    log = MessageLog()
    log.take([f"message {i}" for i in range(8)])
    log.add("refused", "bad")
    found = log.lines([], 40, 3)
    assert [plain(line) for line in found] == [" message 6", " message 7", " refused"]
    assert found[-1][0][1] == "bad"


def test_long_ones_are_wrapped_and_kept_whole() -> None:
    log = MessageLog()
    log.take(["first", "a message that takes more than one line of this screen"])
    found = [plain(line) for line in log.lines([], 30, 3)]
    assert found == [" a message that takes more", "   than one line of this", "   screen"]
    assert all(len(line) <= 30 for line in found)


def test_advice_stands_above_and_leaves_room() -> None:
    log = MessageLog()
    log.take(["one", "two", "three"])
    found = [plain(line) for line in log.lines(["A" * 20, "B", "C"], 40, 4)]
    assert found == [f" advice: {'A' * 20}", " advice: B", " two", " three"]


def test_what_is_known_is_not_taken_twice() -> None:
    log = MessageLog()
    for messages in (["a"], ["a", "b"], ["a", "b"], ["b", "b"]):
        log.take(messages)
    assert log.texts == ["a", "b", "b"]


def test_no_room_no_lines() -> None:
    log = MessageLog()
    log.take(["a"])
    assert log.lines(["b"], 40, 0) == log.lines(["b"], 3, 4) == []
