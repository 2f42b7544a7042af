"""Candidates: every recording that an experiment could use, with its name and speaker."""

from __future__ import annotations

import difflib
import glob
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from voicegraph.graph.errors import InputError, Mark, PipelineError, Problem
from voicegraph.graph.files.sound import bundled_recording
from voicegraph.graph.files.sound.batch import sound_files
from voicegraph.graph.loading.source_map import KeyPath, SourceMap
from voicegraph.graph.regular_file import name_problem
from voicegraph.schemas.experiment_clips import ClipsSpec

from .table import ENDINGS, OWN, Row, read_table
from .template import Template, facts_of
from .transcripts import transcript_beside

DEFAULT_SPEAKER = "{stem.split('-')[0]}"
_SHOWN = 5
"""Names in a message."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A recording.

    Attributes:
        path: the file, absolute.
        name: of the clip.
        speaker: who speaks.
        columns: what a table says about it besides.
        row: its line in a table; None if none names it.
    """

    path: Path
    name: str
    speaker: str
    columns: Mapping[str, str] = field(default_factory=dict)
    row: Row | None = None

    @property
    def sha256(self) -> str | None:
        """The contents that the table asks for; None if it asks for none."""
        return self.row.values.get("sha256") if self.row else None


@dataclass(slots=True)
class _Found:
    """A file, and what tables say about it."""

    path: Path
    row: Row | None = None
    values: dict[str, str] = field(default_factory=dict)


def find_candidates(spec: ClipsSpec, source_map: SourceMap, at: KeyPath) -> list[Candidate]:
    """All recordings, by name.

    Args:
        spec: where they are.
        source_map: places of the values.
        at: where ``spec`` is in the file.

    Raises:
        PipelineError: if files or tables are missing, wrong, or ambiguous.
    """
    finder = _Finder(spec, source_map, at)
    found = list(finder.files())
    if spec.only is not None:
        found = finder.listed(found, spec.only)
    return finder.named(found)


