"""Archives of several files as answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.responses import StreamingResponse

from voicegraph.app.storage import zip_chunks

_ZIP = "application/zip"


def archive_responses() -> dict[int | str, dict[str, Any]]:
    """What a route with an archive answers, for the description of the interface."""
    content = {_ZIP: {"schema": {"type": "string", "format": "binary"}}}
    return {200: {"description": "The archive", "content": content}}


def send_archive(name: str, files: Sequence[tuple[str, Path]]) -> StreamingResponse:
    """A ZIP archive that is made while it is sent.

    If a file is lost meanwhile, the answer breaks off, which browsers show as a failed download.

    Args:
        name: under which a browser saves it.
        files: names in the archive, and the files.
    """
    saved = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return StreamingResponse(_chunks(files), 200, {"Content-Disposition": saved}, _ZIP)


async def _chunks(files: Sequence[tuple[str, Path]]) -> AsyncIterator[bytes]:
    """The bytes, made on a thread: a slow disk must not stop the other clients."""
    chunks = zip_chunks(files)
    try:
        while (data := await asyncio.to_thread(next, chunks, None)) is not None:
            yield data
    finally:
        with suppress(ValueError):  # a thread is just reading: it closes its file by itself
            chunks.close()
