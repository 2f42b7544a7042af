"""A virtual sound card in PulseAudio, and a command that runs with it; on Linux.

python tools/virtual_card.py voicegraph devices
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
_STARTS_S = 20
_ENDS_S = 10


def why_not() -> str | None:
    """What a virtual sound card needs and this machine lacks, or None."""
    if sys.platform != "linux":
        return "the virtual sound card is PulseAudio's, on Linux"
    if shutil.which("pulseaudio") is None or shutil.which("pactl") is None:
        return "no PulseAudio: apt install pulseaudio"
    if not any(Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_pulse.so")):
        return "ALSA does not reach PulseAudio: apt install libasound2-plugins"
    try:
        import sounddevice  # noqa: F401
    except (ImportError, OSError) as error:
        return f"no PortAudio: apt install libportaudio2 ({error})"
    return None


class VirtualCard:
    """A PulseAudio server with null sinks, controlled through ``pactl``."""

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
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        self._process = subprocess.Popen(
            [
                *_ends_with_this_program(),
                "pulseaudio", "-n", "-F", str(self._place / "pulse.conf"), "--daemonize=no",
                "--exit-idle-time=-1", "--use-pid-file=no", "--disallow-exit", "--log-level=error",
            ],
            env={**os.environ, **self.environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        nap = threading.Event()
        for _ in range(20 * _STARTS_S):
            if self._asked("info").returncode == 0:
                break
            assert self._process.poll() is None, "pulseaudio ended"
            nap.wait(0.05)
        self.plug_in_all()

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
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def _asked(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        environment = {**os.environ, **self.environment}
        return subprocess.run(["pactl", *words], env=environment, capture_output=True, check=False)


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
    missing = why_not()
    if missing is not None or not command:
        print(missing or __doc__, file=sys.stderr)
        return 2
    try:
        with _raised_signals(), tempfile.TemporaryDirectory() as place:
            card = VirtualCard(Path(place))
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
