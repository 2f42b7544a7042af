"""What tasks do: the same numbers as ``voicegraph run``, files that moved or changed, failures."""

from __future__ import annotations

import os
import pickle
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import soundfile

from voicegraph.experiments.task import Result
from voicegraph.experiments.work.command_work import CommandWork
from voicegraph.experiments.work.convert_work import ConvertWork
from voicegraph.experiments.work.cost_work import CostSystem, CostWork
from voicegraph.experiments.work.files import hashed, here, require_same, travelling
from voicegraph.experiments.work.input_work import AppliedCondition, InputWork, read_part
from voicegraph.experiments.work.match import Match, median_f0
from voicegraph.experiments.work.observe_work import ObserveWork
from voicegraph.experiments.work.pipeline_data import PipelineData
from voicegraph.graph.errors import InputError, NodeFailedError, StateError
from voicegraph.graph.file_contents import read_content
from voicegraph.graph.files.sound import bundled_recording
from voicegraph.graph.files.sound.file_conversion import convert_file
from voicegraph.graph.files.sound.output_form import OutputForm
from voicegraph.graph.pipeline import Pipeline

RATE = 16000


class Results(dict[str, Result]):
    """Finished results in memory."""

    def read(self, key: str) -> Result:
        return self[key]


def sha256(path: Path) -> str:
    content = read_content(path)
    assert content is not None
    return content.sha256


def data_of(pipeline: Pipeline) -> PipelineData:
    return PipelineData.of(pipeline, pipeline.compile())


def tone(seconds: float = 1.0, hz: float = 200.0) -> np.ndarray:
    """A harmonic tone, as voices are: float32 ``[samples]`` at 16 kHz."""
    time = np.arange(round(seconds * RATE)) / RATE
    parts = [np.sin(2 * np.pi * hz * k * time) / k for k in range(1, 6)]
    return (0.2 * np.sum(parts, axis=0)).astype(np.float32)


@pytest.fixture
def sound() -> Results:
    """``clip``: a second of a tone."""
    return Results(clip=Result({"audio": tone()}, {"rate": RATE}))


# ---- conversions ----------------------------------------------------------------------------


