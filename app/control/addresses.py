"""Listening addresses: ``HOST:PORT`` parsed, resolved, and opened as a socket."""

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
"""Kind and protocol: asyncio sets TCP_NODELAY only on sockets with the explicit protocol TCP."""
_FORM = re.compile(
    r"(?:(?:\[(?P<v6>[0-9a-fA-F:.]+)\]|(?P<name>[^\s:/\[\]]*)):)?(?P<port>[0-9]{1,5})"
)
_BACKLOG = 128
_IN_USE = {errno.EADDRINUSE, getattr(errno, "WSAEADDRINUSE", errno.EADDRINUSE)}
_DENIED = {errno.EACCES, errno.EPERM, getattr(errno, "WSAEACCES", errno.EACCES)}
_NOT_OURS = {errno.EADDRNOTAVAIL, getattr(errno, "WSAEADDRNOTAVAIL", errno.EADDRNOTAVAIL)}


@dataclass(frozen=True, slots=True)
class Address:
    """An address to listen on, or to send to.

    Attributes:
        option: the command-line option it came from, for messages.
        host: as typed by the user.
        ip: the resolved address.
        port: 0 means any free port.
    """

    option: str
    host: str
    ip: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only programs on this machine can reach it."""
        return ipaddress.ip_address(self.ip).is_loopback

    @property
    def unspecified(self) -> bool:
        """Whether it stands for all addresses of this machine, such as ``0.0.0.0``."""
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
    """Parses ``HOST:PORT``, ``[IPV6]:PORT``, ``:PORT`` or ``PORT``; the default host is loopback.

    Args:
        text: as typed by the user.
        option: the option it belongs to, for messages.
        default_port: port of the example in messages.

    Raises:
        VoicegraphError: if the text is not an address, or the host is unknown.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None or int(found["port"]) > 65535:
        message = f"{option}: expected HOST:PORT, found {text!r}"
        notes = (("write IPv6 addresses in brackets: [::1]:8765", None),) * (text.count(":") > 1)
        fix = f"{option} {LOOPBACK}:{default_port}"
        raise VoicegraphError(Problem("wrong-address", message, notes=notes, fix=fix))
    host = found["v6"] or found["name"] or LOOPBACK
    return Address(option, host, _resolve(host, option, default_port), int(found["port"]))


def _resolve(host: str, option: str, default_port: int) -> str:
    """The first address of a host; IPv4 first, as ``localhost`` may resolve to both."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        message = f"{option}: there is no host {host!r} ({error})"
        fix = f"{option} {LOOPBACK}:{default_port}"
        raise VoicegraphError(Problem("no-such-host", message, fix=fix)) from None
    found.sort(key=lambda entry: entry[0] != socket.AF_INET)
    return str(found[0][4][0])


def listen(address: Address, transport: Transport) -> socket.socket:
    """Opens a socket on the address. TCP listens at once: early clients wait instead of failing.

    Raises:
        VoicegraphError: if the port cannot be opened; the fix says what to type instead.
    """
    opened = socket.socket(address.family, *_KINDS[transport])
    try:
        if os.name == "nt":  # otherwise another program could take over the port
            opened.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_EXCLUSIVEADDRUSE", -5), 1)
        elif transport == "tcp":  # otherwise the port stays in use for a minute after the end
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
    if error.errno in _IN_USE:
        text = f"{option}: port {port} is in use by another program, perhaps by another session"
        return Problem("port-busy", text, fix=f"{other}   (or stop that program)")
    if error.errno in _DENIED:
        text = f"{option}: the operating system denies port {port} to this program"
        return Problem("port-refused", text, fix=f"{option} {address.at(port + 8000)}")
    if error.errno in _NOT_OURS:
        text = f"{option}: {address.host} is not an address of this machine"
        return Problem("no-such-host", text, fix=f"{option} {LOOPBACK}:{port}")
    return Problem("cannot-listen", f"{option}: cannot listen on {address}: {error}", fix=other)
