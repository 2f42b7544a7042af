"""The error of work that another process should have done."""

from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar

from voicegraph.graph.errors import Problem, VoicegraphError


class BackgroundError(VoicegraphError):
    """Work in another process did not come to its end: refused, too slow, or the process died.

    Attributes:
        status: the HTTP status that says the same.
    """

    status: ClassVar[HTTPStatus] = HTTPStatus.SERVICE_UNAVAILABLE


def closing() -> BackgroundError:
    """The error of work that is asked for, or cut off, while the server ends."""
    return BackgroundError(Problem("closing", "the server is closing"))
