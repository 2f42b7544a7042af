"""The file that tells a program address and token of a live session.

A token on the command line would stand in every process list. So the session makes one, and writes
it into a file that only its user can read.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from voicegraph.graph.errors import OutputError, Problem
from voicegraph.graph.files.atomic_write import check_target, write_text
from voicegraph.graph.regular_file import open_regular, shortened
from voicegraph.schemas.control import HttpInfo

_LARGEST = 1 << 16
"""Bytes; a file of ours has some hundred."""


def read_http_info(path: Path) -> HttpInfo | None:
    """What the file says; None if it is missing or holds something else."""
    try:
        with open_regular(path) as file:
            return HttpInfo.of_any_version(file.read(_LARGEST))
    except (OSError, ValidationError):
        return None


def check_http_info(path: Path) -> None:
    """Checks that the file may be written: it is new, or that of an earlier session.

    Raises:
        OutputError: if there is a file of another kind, or the name cannot be one.
    """
    check_target(path, force=True)
    if path.exists() and read_http_info(path) is None:
        text = f"{shortened(path)} exists, and is no file of --http-info"
        raise OutputError(Problem("exists", text, fix="give another name, or remove it"))


class HttpInfoFile:
    """Writes the file, and removes it again.

    Args:
        path: where; checked by :func:`check_http_info`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self._written: HttpInfo | None = None

    def write(self, url: str, token: str) -> None:
        """Writes address and token.

        Args:
            url: of the page, with a slash at the end.
            token: that clients must send.

        Raises:
            OutputError: if the system refuses.
        """
        websocket = f"ws{url.removeprefix('http')}ws"
        made = HttpInfo(
            url=url, websocket=websocket, token=token, pid=os.getpid(), started_unix_s=time.time()
        )
        text = made.model_dump_json(indent=2) + "\n"
        write_text(self._path, text, force=True, durable=False, private=True)
        self._written = made

    def remove(self) -> None:
        """Removes the file, unless another session has replaced it. Safe to call twice."""
        if self._written is not None and read_http_info(self._path) == self._written:
            with suppress(OSError):
                self._path.unlink()
        self._written = None
