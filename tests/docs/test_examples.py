"""The examples of the documentation: code runs, pipelines compile, commands work and print that."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicegraph.app.cli.app import main
from voicegraph.experiments import registry as experiments_registry
from voicegraph.experiments.file.load import load_experiment
from voicegraph.graph import registry
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.loading.file_kind import EXPERIMENTS
from voicegraph.graph.pipeline import Pipeline

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ELISION = re.escape("\n...\n")
QUICK = {
    "bench": ["--blocks", "2"],
    "compare": ["--seconds", "1"],
    "demo": ["--help"],
}
"""What makes a command quick; the last of an option counts. The demo has tests of its own."""

FILE = re.compile(r"# (\S+\.(?:py|yaml))\n")


@dataclass(frozen=True)
class Block:
    """A fenced block: where it begins, its language, what follows the language, its text."""

    line: int
    language: str
    flags: str
    text: str

    @property
    def file(self) -> str | None:
        """The file that the block is, if its first line names one."""
        found = FILE.match(self.text)
        return found[1] if found else None


def _blocks(page: Path, language: str | None = None) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = [
        Block(text.count("\n", 0, match.start()) + 1, match[1], match[2].strip(), match[3])
        for match in FENCE.finditer(text)
    ]
    return [block for block in found if language in (None, block.language)]


def _with(language: str) -> list[Path]:
    return [page for page in PAGES if _blocks(page, language)]


def _names(page: Path) -> str:
    return page.stem


OWN_FILES = {
    "voice.pth": "alice.pth",
    "hubert.safetensors": "hubert_base.pt",
    "added.index": "added_alice.index",
    "rmvpe.pt": "rmvpe.pt",
}
"""Small files, and what the pages call people's own."""


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory, write_models: Callable[..., None]) -> Path:
    """Where the small files lie."""
    folder = tmp_path_factory.mktemp("models")
    write_models(folder)
    return folder


@pytest.fixture
def place(tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with what the pages take for granted; nodes registered there are forgotten."""
    monkeypatch.chdir(tmp_path)
    time = np.arange(8000) / 16000
    harmonics = np.arange(1, 9)[:, None]
    voice = (np.sin(2 * np.pi * 140 * harmonics * time) / harmonics).sum(0)
    soundfile.write("speech.wav", 0.2 * voice, 16000)
    for file, own in OWN_FILES.items():
        shutil.copyfile(models / file, tmp_path / own)
    with registry.isolated():
        yield tmp_path


def _write_files(page: Path) -> None:
    """The files that a page shows, some of them in several pieces."""
    found: dict[str, str] = {}
    for block in _blocks(page):
        if block.file:
            found[block.file] = found.get(block.file, "") + block.text
    for name, text in found.items():
        Path(name).write_text(text, encoding="utf-8")


def _is_experiment(block: Block) -> bool:
    """Whether a file is an experiment; Python files that it names may be those of a reader."""
    keys = set(re.findall(r"^(\w+):", block.text, re.MULTILINE))
    for name in re.findall(r"\w+\.py\b", block.text):
        Path(name).touch()
    return bool(keys & EXPERIMENTS.own)


@pytest.mark.parametrize("page", _with("yaml"), ids=_names)
def test_pipelines_compile(page: Path, place: Path) -> None:
    _write_files(page)
    if Path("my_nodes.py").is_file():
        registry.load_file(Path("my_nodes.py"))
    for block in _blocks(page, "yaml"):
        if block.flags == "wrong":
            continue
        path = Path(block.file or f"line_{block.line}.yaml")
        path.write_text(block.text, encoding="utf-8")
        if _is_experiment(block):
            load_experiment(path)
            continue
        pipeline = Pipeline.load(path)
        pipeline.compile()
        for profile in pipeline.loaded.file.profiles:
            Pipeline.load(path, profiles=[profile]).compile()


@pytest.mark.parametrize("page", _with("yaml"), ids=_names)
def test_mistakes_print_the_documented_error(page: Path, place: Path) -> None:
    blocks = _blocks(page)
    for block, shown in itertools.pairwise(blocks):
        if (block.language, block.flags) != ("yaml", "wrong"):
            continue
        path = Path(block.file or "wrong.yaml")
        path.write_text(block.text, encoding="utf-8")
        with pytest.raises(PipelineError) as caught:
            Pipeline.load(path).compile()
        assert str(caught.value) == shown.text.strip()


@pytest.mark.parametrize("page", _with("python"), ids=_names)
def test_python_runs(page: Path, place: Path) -> None:
    _write_files(page)
    scripts = [block for block in _blocks(page, "python") if not block.file]
    names: dict[str, object] = {"__name__": "page"}
    with experiments_registry.isolated():  # metrics of the examples stay with them
        for block in scripts:
            code = "\n" * block.line + block.text
            exec(compile(code, str(page), "exec"), names)
    if tests := [str(path) for path in place.glob("test_*.py")]:
        command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
        clean = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
        done = subprocess.run(
            [*command, *tests], env=clean, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", _with("bash"), ids=_names)
def test_commands_work(page: Path, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write_files(page)
    for block in _blocks(page, "bash"):
        for line in block.text.splitlines():
            program, *arguments = shlex.split(line, comments=True) or [""]
            if program == "voicegraph":
                code = main([*arguments, *QUICK.get(arguments[0], [])])
                printed = capsys.readouterr()
                assert code == 0, f"{line}\n{printed.out}{printed.err}"


@pytest.mark.parametrize("page", _with("console"), ids=_names)
def test_output_is_what_is_shown(
    page: Path, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line ``...`` stands for any lines."""
    _write_files(page)
    for block in _blocks(page, "console"):
        command, _, shown = block.text.partition("\n")
        main(shlex.split(command.removeprefix("$ "))[1:])
        printed = capsys.readouterr()
        wanted = re.escape(f"\n{shown.strip()}\n").replace(ELISION, "\n(?:.*\n)*?")
        said = f"\n{(printed.out + printed.err).strip()}\n"
        assert re.fullmatch(wanted, said), said


def test_drawing_of_the_readme_is_current() -> None:
    """Mended by ``voicegraph draw world -o docs/images/world.svg --force``."""
    drawn = (ROOT / "docs" / "images" / "world.svg").read_text(encoding="utf-8")
    assert drawn == Pipeline.load("world").compile().draw("svg")
