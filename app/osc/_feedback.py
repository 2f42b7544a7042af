"""OSC feedback: sends changed values to a controller with motor faders, lamps or displays.

A value is sent to the address that sets it, so a controller uses one address for both directions.
"""

from __future__ import annotations

import socket
import time

from pythonosc.osc_message_builder import OscMessageBuilder

from voicegraph.schemas.live_status import LiveStatus

from ..control.addresses import Address
from ..control.service import Service
from ._messages import ROOT

PERIOD_S = 0.1


class OscFeedback:
    """Sends changed values, at most ten times a second; the first time all values.

    Args:
        service: the session.
        target: address of the controller.
    """

    def __init__(self, service: Service, target: Address) -> None:
        self._service = service
        self._target = (target.ip, target.port)
        self._socket = socket.socket(target.family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._sent: dict[str, bool | float | str] = {}
        self._due = 0.0

    def send(self) -> None:
        """Sends what has changed, unless the previous call was less than a period ago."""
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + PERIOD_S
        for address, value in values_of(self._service.status()).items():
            if address not in self._sent or self._sent[address] != value:
                try:
                    self._socket.sendto(_message(address, value), self._target)
                except OSError:  # nobody listens, or the buffer is full: tried again the next time
                    return
                self._sent[address] = value

    def close(self) -> None:
        """Closes the socket."""
        self._socket.close()


def values_of(status: LiveStatus) -> dict[str, bool | float | str]:
    """OSC address -> value. Levels are whole dB, so that not every block sends a message."""
    found: dict[str, bool | float | str] = {
        f"{ROOT}/mute": status.muted,
        f"{ROOT}/talk": status.talking,
        f"{ROOT}/monitor": status.monitor,
        f"{ROOT}/record": status.take is not None,
        f"{ROOT}/state": status.state,
        f"{ROOT}/late": float(status.late.blocks),
        f"{ROOT}/level/input": float(round(status.input.rms_db)),
        f"{ROOT}/level/output": float(round(status.output.rms_db)),
    }
    if status.profiles:
        found[f"{ROOT}/profile"] = " ".join(status.active_profiles)
    if status.voice is not None:
        found[f"{ROOT}/voice"] = status.voice
    if status.variant is not None:
        found[f"{ROOT}/variant"] = status.variant
    for param in status.params:
        node, _, name = param.name.rpartition(".")
        if isinstance(param.value, (bool, int, float, str)):
            value = param.value
            sent = float(value) if type(value) in (int, float) else value
            found[f"{ROOT}/param/{node}/{name}"] = sent
    return found


def _message(address: str, value: bool | float | str) -> bytes:
    """Booleans are sent as the integers 0 and 1: not every controller knows OSC's booleans."""
    builder = OscMessageBuilder(address)
    if isinstance(value, str):
        builder.add_arg(value, "s")
    elif isinstance(value, bool):
        builder.add_arg(int(value), "i")
    else:
        builder.add_arg(value, "f")
    return builder.build().dgram
