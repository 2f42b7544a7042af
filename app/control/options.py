"""Which interfaces are open, to whom; checked before anything is opened."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass, field
from functools import cached_property

from voicegraph.graph.errors import Problem, VoicegraphError
from voicegraph.graph.optional_packages import pip_install

from .addresses import LOOPBACK, Address, parse_address

HTTP_PORT = 8765
OSC_PORT = 9010
"""Not 9000 and 9001, which VRChat uses."""
FEEDBACK_PORT = 9011
SHORTEST_TOKEN = 16

_NEEDED = {
    "http": (("fastapi", "fastapi"), ("uvicorn", "uvicorn"), ("websockets", "websockets")),
    "osc": (("python-osc", "pythonosc"),),
}


@dataclass(frozen=True)
class ControlOptions:
    """How a live session may be steered from outside. An object that exists can be served.

    Attributes:
        http: ``HOST:PORT`` of HTTP and WebSocket; None: neither. Port 0 is any free one.
        osc: ``HOST:PORT`` of OSC over UDP; None: no OSC.
        token: what HTTP clients must show; needed where others than this machine reach it.
        osc_open: OSC may be reached by others, who need no token for it: OSC knows none.
        osc_feedback: ``HOST:PORT`` to which OSC sends what changes; None: nowhere.

    Raises:
        VoicegraphError: if an address is none, a rule is broken, or a package is missing.
    """

    http: str | None = None
    osc: str | None = None
    token: str | None = field(default=None, repr=False)
    osc_open: bool = False
    osc_feedback: str | None = None

    def __post_init__(self) -> None:
        self._check_token()
        address = self.http_address
        if address is not None:
            require_packages("http", address.option)
            if not address.loopback and self.token is None:
                raise VoicegraphError(_needs_token(address))
        address = self.osc_address
        if address is not None:
            require_packages("osc", address.option)
            if not address.loopback and not self.osc_open:
                raise VoicegraphError(_osc_is_open(address))
        if self.feedback_address is not None and address is None:
            text = "--osc-feedback needs OSC, which is off"
            raise VoicegraphError(Problem("no-osc", text, fix=f"--osc {LOOPBACK}:{OSC_PORT}"))

    @cached_property
    def http_address(self) -> Address | None:
        """Where HTTP listens."""
        return _address(self.http, "--http", HTTP_PORT)

    @cached_property
    def osc_address(self) -> Address | None:
        """Where OSC listens."""
        return _address(self.osc, "--osc", OSC_PORT)

    @cached_property
    def feedback_address(self) -> Address | None:
        """Where OSC sends to."""
        return _address(self.osc_feedback, "--osc-feedback", FEEDBACK_PORT)

    def _check_token(self) -> None:
        """A token goes into a header, so it is made of what a header can hold."""
        token = self.token
        if token is None:
            return
        if len(token) < SHORTEST_TOKEN:
            text = f"the token has {len(token)} characters, expected at least {SHORTEST_TOKEN}"
            raise VoicegraphError(Problem("weak-token", text, fix=_new_token()))
        if not all("!" <= character <= "~" for character in token):
            text = "the token must be of letters, digits and signs of ASCII, without spaces"
            raise VoicegraphError(Problem("weak-token", text, fix=_new_token()))


def _address(text: str | None, option: str, default_port: int) -> Address | None:
    return None if text is None else parse_address(text, option, default_port)


def require_packages(interface: str, option: str) -> None:
    """Says what to install before any work is done.

    Args:
        interface: ``http`` or ``osc``.
        option: what asked for it.

    Raises:
        VoicegraphError: if a package is not installed.
    """
    missing = [name for name, module in _NEEDED[interface] if not importlib.util.find_spec(module)]
    if missing:
        text = f"{option} needs {' and '.join(missing)}, not installed (the extra `control`)"
        fix = f"{pip_install('voicegraph[control]')}\nor go on without {option}"
        raise VoicegraphError(Problem("missing-package", text, fix=fix))


def _new_token() -> str:
    """How to make one, and where it goes: in the variable, no list of processes shows it."""
    python = f'"{sys.executable}"' if " " in sys.executable else sys.executable
    make = f'{python} -c "import secrets; print(secrets.token_urlsafe(24))"'
    return f"{make}\nand put what it prints into the variable VOICEGRAPH_TOKEN, or behind --token"


def _needs_token(address: Address) -> Problem:
    text = f"--http {address} can be reached from other machines, which needs a token"
    alone = f"or for this machine alone: --http {LOOPBACK}:{address.port}"
    return Problem("needs-token", text, fix=f"{_new_token()}\n{alone}")


def _osc_is_open(address: Address) -> Problem:
    text = f"--osc {address} can be reached from other machines, and OSC has no passwords"
    fix = f"--osc {LOOPBACK}:{address.port}\nor, where you trust the whole network: --osc-open"
    return Problem("open-osc", text, fix=fix)
