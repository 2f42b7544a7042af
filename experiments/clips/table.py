"""Tables of clips: CSV files with one line a recording."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from voicegraph.graph.errors import Mark, PipelineError, Problem
from voicegraph.graph.files.atomic_write import atomic_write
from voicegraph.graph.regular_file import open_regular, read_failure

from ..clip import Clip

ENDINGS = (".csv", ".tsv")
MAX_BYTES = 64 << 20
"""Largest size of a table: some 500,000 clips."""
OWN = ("file", "name", "speaker", "sha256", "from", "seconds")
"""Columns with a meaning of their own; others are kept as they are."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table.

    Attributes:
        values: by column; empty ones are left out.
        mark: where it is.
    """

    values: dict[str, str]
    mark: Mark

    def number(self, column: str) -> float | None:
        """The number in a column; None if there is none.

        Raises:
            PipelineError: if it is not a number of at least 0.
        """
        text = self.values.get(column)
        if text is None:
            return None
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0 <= value < float("inf"):
            found = f"{column} is {text!r:.60}, expected a number of seconds"
            raise PipelineError(Problem("wrong-value", found, self.mark, fix=f"{column}: 5.2"))
        return value


def read_table(path: Path, needs: Sequence[str], asked: Mark | None = None) -> list[Row]:
    """Reads a table with a header; the separator is a comma, a semicolon or a tab.

    Args:
        path: the file, in UTF-8.
        needs: columns of which it must have one.
        asked: the place that names it.

    Raises:
        PipelineError: if it cannot be read, lacks the columns, or has a line with more values than
            columns.
    """
    text = _text_of(path, asked)
    header = text.partition("\n")[0]
    separator = max(",;\t", key=header.count)
    lines = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        columns = [(name or "").strip() for name in lines.fieldnames or ()]
        lines.fieldnames = columns
        _check_columns(path, columns, needs)
        return [_row(path, lines.line_num, found) for found in lines]
    except csv.Error as error:
        mark = Mark(str(path), lines.line_num, 1)
        text = f"this is no CSV line: {error}"
        fix = 'put a text that holds quotes or separators into quotes: "a, b"'
        raise PipelineError(Problem("bad-table", text, mark, fix=fix)) from None


def write_table(path: Path, clips: Iterable[Clip]) -> None:
    """Writes clips as a table that :func:`read_table` reads: ``clips.files`` may name it.

    Raises:
        OutputError: if it cannot be written.
    """
    clips = list(clips)
    others = sorted({column for clip in clips for column in clip.columns} - {*OWN})
    with (
        atomic_write(path, force=True) as part,
        part.open("w", encoding="utf-8", newline="") as file,
    ):
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow([*OWN, *others])
        for clip in clips:
            length = "" if clip.seconds is None else f"{clip.seconds:g}"
            own = (clip.path, clip.name, clip.speaker, clip.sha256, f"{clip.start_s:g}", length)
            rows.writerow([*own, *(clip.columns.get(column, "") for column in others)])


def _text_of(path: Path, asked: Mark | None) -> str:
    try:
        with open_regular(path) as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        text = f"{path}: {read_failure(error)}"
        raise PipelineError(Problem("no-such-file", text, asked, fix="check the name")) from None
    if len(raw) > MAX_BYTES:
        text = f"{path} is larger than {MAX_BYTES >> 20} MiB: this is no table of clips"
        raise PipelineError(Problem("file-too-large", text, asked, fix="give a CSV file"))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = f"{path} is not UTF-8"
        fix = "save the file as UTF-8 (Excel: CSV UTF-8)"
        raise PipelineError(Problem("not-utf8", text, asked, fix=fix)) from None


def _check_columns(path: Path, columns: list[str], needs: Sequence[str]) -> None:
    mark = Mark(str(path), 1, 1)
    wanted = " or ".join(needs)
    if not {*columns} & {*needs}:
        found = ", ".join(columns)[:100] or "none"
        text = f"a table of clips has a column {wanted} in its first line; this one has: {found}"
        fix = f"{needs[0]},speaker"
        raise PipelineError(Problem("bad-table", text, mark, fix=fix))
    double = sorted({name for name in columns if columns.count(name) > 1})
    if double:
        text = f"the column {double[0] or '(without a name)'} occurs twice"
        raise PipelineError(Problem("bad-table", text, mark, fix="rename one of the two"))


def _row(path: Path, line: int, found: dict[str, str | list[str] | None]) -> Row:
    mark = Mark(str(path), line, 1)
    if None in found:
        text = "the line has more values than the first line has columns"
        fix = "put a text that holds separators into quotes"
        raise PipelineError(Problem("bad-table", text, mark, fix=fix))
    values = {name: str(value).strip() for name, value in found.items() if value}
    return Row({name: value for name, value in values.items() if value}, mark)
