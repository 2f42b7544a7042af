"""Opens and closes the control servers of a live session: HTTP and OSC."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from voicegraph.graph.live.protocol import LiveSessionProtocol

from .control.options import ControlOptions
from .control.service import Service


class Control:
    """Control of a live session over HTTP, WebSocket and OSC; each server has its own thread.

    ::

        with Control(live, ControlOptions(http="127.0.0.1:8765")) as control:
            print(*control.addresses)
            live.stopped.wait()

    Args:
        live: the session.
        options: which interfaces to open; none by default.

    Attributes:
        http_url: address of the web page; None without HTTP, or before the start.
        osc_address: ``HOST:PORT``; None without OSC, or before the start.
    """

    def __init__(self, live: LiveSessionProtocol, options: ControlOptions | None = None) -> None:
        self._options = options or ControlOptions()
        self._service = Service(live)
        self._close_calls: list[Callable[[], None]] = []
        self.http_url: str | None = None
        self.osc_address: str | None = None

    def start(self) -> None:
        """Opens the ports and starts the servers.

        Raises:
            VoicegraphError: if a port cannot be opened; then none stays open.
        """
        try:
            self._start_http()
            self._start_osc()
        except BaseException:
            self.close()
            raise

    @property
    def addresses(self) -> list[str]:
        """Open addresses for display: ``http://127.0.0.1:8765/``, ``OSC 127.0.0.1:9010``."""
        osc = None if self.osc_address is None else f"OSC {self.osc_address}"
        return [text for text in (self.http_url, osc) if text is not None]

    def close(self) -> None:
        """Closes all ports and waits for all threads. Safe to call twice."""
        while self._close_calls:
            self._close_calls.pop()()
        self.http_url = self.osc_address = None
        self._service.close()

    def __enter__(self) -> Self:
        """Calls :meth:`start`."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Calls :meth:`close`."""
        self.close()

    def _start_http(self) -> None:
        address, token = self._options.http_address, self._options.token
        if address is None:
            return
        from .control.http_info_file import HttpInfoFile
        from .session_server.server import SessionServer

        path = self._options.http_info
        info = None if path is None else HttpInfoFile(path)
        server = SessionServer(self._service, address, token, self._options.limits)
        self._close_calls.append(server.close)
        server.start()
        self.http_url = f"http://{address.at(server.port)}/"
        if info is not None:
            self._close_calls.append(info.remove)  # before the port is closed
            info.write(self.http_url, token or "")

    def _start_osc(self) -> None:
        address = self._options.osc_address
        if address is None:
            return
        from .osc.server import OscServer

        feedback, limits = self._options.feedback_address, self._options.limits
        server = OscServer(self._service, address, feedback, limits)
        self._close_calls.append(server.close)
        server.start()
        self.osc_address = address.at(server.port)
