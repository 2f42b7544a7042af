"""``voicegraph app``: opens the page on which one picks a voice and talks."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from voicegraph.graph.errors import Problem, VoicegraphError
from voicegraph.graph.optional_packages import is_installed, missing_package
from voicegraph.graph.terminal_text import printable

from ._options import flag, option
from ._output import echo
from .app import app

if TYPE_CHECKING:
    from collections.abc import Callable

    from voicegraph.app.control.addresses import Address
    from voicegraph.app.page_server.server import PageServer

_PORT = 8760
_TRIES = 20
"""Ports that are tried, from the usual one on, if no port is given."""
_SLICE_S = 0.25
_PACKAGES = (
    ("fastapi", "fastapi"),
    ("uvicorn", "uvicorn"),
    ("websockets", "websockets"),
    ("python-multipart", "python_multipart"),
    ("psutil", "psutil"),
    ("sounddevice", "sounddevice"),
)
_PORT_HELP = f"Port of the page. Default: {_PORT}, or the next one that is free."
_HOST_HELP = "Address to listen on. Default: 127.0.0.1, which only this machine reaches."
_TOKEN_HELP = "Token that the page asks for; required if other machines can connect."
_BROWSER_HELP = "Print the address only, and open no browser."


@app.command("app")
def app_command(
    port: Annotated[int | None, option("N", _PORT_HELP, "--port", least=0, most=65535)] = None,
    host: Annotated[str, option("HOST", _HOST_HELP, "--host")] = "127.0.0.1",
    token: Annotated[
        str | None, option("TEXT", _TOKEN_HELP, "--token", envvar="VOICEGRAPH_TOKEN")
    ] = None,
    no_browser: Annotated[bool, flag("--no-browser", _BROWSER_HELP)] = False,
) -> None:
    """Open a page in the browser: choose microphone, loudspeaker and voice, and talk.

    A session that is started there goes on when the page or this program ends. Ctrl-C ends this
    program.
    """
    _require_packages()

    from voicegraph.app.page_server.running_app import running_url
    from voicegraph.graph.files.user_folders import state_folder

    known = running_url(state_folder())
    if known is not None and port in (None, urlsplit(known).port):
        echo(f"the app runs already: {known}")
        _open(known, no_browser)
        return
    _serve(_addresses(host, port, token), token, no_browser)


def _require_packages() -> None:
    missing = [name for name, module in _PACKAGES if not is_installed(module)]
    if missing:
        instead = "convert files with `voicegraph run`, which needs none of them"
        problem = missing_package("voicegraph app", *missing, extra="app", instead=instead)
        raise VoicegraphError(problem)


def _addresses(host: str, port: int | None, token: str | None) -> list[Address]:
    """Where to listen: the first that is free. A port that was given is the only one."""
    from voicegraph.app.control.addresses import parse_address
    from voicegraph.app.control.tokens import check_token, token_required

    if token is not None:
        check_token(token)
    named = f"[{host}]" if ":" in host and not host.startswith("[") else host
    ports = range(_PORT, _PORT + _TRIES) if port is None else (port,)
    try:
        found = [parse_address(f"{named}:{number}", "--host", number) for number in ports]
    except VoicegraphError as error:
        text = error.problems[0].message
        fix = "--host 127.0.0.1   (a name or address of this machine; the port is --port)"
        raise VoicegraphError(Problem(error.problems[0].code, text, fix=fix)) from None
    if not found[0].loopback and token is None:
        raise VoicegraphError(token_required(found[0], "leave out --host"))
    return found


def _serve(addresses: list[Address], token: str | None, no_browser: bool) -> None:
    from voicegraph.app.control.tokens import new_token
    from voicegraph.app.page_server.running_app import note_running
    from voicegraph.app.page_server.server import PageServer
    from voicegraph.app.page_server.services.services import open_services
    from voicegraph.graph.files.private_folder import private_folder
    from voicegraph.schemas.app import AppLimits

    services = open_services(AppLimits(), _say)
    private_folder(services.data)
    note = note_running(services.state)
    server, address = _listening(addresses, lambda where: PageServer(services, where, token, _say))
    url = f"http://{address.at(server.port)}/"
    server.start()
    try:
        note.write(url, token or new_token())
        echo(f"the app runs: {url}   (Ctrl-C ends it; a session that talks goes on)")
        _open(url, no_browser)
        while True:  # Windows does not interrupt a longer wait
            threading.Event().wait(_SLICE_S)
    except KeyboardInterrupt:
        pass
    finally:
        note.remove()
        server.close()


def _listening(
    addresses: list[Address], listen: Callable[[Address], PageServer]
) -> tuple[PageServer, Address]:
    """The server at the first address whose port is free."""
    for address in addresses:
        try:
            return listen(address), address
        except VoicegraphError as error:
            if error.problems[0].code == "port-refused":
                text = f"the operating system denies port {address.port} to this program"
                fix = f"voicegraph app --port {address.port + 8000}"
                raise VoicegraphError(Problem("port-refused", text, fix=fix)) from None
            if error.problems[0].code != "port-busy":
                raise
    last = addresses[-1].port
    ports = f"port {last} is" if len(addresses) == 1 else f"ports {addresses[0].port} to {last} are"
    text = f"{ports} in use by another program"
    raise VoicegraphError(
        Problem("port-busy", text, fix=f"voicegraph app --port {last % 65535 + 1}")
    )


def _open(url: str, no_browser: bool) -> None:
    """Opens the page; text browsers would take the terminal, so none without a display."""
    if no_browser:
        return
    display = sys.platform in ("win32", "darwin") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    opened = False
    if display:
        with suppress(webbrowser.Error, OSError):
            opened = webbrowser.open(url)
    if not opened:
        echo(f"no browser was found here; open {url}", err=True)


def _say(text: str) -> None:
    echo(printable(text), err=True)
