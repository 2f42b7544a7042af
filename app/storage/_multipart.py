"""The parts of a ``multipart/form-data`` body as events, by the parser of ``python-multipart``."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from voicegraph.graph.errors import Problem

from .errors import InvalidUploadError

_KIND = b"multipart/form-data"
_EXAMPLE = "curl -F files=@voice.zip ADDRESS"
_MOST_HEADERS = 8
_LONGEST_HEADER = 4096


@dataclass(frozen=True, slots=True)
class PartStart:
    """The headers of a part have come.

    Attributes:
        name: of the form's field.
        file_name: as the client sent it; None if the part is no file.
    """

    name: str
    file_name: str | None


@dataclass(frozen=True, slots=True)
class PartData:
    """Some bytes of a part."""

    data: bytes


@dataclass(frozen=True, slots=True)
class PartEnd:
    """A part is complete."""


class PartStream:
    """Turns the pieces of a body into events.

    Args:
        content_type: the header of the request, with the boundary.

    Raises:
        InvalidUploadError: if it is no form, or has no usable boundary; later if the body is
            malformed or torn.
    """

    def __init__(self, content_type: str) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind.strip() != _KIND or not boundary:
            text = f"expected multipart/form-data with a boundary, found {content_type[:80]!r}"
            raise InvalidUploadError(Problem("no-form", text, fix=f"for example: {_EXAMPLE}"))
        self._events: list[PartStart | PartData | PartEnd] = []
        self._header = (bytearray(), bytearray())
        self._disposition: str | None = None
        self._complete = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._on_part_begin,
                    "on_header_field": lambda data, start, end: self._on_header(0, data[start:end]),
                    "on_header_value": lambda data, start, end: self._on_header(1, data[start:end]),
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_part_data": self._on_part_data,
                    "on_part_end": lambda: self._events.append(PartEnd()),
                    "on_end": self._on_end,
                },
                max_header_count=_MOST_HEADERS,
                max_header_size=_LONGEST_HEADER,
            )
        except FormParserError as error:
            raise _malformed(str(error)) from None
        self._parser.logger.setLevel(logging.CRITICAL)  # what it warns about is raised here

    def feed(self, data: bytes) -> Iterator[PartStart | PartData | PartEnd]:
        """The events of the next piece.

        Raises:
            InvalidUploadError: if the body is malformed.
        """
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise _malformed(str(error)) from None
        events, self._events = self._events, []
        yield from events

    def finish(self) -> None:
        """Checks that the body has ended where it says so.

        Raises:
            InvalidUploadError: if it was cut off.
        """
        if not self._complete:
            text = "the upload was cut off: its last boundary is missing"
            raise InvalidUploadError(Problem("torn-upload", text, fix="send it again"))

    def _on_part_begin(self) -> None:
        self._disposition = None

    def _on_header(self, part: int, data: bytes) -> None:
        self._header[part].extend(data)

    def _on_header_end(self) -> None:
        name, value = (bytes(part) for part in self._header)
        for part in self._header:
            part.clear()
        if name.lower() == b"content-disposition":
            self._disposition = value.decode("latin-1")

    def _on_headers_finished(self) -> None:
        kind, options = parse_options_header(self._disposition)
        name = options.get(b"name")
        if kind.strip() != b"form-data" or name is None:
            raise _malformed("a part has no name")
        file_name = options.get(b"filename")
        shown = None if file_name is None else file_name.decode("utf-8", "replace")
        self._events.append(PartStart(name.decode("utf-8", "replace"), shown))

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._events.append(PartData(bytes(data[start:end])))

    def _on_end(self) -> None:
        self._complete = True


def _malformed(why: str) -> InvalidUploadError:
    text = f"the upload is no valid form: {why}"
    return InvalidUploadError(Problem("no-form", text, fix=f"for example: {_EXAMPLE}"))
