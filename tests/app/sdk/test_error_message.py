"""Errors as the C interface has them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voicegraph.app.sdk.error_message import MESSAGE_SIZE, code_and_text, message_bytes
from voicegraph.graph.errors import Problem, WeightsError


@given(st.text(st.characters(), max_size=700))
def test_a_message_fits_and_is_never_cut_inside_a_character(text: str) -> None:
    made = message_bytes(text)
    assert len(made) <= MESSAGE_SIZE
    assert made.endswith(b"\0")
    assert made.count(b"\0") == 1
    made[:-1].decode("utf-8")


def test_what_does_not_fit_is_marked() -> None:
    made = message_bytes("ü" * 600).decode()
    assert made.endswith("ü ...\0")
    assert message_bytes("short") == b"short\0"
    assert message_bytes("x" * 511) == b"x" * 511 + b"\0"


def test_errors_of_voicegraph_have_their_exit_code_and_fix() -> None:
    error = WeightsError(Problem("broken", "alice.pth is damaged", fix="download it again"))
    assert code_and_text(error) == (3, "alice.pth is damaged\n  fix: download it again")


def test_an_unexpected_error_names_its_place() -> None:
    try:
        {}["x"]
    except KeyError as error:
        code, text = code_and_text(error)
    assert code == 1
    assert text.startswith("an unexpected error of voicegraph: KeyError in test_error_message.py:")


def test_memory_that_is_used_up_is_said() -> None:
    assert code_and_text(MemoryError()) == (1, "out of memory")
