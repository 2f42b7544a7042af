"""Options of the interfaces, checked before anything is opened."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from voicegraph.graph.errors import Problem, VoicegraphError
from voicegraph.graph.optional_packages import is_installed, missing_package
from voicegraph.schemas.control import ControlLimits

from .addresses import LOOPBACK, Address, parse_address
from .http_info_file import check_http_info
from .tokens import check_token, new_token, token_required

HTTP_PORT = 8765
OSC_PORT = 9010
"""Not 9000 or 9001, which VRChat uses."""
FEEDBACK_PORT = 9011

_PACKAGES = {
    "http": (("fastapi", "fastapi"), ("uvicorn", "uvicorn"), ("websockets", "websockets")),
    "osc": (("python-osc", "pythonosc"),),
}


@dataclass(frozen=True)
class ControlOptions:
    """Which interfaces of a live session are open, and to whom; validated when created.

    Attributes:
        http: ``HOST:PORT`` of HTTP and WebSocket; None: off. Port 0 means any free port.
        osc: ``HOST:PORT`` of OSC over UDP; None: off.
        token: HTTP clients must send it; required if other machines can reach the host.
        osc_open: whether OSC may listen on a host that other machines can reach. OSC has no
            authentication.
        osc_feedback: ``HOST:PORT`` to which OSC sends changed values; None: no feedback.
        limits: what clients may take.
        http_info: file that gets address and token of HTTP, for a program that controls the
            session; without ``token`` a random one is made. None: no file.

    Raises:
        VoicegraphError: if an address or the token is invalid, a required option or a package is
            missing.
    """

    http: str | None = None
    osc: str | None = None
    token: str | None = field(default=None, repr=False)
    osc_open: bool = False
    osc_feedback: str | None = None
    limits: ControlLimits = field(default_factory=ControlLimits)
    http_info: Path | None = None

    def __post_init__(self) -> None:
        self._check_http_info()
        if self.token is not None:
            check_token(self.token)
        address = self.http_address
        if address is not None:
            require_packages("http", address.option)
            if not address.loopback and self.token is None:
                raise VoicegraphError(token_required(address))
        address = self.osc_address
        if address is not None:
            require_packages("osc", address.option)
            if not address.loopback and not self.osc_open:
                raise VoicegraphError(_osc_open_required(address))
        if self.feedback_address is not None and address is None:
            text = "--osc-feedback needs OSC, which is off"
            raise VoicegraphError(Problem("no-osc", text, fix=f"--osc {LOOPBACK}:{OSC_PORT}"))
        if self.limits != ControlLimits() and self.http is None and self.osc is None:
            text = "--control-limit needs an interface; HTTP and OSC are off"
            raise VoicegraphError(Problem("no-control", text, fix=f"--http {LOOPBACK}:{HTTP_PORT}"))

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
        """Where OSC sends feedback."""
        return _address(self.osc_feedback, "--osc-feedback", FEEDBACK_PORT)

    def _check_http_info(self) -> None:
        """The file holds a token in any case: whoever reads the file has it, and nobody else."""
        if self.http_info is None:
            return
        if self.http is None:
            text = "--http-info needs HTTP, which is off"
            raise VoicegraphError(Problem("no-http", text, fix=f"--http {LOOPBACK}:0"))
        check_http_info(self.http_info)
        if self.token is None:
            object.__setattr__(self, "token", new_token())


def _address(text: str | None, option: str, default_port: int) -> Address | None:
    return None if text is None else parse_address(text, option, default_port)


def require_packages(interface: str, option: str) -> None:
    """Checks that the packages of an interface are installed.

    Args:
        interface: ``http`` or ``osc``.
        option: the option that needs them, for messages.

    Raises:
        VoicegraphError: if a package is not installed.
    """
    missing = [name for name, module in _PACKAGES[interface] if not is_installed(module)]
    if missing:
        instead = f"run without {option}"
        raise VoicegraphError(missing_package(option, *missing, extra="control", instead=instead))


def _osc_open_required(address: Address) -> Problem:
    text = f"--osc {address} can be reached from other machines, and OSC has no authentication"
    fix = f"--osc {LOOPBACK}:{address.port}\nor, if you trust everyone on the network: --osc-open"
    return Problem("open-osc", text, fix=fix)
