"""Escape sequences in the names that files and devices bring: no command passes them on."""

from __future__ import annotations

import io
import json
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import save_file

from voicegraph.app.cli.app import COMMANDS, main
from voicegraph.graph.pipeline import Pipeline

from ...experiments.results.conftest import make_run
from ...experiments.results.synthetic import Synthetic, mean_of
from ...fake_sounddevice import FakeSoundDevice
from ...library_cards import write_card

Cli = Callable[..., tuple[int, str, str]]
LONG = "\x1b]0;t\x07\x9b31m\u202e\u2066\u200b\u2028\x7f\r\nforged: "
NAME = "n\u202e\u200b" if sys.platform == "win32" else "n" + LONG.replace("\n", "")
"""As a part of a file name."""
TEXT = '"n' + LONG.encode("unicode_escape").decode().replace("\\x1b", "\\e") + '"'
"""In YAML."""

GOOD = f"""\
description: {TEXT}
block: 10ms
nodes:
  low: {{use: dsp.gain, in: input, params: {{db: -6}}}}
output: low
profiles: {{quiet: {{nodes.low.params.db: -20}}}}
"""
BAD = f"""\
block: {TEXT}
seed: {TEXT}
{TEXT}: 1
vars: {{{TEXT}: 1, gain: {TEXT}}}
nodes:
  {TEXT}: {{use: dsp.gain, in: input}}
  low: {{use: {TEXT}, in: input, params: {{{TEXT}: 1}}, device: {TEXT}}}
  end: {{use: dsp.gain, in: {TEXT}, params: {{db: {TEXT}, {TEXT}: $x}}, {TEXT}: 1}}
output: {TEXT}
profiles: {{{TEXT}: {{{TEXT}: 1}}}}
"""
MODELS = ("names.safetensors", "names.pth", f"{NAME}.pth")
SOUND, SAID = f"{NAME}.wav", ("--set", f"nodes.{LONG}.db={LONG}")
PIPELINES = (f"{NAME}.yaml", "bad.yaml", "missing" + LONG, "extends.yaml", "broken.yaml")
LINES: dict[str, list[tuple[str, ...]]] = {
    "app_command": [("--host", LONG), ("--host", NAME), ("--port", LONG)],
    "demo": [
        (NAME, LONG),
        (NAME, "--only", LONG),
        (NAME, "--set", LONG),
        (NAME, "--only", "--profile", LONG),
    ],
    "run": [
        *((name, SOUND, "out.wav", "--force") for name in PIPELINES),
        (PIPELINES[0], f"text{NAME}.wav", "out.wav", "--force"),
        (PIPELINES[0], SOUND, f"out{NAME}.xyz"),
        (PIPELINES[0], SOUND, f"again{NAME}.wav", "--force", *SAID),
    ],
    **{
        name: [
            *((p,) for p in PIPELINES),
            (PIPELINES[0], *SAID),
            ("broken.yaml", "--profile", LONG),
        ]
        for name in ("check", "explain", "bench", "live", "latency", "soak")
    },
    "draw": [(p, "--format", f) for p in PIPELINES[:2] for f in ("svg", "dot", "mermaid")],
    "nodes": [(LONG,), (f"dsp.{LONG}",)],
    "diff": [(PIPELINES[0], p) for p in (*PIPELINES[1:], "other.yaml")],
    "compare": [
        *((PIPELINES[0], p, "--on", SOUND) for p in (*PIPELINES[1:], "other.yaml")),
        (PIPELINES[0], "other.yaml", "--on", f"text{NAME}.wav"),
        (PIPELINES[0], "other.yaml", "--on", SOUND, "--within", LONG),
    ],
    "inspect": [(name,) for name in MODELS],
    "convert": [(name, f"out{NAME}.safetensors") for name in MODELS],
    "export": [
        *((name, "--node", LONG) for name in PIPELINES),
        (PIPELINES[0], "--node", "low", "--output", f"net{NAME}.xyz"),
        (PIPELINES[0], *SAID, "--node", "low"),
        (PIPELINES[0], "--all", f"text{NAME}.wav"),
    ],
    "bundle": [
        ("run", f"missing{LONG}", SOUND, "out.wav"),
        ("check", f"text{NAME}.wav"),
        (LONG,),
    ],
    "doctor": [()],
    "devices": [()],
    "replay": [("talk.jsonl",), ("key.jsonl",), ("event.jsonl",), (f"{NAME}.jsonl",)],
    "experiment": [(LONG,)],
    "experiment_gc": [("--store", LONG), ("--keep", LONG)],
    "experiment_run": [
        (f"missing{LONG}",),
        ("cells.yaml", "--only", LONG),
        ("cells.yaml", "--set", LONG),
        ("cells.yaml", "--out", PIPELINES[0]),
    ],
    "experiment_check": [(f"missing{LONG}",), ("cells.yaml",), ("cells.yaml", "--set", LONG)],
    "experiment_compare": [
        ("run-a", "run-b"),
        ("run-a", LONG),
        ("run-a", "run-b", "--within", LONG),
        ("run-a", "run-b", "--within", f"toy.error{LONG}<=1"),
    ],
    "experiment_export": [
        (f"run{NAME}", "--to", "csv"),
        *(("run-a", "--to", to, "--out", f"{to}{NAME}", "--force") for to in ("mlflow", "scp")),
    ],
    "experiment_metrics": [(LONG,), ("level", "--metrics-file", f"missing{LONG}")],
    "sdk": [("build", "names.pth"), (LONG,)],
    "voice": [(LONG,)],
    "voice_list": [()],
    "voice_show": [(LONG,), ("odd",)],
    "voice_add": [
        *((name,) for name in (*MODELS, f"text{NAME}.wav", f"missing{LONG}")),
        (MODELS[0], "--name", LONG),
        (MODELS[0], "--encoder", LONG),
    ],
    "voice_edit": [(LONG,), ("heart", "--title", LONG)],
    "voice_merge": [(LONG, "heart"), ("heart", LONG), ("heart", "michael", "--name", LONG)],
    "voice_remove": [(LONG,), ("heart",)],
    "voice_make": [
        (f"text{NAME}.wav", "out.safetensors"),
        (f"missing{LONG}", "out.safetensors", "--owner", LONG, "--consent", f"{LONG} agrees"),
    ],
    "index": [
        ("make", f"missing{LONG}.npy", f"out{NAME}.index"),
        ("make", f"text{NAME}.wav", f"out{NAME}.index", "--through", PIPELINES[0]),
        ("compress", f"text{NAME}.wav", "out.index", "--to", LONG),
        ("inspect", f"text{NAME}.wav"),
    ],
    "experiment_listen": [
        (f"missing{LONG}", "--kind", "ab"),
        (f"missing{LONG}.yaml", "--kind", "mos"),
        ("missing", "--kind", LONG),
    ],
    "experiment_report": [(f"missing{LONG}",), ("run", "--out", f"page{LONG}")],
}
QUICK = {
    "bench": ("--blocks", "3"),
    "live": ("--duration", "20ms"),
    "latency": ("--input", LONG),
    "soak": ("--minutes", "0.1", "--freewheel"),
}


