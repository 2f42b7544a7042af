"""Text from files, devices and file names, made safe to print on a terminal.

A pipeline, a recording or a model file can hold any character in its names. Printed as they are,
escape sequences would move the cursor, set the window's title or type into the shell, and
characters for bidirectional text would show a path or a command as another one. Commands print
through :func:`printable_streams`, so whatever they print passes :func:`printable_lines`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO, cast
from unicodedata import category

if TYPE_CHECKING:
    from rich.console import Console

_UNPRINTABLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode categories that are escaped: control and format characters (among them those for
bidirectional text and those without width), lone surrogates, line and paragraph separators."""

_SUSPECTS = re.compile(r"[^\x20-\x7e\n\t]")
_SUSPECTS_AND_BREAKS = re.compile(r"[^\x20-\x7e]")


def printable(text: str) -> str:
    r"""Text in one line, with every character that is not visible as an escape.

    ESC becomes ``\x1b``, a line break ``\n``, U+202E ``\u202e``. What Unicode calls a letter,
    mark, number, symbol or space stays. Escaping twice changes nothing more.
    """
    return _SUSPECTS_AND_BREAKS.sub(_escaped, text)


def printable_lines(text: str) -> str:
    """Like :func:`printable`, for text that has line breaks and tabs of its own."""
    return _SUSPECTS.sub(_escaped, text)


def printable_json(text: str) -> str:
    r"""JSON in which strings have those characters as ``\uXXXX``: the same values to a reader."""
    return _SUSPECTS.sub(_json_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    char = found[0]
    if category(char) not in _UNPRINTABLE:
        return char
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")


def _json_escaped(found: re.Match[str]) -> str:
    char = found[0]
    if category(char) not in _UNPRINTABLE:
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))


class PrintableStream:
    """A text stream that writes through :func:`printable_lines` to another one.

    It has no ``buffer``, so that nothing writes past it; all else is that of the stream.

    Attributes:
        styled: the stream itself, for who escapes the text and adds colours.
    """

    def __init__(self, stream: TextIO) -> None:
        self.styled = stream

    def write(self, text: str) -> int:
        """Writes escaped text; returns the length of the text given."""
        self.styled.write(printable_lines(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Writes lines, which bring their line breaks."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        """Everything else: ``flush``, ``isatty``, ``encoding``, ``fileno``."""
        if name == "buffer":
            raise AttributeError(name)
        return getattr(self.styled, name)


def printable_stream(stream: TextIO) -> TextIO:
    """The stream, made a :class:`PrintableStream` if it is none."""
    return stream if isinstance(stream, PrintableStream) else cast(TextIO, PrintableStream(stream))


def styled_stream(stream: TextIO) -> TextIO:
    """The stream below a :class:`PrintableStream`; any other as it is."""
    return stream.styled if isinstance(stream, PrintableStream) else stream


@contextmanager
def printable_streams() -> Iterator[None]:
    """Within it, ``sys.stdout`` and ``sys.stderr`` escape what is written to them."""
    before = sys.stdout, sys.stderr
    if sys.stdout is not None:  # there are none under pythonw
        sys.stdout = printable_stream(sys.stdout)
    if sys.stderr is not None:
        sys.stderr = printable_stream(sys.stderr)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


@contextmanager
def styled_streams() -> Iterator[None]:
    """Within it, they do not: for text that is all our own and may have colours."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (s and styled_stream(s) for s in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def styled_console() -> Console:
    """A console of Rich on standard error that escapes texts and keeps its own colours."""
    from rich.console import Console
    from rich.segment import Segment

    class PrintableConsole(Console):
        def render(self, *args: Any, **kwargs: Any) -> Iterator[Segment]:
            for segment in super().render(*args, **kwargs):
                if segment.control:
                    yield segment
                else:
                    yield Segment(printable_lines(segment.text), segment.style)

    return PrintableConsole(file=styled_stream(sys.stderr))
