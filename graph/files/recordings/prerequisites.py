"""Whether what a recording needs is here: its files, and the circumstances."""

from __future__ import annotations

from collections.abc import Collection

from voicegraph.schemas.recording import RecordedFile

from ...errors import InputError, Problem, Problems
from ._file_identity import describe_file, moved
from .reader import Recording
from .recorder import circumstances


def check_files(recording: Recording, overridden: Collection[str] = ()) -> None:
    """Compares the files of a recording with those that are here.

    Args:
        recording: which.
        overridden: dotted paths that are set to something else, and need not be there.

    Raises:
        InputError: with every file that is missing or is another one, and where it is named.
    """
    problems = Problems(InputError)
    for file in recording.header.files:
        paths = list(moved(recording.header.document, file.path))
        if paths and set(paths) <= set(overridden):
            continue
        if (problem := _problem(file, paths)) is not None:
            problems.found.append(problem)
    problems.raise_if_any()


def _problem(file: RecordedFile, paths: list[str]) -> Problem | None:
    where = f"--set {paths[0]}=PATH" if paths else "put the file there"
    if not file.path.exists():
        text = f"{file.path}, which the recording was made with, is not here"
        return Problem("missing-file", text, fix=f"say where it lies now: {where}")
    found = describe_file(file.path)
    if (found.bytes, found.fingerprint) == (file.bytes, file.fingerprint):
        return None
    text = (
        f"{file.path} is not the file that the recording was made with: "
        f"{found.bytes} bytes, expected {file.bytes}"
    )
    if found.bytes == file.bytes:
        text = f"{file.path} is not the file that the recording was made with, if of the same size"
    return Problem("other-file", text, fix=f"name the right one, or go on with it: {where}")


def differences(recording: Recording) -> list[str]:
    """What is otherwise here, in words."""
    then, now = recording.header.circumstances, circumstances()
    return [
        f"{name}: {before} then, {after} now"
        for name in type(then).model_fields
        if (before := getattr(then, name)) != (after := getattr(now, name))
    ]
