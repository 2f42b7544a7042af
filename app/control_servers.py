"""The one way in: opens what is asked for, and closes it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from voicegraph.graph.live.protocol import LiveSessionProtocol

from .control.options import ControlOptions
from .control.service import Desk


class Control:
    """Lets others steer a live session: HTTP and WebSocket, OSC, each on a thread of its own.

    ::

        with Control(live, ControlOptions(http="127.0.0.1:8765")) as control:
            print(*control.addresses)
            live.stopped.wait()

    Args:
        live: the session.
        options: what to open; nothing by default.

    Attributes:
        http_url: where the page is; None without HTTP, or before the start.
        osc_address: ``HOST:PORT``; None without OSC, or before the start.
    """

    def __init__(self, live: LiveSessionProtocol, options: ControlOptions | None = None) -> None:
        self._options = options or ControlOptions()
        self._desk = Desk(live)
        self._closing: list[Callable[[], None]] = []
        self.http_url: str | None = None
        self.osc_address: str | None = None

    def start(self) -> None:
        """Opens the ports, and begins to answer.

        Raises:
            VoicegraphError: if a port cannot be had; none is open then.
        """
        try:
            self._start_http()
            self._start_osc()
        except BaseException:
            self.close()
            raise

    @property
    def addresses(self) -> list[str]:
        """What is open, for display: ``http://127.0.0.1:8765/``, ``OSC 127.0.0.1:9010``."""
        osc = None if self.osc_address is None else f"OSC {self.osc_address}"
        return [text for text in (self.http_url, osc) if text is not None]

    def close(self) -> None:
        """Closes everything, and waits for it: no port and no thread stays. Safe to call twice."""
        while self._closing:
            self._closing.pop()()
        self.http_url = self.osc_address = None
        self._desk.close()

    def __enter__(self) -> Self:
        """Started."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Closed."""
        self.close()

    def _start_http(self) -> None:
        address, token = self._options.http_address, self._options.token
        if address is None:
            return
        from .web.http_server import HttpServer

        server = HttpServer(self._desk, address, token)
        self._closing.append(server.close)
        server.start()
        self.http_url = f"http://{address.at(server.port)}/"

    def _start_osc(self) -> None:
        address = self._options.osc_address
        if address is None:
            return
        from .osc.server import OscServer

        server = OscServer(self._desk, address, self._options.feedback_address)
        self._closing.append(server.close)
        server.start()
        self.osc_address = address.at(server.port)
