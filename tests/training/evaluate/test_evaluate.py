"""``python -m training.evaluate``: the experiment's file, its command, its table and pictures."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from voicegraph.experiments.driver.run import RunOptions, run_experiment
from voicegraph.experiments.engines.serial import Serial
from voicegraph.experiments.file.load import load_experiment
from voicegraph.experiments.grid.compile import compile_experiment
from voicegraph.experiments.results.run import Run
from voicegraph.experiments.store import Store
from voicegraph.graph.files.sound import bundled_recording
from voicegraph.schemas.experiment_manifest import DependenceFacts, MetricFacts, ObserverFacts
from voicegraph.training.evaluate import __main__ as command
from voicegraph.training.evaluate import clips, table
from voicegraph.training.evaluate.pictures import draw
from voicegraph.training.evaluate.table import page

SMALL = """\
version: 1
clips: {files: clips/*.wav, list: clips.csv}
targets:
  own: {set: {nodes.gain.params.db: -6}, speech: own}
factors:
  system:
    source: {system: source}
    target: {system: target}
    live: {pipeline: quiet.yaml}
metrics: [level, latency]
goals: {level.peak: "<= 0"}
store: null
"""
QUIET = """\
block: 10ms
input: {rate: 16000}
nodes:
  gain: {use: dsp.gain, in: input, params: {db: 0}}
output: gain
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A man and a woman, one voice, and a pipeline that lowers the level."""
    monkeypatch.chdir(tmp_path)
    Path("quiet.yaml").write_text(QUIET)
    Path("small.yaml").write_text(SMALL)
    Path("clips.csv").write_text("name,sex\nadam-1,M\neve-1,F\n")
    noise = np.random.default_rng(1)
    for name in ("clips/adam-1", "clips/eve-1", "own/1", "own/2"):
        Path(name).parent.mkdir(exist_ok=True)
        soundfile.write(f"{name}.wav", 0.1 * noise.standard_normal(8000), 16000)
    compiled = compile_experiment(load_experiment(Path("small.yaml")))
    store, options = Store(tmp_path / "store"), RunOptions(format="csv")
    return run_experiment(compiled, tmp_path / "run", store, Serial, options=options).run


def test_table_has_all_male_and_female_speakers(run: Run) -> None:
    text = page(run)
    assert list_of_titles(text) == [
        "## All speakers", "## Male speakers", "## Female speakers", "## Costs and latency",
        "## Who judges, and who taught whom",
    ]  # fmt: skip
    (all_live, *_) = [line for line in text.splitlines() if line.startswith("| live")]
    means = {row.metric: row.mean for row in run.mean_rows() if row.cell.startswith("live")}
    assert f"{means['level.rms']:.1f}" in all_live.replace("−", "-")  # noqa: RUF001
    assert "(<= 0)" in text
    costs = text.partition("## Costs and latency")[2]
    rows = [[entry.strip() for entry in line.split("|")] for line in costs.splitlines()]
    (live,) = [row[2:-1] for row in rows if row[1:2] == ["live"]]
    (plan,) = run.manifest.plans.values()
    assert live == ["-", "-", f"{plan.algorithmic_ms:.1f}", f"{plan.buffering_ms:.1f}"]
    assert plan.buffering_ms > 0


def test_pictures_show_both_sexes(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the pictures are drawn by matplotlib")
    found = draw(run, tmp_path / "pictures")
    names = ["evaluate-speakers.jpg", "evaluate-own-M.jpg", "evaluate-own-F.jpg"]
    assert [path.name for path in found] == names
    assert all(path.read_bytes()[:2] == b"\xff\xd8" for path in found)


def test_main_figures_come_first_where_there_are_any(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "## Main figures" not in page(run)
    monkeypatch.setattr(table, "_MAIN", ("level.rms",))
    main, _, rest = page(run).partition("## Main figures")[2].partition("## All speakers")
    columns = [
        line.count(" | ") for text in (main, rest) for line in text.splitlines() if "row" in line
    ]
    assert columns[0] == 1 < columns[1]
    (live,) = [line for line in main.splitlines() if line.startswith("| live")]
    assert live in {line[: len(live) - 2] + " |" for line in rest.splitlines()}


def list_of_titles(text: str) -> list[str]:
    """Of the parts of a page."""
    return [line for line in text.splitlines() if line.startswith("## ")]


def test_table_says_which_judge_taught_what(run: Run) -> None:
    """Of a run whose manifest names a recogniser that taught one of two systems."""
    metric = MetricFacts(name="phones.hama", title="phone error", observers=("phones.hama",))
    words = MetricFacts(name="words.wer", title="word error", observers=("words.whisper",))
    hama = ObserverFacts(
        name="phones.hama", package="hama, x", learned_from={"hama": "a teacher"},
        weights={"hama/a.bin": "0" * 64},
    )  # fmt: skip
    whisper = ObserverFacts(name="words.whisper", learned_from={"whisper": ""})
    taught = DependenceFacts(metric="phones.hama", system="live", origin="hama", why="a card")
    changed = run.manifest.model_copy(
        update={
            "metrics": (metric, words), "observers": (hama, whisper), "dependences": (taught,),
            "packages": {"hama": "1.7.0", "x": "2"},
        }
    )  # fmt: skip
    said = page(Run(run.folder, changed)).partition("## Who judges")[2]
    assert said.splitlines()[2:] == [
        "* phones.hama: phones.hama (hama 1.7.0, x 2): a teacher.",
        "  Not independent of live: a card.",
        f"  `hama/a.bin` SHA-256 {'0' * 64}.",
        "* words.wer: words.whisper (bundled): whisper.",
        "  Independent of every system here.",
    ]


@pytest.mark.parametrize("file", command.EXPERIMENTS)
@pytest.mark.parametrize("listed", clips.LISTS)
def test_experiment_compiles_on_its_clips(tmp_path: Path, file: str, listed: str) -> None:
    """Only the packages of the metrics are left out: they are no part of the project."""
    for name in ("speech", "own"):
        (tmp_path / name).mkdir()
    names = clips.names(clips.LISTS[listed])
    for name in names:
        audio = np.random.default_rng(1).standard_normal(7 * 16000) / 10
        soundfile.write(tmp_path / "speech" / f"{name}.flac", audio, 16000)
    soundfile.write(tmp_path / "own" / "1.wav", np.full(8000, 0.1), 16000)
    folders = {"speech": "speech", "heart": "own", "michael": "own"}
    values: dict[str, Any] = {
        f"vars.{name}": str(tmp_path / folder) for name, folder in folders.items()
    }
    values["clips.list"] = str(clips.LISTS[listed])
    loaded = load_experiment(
        command.HERE / f"{file}.yaml",
        {**values, "metrics": ["pauses", "latency"], "goals": {}},
    )
    compiled = compile_experiment(loaded)
    assert [clip.name for clip in compiled.clips] == names
    assert len({clip.speaker for clip in compiled.clips}) == len(names)
    systems = compiled.factors["system"]
    assert {"source", "live", "file"} <= set(systems)
    assert {cell.target for cell in compiled.cells} == {"heart", "michael"}


def test_command_runs_the_experiment_with_the_speech(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed: list[list[str]] = []

    def run(arguments: list[str], check: bool) -> subprocess.CompletedProcess[str]:
        typed.append(arguments)
        return subprocess.CompletedProcess(arguments, 2)

    monkeypatch.setattr(command.subprocess, "run", run)
    for name in clips.names(clips.LISTS["final"]):
        (tmp_path / f"{name}.flac").touch()
    given = ["--speech", str(tmp_path), "--work", str(tmp_path), "--clips", "final"]
    targets = [f"--target={voice}={tmp_path}" for voice in command.VOICES]
    assert command.main([*given, *targets, "--only", "noise=clean"]) == 2
    (line,) = typed
    assert line[1:5] == ["-m", "voicegraph", "experiment", "run"]
    assert line[-2:] == ["--only", "noise=clean"]
    assert line[line.index("--out") + 1] == str(tmp_path / "evaluate" / "voices-final" / "run")
    assert f"clips.list={clips.LISTS['final'].resolve().as_posix()}" in line
    for name in ("speech", *command.VOICES):
        assert f"vars.{name}={tmp_path.resolve().as_posix()}" in line


def test_mistakes_are_found_before_speech_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``experiment check`` runs first, with what it takes of the options, and its code counts."""
    typed: list[list[str]] = []

    def run(arguments: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        typed.append(arguments)
        return subprocess.CompletedProcess(arguments, 2)

    monkeypatch.setattr(command.subprocess, "run", run)
    monkeypatch.setattr(command, "write_speech", lambda *_: pytest.fail("speech was made"))
    for name in clips.names(clips.LISTS["development"]):
        (tmp_path / f"{name}.flac").touch()
    given = ["--speech", str(tmp_path), "--work", str(tmp_path), "--workers", "2"]
    assert command.main([*given, "--set", "metrics=[f0]", f"--target=heart={tmp_path}"]) == 2
    (line,) = typed
    assert line[3:5] == ["experiment", "check"]
    assert "--workers" not in line
    assert line[-2:] == ["--set", "metrics=[f0]"]
    assert f"vars.heart={tmp_path.resolve().as_posix()}" in line
    assert f"vars.michael={bundled_recording.path().resolve().as_posix()}" in line


def test_missing_clips_are_named_before_anything_is_made(tmp_path: Path) -> None:
    first, *_ = clips.names(clips.LISTS["development"])
    with pytest.raises(SystemExit, match=rf"lacks 24 of the 24 clips of clips.csv: {first}, "):
        command.main(["--speech", str(tmp_path), "--work", str(tmp_path)])
    with pytest.raises(SystemExit, match="is no folder"):
        command.main(["--speech", str(tmp_path / "none"), "--work", str(tmp_path)])
    assert not list(tmp_path.iterdir())


def test_unknown_voice_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--speech", str(tmp_path), "--target", f"nobody={tmp_path}"])
    assert "is not VOICE=FOLDER: heart or michael" in capsys.readouterr().err


def test_speakers_are_named_by_the_first_number() -> None:
    assert clips.speaker("2514-149482-0000") == "2514"


def test_no_speaker_is_in_both_lists() -> None:
    """Final speakers must be used for nothing else; both lists have as many men as women."""
    counts = {name: len(clips.evaluated_speakers([path])) for name, path in clips.LISTS.items()}
    assert counts == {"development": 24, "final": 16}
    assert len(clips.evaluated_speakers()) == 24 + 16
    for path in clips.LISTS.values():
        sexes = [line.split(",")[1] for line in path.read_text().splitlines()[1:]]
        assert sexes.count("M") == sexes.count("F") == len(sexes) // 2
