"""The OSC server: UDP on a thread of its own.

UDP has no answers, so errors are reported in the session's messages. Time tags of bundles are
ignored: their messages are executed at once.
"""

from __future__ import annotations

import logging
import selectors
import socket
import threading

from pythonosc.osc_message import OscMessage
from pythonosc.osc_packet import OscPacket

from ..control.addresses import Address, listen
from ..control.message_reports import RateLimitedReports
from ..control.service import Service
from ._feedback import PERIOD_S, OscFeedback
from ._messages import read_message

LARGEST_DATAGRAM = 8192


class OscServer:
    """Executes OSC messages.

    Args:
        service: the session.
        address: the address to listen on.
        feedback: where to send changed values; None: no feedback.

    Raises:
        VoicegraphError: if the port cannot be opened.
    """

    def __init__(self, service: Service, address: Address, feedback: Address | None) -> None:
        self._service = service
        self._socket = listen(address, "udp")
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]
        self._feedback = OscFeedback(service, feedback) if feedback is not None else None
        self._reports = RateLimitedReports(service.live.say)
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="voicegraph-osc", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def close(self) -> None:
        """Stops the thread and frees the port."""
        self._wake.close()
        if self._thread.ident is not None:
            self._thread.join()
        self._woken.close()
        self._socket.close()
        if self._feedback is not None:
            self._feedback.close()

    def _run(self) -> None:
        captured = _LogCapture(self._reports, threading.get_ident())
        logging.getLogger().addFilter(captured)
        try:
            self._listen()
        finally:
            logging.getLogger().removeFilter(captured)

    def _listen(self) -> None:
        pause = None if self._feedback is None else PERIOD_S
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in selector.select(pause)}
                if self._woken in ready:
                    return
                if self._socket in ready:
                    self._receive()
                if self._feedback is not None:
                    self._reports.run(self._feedback.send)

    def _receive(self) -> None:
        try:
            datagram = self._socket.recv(LARGEST_DATAGRAM + 1)
        except OSError:  # a spurious wake-up; on Windows also a datagram too long, or an ICMP error
            return
        if len(datagram) > LARGEST_DATAGRAM:
            self._reports.report(f"OSC: a datagram has more than {LARGEST_DATAGRAM} bytes")
            return
        try:
            messages = [timed.message for timed in OscPacket(datagram).messages]
        except Exception as error:  # the parser raises many kinds of errors on malformed bytes
            self._reports.report(f"OSC: not an OSC message: {error or type(error).__name__}")
            return
        for message in messages:
            self._reports.run(self._execute, message)

    def _execute(self, message: OscMessage) -> None:
        command = read_message(message.address, message.params, self._service)
        if command is not None:
            self._service.submit(command).add_done_callback(self._reports.report_failure)


class _LogCapture(logging.Filter):
    """Reports what python-osc logs about malformed messages (to the root logger) in the session."""

    def __init__(self, reports: RateLimitedReports, thread: int | None) -> None:
        super().__init__()
        self._reports = reports
        self._thread = thread

    def filter(self, record: logging.LogRecord) -> bool:
        """Passes on the records of other threads."""
        if record.thread != self._thread:
            return True
        self._reports.report(f"OSC: {record.getMessage()}")
        return False
