"""Pairs input and output files: single files, patterns, and folders with all their contents."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import InputError, OutputError, Problem
from ...regular_file import name_problem
from .folder_contents import Content, content_of, unreadable
from .formats import WRITABLE

_NAME = "{name}"


@dataclass(frozen=True, slots=True)
class Job:
    """One file to convert.

    Attributes:
        source: the input.
        target: the output.
        name: replaces ``{name}`` in file names: the input's path below the given folder, without
            its extension.
        note: why the output has another format than the input.
    """

    source: Path
    target: Path
    name: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """All files of one run.

    Attributes:
        jobs: in the order in which they run.
        single: one input file and one output file were named.
        skipped: files in folders that are not audio.
        unreadable: files in folders that hold sound which only another program can read.
        own_formats: each output has the format of its input, if that can hold it.
    """

    jobs: tuple[Job, ...]
    single: bool = False
    skipped: int = 0
    unreadable: tuple[Path, ...] = ()
    own_formats: bool = False


def plan_batch(inputs: list[str], output: str, ending: str | None = None) -> Batch:
    """Pairs inputs with outputs.

    Args:
        inputs: files, folders (with everything below them) and patterns such as ``*.wav``.
        output: a file; or a folder, if it exists as one, ends in a separator, or there are several
            inputs.
        ending: extension of the files written into a folder, such as ``flac``; by default each
            input's own if that format can be written, else wav.

    Raises:
        InputError: if a folder or pattern holds no audio.
        OutputError: if the output does not fit the inputs, or two inputs share an output.
    """
    suffix = _suffix(ending)
    _require_possible_names(inputs, output)
    named = [path for text in inputs for path in _expand(text)]
    many = len(named) > 1 or any(path.is_dir() for path in named)
    folder = output.endswith(("/", os.sep)) or Path(output).is_dir()
    if not many and not folder:
        return Batch((_single(named[0], Path(output), suffix),), single=True)
    if not folder and Path(output).suffix.lower() in WRITABLE:
        what = f"the folder {named[0]}" if len(named) == 1 else f"{len(named)} inputs"
        text = f"{what} cannot become one file {output}"
        raise OutputError(Problem("needs-folder", text, fix=f"{Path(output).with_suffix('')}/"))
    found = _jobs(named, Path(output), suffix)
    check_unique_targets(found.jobs)
    return found


def sound_files(inputs: Sequence[str]) -> list[Path]:
    """The files that inputs name: files, patterns, and folders with everything below them.

    Raises:
        InputError: if a folder or pattern holds no audio, or audio that cannot be read.
    """
    _require_possible_inputs(inputs)
    found: list[Path] = []
    for path in (path for text in inputs for path in _expand(text)):
        if not path.is_dir():
            found.append(path)
            continue
        sounds, others, _ = _sounds_of(path, _files(path))
        if others:
            raise unreadable(others[0])
        found += sounds
    return found


def _require_possible_inputs(inputs: Sequence[str]) -> None:
    for text in inputs:
        if (problem := name_problem(text)) is not None:
            raise InputError(problem)


def _require_possible_names(inputs: list[str], output: str) -> None:
    _require_possible_inputs(inputs)
    if (problem := name_problem(output)) is not None:
        raise OutputError(problem)


def _suffix(ending: str | None) -> str | None:
    if ending is None:
        return None
    suffix = f".{ending.lower().removeprefix('.')}"
    if suffix not in WRITABLE:
        text = f"the format {ending!r} cannot be written; known: {' '.join(WRITABLE)}"
        raise OutputError(Problem("unknown-format", text, fix="--format wav"))
    return suffix


def _expand(text: str) -> list[Path]:
    """Expands patterns, which the shells of Windows do not. An existing name is not a pattern."""
    if Path(text).exists() or not glob.has_magic(text):
        return [Path(text)]
    found = sorted(Path(name) for name in glob.glob(text, recursive=True))  # noqa: PTH207
    if not found:
        raise InputError(Problem("no-such-file", f"no file matches {text}"))
    return found


def _single(source: Path, target: Path, suffix: str | None) -> Job:
    if not target.suffix:
        text = f"{target} has no extension: is it a file or a folder?"
        fix = f"{target}{suffix or '.wav'} for a file, {target}/ for a folder"
        raise OutputError(Problem("unknown-format", text, fix=fix))
    if suffix is not None and target.suffix.lower() != suffix:
        text = f"--format {suffix[1:]} does not go with {target}, whose extension gives its format"
        raise OutputError(Problem("unknown-format", text, fix=str(target.with_suffix(suffix))))
    return Job(source, target, source.stem)


def _jobs(named: list[Path], output: Path, suffix: str | None) -> Batch:
    jobs: list[Job] = []
    to_convert: list[Path] = []
    skipped = 0
    for path in named:
        if not path.is_dir():
            jobs.append(_job(path, Path(path.name), output, suffix))
            continue
        sounds, convertible, others = _sounds_of(path, _files(path, output))
        skipped += others
        to_convert += convertible
        jobs += [_job(file, file.relative_to(path), output, suffix) for file in sounds]
    return Batch(
        tuple(jobs), skipped=skipped, unreadable=tuple(to_convert), own_formats=suffix is None
    )


def _sounds_of(folder: Path, files: Iterator[Path]) -> tuple[list[Path], list[Path], int]:
    """Files of sound, those that another program has to convert first, and the number of others.

    Raises:
        InputError: if there is no sound at all.
    """
    contents = [(file, content_of(file)) for file in files]
    sounds = [file for file, content in contents if content is Content.SOUND]
    convertible = [file for file, content in contents if content is Content.CONVERTIBLE]
    if not sounds and not convertible:
        text = f"the folder {folder} holds no audio"
        notes = ((f"{len(contents)} files with other contents", None),) if contents else ()
        raise InputError(Problem("no-audio", text, notes=notes))
    return sounds, convertible, len(contents) - len(sounds) - len(convertible)


def _files(folder: Path, output: Path | None = None) -> Iterator[Path]:
    """All files below a folder, except hidden ones and those in the output folder."""
    own = output.resolve() if output is not None else None
    for root, folders, files in os.walk(folder):
        here = Path(root)
        folders[:] = sorted(
            name for name in folders if name[0] != "." and (here / name).resolve() != own
        )
        yield from (here / name for name in sorted(files) if name[0] != ".")


def _job(source: Path, relative: Path, output: Path, suffix: str | None) -> Job:
    own = source.suffix.lower()
    ending = suffix or (source.suffix if own in WRITABLE else ".wav")
    return Job(source, output / relative.with_suffix(ending), relative.with_suffix("").as_posix())


def check_unique_targets(jobs: Sequence[Job]) -> None:
    """Checks that no two inputs share an output.

    Raises:
        OutputError: if they do.
    """
    # Names that differ only in case are the same file on Windows and macOS.
    counts = Counter(str(job.target).casefold() for job in jobs)
    shared = [job for job in jobs if counts[str(job.target).casefold()] > 1]
    if shared:
        text = f"{len(shared)} inputs would be written to the same file, {shared[0].target}"
        notes = tuple((str(job.source), None) for job in shared[:4])
        fix = "convert them into folders of their own"
        raise OutputError(Problem("same-output", text, notes=notes, fix=fix))


def fill_name(template: str, job: Job, batch: Batch) -> Path:
    """The file that ``template`` means for a job: ``{name}`` stands for the input's name.

    Raises:
        OutputError: if there are several jobs and the template would give them all one file.
    """
    if len(batch.jobs) > 1 and _NAME not in template:
        path = Path(template)
        text = f"{len(batch.jobs)} inputs cannot share the file {template}"
        fix = str(path.with_name(f"{_NAME}{path.suffix}"))
        raise OutputError(Problem("same-output", text, fix=fix))
    alike = sum(other.name.casefold() == job.name.casefold() for other in batch.jobs)
    if alike > 1:
        text = f"{alike} inputs are called {job.name}, so {template} means one file for all of them"
        raise OutputError(Problem("same-output", text, fix="convert them one by one"))
    return Path(template.replace(_NAME, job.name))
