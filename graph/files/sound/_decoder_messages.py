"""Collects what the MP3 decoder writes to standard error, past every option of ours."""

from __future__ import annotations

import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_STDERR = 2
_MOST = 3
"""Messages of one file that are passed on."""
_LONGEST = 200
_SOURCE = re.compile(r"^(?:\[[^\]]*\] *)?(?:(?:mpg123|error|warning|note): *)+", re.IGNORECASE)
"""How the decoder begins a message; the place in its source is of no use to anybody."""
_HARMLESS = re.compile("id3|Xing|fuzzy seeking|Frankenstein|ICY|LAME|gapless", re.IGNORECASE)
"""Messages about tags and lengths, which the reader checks by itself."""
_LOCK = threading.Lock()


class DecoderMessages:
    """Messages about one file."""

    def __init__(self) -> None:
        self._spool = tempfile.TemporaryFile()  # noqa: SIM115

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Redirects the process's standard error while the decoder works."""
        with _LOCK:
            try:
                kept = os.dup(_STDERR)
            except OSError:  # there is no standard error, as under pythonw
                yield
                return
            try:
                os.dup2(self._spool.fileno(), _STDERR)
                yield
            finally:
                os.dup2(kept, _STDERR)
                os.close(kept)

    def found(self) -> list[str]:
        """Messages that may matter, each once."""
        with suppress(OSError):
            self._spool.seek(0)
            lines = self._spool.read().decode("utf-8", "replace").splitlines()
            told = dict.fromkeys(
                _SOURCE.sub("", line).strip()[:_LONGEST]
                for line in lines
                if _SOURCE.match(line) and not _HARMLESS.search(line)
            )
            return list(told)[:_MOST]
        return []

    def close(self) -> None:
        """Removes them. Safe to call twice."""
        self._spool.close()
