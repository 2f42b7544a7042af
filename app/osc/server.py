"""OSC over UDP, on a thread of its own.

Nothing is promised in UDP, so what cannot be read or done is told in the session's messages, and
the next one is waited for. The time tags of bundles are not waited for: a knob is turned now.
"""

from __future__ import annotations

import logging
import selectors
import socket
import threading

from pythonosc.osc_message import OscMessage
from pythonosc.osc_packet import OscPacket

from ..control.addresses import Address, listen
from ..control.message_reports import Reports
from ..control.service import Desk
from ._feedback import PERIOD_S, OscFeedback
from ._messages import read_message

LARGEST_DATAGRAM = 8192


class OscServer:
    """Takes messages for a desk.

    Args:
        desk: what is steered.
        address: where to listen.
        feedback: where to send what changes; None: nowhere.

    Raises:
        VoicegraphError: if the port cannot be had.
    """

    def __init__(self, desk: Desk, address: Address, feedback: Address | None) -> None:
        self._desk = desk
        self._socket = listen(address, "udp")
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]
        self._feedback = OscFeedback(desk, feedback) if feedback is not None else None
        self._reports = Reports(desk.live.say)
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="voicegraph-osc", daemon=True)

    def start(self) -> None:
        """Begins to listen."""
        self._thread.start()

    def close(self) -> None:
        """Ends it, and frees the port."""
        self._wake.close()
        if self._thread.ident is not None:
            self._thread.join()
        self._woken.close()
        self._socket.close()
        if self._feedback is not None:
            self._feedback.close()

    def _run(self) -> None:
        remarks = _Remarks(self._reports, threading.get_ident())
        logging.getLogger().addFilter(remarks)
        try:
            self._listen()
        finally:
            logging.getLogger().removeFilter(remarks)

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
                    self._reports.guarded(self._feedback.send)

    def _receive(self) -> None:
        try:
            datagram = self._socket.recv(LARGEST_DATAGRAM + 1)
        except OSError:  # none there after all, or Windows: one that was too long, a reply refused
            return
        if len(datagram) > LARGEST_DATAGRAM:
            self._reports.tell(f"OSC: a message has more than {LARGEST_DATAGRAM} bytes")
            return
        try:
            messages = [timed.message for timed in OscPacket(datagram).messages]
        except Exception as error:  # of a parser on bytes from anywhere: whatever it raises
            self._reports.tell(f"OSC: not a message: {error or type(error).__name__}")
            return
        for message in messages:
            self._reports.guarded(self._do, message)

    def _do(self, message: OscMessage) -> None:
        command = read_message(message.address, message.params, self._desk)
        if command is not None:
            self._desk.submit(command).add_done_callback(self._reports.outcome)


class _Remarks(logging.Filter):
    """What python-osc leaves out of a message it tells the root logger: it is told here instead."""

    def __init__(self, reports: Reports, thread: int | None) -> None:
        super().__init__()
        self._reports = reports
        self._thread = thread

    def filter(self, record: logging.LogRecord) -> bool:
        """Keeps what others log."""
        if record.thread != self._thread:
            return True
        self._reports.tell(f"OSC: {record.getMessage()}")
        return False