def _recorded(plan_file: str) -> None:
    """Recordings whose header and events hold such names."""
    with Pipeline.load(plan_file).compile().session(record="talk.jsonl") as session:
        session.push(np.zeros(4800, np.float32))
        session.note(2, late=3.25, blamed=LONG)
        session.note(3, **{LONG: LONG})
    head, *events = Path("talk.jsonl").read_text(encoding="utf-8").splitlines()
    named = json.dumps(json.loads(head) | {"pipeline": LONG})
    other = json.dumps(json.loads(head) | {LONG: LONG})
    wrong = json.dumps({"tick": 2, "set": LONG, "value": LONG, "stream": None})
    for name, lines in (
        ("talk", [named, *events]),
        ("key", [other, *events]),
        ("event", [named, wrong, *events]),
        (NAME, [LONG]),
    ):
        Path(f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name in ("event", "key"):
        for end in ("in", "out"):
            Path(f"{name}.{end}.wav").write_bytes(Path(f"talk.{end}.wav").read_bytes())


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of experiments with such names."""
    folder = tmp_path_factory.mktemp("runs")
    for name, levels in (("a", ("dio", f"x{LONG}")), ("b", ("dio", f"y{LONG}"))):
        made = Synthetic(factors={f"f{LONG}": levels}, metrics=[mean_of("error")], contrasts=())
        make_run(folder / name, made)
    return folder


@pytest.fixture
def hostile(
    place: Path, sound_system: FakeSoundDevice, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A folder of such files, and devices with such names."""
    for device in sound_system.devices:
        device["name"] = LONG + device["name"]
    for name, text in (
        (PIPELINES[0], GOOD),
        ("other.yaml", GOOD.replace("-6", "-7").replace("low", "lower")),
        ("bad.yaml", BAD),
        ("extends.yaml", f"extends: {TEXT}\n"),
        ("broken.yaml", GOOD + f"  - {TEXT}: [\n"),
        ("cells.yaml", f"pipeline: {TEXT}\nmetrics: [{TEXT}]\nfactors: {{{TEXT}: {{a: null}}}}\n"),
        (f"text{NAME}.wav", LONG),
    ):
        Path(name).write_text(text, encoding="utf-8", newline="")
    soundfile.write(SOUND, np.zeros(4800), 48000)
    for name in ("a", "b"):
        shutil.copytree(runs / name / "run", f"run-{name}")
    held = {"a" + LONG: torch.ones(2), "b": torch.ones(1)}
    save_file(held, "names.safetensors", {LONG: LONG, "voicegraph": LONG, "format": LONG})
    for name in MODELS[1:]:
        torch.save({"weight": held, "info": LONG, "version": LONG, "config": [LONG]}, name)
    _recorded(PIPELINES[0])
    monkeypatch.setenv("VOICEGRAPH_DATA", str(place / "data"))
    write_card("odd", title="t" + LONG, licence=LONG, description=LONG)
    return place


def _no_escapes(text: str) -> None:
    assert all(c.isprintable() or c == "\n" for c in text), ascii(text)
    assert not any(line.startswith("forged") for line in text.split("\n")), text


def test_every_command_is_tried() -> None:
    assert LINES.keys() == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_names_are_printed_escaped(cli: Cli, hostile: Path, command: str) -> None:
    shown = ""
    words = command.removesuffix("_command").split("_")  # the module `app` is the frame
    for arguments in LINES[command]:
        for json_too in ((), ("--json",)):
            _, out, err = cli(*words, *arguments, *QUICK.get(command, ()), *json_too)
            _no_escapes(out + err)
            shown += out + err
    if command not in ("doctor", "demo"):
        assert "\\u202e" in shown


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text there")
def test_file_name_that_is_not_text(cli: Cli, hostile: Path) -> None:
    name = b"n\xff.yaml".decode("utf-8", "surrogateescape")
    Path(name).write_text(GOOD, encoding="utf-8")
    for arguments in (("check", name), ("explain", name), ("inspect", name)):
        for more in ((), ("--json",)):
            _, out, err = cli(*arguments, *more)
            assert "\\udcff" in out + err


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["voice", "make", "--help"]])
def test_help_keeps_its_colours(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("typer.rich_utils.FORCE_TERMINAL", True)
    monkeypatch.setattr("typer.rich_utils.COLOR_SYSTEM", "standard")
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stdout", shown)
    main(arguments)
    assert "\x1b[1m" in shown.getvalue()
    assert "\\x1b" not in shown.getvalue()


@pytest.mark.skipif(sys.platform == "win32", reason="other shells there")
def test_installed_completion_is_told_in_colour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "stdout", shown := Terminal())
    with suppress(SystemExit):  # some versions of typer leave at once
        main(["--install-completion", "bash"])
    assert "\x1b[32m" in shown.getvalue()


def test_wrong_option_is_quoted_escaped(cli: Cli) -> None:
    code, _, err = cli("run", f"--{LONG}")
    assert code == 2
    _no_escapes(err)
    assert "\\x1b]0;t\\x07" in err


def _calls(tree: Any) -> set[str]:
    import ast

    return {ast.unparse(one.func) for one in ast.walk(tree) if isinstance(one, ast.Call)}


def test_commands_print_through_one_function() -> None:
    import ast

    from voicegraph.app import cli

    for path in Path(cli.__file__).parent.glob("*.py"):
        found = _calls(ast.parse(path.read_text(encoding="utf-8")))
        allowed = {"print"} if path.name in ("_output.py", "_progress.py") else set()
        forbidden = {"print", "typer.echo", "typer.secho", "Console", "sys.stdout.write"}
        assert not found & (forbidden - allowed), path.name
