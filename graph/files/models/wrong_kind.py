"""A valid file in the wrong place: a voice given as an index, an encoder as a voice."""

from __future__ import annotations

from pathlib import Path

from ...errors import Problem, WeightsError
from ...terminal_text import printable
from ._archive import Archive, open_archive
from .identify import identify

CODE = "wrong-kind"
NOT_WEIGHTS = "not-weights"


def open_expected(path: Path, expected: str, fix: str | None = None) -> Archive:
    """As ``open_archive``; for a file without tensors the error says what the file is.

    Args:
        path: of the file.
        expected: what should be there, with its article: ``an RVC voice``.
        fix: what to type.

    Raises:
        WeightsError: if it is not an archive of tensors, or damaged.
    """
    try:
        return open_archive(path)
    except WeightsError as error:
        if error.problems[0].code != NOT_WEIGHTS:
            raise
    raise wrong_kind(path, expected, fix)


def wrong_kind(path: Path, expected: str, fix: str | None = None) -> WeightsError:
    """The error for a file of another kind than expected; it says what the file is.

    Args:
        path: of the file.
        expected: what should be there, with its article: ``an RVC voice``.
        fix: what to type, starting with the param or asset that names the file.
    """
    try:
        found = identify(path)
    except WeightsError as error:
        return _described(error, expected, fix)
    if found.kind is not None:
        is_what = found.kind.noun
    elif found.archive is not None and found.archive.export is not None:
        is_what = f"the exported network of {printable(found.archive.export.use)[:80]}"
    elif found.archive is not None:
        is_what = f"a file of {len(found.archive.tensors)} tensors of unknown kind"
    else:
        is_what = "of unknown kind"
    more = (f"to see its contents: voicegraph inspect {path}", None)
    text = f"{path} is {is_what}, but {expected} is expected"
    return WeightsError(Problem(CODE, text, notes=(more,), fix=fix))


def _described(error: WeightsError, expected: str, fix: str | None) -> WeightsError:
    """The error about the file itself, with the expected kind as a note."""
    first, *others = error.problems
    wanted = (f"{expected} is expected", None)
    return WeightsError(
        [
            Problem(
                first.code, first.message, first.mark, (*first.notes, wanted), first.fix or fix
            ),
            *others,
        ]
    )
