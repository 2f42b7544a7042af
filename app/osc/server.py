"""The OSC server: UDP on a thread of its own.

UDP has no answers, so errors are reported in the session's messages. Time tags of bundles are
ignored: their messages are executed at once.

Whoever can send may send without end. So only so many packets are read and so many commands are
executed in a second; what does not fit is lost, and counted.
"""

from __future__ import annotations

import logging
import selectors
import socket
import sys
import threading
from collections.abc import Callable

from voicegraph.schemas.control import ControlLimits

from ..control.addresses import Address, listen
from ..control.message_reports import RateLimitedReports, problem_text
from ..control.service import Service
from ..control.token_bucket import TokenBucket
from ._feedback import PERIOD_S, OscFeedback
from ._inbox import MOST_VALUES, Inbox, address_of, has_many_values, is_ours, split_bundle
from ._messages import parse_message, unknown_address

LARGEST_DATAGRAM = 8192
_ERROR_COST = 10
"""A command that fails costs as much as ten: its message is written out with suggestions."""
_SO_RXQ_OVFL = 40
"""Linux's number, which Python does not name: packets come with the count of those dropped."""


class OscServer:
    """Executes OSC messages.

    Args:
        service: the session.
        address: the address to listen on.
        feedback: where to send changed values; None: no feedback.
        limits: how many packets and commands there may be in a second.

    Raises:
        VoicegraphError: if the port cannot be opened.
    """

    def __init__(
        self, service: Service, address: Address, feedback: Address | None, limits: ControlLimits
    ) -> None:
        self._service = service
        self._socket = listen(address, "udp")
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]
        self._feedback = OscFeedback(service, feedback) if feedback is not None else None
        self._reports = RateLimitedReports(service.live.say)
        self._inbox = Inbox()
        self._packets = TokenBucket(limits.osc_packets)
        self._commands = TokenBucket(limits.osc_commands)
        self._receiver = _LostPackets(self._socket)
        self._lost = 0
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
        with selectors.DefaultSelector() as listening, selectors.DefaultSelector() as pausing:
            listening.register(self._socket, selectors.EVENT_READ)
            for selector in (listening, pausing):
                selector.register(self._woken, selectors.EVENT_READ)
            while True:
                closed_s = self._packets.wait_s()
                selector = pausing if closed_s else listening
                ready = {key.fileobj for key, _ in selector.select(self._pause_s(closed_s))}
                if self._woken in ready:
                    return
                if self._socket in ready:
                    self._receive()
                self._execute_waiting()
                if self._feedback is not None:
                    self._reports.run(self._feedback.send)

    def _pause_s(self, closed_s: float) -> float | None:
        """Seconds until something is to be done, whatever arrives; None: nothing is."""
        pauses = [closed_s] if closed_s else []
        if len(self._inbox):
            pauses.append(self._commands.wait_s())
        if self._feedback is not None:
            pauses.append(PERIOD_S)
        return min(pauses, default=None)

    def _receive(self) -> None:
        """Reads what is there, as far as the budget goes."""
        lost = 0
        while not self._packets.wait_s():
            self._packets.take()
            try:
                datagram, dropped = self._receiver.receive(LARGEST_DATAGRAM + 1)
            except BlockingIOError:
                break
            except OSError:  # on Windows a datagram too long, or an ICMP error
                continue
            lost += dropped + self._store(datagram)
        if lost:
            self._lost += lost
            self._service.live.count_dropped_packets(lost)
            self._reports.report(
                f"OSC: messages come faster than they are executed, {self._lost} dropped so far "
                "(--control-limit osc_packets=..., osc_commands=...)"
            )

    def _store(self, datagram: bytes) -> int:
        """Keeps the messages of a datagram for their execution; returns how many are lost."""
        if len(datagram) > LARGEST_DATAGRAM:
            self._reports.report(f"OSC: a datagram has more than {LARGEST_DATAGRAM} bytes")
            return 0
        lost = 0
        try:
            for number, message in enumerate(split_bundle(datagram)):
                self._packets.take(min(number, 1))  # the first is paid for
                fault = _fault(message)
                if fault is not None:
                    self._reports.report(fault)
                else:
                    lost += not self._inbox.put(message)
        except ValueError as error:
            self._reports.report(f"OSC: not an OSC message: {error}")
        return lost

    def _execute_waiting(self) -> None:
        while len(self._inbox) and not self._commands.wait_s():
            self._commands.take()
            if not self._reports.run(self._execute, self._inbox.take()):
                self._commands.take(_ERROR_COST - 1)

    def _execute(self, message: bytes) -> None:
        command = parse_message(message, self._service)
        if command is not None:
            self._service.submit(command).add_done_callback(self._reports.report_failure)


def _fault(message: bytes) -> Callable[[], str] | None:
    """What can be seen to be wrong without parsing; as a function, since few are reported."""
    if not message.startswith(b"/"):
        return lambda: "OSC: not an OSC message: it does not begin with /"
    if not is_ours(message):
        address = address_of(message).decode("utf-8", "replace")
        return lambda: problem_text(unknown_address(address))
    if has_many_values(message):
        return lambda: f"OSC: a message has more than {MOST_VALUES} values"
    return None


class _LostPackets:
    """Receives, and tells how many packets the system dropped because nobody read them.

    Only Linux tells; elsewhere nothing is known of them.
    """

    def __init__(self, opened: socket.socket) -> None:
        self._socket = opened
        self._told = sys.platform == "linux"
        self._before = 0
        if self._told:
            opened.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)

    def receive(self, size: int) -> tuple[bytes, int]:
        """A datagram, and how many were dropped since the one before.

        Raises:
            OSError: as the socket's ``recv``.
        """
        if not self._told:
            return self._socket.recv(size), 0
        datagram, ancillary, _, _ = self._socket.recvmsg(size, socket.CMSG_SPACE(4))
        for level, kind, data in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, _SO_RXQ_OVFL):
                count = int.from_bytes(data[:4], sys.byteorder)
                dropped = (count - self._before) % (1 << 32)
                self._before = count
                return datagram, dropped
        return datagram, 0


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
