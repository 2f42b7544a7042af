"""Syntax errors of YAML in terms of what the user wrote, with a fix that was tried.

PyYAML's scanner, parser and composer say what they expected of the grammar. :data:`KINDS` has an
entry for everything that they raise: what the writer probably meant, and how to write it. Where
text needs quotes, the fix is the corrected line: it is offered only if the error is gone with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import yaml

from ..errors import Mark, Problem
from ._quoting import quoted_yaml

Locate = Callable[[str], yaml.MarkedYAMLError | None]
"""Finds the first syntax error of a text; None if there is none."""

_LONGEST_FIX = 160
_UNSPACED = re.compile(r"[ ]*(?:- +)*[A-Za-z_]\w*:(?=\S)", re.ASCII)
_BLOCK_ENTRY = re.compile(r"(?:\s|- )*(?:[^\s:'\"{\[#][^:\n]*?|'[^'\n]*'|\"[^\"\n]*\")\s*:\s+")
_FLOW_ENTRY = re.compile(r"\s*(?:[^\s:,{}\[\]]+:\s+)?((?:\$\{[^{}\n]*\}|[^,{}\[\]\n])+)")
_FILE_NAME = re.compile(r"\.\w{2,12}$")
_TAG = "! begins a tag, and tags are not allowed: files hold only plain values"
_DIRECTIVE = "a line that starts with % is a directive for YAML itself"
_QUOTE = "put text that starts with {0} in quotes"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of mistake.

    Attributes:
        pattern: searched in PyYAML's ``problem; context``.
        text: what it means.
        fix: what to do, if no corrected line can be shown.
        quoting: whether the value is probably text that needs (other) quotes.
        note: what is at the place where the faulty part begins; empty to leave that place out.
    """

    pattern: str
    text: str
    fix: str
    quoting: bool = True
    note: str = ""


KINDS = (
    Kind(
        r"unknown escape character|expected escape sequence of",
        "in double quotes, a backslash begins an escape sequence, and this is none",
        "use single quotes, in which a backslash is an ordinary character",
    ),
    Kind(
        r"found character '\\t'",
        "a tab cannot indent or separate values",
        "replace the tab by spaces",
        quoting=False,
    ),
    Kind(
        r"found character .* cannot start any token",
        "@, ` and % cannot begin a value that is not in quotes",
        "put text that starts with @, ` or % in quotes",
    ),
    Kind(
        "could not find expected ':'",
        "a key without a value",
        "write `key: value`, with a space after the colon",
        quoting=False,
    ),
    Kind(
        "sequence entries are not allowed",
        "`- ` begins an entry of a list, which cannot stand on the line of its key",
        "put text that starts with - in quotes, or the list on lines of its own",
    ),
    Kind(
        "mapping keys are not allowed",
        "`? ` begins a key, which cannot stand on the line of another key",
        _QUOTE.format("?"),
    ),
    Kind(
        "mapping values are not allowed",
        "a second `: ` on this line",
        "put text that contains `: ` in quotes",
    ),
    Kind(
        r"(scanning|parsing) a (tag )?directive|duplicate YAML directive"
        r"|incompatible YAML document|duplicate tag handle|document start>.*stream end>",
        _DIRECTIVE,
        "remove the line",
    ),
    Kind(
        "scanning an alias|undefined alias",
        "* begins an alias, which repeats a value that is named with &",
        _QUOTE.format("*"),
    ),
    Kind(
        "scanning an anchor",
        "& begins an anchor, a name for a value",
        _QUOTE.format("&"),
    ),
    Kind(
        "found duplicate anchor|second occurrence",
        "the same anchor names two values",
        "give one of the two another name",
        quoting=False,
        note="the first",
    ),
    Kind(r"(scanning|parsing) a tag|undefined tag handle", _TAG, _QUOTE.format("!")),
    Kind(
        "scanning a block scalar",
        "| or > begins a text of several lines, and the text must start on the next line",
        "put text that starts with | or > in quotes",
    ),
    Kind(
        "end of stream|document separator",
        "a quote is opened here and not closed",
        "close the quote; in single quotes, '' is an apostrophe",
    ),
    Kind(
        "but found another document",
        "a second document starts here",
        "remove the second `---`",
        quoting=False,
    ),
    Kind(
        "'<stream end>'",
        "a bracket is opened and not closed",
        "close the bracket; put text that starts with a bracket in quotes",
        note="opened",
    ),
    Kind(
        r"but got '\{'",
        "{ begins a mapping in the middle of a text",
        'put text such as "${name}" in quotes inside { } and [ ]',
        note="the outer bracket",
    ),
    Kind(
        "expected ',' or",
        "inside [ ] and { }, entries are separated by commas",
        "separate entries by commas, and close the bracket; put text with brackets in quotes",
        note="opened",
    ),
    Kind(
        "expected the node content",
        "a value is missing before this",
        "write the value, or remove the comma or bracket",
        quoting=False,
    ),
    Kind(
        "'<document start>'",
        "the value ends before this text",
        "put the whole value in quotes",
    ),
    Kind(
        "expected <block end>",
        "the indentation of this line does not fit the lines above",
        "indent all keys of one mapping equally",
        quoting=False,
        note="the mapping or list begins",
    ),
)
"""What PyYAML's errors mean; the first entry that matches counts."""

