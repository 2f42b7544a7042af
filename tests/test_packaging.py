"""The wheel, built and installed for real: every folder with code and every data file is in it."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
NOT_IN_THE_PACKAGE = {"tests", "tools", "docs", "build", "dist", "demo"}
RECIPES = {"channel", "corpora", "encoder", "evaluate", "make", "speech_level", "work"}
"""Folders of ``training/`` that make and measure the bundled voices, in checkouts only."""
DATA = {".css", ".flac", ".html", ".js", ".json", ".npz", ".safetensors", ".typed", ".wav", ".yaml"}
COPIED = Path("app", "sdk", "hosts")
"""Programs that ``voicegraph sdk build`` copies to users: data, also where they are in Python."""
UNLISTED = Path("graph", "unlisted", "__init__.py")
"""A folder that the copy has and ``pyproject.toml`` does not list: the guard must see it."""

EVERY_MODULE = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
import voicegraph
print(voicegraph.__file__)
"""


def _belongs(path: Path) -> bool:
    """Whether a file of the tree is the package's: not tests, tools, caches, environments."""
    parts = path.relative_to(ROOT).parts
    return not (
        parts[0] in NOT_IN_THE_PACKAGE
        or (parts[0] == "training" and parts[1] in RECIPES)
        or any(part.startswith(".") or part == "__pycache__" for part in parts)
        or parts[0].endswith(".egg-info")
        or (ROOT / parts[0] / "pyvenv.cfg").is_file()
    )


def _files(suffixes: set[str]) -> set[Path]:
    """Files with these endings that the package must hold, relative to the root."""
    return {
        path.relative_to(ROOT)
        for path in ROOT.rglob("*")
        if path.suffix in suffixes and path.is_file() and _belongs(path)
    }


def _code() -> set[Path]:
    """The package's modules, relative to the root."""
    return {path for path in _files({".py"}) if path.parent != COPIED}


def _module(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(["voicegraph", *(parts[:-1] if parts[-1] == "__init__" else parts)])


def _run(*command: str | Path, cwd: Path) -> str:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PIP_REQUIRE"))}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout.strip()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of the tree, so that no earlier ``build/`` can slip into it."""
    place = tmp_path_factory.mktemp("wheel")
    source = place / "source"
    metadata = {Path(name) for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE")}
    for path in _files({".py", *DATA}) | metadata:
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, source / path)
    (source / UNLISTED).parent.mkdir()
    (source / UNLISTED).touch()
    build = ("-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-q")
    _run(sys.executable, *build, "-w", place, source, cwd=place)
    return next(place.glob("voicegraph-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh environment with the wheel, which borrows this one's dependencies."""
    place = tmp_path_factory.mktemp("installed")
    venv.create(place, with_pip=False)
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    install = ("-m", "pip", "--python", python, "install", "--no-deps", "--no-index", "-q")
    _run(sys.executable, *install, wheel, cwd=place)
    site = Path(
        _run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=place)
    )
    borrowed = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    # A path added this way has its own .pth files ignored: an editable install there is not seen.
    (site / "borrowed.pth").write_text("\n".join(borrowed), encoding="utf-8")
    return python


def test_wheel_holds_all_code_and_data(wheel: Path) -> None:
    held = {Path(name).relative_to("voicegraph") for name in _content(wheel)}
    wanted = _files({".py", *DATA}) | {UNLISTED}
    assert wanted - held == {UNLISTED}, "list the folder (or the file's ending) in pyproject.toml"
    assert held - wanted == set()


def _content(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return [name for name in archive.namelist() if name.startswith("voicegraph/")]


def test_wheel_owns_one_name(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        top = {name.partition("/")[0] for name in archive.namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == {"voicegraph"}


def test_wheel_carries_the_licences(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        kept = {Path(name).name for name in archive.namelist() if "/licenses/" in name}
    assert kept == {"LICENSE", "NOTICE"}


def test_listed_packages_are_all_folders() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        listed = tomllib.load(file)["tool"]["setuptools"]["packages"]
    folders = {".".join(["voicegraph", *path.parent.parts]) for path in _code()}
    assert listed == sorted(folders)


def test_every_import_is_a_declared_dependency() -> None:
    """What merely happens to be there, because another package brings it, may go any day."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    declared = {Requirement(text).name.lower() for group in groups for text in group}
    homes = packages_distributions()
    undeclared = {
        f"{path}: {name}"
        for path in _code()
        for name in _imported(path)
        if name not in sys.stdlib_module_names
        and not declared
        & {home.lower() for home in homes.get(name, [name])}  # not installed: by name
    }
    assert undeclared == set()


def _imported(path: Path) -> set[str]:
    """Top-level names of the modules that a file imports."""
    names: set[str] = set()
    for found in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(found, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in found.names)
        elif isinstance(found, ast.ImportFrom) and found.module and not found.level:
            names.add(found.module.partition(".")[0])
    return names


def test_every_package_says_that_it_is_one() -> None:
    """Without ``__init__.py`` a folder is a namespace package: others may put modules into it."""
    folders = {path.parent for path in _code()}
    assert [str(f) for f in sorted(folders) if not (ROOT / f / "__init__.py").is_file()] == []


def test_installed_package_runs(installed: Path, tmp_path: Path) -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        version = tomllib.load(file)["project"]["version"]
    said = _run(installed, "-I", "-m", "voicegraph", "--version", cwd=tmp_path)
    assert said == f"voicegraph {version}"
    script = installed.with_name("voicegraph.exe" if os.name == "nt" else "voicegraph")
    assert _run(script, "--version", cwd=tmp_path) == said


def test_every_module_imports_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    modules = sorted(_module(path) for path in _code())
    origin = _run(installed, "-I", "-c", EVERY_MODULE, *modules, cwd=tmp_path).splitlines()[-1]
    assert Path(origin).is_relative_to(installed.parent.parent)
