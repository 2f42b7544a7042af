"""Collects what the MP3 decoder writes to standard error, past every option of ours."""

from __future__ import annotations

import threading
from contextlib import ExitStack

from ...stderr_capture import capture_stderr

_MOST = 3
"""Messages of one file that are passed on."""
_HARMLESS = ("id3", "Xing stream size", "fuzzy seeking", "Frankenstein", "ICY", "LAME")
"""Parts of messages about tags and lengths, which the reader checks by itself."""


class DecoderMessages:
    """The messages that come while a file is open. Several files may be open at once.

    Attributes:
        found: those that may matter.
    """

    def __init__(self) -> None:
        self.found: list[str] = []
        self._open = True
        _CAPTURE.begin(self)

    def add(self, text: str) -> None:
        """Notes a line."""
        if len(self.found) < _MOST and not any(part in text for part in _HARMLESS):
            self.found.append(text)

    def close(self) -> None:
        """Ends the collection. Safe to call twice."""
        if self._open:
            self._open = False
            _CAPTURE.end(self)


class _Capture:
    """Captures standard error while any file is open; a line goes to the file opened last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sinks: list[DecoderMessages] = []
        self._stack = ExitStack()

    def begin(self, sink: DecoderMessages) -> None:
        with self._lock:
            if not self._sinks:
                self._stack.enter_context(capture_stderr(self._say, ""))
            self._sinks.append(sink)

    def end(self, sink: DecoderMessages) -> None:
        with self._lock:
            if self._sinks == [sink]:
                self._stack.close()  # the last lines arrive before this returns
            self._sinks.remove(sink)

    def _say(self, text: str) -> None:
        sinks = self._sinks
        if sinks:
            sinks[-1].add(text)


_CAPTURE = _Capture()
