"""Checks of the ``Host`` and ``Origin`` headers."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from ..control.addresses import Address

_LOCAL = ("localhost", "127.0.0.1", "::1")


def allowed_hosts(address: Address) -> frozenset[str]:
    """Allowlist for ``Host``; with the machine's name if the server listens on all addresses."""
    names = {*_LOCAL, address.host.lower(), address.ip}
    if address.unspecified:
        machine = socket.gethostname().lower()
        names |= {machine, f"{machine}.local"}
    return frozenset(names)


def host_name(host: str) -> str:
    """The name in ``NAME:PORT`` or ``[IPV6]:PORT``, in lower case; empty if there is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def is_same_origin(origin: str, host: str) -> bool:
    """Whether ``Origin`` is a page from the same ``Host``: same name and port."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()


def same_ip(one: str, other: str) -> bool:
    """Whether both are IP addresses, and equal."""
    try:
        return ipaddress.ip_address(one) == ipaddress.ip_address(other)
    except ValueError:
        return False
