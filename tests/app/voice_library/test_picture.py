"""Pictures of voices."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.app.voice_library.picture import MOST_BYTES, picture_facts
from voicegraph.graph.errors import InputError

from .pictures import gif, jpeg, png, webp


@pytest.mark.parametrize(
    ("make", "kind", "ending"),
    [
        (png, "image/png", ".png"),
        (jpeg, "image/jpeg", ".jpg"),
        (webp, "image/webp", ".webp"),
        (gif, "image/gif", ".gif"),
    ],
)
def test_type_and_size_are_read(make: Callable[[int, int], bytes], kind: str, ending: str) -> None:
    assert picture_facts(make(300, 200), "p") == (kind, ending, 300, 200)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "no PNG, JPEG, WebP or GIF"),
        (png(60000, 1)[:16] + b"\0\1\0\0\0\1\0\0", "65536 x 65536 pixels"),
        (gif(0, 5), "0 x 5 pixels"),
        (png() + bytes(MOST_BYTES), "more than 8 MB"),
    ],
    ids=["svg", "huge", "empty", "large"],
)
def test_others_are_refused(data: bytes, why: str) -> None:
    with pytest.raises(InputError, match=why):
        picture_facts(data, "p")


@given(st.sampled_from([png(), jpeg(), webp(), gif()]), st.integers(0, 60), st.binary(max_size=40))
def test_any_bytes_are_facts_or_refused(start: bytes, length: int, rest: bytes) -> None:
    try:
        facts = picture_facts(start[:length] + rest, "p")
    except InputError:
        return
    assert facts.width > 0
    assert facts.height > 0
