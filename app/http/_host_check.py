"""Checks of the ``Host`` and ``Origin`` headers."""

from __future__ import annotations

import ipaddress
import re
import socket

from ..control.addresses import Address

_HOST = re.compile(r"(?:\[(?P<v6>[0-9a-fA-F:.]+)\]|(?P<name>[\w.-]+))(?::[0-9]*)?", re.ASCII)
_LOCAL = ("localhost", "127.0.0.1", "::1")


def allowed_hosts(address: Address) -> frozenset[str]:
    """Allowlist for ``Host``; with the machine's name if the server listens on all addresses."""
    names = {*_LOCAL, address.host.lower(), address.ip}
    if address.unspecified:
        machine = socket.gethostname().lower()
        names |= {machine, f"{machine}.local"}
    return frozenset(names)


def host_name(host: str) -> str:
    """The name in ``NAME:PORT`` or ``[IPV6]:PORT``, in lower case; empty if it is none of both."""
    found = _HOST.fullmatch(host)
    return (found["v6"] or found["name"]).lower() if found else ""


def is_same_origin(origin: str, host: str) -> bool:
    """Whether ``Origin`` is a page from the same ``Host``: same name and port, nothing else."""
    return origin.lower() in {f"{scheme}://{host.lower()}" for scheme in ("http", "https")}


def same_ip(one: str, other: str) -> bool:
    """Whether both are IP addresses, and equal."""
    try:
        return ipaddress.ip_address(one) == ipaddress.ip_address(other)
    except ValueError:
        return False
