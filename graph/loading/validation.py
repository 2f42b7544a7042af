"""Validation errors of pydantic as problems: one message per mistake, at its place in the file."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ValidationError

from voicegraph.schemas.pipeline import NodeSpec

from .. import registry
from ..errors import Mark, Problem, Problems, WrongValueError
from .error_wording import code_of, expected_of
from .file_kind import PIPELINE, FileKind
from .model_fields import example, examples, in_units, keys_at, keys_of, type_at
from .source_map import KeyPath, SourceMap, dotted
from .values import assignment, flow_yaml, text_assignment

_KEY = "[key]"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One error of pydantic, at the path of the value that it refers to.

    Attributes:
        kind: pydantic's name of the error, such as ``int_type``.
        path: path of the value inside the model.
        union: path of the value whose type is a union, if the error is from one of its members.
        member: that member.
        of_key: whether the key is wrong, not the value.
        error: pydantic's error record.
    """

    kind: str
    path: KeyPath
    union: KeyPath | None
    member: str | None
    of_key: bool
    error: Any


def add_validation_problems(
    problems: Problems,
    error: ValidationError,
    source_map: SourceMap,
    prefix: KeyPath,
    model: type[BaseModel],
    subject: str = "",
    skip: Collection[KeyPath] = (),
    kind: FileKind = PIPELINE,
) -> None:
    """Adds the errors that pydantic found to ``problems``.

    Args:
        problems: gets the problems.
        error: the error that ``model.model_validate`` raised.
        source_map: places of the values.
        prefix: path of the model's values in the file.
        model: the model.
        subject: owner of the values in messages, such as ``f0 (f0.harvest)``.
        skip: paths whose mistakes are reported already, including everything below them.
        kind: the kind of file.
    """
    report = _Report(source_map, prefix, model, subject, kind)
    groups = _by_mistake(field_errors(error, source_map, prefix, model))
    misspelt = {report.meant(g[0]) for g in groups if g[0].kind == "extra_forbidden"}
    for group in groups:
        full = (*prefix, *group[0].path)
        if any(full[: len(path)] == path for path in skip):
            continue
        if group[0].kind == "missing" and full in misspelt:
            continue  # there, but under another name
        problem = report.problem(group)
        if report.source_map.origin(full) is None or not _add_use_of_var(problems, problem):
            problems.found.append(problem)


def field_errors(
    error: ValidationError, source_map: SourceMap, prefix: KeyPath, model: type[BaseModel]
) -> list[FieldError]:
    """The errors, with the tags of unions removed from their ``loc``."""
    return [
        _field_error(record, source_map, prefix, model)
        for record in error.errors(include_url=False)
    ]


def _field_error(
    record: Any, source_map: SourceMap, prefix: KeyPath, model: type[BaseModel]
) -> FieldError:
    loc = tuple(record["loc"])
    of_key = bool(loc) and loc[-1] == _KEY
    loc = loc[:-1] if of_key else loc
    path: KeyPath = ()
    union, member = None, None
    for i, part in enumerate(loc):
        absent = i == len(loc) - 1 and record["type"] == "missing"
        if (
            absent
            or (*prefix, *path, part) in source_map.places
            or (i == 0 and part in keys_of(model))
        ):
            path = (*path, part)
        elif union is None:
            union, member = path, str(part)
    return FieldError(record["type"], path, union, member, of_key, record)


def _by_mistake(found: Iterable[FieldError]) -> list[list[FieldError]]:
    """The errors grouped by mistake: a value of a union type fails once for every member."""
    groups: dict[tuple[Any, ...], list[FieldError]] = {}
    for i, failure in enumerate(found):
        groups.setdefault((i,) if failure.union is None else ("union", failure.union), []).append(
            failure
        )
    mistakes: list[list[FieldError]] = []
    for key, group in groups.items():
        deepest = max(group, key=lambda failure: len(failure.path))
        if key[0] == "union" and len(deepest.path) > len(key[1]):
            # The member that got furthest is probably the one that was meant.
            mistakes.extend([f] for f in group if f.member == deepest.member)
        elif key[0] == "union" and any(not _about_type(failure) for failure in group):
            mistakes.append([next(failure for failure in group if not _about_type(failure))])
        else:
            mistakes.append(group)
    return mistakes


