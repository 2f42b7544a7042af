"""A virtual sound card in PulseAudio or PipeWire, and a command that runs with it; on Linux.

python tools/virtual_card.py voicegraph devices
python tools/virtual_card.py --pipewire voicegraph live world --input mon_a --virtual-mic
python tools/virtual_card.py voicegraph latency world --input duplex_a --output duplex_a

Two null sinks are reached through ALSA by PortAudio. What is played on ``loop_a`` is recorded from
``mon_a``; ``duplex_a`` is both, like a card with a cable from output to input. ``loop_b``,
``mon_b`` and ``duplex_b`` are alike. The system's own sound stays as it is.

However this program ends, its command and the server end with it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_ALSA = Path("/usr/share/alsa/alsa.conf")
_SINKS = ("a", "b")
_PIPEWIRE = {
    "dbus-daemon": "dbus",
    "pipewire": "pipewire",
    "wireplumber": "wireplumber",
    "pipewire-pulse": "pipewire-pulse",
}
"""Programs of a PipeWire session, in the order in which they start, and their packages."""
_STARTS_S = 20
_ENDS_S = 10


def why_not(*, pipewire: bool = False) -> str | None:
    """What a virtual sound card needs and this machine lacks, or None."""
    if sys.platform != "linux":
        return "the virtual sound card is a sound server's, on Linux"
    programs = _PIPEWIRE if pipewire else {"pulseaudio": "pulseaudio"}
    for program, package in {**programs, "pactl": "pulseaudio-utils"}.items():
        if shutil.which(program) is None:
            name = "PipeWire" if pipewire else "PulseAudio"
            return f"no {name}: apt install {package}"
    if not any(Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_pulse.so")):
        return "ALSA does not reach PulseAudio: apt install libasound2-plugins"
    try:
        import sounddevice  # noqa: F401
    except (ImportError, OSError) as error:
        return f"no PortAudio: apt install libportaudio2 ({error})"
    return None


class VirtualCard:
    """A PulseAudio server with null sinks, controlled through ``pactl``."""

    _between_s = 0.0
    """Seconds between the starts of two servers."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self.socket = place / "native"
        place.chmod(0o700)
        (place / "pulse.conf").write_text(
            f"load-module module-native-protocol-unix auth-anonymous=1 socket={self.socket}\n",
            encoding="utf-8",
        )
        entries = [_pcm("!default", self.socket)]
        for sink in _SINKS:
            entries.append(_pcm(f"loop_{sink}", self.socket, sink))
            entries.append(_pcm(f"mon_{sink}", self.socket, f"{sink}.monitor"))
            both = f'playback.pcm "loop_{sink}" capture.pcm "mon_{sink}"'
            entries.append(f"pcm.duplex_{sink} {{ type asym {both} }}\n")
        (place / "asound.conf").write_text("".join(entries), encoding="utf-8")
        self.environment = {
            "ALSA_CONFIG_PATH": f"{_ALSA}:{place / 'asound.conf'}",
            "PULSE_SERVER": f"unix:{self.socket}",
            "PULSE_RUNTIME_PATH": str(place),
            "PULSE_STATE_PATH": str(place),
        }
        self._modules: dict[str, str] = {}
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        nap = threading.Event()
        for command in self._servers():
            self._processes.append(
                subprocess.Popen(
                    [*_ends_with_this_program(), *command],
                    env={**os.environ, **self.environment},
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
            nap.wait(self._between_s)
        for _ in range(20 * _STARTS_S):
            if self._asked("info").returncode == 0:
                break
            for process in self._processes:
                assert process.poll() is None, f"{process.args} ended"
            nap.wait(0.05)
        else:
            raise RuntimeError(f"the sound server did not answer within {_STARTS_S} s")
        self.plug_in_all()

    def _servers(self) -> list[list[str]]:
        """The commands of the servers, in the order in which they start."""
        return [
            [
                "pulseaudio", "-n", "-F", str(self._place / "pulse.conf"), "--daemonize=no",
                "--exit-idle-time=-1", "--use-pid-file=no", "--disallow-exit", "--log-level=error",
            ]
        ]  # fmt: skip

    def plug_in(self, sink: str) -> None:
        """Adds a null sink."""
        done = self._asked("load-module", "module-null-sink", f"sink_name={sink}", "rate=48000")
        self._modules[sink] = done.stdout.decode().strip()
        assert done.returncode == 0

    def plug_in_all(self) -> None:
        """Adds all sinks."""
        for sink in set(_SINKS) - self._modules.keys():
            self.plug_in(sink)

    def unplug(self, sink: str) -> None:
        """Removes a sink, with every stream on it."""
        self._asked("unload-module", self._modules.pop(sink))

    def streams(self) -> int:
        """Streams that programs have opened."""
        kinds = ("sink-inputs", "source-outputs")
        return sum(len(self._asked("list", "short", kind).stdout.splitlines()) for kind in kinds)

    def stop(self) -> None:
        """Stops the server. Safe to call twice."""
        while self._processes:
            process = self._processes.pop()
            process.kill()
            process.wait()

    def _asked(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        environment = {**os.environ, **self.environment}
        return subprocess.run(["pactl", *words], env=environment, capture_output=True, check=False)


class PipeWireCard(VirtualCard):
    """The same in PipeWire: a D-Bus session, PipeWire, its session manager and its pulse server.

    All have a runtime folder of their own, so that a desktop's PipeWire stays as it is.
    """

    _between_s = 0.5

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        self.environment |= {
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={place / 'bus'}",
            "XDG_RUNTIME_DIR": str(place),
            "PIPEWIRE_RUNTIME_DIR": str(place),
            "XDG_CONFIG_HOME": str(place),
            "XDG_STATE_HOME": str(place),
        }

    def _servers(self) -> list[list[str]]:
        bus = f"--address={self.environment['DBUS_SESSION_BUS_ADDRESS']}"
        _, *others = _PIPEWIRE
        first = ["dbus-daemon", "--session", "--nofork", "--nopidfile", bus]
        return [first, *([program] for program in others)]


def _pcm(name: str, socket: Path, device: str | None = None) -> str:
    what = f' device "{device}"' if device else ""
    return f'pcm.{name} {{ type pulse server "unix:{socket}"{what} }}\n'


class _EndedBySignal(BaseException):
    """A signal that ends a program has come; as an exception, so that everything is cleaned up."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def _raised_signals() -> Iterator[None]:
    """Raises ``_EndedBySignal`` at the first SIGTERM or SIGHUP, and ignores those after it."""
    numbers = (signal.SIGTERM, signal.SIGHUP)

    def end(number: int, _frame: object) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        raise _EndedBySignal(number)

    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ends_with_this_program() -> list[str]:
    """Words before a command, so that the kernel ends it even if this program is killed."""
    return ["setpriv", "--pdeathsig", "TERM", "--"] if shutil.which("setpriv") else []


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Runs a command to its end; its exit code. Ends it first if this program is to end."""
    child = subprocess.Popen([*_ends_with_this_program(), *command], env=environment)
    try:
        return child.wait()
    except KeyboardInterrupt:  # a terminal sends it to both
        with suppress(subprocess.TimeoutExpired):
            child.wait(_ENDS_S)
        raise
    finally:
        if child.poll() is None:
            child.terminate()
        try:
            child.wait(_ENDS_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def main(command: list[str]) -> int:
    """Runs a command while the card exists; returns its exit code."""
    pipewire = command[:1] == ["--pipewire"]
    command = command[pipewire:]
    missing = why_not(pipewire=pipewire)
    if missing is not None or not command:
        print(missing or __doc__, file=sys.stderr)
        return 2
    try:
        with _raised_signals(), tempfile.TemporaryDirectory() as place:
            card = (PipeWireCard if pipewire else VirtualCard)(Path(place))
            try:
                card.start()
                return _run(command, {**os.environ, **card.environment})
            finally:
                card.stop()
    except _EndedBySignal as ended:
        return 128 + ended.number
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
