"""Files as answers: with parts (``Range``), so that players can seek, and without surprises.

Starlette's ``FileResponse`` sends a file to its end, which breaks the answer if the file grows: a
take that is being recorded does. It also answers wrong ranges with plain text.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from fastapi import Request, Response
from starlette.responses import StreamingResponse

from voicegraph.app.http.access_control import problem_response
from voicegraph.app.storage import NotFoundError
from voicegraph.graph.errors import Problem
from voicegraph.graph.regular_file import open_regular_unbuffered
from voicegraph.schemas.control import Answer

_CHUNK = 1 << 18
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.ASCII)
SOUND = {".wav": "audio/wav", ".flac": "audio/flac"}
"""Types of the sounds that are made here. What was uploaded has no type: nobody has checked it."""
_UNKNOWN = "application/octet-stream"


_BYTES = {"type": "string", "format": "binary"}


def media_responses(
    *types: str, schema: Mapping[str, Any] = _BYTES
) -> dict[int | str, dict[str, Any]]:
    """What a route with files answers, for the description of the interface.

    Args:
        types: content types of the file.
        schema: what it holds.
    """
    body = {kind: {"schema": dict(schema)} for kind in types}
    return {
        200: {"description": "The file", "content": body},
        206: {"description": "The part that the header `Range` asks for", "content": body},
        416: {"description": "The file is shorter than that", "model": Answer},
    }


async def send_file(request: Request, path: Path, kind: str, name: str | None = None) -> Response:
    """A file, or the part of it that the request asks for.

    Args:
        request: the request, with its header ``Range``.
        path: a regular file; its size now counts, should it grow.
        kind: its content type.
        name: the name under which a browser saves it; None lets it play it.

    Raises:
        NotFoundError: if it is gone.
    """
    try:
        file = await asyncio.to_thread(open_regular_unbuffered, path)
    except OSError:
        raise NotFoundError(Problem("no-such-file", "the file is gone", fix="reload")) from None
    size = file.seek(0, 2)
    headers = {"Accept-Ranges": "bytes", "Content-Type": kind}
    if name is not None:
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    part = _asked(request.headers.get("range"), size)
    if part is None:
        file.close()
        text = f"the file has {size} bytes"
        answer = problem_response(416, Problem("wrong-range", text))
        answer.headers["Content-Range"] = f"bytes */{size}"
        return answer
    start, end = part
    whole = (start, end) == (0, size)
    if not whole:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - start)
    status = HTTPStatus.OK if whole else HTTPStatus.PARTIAL_CONTENT
    return StreamingResponse(_chunks(file, start, end), status, headers)


def _asked(header: str | None, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last; None if the file has no such part.

    Several parts, other units and malformed headers may be ignored (RFC 9110, 14.2): all of it.
    """
    found = None if header is None else _RANGE.fullmatch(header.strip())
    if found is None or found[1] == found[2] == "":
        return 0, size
    if not found[1]:
        length = min(int(found[2]), size)
        return (size - length, size) if length else None
    start = int(found[1])
    end = size if not found[2] else min(int(found[2]) + 1, size)
    if found[2] and int(found[2]) < start:
        return 0, size
    return (start, end) if start < size else None


async def _chunks(file: BinaryIO, start: int, end: int) -> AsyncIterator[bytes]:
    """The bytes, read on a thread: a slow disk must not stop the other clients."""
    try:
        file.seek(start)
        while start < end:
            data = await asyncio.to_thread(file.read, min(_CHUNK, end - start))
            if not data:  # somebody has cut it; the client sees that bytes are missing
                return
            start += len(data)
            yield data
    finally:
        file.close()
