"""Under which names the server is reached, and from whose pages."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from ..control.addresses import Address

_LOCAL = ("localhost", "127.0.0.1", "::1")


def own_names(address: Address) -> frozenset[str]:
    """Names that ``Host`` may have; of a server for every address, this machine's name too."""
    names = {*_LOCAL, address.host.lower(), address.ip}
    if address.anywhere:
        machine = socket.gethostname().lower()
        names |= {machine, f"{machine}.local"}
    return frozenset(names)


def name_in(host: str) -> str:
    """The name in ``NAME:PORT`` or ``[IPV6]:PORT``, in small letters; empty if there is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def from_own_page(origin: str, host: str) -> bool:
    """Whether ``Origin`` is a page that this very ``Host`` served: name and port."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()


def same_ip(one: str, other: str) -> bool:
    """Whether both are addresses, and the same."""
    try:
        return ipaddress.ip_address(one) == ipaddress.ip_address(other)
    except ValueError:
        return False
