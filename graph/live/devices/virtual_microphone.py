"""A virtual microphone on Linux, through PulseAudio or PipeWire's pulse server.

A null sink takes what the session plays, and a remapped source gives it to other programs as a
microphone with a name of its own: a plain monitor is hidden by browsers, Discord and others. Both
modules carry the process that made them in their arguments. So whoever finds them can tell whether
they are left over from a session that was killed, and removes those alone.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ...errors import DeviceError, Problem
from .device_list import list_devices

NAME = "voicegraph"
"""Of the microphone; a second session has ``voicegraph_2``."""
_OWNER = "voicegraph.owner"
_OWNED = re.compile(rf"{re.escape(_OWNER)}=(\d+)-(\d+)")
_SINK = re.compile(rf"sink_name=({NAME}(?:_\d+)?)_out\b")
_ANSWERS_S = 5.0
_MOST = 32
_ALSA_DEVICES = ("pulse", "default")
"""Names under which ALSA's devices reach the sound server; in the order of preference."""
_SINK_VARIABLE = "PULSE_SINK"
"""Environment variable of libpulse: the sink that new streams play to."""
_ROUTING = "docs/routing.md"


@dataclass(frozen=True, slots=True)
class _Module:
    """A module of the sound server that one of our sessions has loaded."""

    index: str
    name: str
    pid: int
    started: int

    @property
    def is_left_over(self) -> bool:
        """Whether its process is gone; another one may have its number meanwhile."""
        return _started(self.pid) != self.started


class VirtualMicrophone:
    """Makes the microphone, and removes it.

    Args:
        channels: of the microphone and of the output device. It must be played to with as many:
            PipeWire mixes two equal channels to one that is 3 dB louder.

    Attributes:
        name: of the microphone, for other programs.
        device: name of the output device to play to.
        channels: with how many channels.

    Raises:
        DeviceError: if the system is not Linux, or the sound server or a part of it is missing.
    """

    def __init__(self, channels: int = 1) -> None:
        self.channels = channels
        _require_linux()
        _require_server()
        self.device = _alsa_device(_alsa_outputs())
        self._modules: list[str] = []
        with _one_at_a_time():
            self._sweep()
            self.name = self._free_name()
            try:
                self._load()
            except BaseException:
                self.close()
                raise
        self._sink_before = os.environ.get(_SINK_VARIABLE)
        os.environ[_SINK_VARIABLE] = f"{self.name}_out"

    @property
    def description(self) -> str:
        """The name that other programs show."""
        return self.name.replace("_", " ")

    def close(self) -> None:
        """Removes the microphone. Safe to call twice."""
        while self._modules:
            with suppress(DeviceError):  # the server has ended, and the module with it
                _pactl("unload-module", self._modules.pop())
        if os.environ.get(_SINK_VARIABLE) == f"{getattr(self, 'name', '')}_out":
            del os.environ[_SINK_VARIABLE]
            if self._sink_before is not None:
                os.environ[_SINK_VARIABLE] = self._sink_before

    def _load(self) -> None:
        owner = f"{_OWNER}={os.getpid()}-{_started(os.getpid())}"
        shown = self.description
        sink = f"{self.name}_out"
        form = (f"channels={self.channels}", *(["channel_map=mono"] if self.channels == 1 else []))
        self._modules.append(
            _pactl(
                "load-module", "module-null-sink", f"sink_name={sink}", "rate=48000", *form,
                f"sink_properties=\"device.description='{shown} (output)' {owner}\"",
            ).strip()
        )  # fmt: skip
        self._modules.append(
            _pactl(
                "load-module", "module-remap-source", f"master={sink}.monitor",
                f"source_name={self.name}", *form,
                f"source_properties=\"device.description='{shown}' {owner}\"",
            ).strip()
        )  # fmt: skip

    def _free_name(self) -> str:
        taken = {module.name for module in _own_modules()}
        names = (NAME if number == 1 else f"{NAME}_{number}" for number in range(1, _MOST))
        for name in names:
            if name not in taken:
                return name
        text = f"{_MOST} sessions have a virtual microphone already"
        raise DeviceError(Problem("virtual-mic", text, fix="end one of them"))

    @staticmethod
    def _sweep() -> None:
        """Removes what sessions have left over that were killed."""
        for module in reversed(_own_modules()):  # the source before its master
            if module.is_left_over:
                with suppress(DeviceError):  # a session that ends at this moment has removed it
                    _pactl("unload-module", module.index)