@dataclass(frozen=True, slots=True)
class _Finder:
    """One search."""

    spec: ClipsSpec
    source_map: SourceMap
    at: KeyPath

    def mark(self, *keys: str | int) -> Mark:
        return self.source_map.value((*self.at, *keys))

    # ---- files ------------------------------------------------------------------------------

    def files(self) -> Iterator[_Found]:
        if self.spec.files is None:
            yield _Found(bundled_recording.path(), values={"speaker": bundled_recording.SPEAKER})
            return
        seen: set[Path] = set()
        for number, text in enumerate(self.spec.files):
            for found in self._of(text, (*self.at, "files", number)):
                if found.path not in seen:
                    seen.add(found.path)
                    yield found

    def _of(self, text: str, at: KeyPath) -> Iterator[_Found]:
        mark = self.source_map.value(at)
        if (problem := name_problem(text)) is not None:
            raise PipelineError(replace(problem, mark=mark))
        path = self.source_map.resolve(at, text)
        if path.suffix.lower() in ENDINGS:
            yield from self._of_table(path, mark)
            return
        if not path.exists() and glob.has_magic(text):
            yield from map(_Found, self._matching(text, at, mark))
            return
        if not path.exists():
            raise PipelineError(_missing(path, mark))
        try:
            yield from map(_Found, sound_files([str(path)]))
        except InputError as error:
            raise PipelineError(replace(p, mark=mark) for p in error.problems) from None

    def _matching(self, text: str, at: KeyPath, mark: Mark) -> list[Path]:
        for folder in (self.source_map.base(at), *self.source_map.elsewhere(at)):
            pattern = str(folder / Path(text).expanduser())
            if there := sorted(Path(found) for found in glob.iglob(pattern, recursive=True)):  # noqa: PTH207
                try:
                    return sound_files([str(found) for found in there if found.is_file()])
                except InputError as error:
                    raise PipelineError(replace(p, mark=mark) for p in error.problems) from None
        text = f"nothing matches {text}"
        fix = "check the pattern; ** stands for folders of any depth: speech/**/*.flac"
        raise PipelineError(Problem("no-such-file", text, mark, fix=fix))

    def _of_table(self, path: Path, mark: Mark) -> Iterator[_Found]:
        for row in read_table(path, ("file",), mark):
            if "file" not in row.values:
                text = "the line names no file"
                raise PipelineError(
                    Problem("bad-table", text, row.mark, fix="give it, or remove it")
                )
            file = path.parent / row.values["file"]
            if not file.is_file():
                raise PipelineError(_missing(file, row.mark))
            yield _Found(file, row, dict(row.values))

    def listed(self, found: list[_Found], only: str) -> list[_Found]:
        """The files that a list names, in its order, with what it says about them."""
        path = self.source_map.resolve((*self.at, "list"), only)
        rows = read_table(path, ("name", "file"), self.mark("list"))
        if self.spec.files is None:
            return found
        there = {file.path.stem: file for file in found}
        chosen: list[_Found] = []
        missing: list[str] = []
        for row in rows:
            name = row.values.get("name") or Path(row.values.get("file", "")).stem
            if (file := there.get(name)) is None:
                missing.append(name or "(no name)")
            else:
                chosen.append(_Found(file.path, row, {**file.values, **row.values}))
        if missing:
            listed = ", ".join(missing[:_SHOWN]) + (", ..." if len(missing) > _SHOWN else "")
            text = f"{len(missing)} of {len(rows)} recordings of {path.name} are missing: {listed}"
            fix = f"add the files to {', '.join(self.spec.files)}, or name another list"
            raise PipelineError(Problem("no-such-file", text, self.mark("files"), fix=fix))
        return chosen

    # ---- names ------------------------------------------------------------------------------

    def named(self, found: list[_Found]) -> list[Candidate]:
        if self.spec.files is None:
            return [Candidate(file.path, file.path.stem, file.values["speaker"]) for file in found]
        transcripts: dict[Path, dict[str, str]] = {}
        speaker_of = self.rule("speaker", DEFAULT_SPEAKER)
        name_of = self.rule("name", "{stem}")
        made: list[Candidate] = []
        for file in found:
            name, speaker = self.made(name_of, "name", file), self.made(speaker_of, "speaker", file)
            columns = {key: value for key, value in file.values.items() if key not in OWN}
            if "transcript" not in columns:
                words = transcript_beside(file.path, transcripts)
                columns |= {} if words is None else {"transcript": words}
            made.append(Candidate(file.path, _shown(name), _shown(speaker), columns, file.row))
        return self.unique(made)

    def rule(self, key: str, default: str) -> str | Template:
        """A column, or a template: as the file says, or the column of this name, or a default."""
        written = getattr(self.spec, key)
        if written is not None and "{" not in written:
            return written
        try:
            return Template.parse(written or default)
        except ValueError as error:
            text = f"clips.{key}: {error}"
            fix = f'{key}: "{default}"'
            raise PipelineError(Problem("bad-template", text, self.mark(key), fix=fix)) from None

    def made(self, rule: str | Template, key: str, file: _Found) -> str:
        if isinstance(rule, str):
            if rule not in file.values:
                raise PipelineError(self._no_column(rule, key, file))
            return file.values[rule]
        if getattr(self.spec, key) is None and key in file.values:
            return file.values[key]
        try:
            return rule.fill(facts_of(file.path, file.values))
        except ValueError as error:
            text = f"clips.{key} of {file.path.name}: {error}"
            fix = f'{key}: "{{stem}}"'
            raise PipelineError(Problem("bad-template", text, self.mark(key), fix=fix)) from None

    def _no_column(self, name: str, key: str, file: _Found) -> Problem:
        if file.row is None:
            text = f"clips.{key} is the column {name}, and {file.path.name} comes from no table"
            fix = f'{key}: "{{{name}}}"' if name in ("stem", "name") else f'{key}: "{{stem}}"'
            return Problem("no-such-column", text, self.mark(key), fix=fix)
        text = f"{file.path.name} has no value in the column {name}"
        close = difflib.get_close_matches(name, list(file.values), 1, 0.5)
        fix = f"{key}: {close[0]}" if close else f"add the column {name}"
        return Problem("no-such-column", text, self.mark(key), (("its line", file.row.mark),), fix)

    def unique(self, clips: list[Candidate]) -> list[Candidate]:
        """Clips of equal names get their folder before it, where the file gives no rule."""
        counts = Counter(clip.name for clip in clips)
        if self.spec.name is None:
            clips = [
                replace(clip, name=_shown(f"{clip.path.parent.name}-{clip.name}"))
                if counts[clip.name] > 1
                else clip
                for clip in clips
            ]
            counts = Counter(clip.name for clip in clips)
        name, most = counts.most_common(1)[0] if counts else ("", 0)
        if most > 1:
            same = [str(clip.path) for clip in clips if clip.name == name]
            text = f"{most} recordings are called {name}: {', '.join(same[:2])}"
            fix = 'name: "{parent.name}-{stem}"'
            raise PipelineError(Problem("same-name", text, self.mark("name"), fix=fix))
        return clips


def _shown(text: str) -> str:
    """A name without what cannot be printed: it stands in tables, pages and file names."""
    return "".join(c if c.isprintable() else "_" for c in text).strip()


def _missing(path: Path, mark: Mark) -> Problem:
    folder = path.parent
    if not folder.is_dir():
        text = f"{path} does not exist, nor does the folder {folder}"
        return Problem("no-such-file", text, mark, fix="check the path")
    there = [found.name for found in folder.iterdir()]
    close = difflib.get_close_matches(path.name, there, 1, 0.5)
    fix = str(folder / close[0]) if close else "check the name"
    return Problem("no-such-file", f"{path} does not exist", mark, fix=fix)
