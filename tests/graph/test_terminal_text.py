"""Which characters are escaped, and that streams and consoles escape them."""

from __future__ import annotations

import io
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from voicegraph.graph.terminal_text import (
    PrintableStream,
    printable,
    printable_json,
    printable_lines,
    printable_streams,
    styled_console,
    styled_streams,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("\x9b31m\x85\x00\x07\x7f\r", r"\x9b31m\x85\x00\x07\x7f\r"),
        ("a\u202eb\u2066c\u200e", r"a\u202eb\u2066c\u200e"),
        ("\u200b\u200d\u2060\ufeff\u00ad", r"\u200b\u200d\u2060\ufeff\xad"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("\udcff\ud800", r"\udcff\ud800"),
        ("\U000e0041", r"\U000e0041"),
        ("\n\t", r"\n\t"),
        ("größe 日本 é 🎤 \u00a0\u3000 C:\\x", "größe 日本 é 🎤 \u00a0\u3000 C:\\x"),
    ],
)
def test_invisible_characters_become_escapes(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_line_breaks_and_tabs_of_longer_texts_stay() -> None:
    assert printable_lines("a\n\tb\r\n\x1b") == "a\n\tb\\r\n\\x1b"


@given(st.text(st.characters(codec=None)))
def test_escaping_twice_changes_nothing(text: str) -> None:
    once = printable(text)
    assert printable(once) == printable_lines(once) == once
    once.encode()


@given(st.text(st.characters(codec="utf-8")))
def test_escaped_json_has_the_same_values(text: str) -> None:
    shown = printable_json(json.dumps({text: [text]}, ensure_ascii=False, indent=2))
    assert json.loads(shown) == {text: [text]}
    assert printable_lines(shown) == shown


def test_standard_streams_escape_within_the_block(capsys: pytest.CaptureFixture[str]) -> None:
    with printable_streams(), printable_streams():
        print("\x1b[1m\udcff")
        print("\u202e", file=sys.stderr)
        with styled_streams():
            print("\x1b[1m")
        print("\x1b[1m")
    print("\x1b[1m")
    assert capsys.readouterr() == ("\\x1b[1m\\udcff\n\x1b[1m\n\\x1b[1m\n\x1b[1m\n", "\\u202e\n")


def test_nothing_is_written_past_the_stream() -> None:
    below = io.TextIOWrapper(io.BytesIO(), "utf-8")
    stream = PrintableStream(below)
    stream.writelines(["\x1b\n", "b\n"])
    assert not hasattr(stream, "buffer")
    assert stream.encoding == "utf-8"
    below.seek(0)
    assert below.read() == "\\x1b\nb\n"


def test_console_escapes_texts_and_keeps_its_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setenv("FORCE_COLOR", "1")
    with printable_streams():
        styled_console().print(Text("\x1b]0;title"), style="bold")
    assert shown.getvalue() == "\x1b[1m\\x1b]0;title\x1b[0m\n"
