"""``voicegraph compare``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicegraph.graph.files.sound import bundled_recording
from voicegraph.schemas.comparison_report import ComparisonReport

Cli = Callable[..., tuple[int, str, str]]
BASE = ("compare", "good.yaml", "--seconds", "2")


@pytest.fixture(autouse=True)
def _switched_on(place: Path) -> None:
    """A pipeline with two nodes, at the rate of the recording."""
    text = (place / "good.yaml").read_text(encoding="utf-8").replace(", enabled: false", "")
    (place / "good.yaml").write_text(f"{text}input: {{rate: 16000}}\n", encoding="utf-8")


@pytest.fixture
def wav(place: Path) -> Path:
    """Two seconds of speech."""
    samples, rate = soundfile.read(bundled_recording.path(), frames=32000, start=16000)
    soundfile.write(place / "speech.wav", samples, rate)
    return place / "speech.wav"


def test_overrides_of_each_side(cli: Cli) -> None:
    code, out, _ = cli(*BASE, "--set-a", "vars.db=-6", "--set-b", "vars.db=-9", "--set", "seed=3")
    assert code == 0
    assert out.startswith("A   good.yaml with vars.db=-6: block 10 ms")
    assert "B   good.yaml with vars.db=-9: block 10 ms" in out
    row = next(line for line in out.splitlines() if line.startswith("output"))
    assert row.split()[5] == "-3.00"
    code, out, _ = cli(*BASE, "good.yaml", "--profile-b", "quiet")
    assert "B   good.yaml with profile quiet" in out


def test_limits_decide_the_exit_code(cli: Cli) -> None:
    loose, tight = ("--within", "gain<=3.1dB"), ("--within", "low.snr>=60dB")
    code, out, _ = cli(*BASE, "--set-b", "vars.db=-9", *loose)
    assert code == 0
    assert "within      gain<=3.1dB   output: -3" in out
    code, out, _ = cli(*BASE, "--set-b", "vars.db=-9", *loose, *tight)
    assert code == 9
    assert "OUTSIDE     low.snr>=60dB   low.out: 10.69" in out


def test_files_folders_and_patterns(cli: Cli, wav: Path) -> None:
    (wav.parent / "more").mkdir()
    (wav.parent / "more" / "b.flac").write_bytes(bundled_recording.path().read_bytes())
    (wav.parent / "more" / "notes.txt").write_text("no sound", encoding="utf-8")
    code, out, err = cli(
        *BASE, "--on", "speech.wav", "more", "--set-b", "vars.db=-9", "--on", "sp*.wav", "--json"
    )
    assert (code, err) == (0, "")
    report = ComparisonReport.model_validate_json(out)
    names = [file.file for file in report.files]
    assert names == ["speech.wav", str(Path("more/b.flac")), "speech.wav (3)"]
    assert report.within is None


def test_mp3_and_stereo_are_read(cli: Cli, place: Path, wav: Path) -> None:
    samples, _ = soundfile.read(wav)
    soundfile.write(place / "a.mp3", np.stack((samples, samples * 0.5), 1), 16000)
    code, out, _ = cli(*BASE, "--set-b", "vars.db=-9", "--on", "a.mp3", "--input-select", "2")
    assert code == 0
    assert "on  a.mp3, 2.0 s" in out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "there is nothing to compare A with: name B, or give one of both --set-a or"),
        (["good.yaml", "--on", "none.wav"], 3, "there is no file none.wav"),
        (["good.yaml", "--on", "none*.wav"], 3, "no file matches none*.wav"),
        (["good.yaml", "--on", "bad.yaml"], 3, "bad.yaml is not readable audio"),
        (["bad.yaml"], 2, "dsp.gian"),
        (["good.yaml", "--set-b", "vars.bd=1"], 2, "fix: --set-b vars.db=1"),
        (["good.yaml", "--set-a", "vars.bd=1"], 2, "fix: --set-a vars.db=1"),
        (["good.yaml", "--set", "vars.bd=1"], 2, "fix: --set vars.db=1"),
        (["rvc"], 2, "fix: --set-b vars.voice=..."),
        (["good.yaml", "--on"], 2, "expected at least one value after it"),
        (["good.yaml", "--on", "--json"], 2, "expected at least one value after it"),
        (["good.yaml", "--tracker", "f0.doi"], 2, "f0.doi"),
        (["good.yaml", "--tracker", "dsp.gain"], 2, "dsp.gain"),
        (["good.yaml", "--input-select", "2"], 2, "the bundled recording is mono"),
        (["good.yaml", "--picture", "p.xyz"], 4, "p.xyz has no ending of a picture"),
        (["good.yaml", "--picture", "good.png"], 4, "good.png exists"),
    ],
)
def test_mistakes_are_explained(cli: Cli, arguments: list[str], code: int, said: str) -> None:
    Path("good.png").touch()
    found = cli(*BASE, *arguments)
    assert said in " ".join(found[2].split())
    assert found[0] == code


def test_errors_as_json(cli: Cli) -> None:
    code, out, _ = cli(*BASE, "good.yaml", "--within", "snrr>=3", "--json")
    assert code == 2
    assert '"code": "wrong-limit"' in out


def test_files_that_swallow_the_pipeline(cli: Cli) -> None:
    code, _, err = cli("compare", "--on", "speech.wav", "good.yaml", "--seconds", "2")
    assert code == 2
    assert "--on takes all arguments up to the next option: give A before it" in err
