"""A sound file in the wrong place: a voice given as an index, an encoder as a voice."""

from __future__ import annotations

from pathlib import Path

from ...errors import Problem, WeightsError
from ._archive import Archive, open_archive
from .identify import identify

CODE = "wrong-kind"
NOT_WEIGHTS = "not-weights"


def open_expected(path: Path, expected: str, fix: str | None = None) -> Archive:
    """As ``open_archive``; what holds no tensors is told by what it is.

    Args:
        path: of the file.
        expected: what should be there, with its article: ``an RVC voice``.
        fix: what to type.

    Raises:
        WeightsError: if it is no archive of tensors, or a damaged one.
    """
    try:
        return open_archive(path)
    except WeightsError as error:
        if error.problems[0].code != NOT_WEIGHTS:
            raise
    raise wrong_kind(path, expected, fix)


def wrong_kind(path: Path, expected: str, fix: str | None = None) -> WeightsError:
    """The error for a file that is not what is wanted where it was named: what it really is.

    Args:
        path: of the file.
        expected: what should be there, with its article: ``an RVC voice``.
        fix: what to type, beginning with the param or asset that should name another file.
    """
    try:
        found = identify(path)
    except WeightsError as error:
        return _described(error, expected, fix)
    if found.kind is not None:
        is_what = found.kind.noun
    elif found.archive is not None:
        is_what = f"a file of {len(found.archive.tensors)} tensors of no kind known here"
    else:
        is_what = "of no kind known here"
    more = (f"see what it holds: voicegraph inspect {path}", None)
    text = f"{path} is {is_what}, but {expected} is expected"
    return WeightsError(Problem(CODE, text, notes=(more,), fix=fix))


def _described(error: WeightsError, expected: str, fix: str | None) -> WeightsError:
    """What is wrong with the file itself comes first; what was wanted of it follows."""
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