_NO_SPACE = Kind(
    "", "a colon needs a space after it", "write `key: value`, with a space after the colon", False
)
_CONTINUES = Kind(
    "mapping values are not allowed",
    "this line continues the one above: it is indented too far, or the one above has no colon",
    "correct the indentation, or write `key: value` above",
)
_AFTER_VALUE = Kind(
    "expected <block end>",
    "the value ends before this text, at its closing quote or bracket",
    "put the whole value in quotes",
)


@dataclass(frozen=True, slots=True)
class Edit:
    """A replacement of ``text[start:end]``."""

    start: int
    end: int
    text: str

    def apply(self, text: str) -> str:
        return text[: self.start] + self.text + text[self.end :]

    def undo(self, position: int) -> int:
        """The position in the text before this edit of a position in the text after it."""
        if position >= self.start + len(self.text):
            return position - len(self.text) + self.end - self.start
        return min(position, self.start)


@dataclass(frozen=True, slots=True)
class SyntaxMistake:
    """A syntax error.

    Attributes:
        problem: what to tell.
        edit: the correction of the text that ``problem.fix`` shows; None if none is known.
    """

    problem: Problem
    edit: Edit | None


def kind_of(problem: str | None, context: str | None) -> Kind | None:
    """The kind of an error by PyYAML's words."""
    said = f"{problem or ''}; {context or ''}"
    return next((kind for kind in KINDS if re.search(kind.pattern, said)), None)


def syntax_mistake(
    error: yaml.MarkedYAMLError,
    text: str,
    source: str,
    locate: Locate | None,
    *,
    quote: bool = True,
    lone: bool = False,
) -> SyntaxMistake:
    """Explains an error.

    Args:
        error: what PyYAML raised.
        text: the whole text.
        source: its name in messages.
        locate: finds the first error of a corrected text; None to try no correction.
        quote: whether the text may appear in the message.
        lone: whether the text is one value, as in an override, and not a file.
    """
    correction = _Correction(error, text, locate, lone)
    if edit := correction.missing_space():
        kind, mark, begun = _NO_SPACE, _mark_of(text, edit.start, source), None
    else:
        kind = _meaning(error, text, quote)
        place, begun = _places(error, kind)
        mark = mark_at(place, source) if place else Mark(source)
        edit = correction.quotes(kind) if kind.quoting else None
    notes = ((kind.note, mark_at(begun, source)),) if begun and kind.note else ()
    fix = _shown(text, edit) if quote and edit else None
    problem = Problem("yaml-syntax", f"not valid YAML: {kind.text}", mark, notes, fix or kind.fix)
    return SyntaxMistake(problem, edit)


def _meaning(error: yaml.MarkedYAMLError, text: str, quote: bool) -> Kind:
    kind = kind_of(error.problem, error.context)
    if kind is None:  # a later PyYAML
        said = (error.problem or error.context or "") if quote else ""
        return Kind("", said or "it cannot be read", "put special characters in quotes")
    place = error.problem_mark
    before = text[_line(text, place.index)[0] : place.index].strip() if place else ""
    if before and kind.pattern == _AFTER_VALUE.pattern:
        return _AFTER_VALUE
    if ":" not in before and kind.pattern == _CONTINUES.pattern:
        return _CONTINUES
    return kind


def _places(error: yaml.MarkedYAMLError, kind: Kind) -> tuple[yaml.Mark | None, yaml.Mark | None]:
    """Where the error is, and where the part that it is in begins, if that is elsewhere."""
    place, begun = error.problem_mark or error.context_mark, error.context_mark
    if begun and kind.pattern.startswith("end of stream"):
        return begun, None
    same = place and begun and (place.line, place.column) == (begun.line, begun.column)
    return place, None if same else begun


