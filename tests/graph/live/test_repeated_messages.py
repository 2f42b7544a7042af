"""Messages that repeat: growing pauses, and a count of those left out."""

from __future__ import annotations

from voicegraph.graph.live._repeated_messages import RepeatedMessages


def test_constant_lateness_gives_few_messages() -> None:
    messages = RepeatedMessages()
    told = [messages.take("late", f"late by {i} ms", i * 0.1) for i in range(600)]
    texts = [text for text in told if text is not None]
    assert texts[0] == "late by 0 ms"
    assert texts[1] == "late by 20 ms (and 19 more like it)"
    assert len(texts) == 5


def test_kinds_do_not_wait_for_each_other() -> None:
    messages = RepeatedMessages()
    assert messages.take(("late", "f0"), "one", 0.0) == "one"
    assert messages.take(("late", "voice"), "two", 0.0) == "two"
    assert messages.take(("late", "f0"), "three", 0.1) is None


def test_quiet_minute_starts_anew() -> None:
    messages = RepeatedMessages()
    messages.take("late", "one", 0.0)
    messages.take("late", "two", 1.0)
    assert messages.take("late", "three", 61.0) == "three"
    assert messages.take("late", "four", 61.1) is None