def _own_modules() -> list[_Module]:
    """Modules that voicegraph has loaded, in this session or another."""
    found: list[_Module] = []
    for line in _pactl("list", "short", "modules").splitlines():
        owned = _OWNED.search(line)
        if owned is None:
            continue
        sink = _SINK.search(line)
        name = sink[1] if sink else ""
        found.append(_Module(line.split("\t", 1)[0], name, int(owned[1]), int(owned[2])))
    return found


def _started(pid: int) -> int:
    """When a process started, in clock ticks since the system's start; 0 if there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] == "Z" else int(fields[19])  # field 22, counted from the third


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two sessions that start at the same time must not choose the same name."""
    import fcntl

    folder = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    path = Path(folder) / f"voicegraph-microphone-{os.getuid()}.lock"
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    try:
        handle = os.open(path, flags, 0o600)
    except OSError:  # better two alike names than no session
        yield
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _pactl(*words: str) -> str:
    """What ``pactl`` prints.

    Raises:
        DeviceError: if it fails, or the server does not answer.
    """
    command = ["pactl", *words]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_ANSWERS_S, check=False
        )
    except subprocess.TimeoutExpired:
        text = f"the sound server does not answer: {' '.join(command[:3])}"
        raise DeviceError(Problem("virtual-mic", text, fix="restart it")) from None
    if done.returncode:
        why = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        text = f"{' '.join(command[:3])}: {why}"
        raise DeviceError(Problem("virtual-mic", text, fix=f"by hand: {_ROUTING}"))
    return done.stdout


def _require_linux() -> None:
    if sys.platform == "linux":
        return
    cable = "VB-Cable" if sys.platform == "win32" else "BlackHole"
    text = "--virtual-mic makes a microphone on Linux only; this system needs a driver for that"
    fix = f"install {cable}, and play to it: --output {cable}   ({_ROUTING})"
    raise DeviceError(Problem("virtual-mic", text, fix=fix))


def _require_server() -> None:
    if shutil.which("pactl") is None:
        text = "--virtual-mic needs the program pactl, and a sound server (PulseAudio, PipeWire)"
        raise DeviceError(Problem("virtual-mic", text, fix="apt install pulseaudio-utils"))
    try:
        _pactl("info")
    except DeviceError as error:
        text = f"--virtual-mic needs a running sound server: {error.problems[0].message}"
        fix = "systemctl --user start pipewire-pulse   (or: pulseaudio --start)"
        raise DeviceError(Problem("virtual-mic", text, fix=fix)) from None


def why_no_virtual_microphone(alsa_outputs: Collection[str]) -> Problem | None:
    """Why no virtual microphone can be made here; None if one can.

    Args:
        alsa_outputs: names of ALSA's output devices.
    """
    try:
        _require_linux()
        _require_server()
        _alsa_device(alsa_outputs)
    except DeviceError as error:
        return error.problems[0]
    return None


def _alsa_outputs() -> set[str]:
    return {
        device.name
        for device in list_devices()
        if device.outputs and device.host_api.casefold() == "alsa"
    }


def _alsa_device(names: Collection[str]) -> str:
    """The output device that reaches the sound server.

    Raises:
        DeviceError: if there is none.
    """
    for name in _ALSA_DEVICES:
        if name in names:
            return name
    text = "no ALSA device reaches the sound server"
    fix = "apt install libasound2-plugins   (the device is called `pulse`)"
    raise DeviceError(Problem("virtual-mic", text, fix=fix))
