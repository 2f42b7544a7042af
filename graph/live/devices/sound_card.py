"""A real pair of devices, through PortAudio.

The callbacks run in PortAudio's thread: they pass the buffers on, and store the time of the call. A
device is lost if its stream has ended or its callbacks have stopped.
"""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from voicegraph.schemas.devices_report import SoundDevice

from ...errors import DeviceError
from ...signals import Audio
from ._portaudio import as_device_error, rescan, sounddevice
from .audio_backend import CaptureCallback, OpenDevice, PlaybackCallback
from .device_list import list_devices

_LOST_AFTER_S = 2.0
"""Seconds without a callback after which a device is lost."""
_STARTING_S = 8.0
"""The same for the first callback."""
_CLOSING_S = 2.0
"""Longest wait in seconds for a device to close; a lost device may never do so."""


@dataclass(frozen=True, slots=True)
class DeviceChoice:
    """A device and the format to open it in, for one direction.

    Attributes:
        device: as the system lists it.
        format: rate and channels to open it with.
        settings: of its host API (WASAPI exclusive, ASIO channels), for sounddevice.
    """

    device: SoundDevice
    format: Audio
    settings: Any = None


class SoundCard:
    """Both directions of one device, or two devices; an ``AudioBackend``.

    Args:
        input: the input device.
        output: the output device.
        period_s: seconds of a callback; the devices may choose another length.
        latency: ``low``, ``high``, or seconds, for the buffers of the sound system.
        module: in place of sounddevice.

    Raises:
        DeviceError: if a device is busy, gone, or does not take the format.
    """

    def __init__(
        self,
        input: DeviceChoice,  # noqa: A002
        output: DeviceChoice,
        period_s: float = 0.01,
        latency: str | float = "low",
        module: Any = None,
    ) -> None:
        self._module = module or sounddevice()
        self._choices = {"input": input, "output": output}
        self._period_s, self._latency = period_s, latency
        same = input.device.index == output.device.index
        self.one_clock = same and input.format.rate == output.format.rate
        self._streams: list[Any] = []
        self._last_callback = [0.0, 0.0]
        self._ended = threading.Event()
        self._failed: Exception | None = None
        self._capture: CaptureCallback | None = None
        self._play: PlaybackCallback | None = None
        self._open()

    def _open(self) -> None:
        self._ended = threading.Event()  # abandoned streams may still set the old one
        streams = self._make_streams()
        self._streams = streams
        latencies = [stream.latency for stream in streams]
        both = latencies[0] if self.one_clock else latencies
        ends = []
        for direction, delay in zip(("input", "output"), both, strict=True):
            choice = self._choices[direction]
            rate, channels = int(choice.format.rate), choice.format.channels
            ends.append(OpenDevice(choice.device.name, rate, channels, float(delay)))
        self.input, self.output = ends

    def _make_streams(self) -> list[Any]:
        first, second = self._choices["input"], self._choices["output"]
        if self.one_clock:
            with as_device_error(f"{first.device.name} (recording and playing)", self._module):
                return [
                    self._module.Stream(
                        device=(first.device.index, second.device.index),
                        channels=(first.format.channels, second.format.channels),
                        extra_settings=(first.settings, second.settings),
                        callback=self._on_both,
                        **self._common(first.format),
                    )
                ]
        with as_device_error(f"{first.device.name} (recording)", self._module):
            recording = self._module.InputStream(
                callback=self._on_input, **self._one(first), **self._common(first.format)
            )
        try:
            with as_device_error(f"{second.device.name} (playing)", self._module):
                playing = self._module.OutputStream(
                    callback=self._on_output, **self._one(second), **self._common(second.format)
                )
        except DeviceError:
            recording.close()
            raise
        return [recording, playing]

    def _one(self, choice: DeviceChoice) -> dict[str, Any]:
        return {
            "device": choice.device.index,
            "channels": choice.format.channels,
            "extra_settings": choice.settings,
        }

    def _common(self, kind: Audio) -> dict[str, Any]:
        return {
            "samplerate": int(kind.rate),
            "blocksize": round(self._period_s * float(kind.rate)),
            "latency": self._latency,
            "dtype": "float32",
            "finished_callback": self._ended.set,
        }

    # ---- PortAudio's thread -------------------------------------------------------------------

    def _on_both(
        self, indata: np.ndarray, outdata: np.ndarray, count: int, when: Any, flags: Any
    ) -> None:
        now = time.perf_counter()
        self._last_callback[0] = self._last_callback[1] = now
        assert self._capture is not None
        assert self._play is not None
        try:
            self._capture(indata, now, bool(flags) and flags.input_overflow)
            self._play(outdata, now, bool(flags) and flags.output_underflow)
        except Exception as error:
            outdata.fill(0)
            self._fail(error)

    def _on_input(self, indata: np.ndarray, count: int, when: Any, flags: Any) -> None:
        now = time.perf_counter()
        self._last_callback[0] = now
        assert self._capture is not None
        try:
            self._capture(indata, now, bool(flags) and flags.input_overflow)
        except Exception as error:
            self._fail(error)

    def _on_output(self, outdata: np.ndarray, count: int, when: Any, flags: Any) -> None:
        now = time.perf_counter()
        self._last_callback[1] = now
        assert self._play is not None
        try:
            self._play(outdata, now, bool(flags) and flags.output_underflow)
        except Exception as error:
            outdata.fill(0)
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        """Ends the stream after an exception in a callback; ``lost`` raises it."""
        self._failed = self._failed or error
        raise self._module.CallbackAbort from error

    # ---- the engine's side --------------------------------------------------------------------

    def start(self, capture: CaptureCallback, play: PlaybackCallback) -> None:
        """Starts the callbacks.

        Raises:
            DeviceError: if a device cannot be started.
        """
        self._capture, self._play = capture, play
        self._start()

    def _start(self) -> None:
        self._ended.clear()
        self._last_callback[:] = [time.perf_counter() + _STARTING_S - _LOST_AFTER_S] * 2
        for stream in reversed(self._streams):  # the output first: it may take longer
            with as_device_error("the sound device cannot be started", self._module):
                stream.start()

    @property
    def lost(self) -> str | None:
        """Why a device is lost; None while both work.

        Raises:
            Exception: the exception that a callback raised.
        """
        if self._failed is not None:
            raise self._failed
        if not self._streams:
            return "the devices are closed"
        oldest = time.perf_counter() - _LOST_AFTER_S
        for end, called in zip((self.input, self.output), self._last_callback, strict=True):
            if called < oldest:
                return f"{end.name} has stopped"
        if self._ended.is_set():
            return f"{self.input.name} or {self.output.name} is gone"
        return None

    def reopen(self) -> bool:
        """Looks for the devices by name; True if both are back and callbacks run."""
        self.stop()
        try:
            rescan(self._module)
            there = list_devices(self._module)
            for direction, choice in self._choices.items():
                found = _find_again(choice.device, there)
                if found is None:
                    return False
                self._choices[direction] = DeviceChoice(found, choice.format, choice.settings)
            self._open()
            self._start()
        except DeviceError:
            self.stop()
            return False
        return True

    def stop(self) -> None:
        """Stops the callbacks and closes the devices. Safe to call twice.

        Closing a lost device may block, so a thread of its own does it.
        """
        streams, self._streams = self._streams, []
        if not streams:
            return
        closing = threading.Thread(target=self._close, args=(streams,), daemon=True)
        closing.start()
        closing.join(_CLOSING_S)

    def _close(self, streams: list[Any]) -> None:
        for stream in streams:
            with contextlib.suppress(self._module.PortAudioError):
                stream.abort()
            with contextlib.suppress(self._module.PortAudioError):
                stream.close()


def _find_again(device: SoundDevice, among: list[SoundDevice]) -> SoundDevice | None:
    """The same device in a new list, in which numbers may differ.

    Of several devices of that name, the one with the same number, else the first.
    """
    alike = [d for d in among if (d.name, d.host_api) == (device.name, device.host_api)]
    kept = [d for d in alike if d.index == device.index]
    return next(iter(kept or alike), None)
