from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voicegraph.app.tui._message_diff import News

_SHOWN = 8


@given(st.lists(st.integers(0, _SHOWN), max_size=12))
def test_every_message_comes_once_and_in_order(steps: list[int]) -> None:
    """Whatever comes between two looks, as long as the list of the newest still holds it."""
    news, said, heard = News(), [], []
    for count in steps:
        said += [f"message {len(said) + i}" for i in range(count)]
        heard += news.take(said[-_SHOWN:])
    assert heard == said


def test_the_same_words_again_are_news() -> None:
    news = News()
    assert news.take(["late"]) == ["late"]
    assert news.take(["late"]) == []
    assert news.take(["late", "late"]) == ["late"]


def test_after_a_long_while_all_that_is_there_is_news() -> None:
    news = News()
    news.take(["a", "b"])
    assert news.take(["x", "y", "b"]) == ["x", "y", "b"]