def test_conversion_equals_that_of_the_command(sound: Results, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", sound["clip"].arrays["audio"], RATE, subtype="FLOAT")
    pipeline = Pipeline.load("default-live")
    form = OutputForm(subtype="FLOAT")
    convert_file(pipeline, tmp_path / "in.wav", tmp_path / "out.wav", form=form)
    wanted, rate = soundfile.read(tmp_path / "out.wav", dtype="float32")
    work = pickle.loads(pickle.dumps(ConvertWork(data_of(pipeline), "clip")))
    made = work.run(sound)
    assert made.about["rate"] == rate
    np.testing.assert_array_equal(made.arrays["audio"], wanted)


def test_taps_begin_at_the_first_sample(sound: Results) -> None:
    work = ConvertWork(data_of(Pipeline.load("world")), "clip", taps=("f0.pitch",))
    made = work.run(sound)
    f0 = made.arrays["tap.f0.pitch"]
    assert made.about["rates"]["tap.f0.pitch"] == 100
    assert f0.shape == (100,)
    assert np.median(f0[f0 > 0]) == pytest.approx(200, rel=0.01)


def test_match_moves_the_speaker_to_the_target(sound: Results) -> None:
    match = Match(("start", "transpose"), 100.0, "M", 200.0, "F")
    assert dict(match.overrides(100.0, 200.0)) == {
        "vars.start": 100.0, "vars.transpose": 12.0, "vars.formant": 2.569,
    }  # fmt: skip
    assert not match.measures_source
    assert Match(("transpose",)).measures_target


def test_unknown_median_is_measured_on_the_clips(sound: Results) -> None:
    assert median_f0(tone(hz=150), RATE) == pytest.approx(150, rel=0.01)
    sound["target"] = Result({"audio": tone(hz=300)}, {"rate": RATE})
    data = data_of(Pipeline.load("world"))
    measured = ConvertWork(
        data, "clip", match=Match(("transpose",)), source="clip", targets=("target",)
    ).run(sound)
    told = ConvertWork(data, "clip", match=Match(("transpose",), 200.0, "F", 300.0, "F"))
    spectra = [np.abs(np.fft.rfft(x.arrays["audio"])) for x in (measured, told.run(sound))]
    assert np.corrcoef(spectra[0], spectra[1])[0, 1] > 0.9  # the measured medians are within 1 Hz


def test_seed_changes_what_is_random_and_is_repeatable(sound: Results) -> None:
    data = data_of(Pipeline.load("default-live"))
    made = [ConvertWork(data, "clip", seed=seed).run(sound).arrays["audio"] for seed in (1, 2, 1)]
    np.testing.assert_array_equal(made[0], made[2])
    assert not np.array_equal(made[0], made[1])


def test_precision_that_the_machine_lacks_is_refused(sound: Results) -> None:
    pipeline = Pipeline.load("default-live", {"nodes.limiter.dtype": "auto"})
    work = ConvertWork(data_of(pipeline), "clip", precisions=(("limiter", "bfloat16"),))
    with pytest.raises(StateError) as caught:
        work.run(sound)
    assert caught.value.problems[0].code == "no-such-precision"


def test_changed_weights_are_refused(sound: Results, tmp_path: Path) -> None:
    import shutil

    voices = here("$voicegraph/pipelines/voices/heart.safetensors").parent
    voice = tmp_path / "voice.safetensors"
    shutil.copy(voices / "heart.safetensors", voice)
    work = ConvertWork(data_of(Pipeline.load("default-live", {"vars.voice": str(voice)})), "clip")
    assert work.files() == {voice: sha256(voice)}
    shutil.copy(voices / "michael.safetensors", voice)
    with pytest.raises(InputError) as caught:
        work.run(sound)
    assert caught.value.problems[0].code == "file-changed"


def test_files_are_read_where_they_were_moved(sound: Results, tmp_path: Path) -> None:
    import shutil

    voice, moved = tmp_path / "voice.safetensors", tmp_path / "there" / "0.safetensors"
    moved.parent.mkdir()
    shutil.copy(here("$voicegraph/pipelines/voices/heart.safetensors"), voice)
    work = ConvertWork(data_of(Pipeline.load("default-live", {"vars.voice": str(voice)})), "clip")
    wanted = work.run(sound).arrays["audio"]
    voice.rename(moved)
    made = work.with_files({voice: moved}).run(sound)
    np.testing.assert_array_equal(made.arrays["audio"], wanted)


def test_files_of_the_package_do_not_travel() -> None:
    path = bundled_recording.path()
    assert travelling(path).startswith("$voicegraph/")
    assert here(travelling(path)).samefile(path)
    assert not ConvertWork(data_of(Pipeline.load("default-live")), "clip").files()


# ---- clips ----------------------------------------------------------------------------------


def test_part_of_a_clip_is_exact_and_mono(tmp_path: Path) -> None:
    stereo = np.random.default_rng(0).uniform(-0.5, 0.5, (RATE * 2, 2)).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", stereo, RATE, subtype="FLOAT")
    audio, rate = read_part(tmp_path / "a.wav", 0.25, 1.0)
    assert rate == RATE
    np.testing.assert_allclose(audio, stereo[4000:20000].mean(axis=1), rtol=0, atol=1e-7)
    whole, _ = read_part(tmp_path / "a.wav", 0.0, None)
    assert len(whole) == len(stereo)


def test_part_beyond_the_end_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(), RATE)
    with pytest.raises(InputError, match=r"holds 1\.000 s, but the clip needs 1\.500 s"):
        read_part(tmp_path / "a.wav", 0.5, 1.0)


def test_noise_depends_on_clip_and_seed_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(), RATE)
    pink = AppliedCondition("noise", '{"noise": "pink", "snr": 10.0}')

    def made(clip: str, seed: int) -> np.ndarray:
        file = (str(path), sha256(path))
        work = InputWork(file, clip, conditions=(pink,), seed=seed)
        return work.run(Results()).arrays["audio"]

    np.testing.assert_array_equal(made("a", 1), made("a", 1))
    assert not np.array_equal(made("a", 1), made("a", 2))
    assert not np.array_equal(made("a", 1), made("b", 1))


def test_changed_clip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(), RATE)
    file = (str(path), sha256(path))
    soundfile.write(path, tone(hz=300), RATE)
    with pytest.raises(InputError, match="changed since this run began"):
        require_same([file])


def test_observer_hears_a_sound(sound: Results) -> None:
    made = ObserveWork("contour.level", "clip").run(sound)
    assert made.arrays["level"].shape == (101,)


# ---- programs -------------------------------------------------------------------------------

