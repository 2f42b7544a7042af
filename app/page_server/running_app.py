"""The page server that runs already: a second ``voicegraph app`` opens its page instead."""

from __future__ import annotations

import http.client
from pathlib import Path
from urllib.parse import urlsplit

from voicegraph.graph.files.private_folder import private_folder

from ..control.http_info_file import HttpInfoFile, read_http_info

_FILE = "server.json"
_ANSWER_S = 3.0
_ROUTE = "/api/session"


def info_path(state: Path) -> Path:
    """The file that names the page server of a user.

    Args:
        state: the user's state folder.
    """
    return state / "app" / _FILE


def running_url(state: Path) -> str | None:
    """The address of the page server that runs; None if none answers.

    Args:
        state: the user's state folder.
    """
    info = read_http_info(info_path(state))
    if info is None:
        return None
    address = urlsplit(info.url)
    try:
        connection = http.client.HTTPConnection(
            address.hostname or "", address.port, timeout=_ANSWER_S
        )
        connection.request("GET", _ROUTE, headers={"Authorization": f"Bearer {info.token}"})
        answered = connection.getresponse().status == http.client.OK
        connection.close()
    except (OSError, http.client.HTTPException):
        return None
    return info.url if answered else None


def note_running(state: Path) -> HttpInfoFile:
    """The file in which a page server notes itself, for the next one."""
    path = info_path(state)
    private_folder(path.parent)
    return HttpInfoFile(path)
