"""Variables of a file: ``$name`` refers to a value under ``vars``."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import Mark, Problems
from .document import Document
from .source_map import KeyPath, Place, SourceMap, dotted

REQUIRED = "required"
"""Value of a var or an asset that the user has to give."""

_WHOLE = re.compile(r"\$([A-Za-z_]\w*)|\$\{([^{}$]*)\}", re.ASCII)
_PART = re.compile(r"\$\$|\$\{([^{}$]*)\}|\$([A-Za-z_]\w*)?", re.ASCII)


class _FailedError(Exception):
    """A text has no value. The reason is already reported, or validation will report it."""


def substitute(document: Document, problems: Problems) -> tuple[Document, frozenset[KeyPath]]:
    """Replaces variables by their values.

    A whole ``$name`` or ``${name}`` becomes the var's value with its type; ``${name}`` inside
    longer text becomes text; ``$$`` is a dollar sign. The mark remains that of the ``$``, and
    relative file names resolve against the place where the var's value was written.

    Returns:
        The document, and the paths whose variables have no value.
    """
    work = _Substitution(document.data.get("vars", {}), document.source_map, problems)
    work.read_vars()
    data = {
        key: value if key in document.kind.literal else work.value(value, (key,))
        for key, value in document.data.items()
    }
    work.report_unknown()
    work.report_missing()
    source_map = SourceMap(document.source_map.source, work.places, document.source_map.directory)
    return replace(document, data=data, source_map=source_map), frozenset(work.failed)


@dataclass(slots=True)
class _Substitution:
    """One pass over a document."""

    written: Any
    source_map: SourceMap
    problems: Problems
    values: dict[str, Any] = field(default_factory=dict)
    places: dict[KeyPath, Place] = field(default_factory=dict)
    failed: set[KeyPath] = field(default_factory=set)
    missing: dict[str, list[KeyPath]] = field(default_factory=dict)
    unknown: dict[str, list[KeyPath]] = field(default_factory=dict)

    def read_vars(self) -> None:
        """Reads the values of ``vars``, which must not refer to other vars."""
        self.places = dict(self.source_map.places)
        for name, value in self.written.items() if isinstance(self.written, Mapping) else ():
            if isinstance(value, (Mapping, list)):
                continue  # not allowed as a var; validation reports it
            if isinstance(value, str) and (used := re.search(r"\$", value.replace("$$", ""))):
                self.problems.add(
                    "var-in-var", f"vars.{name} is {value!r}, but a var cannot refer to a var",
                    self.source_map.value(("vars", name)),
                    fix=f"vars.{name}: {value.replace('$$', '$').replace(used[0], '$$')!r}  "
                    "(if it is a dollar sign)",
                )  # fmt: skip
                continue
            self.values[name] = value.replace("$$", "$") if isinstance(value, str) else value

    def value(self, value: Any, path: KeyPath) -> Any:
        if isinstance(value, dict):
            return {key: self.value(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item, (*path, i)) for i, item in enumerate(value)]
        if not isinstance(value, str) or "$" not in value:
            return value
        try:
            if whole := _WHOLE.fullmatch(value):
                return self.whole(whole[1] or whole[2] or "", path)
            return self.interpolated(value, path)
        except _FailedError:
            self.failed.add(path)
            return value

    def whole(self, name: str, path: KeyPath) -> Any:
        value = self.look_up(name, path)
        self.moved(name, path, whole=True)
        return value

    def interpolated(self, text: str, path: KeyPath) -> str:
        def replacement(match: re.Match[str]) -> str:
            if match[0] == "$$":
                return "$"
            if match[1] is None:
                self.lone_dollar(text, match[2], path)
            value = self.look_up(match[1], path)
            if value is None:
                self.null_in_text(match[1], text, path)
            # A file name that begins with a var is relative to where the var was written.
            if not self.source_map.is_own(("vars", match[1])) and path in self.places:
                self.places[path] = replace(self.places[path], own=False)
            if match.start() == 0 or not self.came_through_var(path):
                self.moved(match[1], path, leading=match.start() == 0)
            return str(value).lower() if isinstance(value, bool) else str(value)

        return _PART.sub(replacement, text)

    def came_through_var(self, path: KeyPath) -> bool:
        return path in self.places and self.places[path].var is not None

    def moved(
        self, name: str, path: KeyPath, *, whole: bool = False, leading: bool = False
    ) -> None:
        """Records that the value at ``path`` comes from a var."""
        place = self.places.get(path) or Place(
            self.source_map.value(path),
            self.source_map.key(path),
            self.source_map.base(path),
            elsewhere=self.source_map.elsewhere(path),
        )
        base, elsewhere = place.base, place.elsewhere
        if whole or leading:
            origin: KeyPath = ("vars", name)
            base, elsewhere = self.source_map.base(origin), self.source_map.elsewhere(origin)
        own = self.source_map.is_own(("vars", name)) and (whole or place.own)
        self.places[path] = replace(
            place, var=name, whole=whole, base=base, elsewhere=elsewhere, own=own
        )

    def look_up(self, name: str, path: KeyPath) -> Any:
        if name in self.values and self.values[name] != REQUIRED:
            return self.values[name]
        known = list(self.written) if isinstance(self.written, Mapping) else []
        if self.values.get(name) == REQUIRED:
            self.missing.setdefault(name, []).append(path)
        elif name not in known:
            self.unknown.setdefault(name, []).append(path)
        raise _FailedError

    def lone_dollar(self, text: str, name: str | None, path: KeyPath) -> None:
        found = f"${name}" if name else "a $"
        fix = f"${{{name}}} for the var, $$ for a dollar sign" if name else "$$ for a dollar sign"
        self.problems.add(
            "bad-var", f"{dotted(path)} is {text!r}, in which {found} is ambiguous",
            self.source_map.value(path), fix=fix,
        )  # fmt: skip
        raise _FailedError

    def null_in_text(self, name: str, text: str, path: KeyPath) -> None:
        self.problems.add(
            "null-in-text", f"{dotted(path)} is {text!r}, but vars.{name} is null",
            self.source_map.value(path),
            notes=[(f"vars.{name}: null", self.source_map.value(("vars", name)))],
            fix=f"--set vars.{name}=...",
        )  # fmt: skip
        raise _FailedError

    def report_unknown(self) -> None:
        known = list(self.written) if isinstance(self.written, Mapping) else []
        listed = f"the file has: {', '.join(known)}" if known else "the file has no vars"
        for name, (path, *others) in self.unknown.items():
            shown = f"${name}" if name.isidentifier() else f"${{{name}}}"
            alike = [other for other in known if other[:1] == name[:1]]
            close = difflib.get_close_matches(name, known, 1, 0.75)
            close = close or difflib.get_close_matches(name, alike, 1, 0.5)
            places = (path, *others)
            better = "\n".join(f"{dotted(at)}: ${close[0]}" for at in places) if close else None
            self.problems.add(
                "unknown-var", f"{shown} names no var; {listed}", self.source_map.value(path),
                notes=[(f"also {dotted(at)}", self.source_map.value(at)) for at in others[:5]],
                fix=better or _how_to_declare(name),
            )  # fmt: skip

    def report_missing(self) -> None:
        for name, paths in self.missing.items():
            uses = [
                (f"{dotted(path)}: ${name}", _unless_same(self.source_map, path)) for path in paths
            ]
            self.problems.add(
                "unset-var", f"the var {name} is required, but was not given",
                self.source_map.value(("vars", name)), notes=uses[:5], fix=f"--set vars.{name}=...",
            )  # fmt: skip


def _how_to_declare(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        return "a var is named in lower case, as in $voice; $$ is a dollar sign"
    return f"vars: {{{name}: ...}}  (or $$ for a dollar sign)"


def _unless_same(source_map: SourceMap, path: KeyPath) -> Mark | None:
    mark = source_map.value(path)
    return mark if mark.line else None