HALF = """
import sys, soundfile
audio, rate = soundfile.read(sys.argv[1], dtype="float32")
soundfile.write(sys.argv[2], audio[:-100] / 2, rate, subtype="FLOAT")
"""


def command(folder: Path, text: str, **more: Any) -> CommandWork:
    path = folder / "half.py"
    path.write_text(text)
    return CommandWork((sys.executable, str(path), "{input}", "{output}"), "clip", **more)


def test_program_converts_and_its_output_is_as_long(sound: Results, tmp_path: Path) -> None:
    made = command(tmp_path, HALF).run(sound).arrays["audio"]
    wanted = sound["clip"].arrays["audio"] / 2
    assert len(made) == RATE
    np.testing.assert_allclose(made[:-100], wanted[:-100], rtol=0, atol=2**-16)  # 16 bits
    assert not made[-100:].any()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("import sys; sys.exit('no model')", "command-failed"),
        ("pass", "no-output"),
        ("import time; time.sleep(60)", "late"),
    ],
    ids=["fails", "writes nothing", "hangs"],
)
def test_failing_program_is_named(sound: Results, tmp_path: Path, text: str, code: str) -> None:
    with pytest.raises(NodeFailedError) as caught:
        command(tmp_path, text, deadline_s=3.0 if code == "late" else None).run(sound)
    assert caught.value.problems[0].code == code


@pytest.mark.skipif(sys.platform == "win32", reason="sessions are POSIX")
def test_program_that_is_late_ends_with_what_it_started(sound: Results, tmp_path: Path) -> None:
    text = f"""
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path({str(tmp_path / "child")!r}).write_text(str(child.pid))
time.sleep(60)
"""
    with pytest.raises(NodeFailedError, match="did not end within"):
        command(tmp_path, text, deadline_s=3.0).run(sound)
    child = int((tmp_path / "child").read_text())
    end = time.monotonic() + 30
    while _computes(child):
        assert time.monotonic() < end
        time.sleep(0.01)


def _computes(process: int) -> bool:
    """False once it has ended, also if its new parent has not noted that yet."""
    try:
        return psutil.Process(process).status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.NoSuchProcess:
        return False


@pytest.mark.skipif(sys.platform == "win32", reason="sessions are POSIX")
def test_ctrl_c_of_the_driver_does_not_reach_a_program(sound: Results, tmp_path: Path) -> None:
    text = f"import os; assert os.getsid(0) != {os.getsid(0)}" + HALF
    assert len(command(tmp_path, text).run(sound).arrays["audio"]) == RATE


def test_program_and_its_files_run_on_a_machine_without_their_folder(
    sound: Results, tmp_path: Path
) -> None:
    here, there = tmp_path / "cache", Path("/no/such/folder")
    here.mkdir()
    (here / "1.py").write_text(HALF.replace("/ 2", "/ float(open('parts/two.txt').read())"))
    (here / "2.txt").write_text("2")
    places = {there / "half.py": here / "1.py", there / "parts" / "two.txt": here / "2.txt"}
    contents = tuple((str(old), hashed([new])[0][1]) for old, new in places.items())
    words = (sys.executable, "half.py", "{input}", "{output}")
    work = CommandWork(words, "clip", contents=contents, folder=str(there))
    made = work.with_files(places).run(sound).arrays["audio"]
    np.testing.assert_array_equal(made, command(tmp_path, HALF).run(sound).arrays["audio"])


# ---- costs ----------------------------------------------------------------------------------


def test_costs_of_two_systems_have_differences_with_intervals() -> None:
    one, two = (
        CostSystem(data_of(Pipeline.load("world", {"nodes.f0.use": f0})))
        for f0 in ("f0.dio", "f0.harvest")
    )
    made = CostWork(two, one, blocks=8).run(Results())
    figures = {figure["name"]: figure for figure in made.about["figures"]}
    cpu = figures["cpu_ms"]
    assert cpu["low"] <= cpu["value"] <= cpu["high"]
    assert cpu["difference_low"] <= cpu["difference"] <= cpu["difference_high"]
    assert figures["node.f0.cpu_ms"]["difference"] > 0  # Harvest takes many times as much
    assert {"rtf", "cpu_rtf", "wall_ms", "p99_ms", "memory_mb"} <= figures.keys()
    assert made.arrays["system.cpu_ns"].shape == made.arrays["against.cpu_ns"].shape
