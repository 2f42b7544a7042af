"""Stands where the module ``sounddevice`` would: devices that a test makes up, and no PortAudio."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

INVALID_RATE, INVALID_CHANNELS, BUSY = -9997, -9998, -9985
_WORDS = {INVALID_RATE: "Invalid sample rate", INVALID_CHANNELS: "Invalid number of channels",
          BUSY: "Device unavailable"}  # fmt: skip


class PortAudioError(Exception):
    """As sounddevice's: text, code, and what the host said."""


class CallbackAbort(Exception):  # its name there
    """What a callback raises to end its stream."""


@dataclass
class Settings:
    """What only one sound system knows."""

    kind: str
    values: dict[str, Any]


class Stream:
    """A stream that a test drives by hand."""

    def __init__(self, system: FakeSoundDevice, kind: str, options: dict[str, Any]) -> None:
        self.system, self.kind, self.options = system, kind, options
        self.active = self.closed = False
        delay = system.latency
        self.latency = (delay, delay) if kind == "duplex" else delay
        both = options["device"] if kind == "duplex" else (options["device"],)
        if system.busy & set(both):
            raise system.error(BUSY)
        system.streams.append(self)

    def start(self) -> None:
        if self.system.broken_start == self.kind:
            raise self.system.error(BUSY)
        self.active = True

    def abort(self) -> None:
        self.end()

    def end(self) -> None:
        """As when the device is pulled out."""
        if self.active:
            self.active = False
            self.options["finished_callback"]()

    def close(self) -> None:
        self.closed = True

    def call(self, count: int = 480, value: float = 0.0, **flags: bool) -> np.ndarray:
        """One callback; what it played, ``[N, C]``."""
        channels = self.options["channels"]
        wide = channels if self.kind == "duplex" else (channels, channels)
        heard = np.full((count, wide[0]), value, np.float32)
        played = np.full((count, wide[1]), np.nan, np.float32)
        flag = SimpleNamespace(input_overflow=False, output_underflow=False, **{})
        for name, on in flags.items():
            setattr(flag, name, on)
        status: Any = flag if flags else None
        arrays = {"duplex": (heard, played), "input": (heard,), "output": (played,)}[self.kind]
        try:
            self.options["callback"](*arrays, count, None, status)
        except CallbackAbort:
            self.end()
        return played


@dataclass
class FakeSoundDevice:
    """The module.

    Attributes:
        devices: as ``query_devices`` gives them; see :meth:`add`.
        apis: names of the sound systems.
        rates: rates that a device takes, by number, for those that do not take all.
        busy: numbers of devices that cannot be opened.
        broken_start: kind of the streams that cannot be started.
        streams: all that were opened.
        restarts: times that PortAudio was started anew.
        on_restart: is called then.
    """

    devices: list[dict[str, Any]] = field(default_factory=list)
    apis: list[str] = field(default_factory=lambda: ["ALSA"])
    rates: dict[int, set[int]] = field(default_factory=dict)
    busy: set[int] = field(default_factory=set)
    broken_start: str | None = None
    latency: float = 0.01
    streams: list[Stream] = field(default_factory=list)
    restarts: int = 0
    on_restart: Callable[[], None] = lambda: None
    default: Any = field(default_factory=lambda: SimpleNamespace(device=[-1, -1]))

    PortAudioError = PortAudioError
    CallbackAbort = CallbackAbort

    def add(
        self, name: str, inputs: int = 0, outputs: int = 0, rate: float = 48000.0, api: int = 0
    ) -> int:
        """One more device; its number."""
        delays = {f"default_{k}_{s}_latency": {"low": 0.01, "high": 0.1}[k]
                  for k in ("low", "high") for s in ("input", "output")}  # fmt: skip
        entry = {"name": name, "hostapi": api, "default_samplerate": rate,
                 "max_input_channels": inputs, "max_output_channels": outputs}  # fmt: skip
        self.devices.append({**entry, **delays})
        return len(self.devices) - 1

    def error(self, code: int, host: Any = None) -> PortAudioError:
        return PortAudioError(_WORDS[code], code, host)

    def query_devices(self) -> list[dict[str, Any]]:
        return self.devices

    def query_hostapis(self) -> list[dict[str, Any]]:
        return [{"name": name} for name in self.apis]

    def check_input_settings(self, **options: Any) -> None:
        self._check("input", **options)

    def check_output_settings(self, **options: Any) -> None:
        self._check("output", **options)

    def _check(self, side: str, device: int, channels: int, samplerate: int, **_: Any) -> None:
        if device in self.busy:
            raise self.error(BUSY)
        if channels > self.devices[device][f"max_{side}_channels"]:
            raise self.error(INVALID_CHANNELS)
        if samplerate not in self.rates.get(device, {samplerate}):
            raise self.error(INVALID_RATE)

    def InputStream(self, **options: Any) -> Stream:
        return Stream(self, "input", options)

    def OutputStream(self, **options: Any) -> Stream:
        return Stream(self, "output", options)

    def Stream(self, **options: Any) -> Stream:
        return Stream(self, "duplex", options)

    def WasapiSettings(self, **values: Any) -> Settings:
        return Settings("wasapi", values)

    def AsioSettings(self, **values: Any) -> Settings:
        return Settings("asio", values)

    def CoreAudioSettings(self, **values: Any) -> Settings:
        return Settings("core audio", values)

    def _terminate(self) -> None:
        assert all(stream.closed for stream in self.streams), "a stream is still open"

    def _initialize(self) -> None:
        self.restarts += 1
        self.on_restart()
