"""Ratings as listeners gave them: webMUSHRA's CSV, joined with the key of the test."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from voicegraph.graph.errors import InputError, Problem, Problems

from .listening_test import KINDS, ListeningTest, Stimulus

_FIRST = "session_test_id"
_FORMS: Mapping[str, tuple[str, str]] = {
    "mushra": ("rating_stimulus", "rating_score"),
    "mos": ("stimuli", "stimuli_rating"),
    "ab": ("choice_non_reference", "choice_answer"),
    "abx": ("choice_non_reference", "choice_answer"),
}
"""Columns of the stimulus and of the answer."""
_RANGES: Mapping[str, tuple[float, float]] = {"mushra": (0, 100), "mos": (1, 5)}
_UNANSWERED = {"", "na", "unknown"}
_FEW = 5
"""Mistakes of a kind that are listed."""


@dataclass(frozen=True, slots=True)
class Rating:
    """One answer.

    Attributes:
        listener: who gave it.
        stimulus: what was rated, with its cell, clip and speaker.
        score: MUSHRA 0 to 100; MOS 1 to 5; AB 1 if the system was preferred to the baseline, 0 if
            the baseline, .5 if neither; ABX 1 if the reference was found, 0 if not, .5 if the
            listener could not tell.
    """

    listener: str
    stimulus: Stimulus
    score: float


def read_csv_files(test: ListeningTest, paths: Sequence[Path]) -> list[Rating]:
    """Reads ratings of one test from one or several files.

    Raises:
        InputError: with everything that is wrong in them.
    """
    problems = Problems(InputError)
    stimuli = {(s.trial, s.stimulus): s for s in test.stimuli}
    ratings: list[Rating] = []
    for path in paths:
        ratings += _of_file(test, stimuli, path, problems)
    twice = [
        key
        for key, count in Counter(
            (r.listener, r.stimulus.trial, r.stimulus.stimulus) for r in ratings
        ).items()
        if count > 1
    ]
    if twice:
        listener, trial, stimulus = twice[0]
        problems.add(
            "rated-twice",
            f"listener {listener!r} rated {stimulus} of {trial} more than once"
            + (f", as did {len(twice) - 1} others" if len(twice) > 1 else ""),
            fix="give each file once, and listeners different names",
        )
    problems.raise_if_any()
    if not ratings:
        named = ", ".join(map(str, paths))
        raise InputError(Problem("no-ratings", f"{named}: there is no answer in it"))
    return ratings


def _of_file(
    test: ListeningTest,
    stimuli: Mapping[tuple[str, str], Stimulus],
    path: Path,
    problems: Problems,
) -> list[Rating]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns = [*(reader.fieldnames or [])]
            lines = [*reader]
    except OSError as error:
        problems.add("unreadable", f"{path} cannot be read: {error.strerror}")
        return []
    except (UnicodeDecodeError, csv.Error) as error:
        problems.add("not-csv", f"{path} is not a CSV file: {error}")
        return []
    if not _require_columns(test, path, columns, problems):
        return []
    ratings, wrong = [], []
    for number, line in enumerate(lines, 2):
        if None in line or None in line.values():
            wrong.append(f"line {number} has another number of fields than the first line")
            continue
        try:
            rating = _rating(test, stimuli, columns, line, path)
        except ValueError as error:
            wrong.append(f"line {number}: {error}")
            continue
        if rating is not None:
            ratings.append(rating)
    for text in wrong[:_FEW]:
        problems.add("wrong-rating", f"{path}, {text}")
    if len(wrong) > _FEW:
        problems.add("wrong-rating", f"{path}: {len(wrong) - _FEW} more lines like these")
    return ratings


def _require_columns(
    test: ListeningTest, path: Path, columns: Sequence[str], problems: Problems
) -> bool:
    wanted = (_FIRST, "trial_id", *_FORMS[test.kind])
    lacking = [name for name in wanted if name not in columns]
    if not lacking:
        return True
    other = next((k for k in KINDS if all(name in columns for name in _FORMS[k])), None)
    text = f"{path} lacks the column{'s' * (len(lacking) > 1)} {', '.join(lacking)}"
    if other is not None:
        text += f"; it holds ratings of a {other} test, and this is a {test.kind} test"
    problems.add(
        "wrong-columns", text, fix=f"--kind {other}" if other else "give webMUSHRA's CSV as it is"
    )
    return False


def _rating(
    test: ListeningTest,
    stimuli: Mapping[tuple[str, str], Stimulus],
    columns: Sequence[str],
    line: Mapping[str, str],
    path: Path,
) -> Rating | None:
    """The answer in a line; None if there is none.

    Raises:
        ValueError: if the line does not belong to the test, or holds no answer of its kind.
    """
    if line[_FIRST] != test.id:
        raise ValueError(
            f"it belongs to the test {line[_FIRST]!r}, and the key to {test.id!r}; another draw is "
            "another test"
        )
    name, column = _FORMS[test.kind]
    stimulus = stimuli.get((line["trial_id"], line[name].strip()))
    if stimulus is None:
        raise ValueError(f"there is no sound {line[name]!r} in trial {line['trial_id']!r}")
    answer = line[column].strip()
    if answer.lower() in _UNANSWERED:
        return None
    return Rating(_listener(columns, line, path), stimulus, _score(test.kind, answer))


def _score(kind: str, answer: str) -> float:
    if kind in ("ab", "abx"):
        # "correct" is the reference: in ABX it was to be found, in AB it is the baseline.
        scores = {"correct": float(kind == "abx"), "incorrect": float(kind == "ab")}
        scores["undecided"] = 0.5
        if answer not in scores:
            raise ValueError(f"expected correct, incorrect or undecided, found {answer!r}")
        return scores[answer]
    low, high = _RANGES[kind]
    try:
        value = float(answer)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise ValueError(f"expected a number from {low:g} to {high:g}, found {answer!r}")
    return value


def _listener(columns: Sequence[str], line: Mapping[str, str], path: Path) -> str:
    """Who answered: what webMUSHRA's questionnaire asked, or else the session, or else the file."""
    between = columns[columns.index(_FIRST) + 1 : columns.index("trial_id")]
    for name in ("listener", "name", "email", "session_uuid", *between):
        if name in columns and line[name].strip():
            return line[name].strip()
    return path.stem
