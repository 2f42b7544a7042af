"""The compiled LADSPA plug-in, in a host that calls it as any host may."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from .conftest import HERE, Run, processed

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the host uses dlopen")

BLOCK = 480
LABEL = "chain"
Host = Callable[..., tuple[np.ndarray, int]]


@pytest.fixture(scope="module")
def host(ladspa: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled LADSPA host."""
    cc = shutil.which("cc")
    assert cc is not None  # the plug-in was compiled
    program = tmp_path_factory.mktemp("host") / "ladspa_host"
    source = HERE / "ladspa_host.c"
    words = [cc, "-std=gnu99", "-Wall", "-Wextra", "-Werror", str(source), "-o", str(program)]
    subprocess.run([*words, "-ldl"], check=True)
    return program


@pytest.fixture
def passed(host: Path, ladspa: Path, run_host: Run, tmp_path: Path) -> Host:
    """Passes ``[samples]`` through the plug-in: output ``[channels, samples]`` and latency."""

    def run(samples: np.ndarray, sizes: str, *ports: str, rate: int = 48000) -> tuple:
        (tmp_path / "in").write_bytes(samples.tobytes())
        done = run_host(
            [host, ladspa, LABEL, str(rate), tmp_path / "in", tmp_path / "out", sizes, *ports]
        )
        assert done.code == 0, done.out + done.err
        made = np.fromfile(tmp_path / "out", np.float32).reshape(2, -1)
        return made, int(done.out.split()[-1])

    return run


def _expected(chain: Path, samples: np.ndarray, ahead: int, **live: Any) -> tuple:
    blocks = -(-len(samples) // BLOCK)
    made, latency = processed(chain, np.stack((samples, -samples)), 48000, blocks, **live)
    late = (1 + ahead) * BLOCK
    return np.pad(made, ((0, 0), (late, 0)))[:, : len(samples)], latency + late


def test_any_number_of_frames_gives_the_output_of_python(
    passed: Host, chain: Path, speech_like: np.ndarray
) -> None:
    made, latency = passed(speech_like, "480/1/7,1000,3/479,481/24000/64")
    expected, expected_latency = _expected(chain, speech_like, ahead=1)
    assert latency == expected_latency
    np.testing.assert_array_equal(made, expected)


def test_without_its_thread_a_block_of_latency_less(
    passed: Host, chain: Path, speech_like: np.ndarray
) -> None:
    made, latency = passed(speech_like, "333/4096", "ahead=0")
    expected, expected_latency = _expected(chain, speech_like, ahead=0)
    assert latency == expected_latency
    np.testing.assert_array_equal(made, expected)


def test_control_ports_set_live_params(passed: Host, chain: Path, speech_like: np.ndarray) -> None:
    made, _ = passed(speech_like, "256", "low.db (added to -3)=-9")
    expected, _ = _expected(chain, speech_like, 1, live={"low.db": -12.0})
    np.testing.assert_array_equal(made, expected)


@pytest.mark.slow
def test_rate_that_does_not_fit_is_a_sentence(
    host: Path, ladspa: Path, run_host: Run, speech_like: np.ndarray, tmp_path: Path
) -> None:
    (tmp_path / "in").write_bytes(speech_like.tobytes())
    done = run_host([host, ladspa, LABEL, "44101", tmp_path / "in", tmp_path / "out", "64"])
    assert (done.code, done.out) == (3, "not instantiated\n")
    assert "44101 Hz has 441.01 samples in a block of 10ms" in done.err


# ---- Debian's hosts ------------------------------------------------------------------------------


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name}: apt install ladspa-sdk")
    return found


def test_analyseplugin_lists_ports_without_starting_python(ladspa: Path, run_host: Run) -> None:
    done = run_host([_tool("analyseplugin"), ladspa])
    assert done.code == 0, done.err
    ports = [
        line.split("\t")[1] for line in done.out.splitlines() if line.startswith(("Ports", "\t"))
    ]
    assert [port for port in ports if "audio" in port] == [
        '"in" input, audio', '"in 2" input, audio', '"out" output, audio', '"out 2" output, audio'
    ]  # fmt: skip
    assert '"latency" output, control' in ports
    assert any(port.startswith('"low.db (added to -3)" input, control') for port in ports)


@pytest.mark.slow
def test_applyplugin_gives_the_output_of_python(
    ladspa: Path, chain: Path, run_host: Run, speech_like: np.ndarray, tmp_path: Path
) -> None:
    sound = np.round(speech_like * 32768) / 32768
    soundfile.write(tmp_path / "in.wav", np.stack((sound, -sound), 1), 48000, "PCM_16")
    controls = ["0", "1"]  # gain, ahead
    files = [tmp_path / "in.wav", tmp_path / "out.wav"]
    done = run_host([_tool("applyplugin"), *files, ladspa, LABEL, *controls])
    assert done.code == 0, done.out + done.err
    made, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    expected, _ = _expected(chain, sound.astype(np.float32), ahead=1)
    # applyplugin scales by 32767 and cuts, to 16 bits
    np.testing.assert_allclose(made.T, expected, atol=2 / 32768)
