"""Tables of clips: what is read, what is refused, and that a written one is read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicegraph.experiments.clip import Clip
from voicegraph.experiments.clips.table import read_table, write_table
from voicegraph.graph.errors import PipelineError


def table(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "clips.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_any_usual_separator_is_read(separator: str, tmp_path: Path) -> None:
    lines = [["file", "speaker", "note"], ["a.wav", "ann", ""], ["b.wav", "bob", "x"]]
    text = "\ufeff" + "\r\n".join(separator.join(line) for line in lines) + "\r\n"
    rows = read_table(table(tmp_path, text), ("file",))
    assert [row.values for row in rows] == [
        {"file": "a.wav", "speaker": "ann"},
        {"file": "b.wav", "speaker": "bob", "note": "x"},
    ]
    assert [row.mark.line for row in rows] == [2, 3]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("path,speaker\na.wav,ann\n", "has a column file"),
        ("", "has a column file"),
        ("file,speaker\na.wav,ann,extra\n", "more values"),
        ("file,file\na.wav,b.wav\n", "file occurs twice"),
        ('file,speaker\n"a.wav"x,ann\n', "no CSV line"),
        (b"file\n\xff.wav\n", "not UTF-8"),
    ],
)
def test_a_wrong_table_is_refused_with_its_line(
    text: str | bytes, said: str, tmp_path: Path
) -> None:
    with pytest.raises(PipelineError, match=said) as caught:
        read_table(table(tmp_path, text), ("file",))
    assert caught.value.problems[0].fix


@pytest.mark.parametrize("text", ["five", "-1", "nan", "inf", "1e999"])
def test_a_length_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    [row] = read_table(table(tmp_path, f"file,seconds\na.wav,{text}\n"), ("file",))
    with pytest.raises(PipelineError, match="expected a number of seconds"):
        row.number("seconds")


def test_a_written_table_is_read_back(tmp_path: Path) -> None:
    clips = [
        Clip("a, b", tmp_path / "a.wav", "0" * 64, "ann", 0.5, 5.25, {"sex": "F"}),
        Clip("c", tmp_path / "c.wav", "1" * 64, 'bob "x"', columns={"age": "5"}),
    ]
    write_table(tmp_path / "clips.csv", clips)
    rows = read_table(tmp_path / "clips.csv", ("file",))
    assert [row.values["name"] for row in rows] == ["a, b", "c"]
    assert (rows[0].number("from"), rows[0].number("seconds")) == (0.5, 5.25)
    assert rows[1].values["speaker"] == 'bob "x"'
    assert rows[0].values["sex"] == "F"
    assert rows[1].number("seconds") is None