_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""As PyYAML counts lines."""


def unmoved(problem: Problem, text: str, edits: Sequence[Edit]) -> Problem:
    """A problem of a corrected text, with its marks moved to where they are in the original.

    Args:
        problem: the problem.
        text: the text after all ``edits``, none of which adds or removes a line.
        edits: the corrections, in order.
    """

    def moved(mark: Mark | None) -> Mark | None:
        if mark is None or not mark.line:
            return mark
        starts = [0, *(found.end() for found in _LINE_BREAK.finditer(text))]
        start = starts[mark.line - 1]
        first, last = start, start + mark.column - 1
        for edit in reversed(edits):
            first, last = edit.undo(first), edit.undo(last)
        return replace(mark, column=last - first + 1)

    notes = tuple((note, moved(mark)) for note, mark in problem.notes)
    return replace(problem, mark=moved(problem.mark), notes=notes)


def mark_at(place: yaml.Mark, source: str) -> Mark:
    """A place of PyYAML, counted from 1."""
    return Mark(source, place.line + 1, place.column + 1)


def _mark_of(text: str, position: int, source: str) -> Mark:
    start, _ = _line(text, position)
    return Mark(source, text.count("\n", 0, start) + 1, position - start + 1)


@dataclass(frozen=True, slots=True)
class _Correction:
    """Edits that were tried."""

    error: yaml.MarkedYAMLError
    text: str
    locate: Locate | None
    lone: bool

    def missing_space(self) -> Edit | None:
        """A space behind a colon, such as that of ``block:10ms``."""
        said = self.error.problem or ""
        at = self.error.context_mark or self.error.problem_mark
        if at is None or ("mapping values are not" not in said and "could not find" not in said):
            return None
        start, _ = _line(self.text, at.index)
        before, _ = _line(self.text, max(start - 1, 0))
        for line in dict.fromkeys((start, before)):
            if found := _UNSPACED.match(self.text, line):
                edit = Edit(found.end() - 1, found.end(), ": ")
                if self.works(edit):
                    return edit
        return None

    def quotes(self, kind: Kind) -> Edit | None:
        """Quotes around the value that is probably text."""
        return next(filter(self.works, self.quotings(kind)), None)

    def works(self, edit: Edit) -> bool:
        """Whether the error is gone: no error is left, or only one in a later line."""
        if self.locate is None:
            return False
        place = self.error.problem_mark or self.error.context_mark
        left = self.locate(edit.apply(self.text))
        begun = left.context_mark if left and "flow" in (left.context or "") else None
        if begun and begun.index <= edit.start:
            return False  # the bracket around the correction is still wrong
        at = left and (left.problem_mark or left.context_mark)
        last = _line(self.text, edit.end)[1] + len(edit.text) - (edit.end - edit.start)
        return left is None or bool(at and place and at.index > max(last, place.index))

    def quotings(self, kind: Kind) -> Iterator[Edit]:
        """Corrections to try, the most likely first."""
        marks = [mark for mark in (self.error.problem_mark, self.error.context_mark) if mark]
        if "escape" in kind.pattern and marks:
            opened = marks[-1].index
            if self.text[opened : opened + 1] != '"':
                opened = self.text.rfind('"', 0, opened)
            closed = self.text.find('"', opened + 1, _line(self.text, opened + 1)[1])
            if 0 <= opened < closed:
                inner = self.text[opened + 1 : closed]
                yield Edit(opened, closed + 1, quoted_yaml(inner))
        for mark in marks:
            if "expected ','" in kind.pattern:
                yield from self.missing_comma(mark.index)
            yield from self.of_flow_entry(mark.index)
        for mark in marks:
            yield from self.of_line(mark.index, kind)

    def missing_comma(self, position: int) -> Iterator[Edit]:
        """A comma before a key, such as that of ``in`` in ``{use: dsp.gain in: x}``."""
        start, _ = _line(self.text, position)
        if found := re.search(r"(\s+)[A-Za-z_]\w*$", self.text[start:position]):
            yield Edit(start + found.start(1), start + found.end(1), ", ")

    def of_flow_entry(self, position: int) -> Iterator[Edit]:
        """The entry of a flow mapping or list around a position, without its key."""
        start, end = _line(self.text, position)
        first = max(self.text.rfind(sign, start, position) for sign in ",[{") + 1
        if not first:
            return
        if self.text[first - 2 : first] == "${":
            first = max(self.text.rfind(sign, start, first - 2) for sign in ",[{") + 1
        if found := _FLOW_ENTRY.match(self.text, first, end):
            yield _quoting(self.text, found.start(1), found.end(1))

    def of_line(self, position: int, kind: Kind) -> Iterator[Edit]:
        """The value on the line of a position, to the end of that line."""
        start, end = _line(self.text, position)
        if found := _BLOCK_ENTRY.match(self.text, start, end):
            start = found.end()
        elif not self.lone or start or self.text[end:].strip():
            return
        value = self.text[start:end].strip()
        after = kind is _AFTER_VALUE or "<document start>" in kind.pattern
        if value and (after or value[0] not in "[{" or _FILE_NAME.search(value)):
            yield _quoting(self.text, start, end)


def _quoting(text: str, start: int, end: int) -> Edit:
    """The text in quotes, instead of those that it has."""
    value = text[start:end]
    comment = re.search(r"\s+#\s", value)
    value = (value[: comment.start()] if comment else value).rstrip()
    start += len(value) - len(value.lstrip())
    value = value.lstrip()
    inner = value
    if value[:1] in ("'", '"'):
        ends = len(value) > 1 and value[-1] == value[0]
        if ends or value.count(value[0]) == 1:
            inner = value[1:-1] if ends else value[1:]
    return Edit(start, start + len(value), quoted_yaml(inner))


def _shown(text: str, edit: Edit) -> str | None:
    """The line with the correction; the correction alone if the line is long."""
    start, end = _line(text, edit.start)
    line = Edit(edit.start - start, edit.end - start, edit.text).apply(text[start:end]).strip()
    found = line if len(line) <= _LONGEST_FIX else edit.text
    return found if len(found) <= _LONGEST_FIX else None


def _line(text: str, position: int) -> tuple[int, int]:
    """Start and end of the line that holds a position."""
    end = text.find("\n", position)
    return text.rfind("\n", 0, position) + 1, len(text) if end < 0 else end
