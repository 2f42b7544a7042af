"""Tells an OSC device what has changed: for motor faders, lamps and displays.

Addresses are those that set the same thing, so a device needs one for both directions.
"""

from __future__ import annotations

import socket
import time

from pythonosc.osc_message_builder import OscMessageBuilder

from voicegraph.schemas.live_status import LiveStatus

from ..control.addresses import Address
from ..control.service import Desk
from ._messages import ROOT

PERIOD_S = 0.1


class OscFeedback:
    """Sends values as they change, ten times a second at most; all of them at first.

    Args:
        desk: where they are looked up.
        target: where to send them.
    """

    def __init__(self, desk: Desk, target: Address) -> None:
        self._desk = desk
        self._target = (target.ip, target.port)
        self._socket = socket.socket(target.family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._sent: dict[str, bool | float | str] = {}
        self._due = 0.0

    def send(self) -> None:
        """What has changed since the last time, unless that was just now."""
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + PERIOD_S
        for address, value in values_of(self._desk.status()).items():
            if address not in self._sent or self._sent[address] != value:
                try:
                    self._socket.sendto(_message(address, value), self._target)
                except OSError:  # nobody there, or the buffer is full: the next time, then
                    return
                self._sent[address] = value

    def close(self) -> None:
        """Sends no more."""
        self._socket.close()


def values_of(status: LiveStatus) -> dict[str, bool | float | str]:
    """Everything that is sent, by address. Levels in whole dB: a lamp needs no more."""
    found: dict[str, bool | float | str] = {
        f"{ROOT}/mute": status.muted,
        f"{ROOT}/talk": status.talking,
        f"{ROOT}/monitor": status.monitor,
        f"{ROOT}/state": status.state,
        f"{ROOT}/late": float(status.late.blocks),
        f"{ROOT}/level/input": float(round(status.input.rms_db)),
        f"{ROOT}/level/output": float(round(status.output.rms_db)),
    }
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
    """Switches go as 0 and 1, which every device understands."""
    builder = OscMessageBuilder(address)
    if isinstance(value, str):
        builder.add_arg(value, "s")
    elif isinstance(value, bool):
        builder.add_arg(int(value), "i")
    else:
        builder.add_arg(value, "f")
    return builder.build().dgram
