"""Checks the files that a recording needs, and compares the environment."""

from __future__ import annotations

from collections.abc import Collection

from voicegraph.schemas.recording import RecordedFile

from ...errors import InputError, Problem, Problems
from ._file_identity import entries_naming, file_size, is_same
from .reader import Recording
from .recorder import circumstances


def check_files(recording: Recording, overridden: Collection[str] = ()) -> None:
    """Compares the files on this machine with those of the recording.

    Args:
        recording: the recording.
        overridden: dotted paths of params that are overridden, whose files are not needed.

    Raises:
        InputError: with every file that is missing or different, and where it is named.
    """
    problems = Problems(InputError)
    for file in recording.header.files:
        paths = list(entries_naming(recording.header.document, file.path))
        if paths and set(paths) <= set(overridden):
            continue
        if (problem := _problem(file, paths)) is not None:
            problems.found.append(problem)
    problems.raise_if_any()


def _problem(file: RecordedFile, paths: list[str]) -> Problem | None:
    where = f"--set {paths[0]}=PATH" if paths else "put the file there"
    if not file.path.exists():
        text = f"{file.path}, which the recording was made with, is missing"
        return Problem("missing-file", text, fix=f"say where it is now: {where}")
    if is_same(file, file.path):
        return None
    found = file_size(file.path)
    text = (
        f"{file.path} is not the file that the recording was made with: "
        f"{found} bytes, expected {file.bytes}"
    )
    if found == file.bytes:
        text = f"{file.path} is not the file that the recording was made with: its contents differ"
    return Problem("other-file", text, fix=f"give the right file, or use this one: {where}")


def differences(recording: Recording) -> list[str]:
    """Differences between this environment and the recorded one, as text."""
    then, now = recording.header.circumstances, circumstances()
    return [
        f"{name}: {before} then, {after} now"
        for name in type(then).model_fields
        if (before := getattr(then, name)) != (after := getattr(now, name))
    ]