def _about_type(failure: FieldError) -> bool:
    return failure.kind.endswith(("_type", "_parsing")) or failure.kind == "none_required"


def _add_use_of_var(problems: Problems, problem: Problem) -> bool:
    """Adds a further use of a wrong var to the problem that names the var; False if none does."""
    for i, other in enumerate(problems.found):
        same = (other.code, other.fix) == (problem.code, problem.fix)
        if same and other.notes[:1] == problem.notes[:1]:
            note = (f"also {problem.message}", problem.mark)
            problems.found[i] = replace(other, notes=(*other.notes, note))
            return True
    return False


@dataclass(frozen=True, slots=True)
class _Report:
    """Makes the problems for the errors of one model."""

    source_map: SourceMap
    prefix: KeyPath
    model: type[BaseModel]
    subject: str
    kind: FileKind

    @property
    def whole(self) -> bool:
        """Whether the model is that of a whole file."""
        return self.model is self.kind.model

    def problem(self, group: list[FieldError]) -> Problem:
        failure = group[0]
        if failure.kind == "extra_forbidden":
            return self.unknown_key(failure)
        if failure.kind == "missing":
            return self.missing_key(failure)
        if failure.of_key:
            return self.bad_key(failure)
        return self.bad_value(group)

    def full(self, path: KeyPath) -> KeyPath:
        return (*self.prefix, *path)

    def label(self, path: KeyPath) -> str:
        if self.subject:
            return f"{self.subject}: {dotted(path)}" if path else self.subject
        return dotted(self.full(path)) or f"the {self.kind.word}"

    def meant(self, failure: FieldError) -> KeyPath | None:
        """Full path of the known key that an unknown one resembles most; None if none is near."""
        *parent, key = failure.path
        close = difflib.get_close_matches(str(key), self.known(parent), 1, 0.5)
        return self.full((*parent, close[0])) if close else None

    def known(self, parent: Sequence[str | int]) -> list[str]:
        full = self.full(tuple(parent))
        places = (at for at in self.source_map.places if at[:-1] == full)
        return keys_at(self.model, tuple(parent), {str(at[-1]) for at in places if at})

    def unknown_key(self, failure: FieldError) -> Problem:
        *parent, key = failure.path
        at, known = type_at(self.model, tuple(parent)), self.known(parent)
        near = self.meant(failure)
        better = str(near[-1]) if near else None
        if better is None and at is NodeSpec:
            better = f"params.{key}"
        owner = self.label(tuple(parent))
        text = f"{owner} has no key `{key}`; it has: {', '.join(known) or 'none'}"
        spot = dotted(self.full(tuple(parent)))
        mark = self.source_map.key(self.full(failure.path))
        value = failure.error["input"]
        given = flow_yaml(value) if _is_plain(value) or not mark.line else "..."
        where = ".".join(filter(None, [spot, better]))
        fix = assignment(where, given, mark) if better else f"remove {key}"
        return Problem("unknown-key", text, mark, fix=fix)

    def missing_key(self, failure: FieldError) -> Problem:
        *parent, key = failure.path
        text = f"{self.label(tuple(parent))} needs `{key}`"
        above = self.full(tuple(parent))
        mark = self.source_map.key(above)
        shown = self.own_example(failure.path) or example(self.model, failure.path) or "VALUE"
        fix = f"{dotted(self.full(failure.path))}: {shown}"
        return Problem("missing-key", text, mark, fix=fix)

    def bad_key(self, failure: FieldError) -> Problem:
        key = str(failure.path[-1])
        owner = self.label(failure.path[:-1])
        mark = self.source_map.key(self.full(failure.path))
        if failure.kind == "value_error":
            text = f"{dotted(self.full(failure.path))}: {failure.error['ctx']['error']}"
            return Problem("bad-name", text, mark, fix=f"{owner}.my_{key}")
        text = (
            f"{key!r} cannot be a name in {owner}: lower-case letters, digits and _, letter first"
        )
        return Problem("bad-name", text, mark, fix=f"{owner}.{valid_name(key)}")

    def bad_value(self, group: list[FieldError]) -> Problem:
        failure = group[0]
        path = failure.union if failure.union is not None and len(group) > 1 else failure.path
        full = self.full(path)

        def show(value: Any) -> str:
            return in_units(self.model, path, value)

        expected = " or ".join(dict.fromkeys(expected_of(f.error, show) for f in group))
        if failure.kind == "string_pattern_mismatch" and (samples := examples(self.model, path)):
            expected = f"something like {', '.join(map(str, samples))}"
        typed = self.typed(full, failure.error["input"])
        found = show(failure.error["input"])
        if typed is not None and typed != found:
            found = f"{typed}, which YAML reads as {found}"
        text = f"{self.label(path)} is {found}, expected {expected}"
        if failure.kind in ("value_error", "assertion_error"):
            text = f"{self.label(path)}: {failure.error['ctx']['error']}"
        notes: list[tuple[str, Mark | None]] = []
        origin = self.source_map.origin(full)
        if origin is not None:
            notes.append(("the value comes from a var", origin))
        if len(full) == 2 and failure.error["input"] is None and self.kind.removes(full, True):
            word = self.kind.members.get(str(full[0]), "value")
            text_of_null = f"null removes a {word} of the extended {self.kind.word}"
            notes.append((f"{text_of_null}, but it has no {full[1]}", None))
        var = self.source_map.var(full)
        where = f"vars.{var}" if var else dotted(full)
        given = origin or self.source_map.value(full)
        of_file = expected == "a file name" or (self.whole and path[:1] == ("assets",))
        if typed is not None and of_file:
            fix = text_assignment(where, typed, given)
        else:
            fix = assignment(where, self.better(failure, path, expected), given)
        return Problem(code_of(failure.kind), text, self.source_map.value(full), tuple(notes), fix)

    def own_example(self, path: KeyPath, value: Any = None) -> str | None:
        """A value that depends on the rest of the file: the last node as output, or for a var."""
        if not self.whole:
            return None
        if path == ("output",):
            names = [
                at[1] for at in self.source_map.places if at[:1] == ("nodes",) and len(at) == 2
            ]
            return str(names[-1]) if names else None
        if len(path) == 2 and path[0] == "vars":
            first = value[0] if isinstance(value, list) and value else None
            return flow_yaml(first) if isinstance(first, (str, int, float)) else "VALUE"
        return None

    def typed(self, full: KeyPath, value: Any) -> str | None:
        """What was typed for a number, true or false that was written without quotes."""
        var = self.source_map.var(full)
        place = self.source_map.places.get(("vars", var) if var else full)
        plain = isinstance(value, (bool, int, float))
        return place.typed if plain and place is not None else None

    def better(self, failure: FieldError, path: KeyPath, expected: str) -> str:
        """A valid value: the nearest choice or bound, else an example."""
        context = failure.error.get("ctx", {})
        written = str(failure.error["input"])
        if own := self.own_example(path, failure.error["input"]):
            return own
        if isinstance(context.get("error"), WrongValueError):
            return context["error"].better
        if failure.kind in ("literal_error", "enum"):
            choices = [c.strip("'") for c in context["expected"].replace(" or ", ", ").split(", ")]
            return _closest(written, choices)
        if path[-1:] == ("use",) and (close := registry.nearest(written)):
            return close[0]
        bound = context.get("ge", context.get("le"))
        if bound is not None:
            return in_units(self.model, path, bound)
        samples = [sample for sample in examples(self.model, path) if isinstance(sample, str)]
        if close := difflib.get_close_matches(written, samples, 1, 0.5):
            return close[0]
        ours = failure.kind in ("value_error", "assertion_error")
        return example(self.model, path) or ("VALUE" if ours else f"({expected})")


def valid_name(text: str) -> str:
    """The name most like ``text`` that a node can have."""
    kept = "".join(c if c.isascii() and c.isalnum() else "_" for c in text.lower()).strip("_")
    return kept if kept and kept[0].isalpha() else f"n{kept}"


def _closest(written: str, choices: list[str]) -> str:
    """The most similar choice; digits are ignored (float64 is most similar to float32)."""

    def likeness(choice: str) -> float:
        one, two = (re.sub(r"\d", "", text) for text in (written, choice))
        ratio = difflib.SequenceMatcher(None, one, two).ratio()
        return ratio if ratio >= 0.6 else 0

    return max(choices, key=likeness)


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (str, int, float, bool))
