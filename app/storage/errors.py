"""Errors of requests for what the page server keeps, each with its HTTP status."""

from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar

from voicegraph.graph.errors import VoicegraphError


class StorageError(VoicegraphError):
    """Base of these errors.

    Attributes:
        status: the HTTP status that says the same.
    """

    status: ClassVar[HTTPStatus] = HTTPStatus.CONFLICT


class NotFoundError(StorageError):
    """There is nothing of that name."""

    status = HTTPStatus.NOT_FOUND


class ConflictError(StorageError):
    """It does not fit the state of what it concerns."""


class ExistsError(ConflictError):
    """There is something of that name already."""


class InvalidUploadError(StorageError):
    """An upload that is torn, or holds what it must not hold."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class UnusableError(StorageError):
    """An upload that is complete, and holds nothing that can be used."""


class TooLargeError(StorageError):
    """More bytes or files than are granted."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class TooSlowError(StorageError):
    """The client stopped sending."""

    status = HTTPStatus.REQUEST_TIMEOUT


class BusyError(StorageError):
    """As much is going on as is granted; it may be tried again."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class StorageFullError(StorageError):
    """The disk has no room for it."""

    status = HTTPStatus.INSUFFICIENT_STORAGE
