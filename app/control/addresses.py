"""Where to listen: ``HOST:PORT`` read, looked up, and opened."""

from __future__ import annotations

import errno
import ipaddress
import os
import re
import socket
from dataclasses import dataclass
from typing import Literal

from voicegraph.graph.errors import Problem, VoicegraphError

Transport = Literal["tcp", "udp"]

LOOPBACK = "127.0.0.1"
_KINDS = {
    "tcp": (socket.SOCK_STREAM, socket.IPPROTO_TCP),
    "udp": (socket.SOCK_DGRAM, socket.IPPROTO_UDP),
}
"""With the protocol: only where it is TCP's by name does asyncio send small answers at once."""
_FORM = re.compile(
    r"(?:(?:\[(?P<v6>[0-9a-fA-F:.]+)\]|(?P<name>[^\s:/\[\]]*)):)?(?P<port>[0-9]{1,5})"
)
_BACKLOG = 32
_TAKEN = {errno.EADDRINUSE, getattr(errno, "WSAEADDRINUSE", errno.EADDRINUSE)}
_REFUSED = {errno.EACCES, errno.EPERM, getattr(errno, "WSAEACCES", errno.EACCES)}
_ABSENT = {errno.EADDRNOTAVAIL, getattr(errno, "WSAEADDRNOTAVAIL", errno.EADDRNOTAVAIL)}


@dataclass(frozen=True, slots=True)
class Address:
    """A place to listen at, or to send to.

    Attributes:
        option: the option that named it, for messages.
        host: as it was named.
        ip: what the name stands for.
        port: 0 is any free one.
    """

    option: str
    host: str
    ip: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only programs on this machine reach it."""
        return ipaddress.ip_address(self.ip).is_loopback

    @property
    def anywhere(self) -> bool:
        """Whether it stands for every address of this machine."""
        return ipaddress.ip_address(self.ip).is_unspecified

    @property
    def family(self) -> socket.AddressFamily:
        """IPv4 or IPv6."""
        return socket.AF_INET6 if ":" in self.ip else socket.AF_INET

    def at(self, port: int) -> str:
        """``HOST:PORT`` with another port."""
        return f"[{self.host}]:{port}" if ":" in self.host else f"{self.host}:{port}"

    def __str__(self) -> str:
        return self.at(self.port)


def parse_address(text: str, option: str, default_port: int) -> Address:
    """Reads ``HOST:PORT``, ``[IPV6]:PORT``, ``:PORT`` or ``PORT``; without a host it is loopback.

    Args:
        text: as a user typed it.
        option: where, for messages.
        default_port: for the example in messages.

    Raises:
        VoicegraphError: if it is no address, or the host is not known.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None or int(found["port"]) > 65535:
        message = f"{option}: expected HOST:PORT, found {text!r}"
        notes = (("IPv6 addresses stand in brackets: [::1]:8765", None),) * (text.count(":") > 1)
        fix = f"{option} {LOOPBACK}:{default_port}"
        raise VoicegraphError(Problem("wrong-address", message, notes=notes, fix=fix))
    host = found["v6"] or found["name"] or LOOPBACK
    return Address(option, host, _look_up(host, option, default_port), int(found["port"]))


def _look_up(host: str, option: str, default_port: int) -> str:
    """The first address of a host; IPv4 before IPv6, which ``localhost`` may both be."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        message = f"{option}: there is no host {host!r} ({error})"
        fix = f"{option} {LOOPBACK}:{default_port}"
        raise VoicegraphError(Problem("no-such-host", message, fix=fix)) from None
    found.sort(key=lambda entry: entry[0] != socket.AF_INET)
    return str(found[0][4][0])


def listen(address: Address, transport: Transport) -> socket.socket:
    """Opens the port; TCP listens at once, so that nobody who comes early is turned away.

    Raises:
        VoicegraphError: if that cannot be; the problem says what to type instead.
    """
    opened = socket.socket(address.family, *_KINDS[transport])
    try:
        if os.name == "nt":  # or another program could take over the port
            opened.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_EXCLUSIVEADDRUSE", -5), 1)
        elif transport == "tcp":  # or the port would stay taken for a minute after the end
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if address.family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind((address.ip, address.port))
        if transport == "tcp":
            opened.listen(_BACKLOG)
    except OSError as error:
        opened.close()
        raise VoicegraphError(_cannot_listen(address, error)) from None
    return opened


def _cannot_listen(address: Address, error: OSError) -> Problem:
    option, port = address.option, address.port
    other = f"{option} {address.at(port % 65535 + 1)}"
    if error.errno in _TAKEN:
        text = f"{option}: port {port} is in use by another program, perhaps another session"
        return Problem("port-busy", text, fix=f"{other}   (or end that program)")
    if error.errno in _REFUSED:
        text = f"{option}: the system does not let this program have port {port}"
        return Problem("port-refused", text, fix=f"{option} {address.at(port + 8000)}")
    if error.errno in _ABSENT:
        text = f"{option}: {address.host} is no address of this machine"
        return Problem("no-such-host", text, fix=f"{option} {LOOPBACK}:{port}")
    return Problem("cannot-listen", f"{option}: cannot listen at {address}: {error}", fix=other)
