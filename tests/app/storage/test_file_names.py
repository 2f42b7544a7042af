"""Names that clients send: whatever they are, none leads out of a folder."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.app.storage import archive_names, name_fault, shown_name, stored_suffix
from voicegraph.graph.terminal_text import printable

HOSTILE = [
    "../../etc/passwd", "..\\..\\windows\\system.ini", "/etc/passwd", "C:\\a.wav", "c:a.wav",
    "\\\\server\\share\\a.wav", "a\0b.wav", "a\nb.wav", "\x1b[2Ja.wav", "a\u202evaw.exe", "", ".",
    "..", "...", "/", "a/../../b.wav", "CON", "con.wav", "aux/nul.wav", "a:stream.wav", "a. ",
    "LPT9.tar.gz", "x" * 5000 + ".wav", "/".join("abcdefghijklmnop"), "\ud800.wav", "a?.wav",
]  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("a.wav", "a.wav"),
        ("album/01 intro.wav", "album/01 intro.wav"),
        ("../../etc/passwd", "etc/passwd"),
        ("C:\\music\\a.wav", "music/a.wav"),
        ("a\0b\u202e.wav", "ab.wav"),
        ("..", "unnamed"),
        ("Gru\u0308n.wav", "Gr\u00fcn.wav"),
        ("x" * 200 + ".flac", "x" * 95 + ".flac"),
    ],
    ids=range(8),
)
def test_shown_name_keeps_what_people_know(sent: str, shown: str) -> None:
    assert shown_name(sent) == shown


def _require_harmless(sent: str) -> None:
    shown = shown_name(sent)
    assert printable(shown) == shown
    assert not {"", ".", ".."} & set(shown.split("/"))
    assert len(shown) < 1000
    (archived,) = archive_names([shown])
    for kind in (PurePosixPath, PureWindowsPath):
        path = kind(archived)
        assert not path.is_absolute()
        assert not path.drive
        assert ".." not in path.parts
    assert not any(PureWindowsPath(part).is_reserved() for part in archived.split("/"))
    assert all(part[-1] not in ". " for part in archived.split("/"))


@pytest.mark.parametrize("sent", HOSTILE, ids=range(len(HOSTILE)))
def test_no_name_leads_out_of_a_folder(sent: str) -> None:
    _require_harmless(sent)


@given(st.text(alphabet=st.characters(), max_size=60))
def test_any_text_becomes_a_harmless_name(sent: str) -> None:
    _require_harmless(sent)


def test_names_in_an_archive_differ_on_every_system() -> None:
    assert archive_names(["a.wav", "A.wav", "a.wav", "b/a.wav"]) == [
        "a.wav", "A (2).wav", "a (3).wav", "b/a.wav",
    ]  # fmt: skip


@given(st.lists(st.text(alphabet="aA./? ", max_size=6), max_size=8))
def test_archive_names_are_unique(sent: list[str]) -> None:
    found = archive_names([shown_name(name) for name in sent])
    assert len({name.casefold() for name in found}) == len(sent)


@pytest.mark.parametrize(
    ("shown", "suffix"),
    [("a.WAV", ".wav"), ("a.sh", ""), ("a", ""), ("a.w\u00e4v", ""), (".wav", "")],
)
def test_only_known_endings_are_stored(shown: str, suffix: str) -> None:
    assert stored_suffix(shown, {".wav", ".flac"}) == suffix


@pytest.mark.parametrize("name", ["Deep voice", "r\u00e9sum\u00e9 2", "a-b_c.1 (x)", "1"])
def test_names_for_people_are_allowed(name: str) -> None:
    assert name_fault(name) is None


OTHER = [*HOSTILE[:22], "a/b", ".hidden", " a", "a ", "a.", "Gru\u0308n", "x" * 65, "a\tb"]


@pytest.mark.parametrize("name", OTHER, ids=range(len(OTHER)))
def test_other_names_are_refused(name: str) -> None:
    assert name_fault(name)
