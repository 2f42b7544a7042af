"""What a worker of a cluster must have in common with the driver, and what to do if it has not.

Keys of results are made by the driver, of its own code and packages. A worker with others would
put other numbers under these keys.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import re
import socket
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from os import getpid
from pathlib import Path
from typing import Any

from voicegraph.graph.errors import Problem
from voicegraph.graph.machine import cpu_model, system
from voicegraph.graph.optional_packages import version_of

_PACKAGE = Path(__file__).resolve().parents[2]
_ROOMS = ("schemas", "graph", "nodes", "pipelines", "experiments")
"""Folders whose contents decide numbers or reach workers."""
_FILES = (".py", ".yaml", ".safetensors", ".json", ".onnx", ".flac")
_NO_NUMBERS = frozenset(
    (
        "annotated-types",
        "matplotlib",
        "pandas",
        "pebble",
        "platformdirs",
        "pyarrow",
        "rich",
        "statsmodels",
        "typer",
    )
)
"""Packages that draw, parse or keep things: their versions change no result."""
_EXTRAS_WITH_NUMBERS = frozenset(
    ["experiment", "voice", "praat", "fcpe", "crepe", "train", "cluster"]
)


@dataclass(frozen=True, slots=True)
class WorkerFacts:
    """What decides the numbers of a process, and where it runs.

    Attributes:
        host: name of the machine.
        process: its number.
        executable: the Python that runs it.
        python: its version.
        system: operating system and architecture.
        cpu: name of the processor.
        code: hexadecimal SHA-256 of voicegraph's own code and model files.
        version: of voicegraph.
        packages: versions by name; None of one that is not installed.
    """

    host: str
    process: int
    executable: str
    python: str
    system: str
    cpu: str
    code: str
    version: str
    packages: Mapping[str, str | None]

    def as_dict(self) -> dict[str, Any]:
        """As plain values, by field."""
        return asdict(self)


def worker_facts(packages: Iterable[str]) -> WorkerFacts:
    """The facts of this process.

    Args:
        packages: distributions whose versions are wanted.
    """
    return WorkerFacts(
        host=socket.gethostname(),
        process=getpid(),
        executable=sys.executable,
        python=platform.python_version(),
        system=system(),
        cpu=cpu_model(),
        code=code_hash(),
        version=version_of("voicegraph") or "",
        packages={name: version_of(name) for name in sorted(packages)},
    )


def packages_with_numbers() -> list[str]:
    """Distributions that voicegraph uses for computing and that are installed here, sorted."""
    try:
        listed = importlib.metadata.requires("voicegraph") or []
    except importlib.metadata.PackageNotFoundError:
        listed = ["numpy", "torch", "scipy", "faiss-cpu", "soxr", "soundfile", "pyworld-prebuilt"]
    found = {"numpy", "torch"}
    for line in listed:
        name = re.split(r"[^A-Za-z0-9_.-]", line, maxsplit=1)[0].lower()
        extra = re.search(r"extra\s*==\s*[\"']([\w-]+)", line)
        if name not in _NO_NUMBERS and (extra is None or extra[1] in _EXTRAS_WITH_NUMBERS):
            found.add(name)
    return sorted(name for name in found if name != "voicegraph" and version_of(name))


@cache
def code_hash(package: Path = _PACKAGE) -> str:
    """SHA-256 of names and contents of the files of voicegraph that reach workers, hexadecimal.

    Line endings do not count: a checkout on Windows has others.
    """
    digest = hashlib.sha256()
    for room in _ROOMS:
        for path in sorted((package / room).rglob("*")):
            if path.suffix in _FILES and "__pycache__" not in path.parts and path.is_file():
                data = path.read_bytes()
                if path.suffix in (".py", ".yaml"):
                    data = data.replace(b"\r\n", b"\n")
                name = path.relative_to(package).as_posix()
                digest.update(f"{name}\0{len(data)}\0".encode())
                digest.update(data)
    return digest.hexdigest()


def mismatch(ours: WorkerFacts, theirs: Mapping[str, Any], where: str) -> Problem | None:
    """Why a worker cannot be used; None if it can.

    Args:
        ours: facts of the driver.
        theirs: what ``RayHost.facts`` gave.
        where: names the machine.
    """
    pip = f"on {theirs['host']}: {theirs['executable']} -m pip install"
    same = f"{pip} voicegraph=={ours.version}, or what is installed here if it is a checkout"
    if error := theirs.get("error"):
        return Problem("worker-without-voicegraph", _found(where, f"{error}"), fix=same)
    if _minor(ours.python) != _minor(theirs["python"]):
        text = f"Python {theirs['python']} there, {ours.python} here"
        fix = f"start the node with Python {_minor(ours.python)}"
        return Problem("worker-version", _found(where, text), fix=fix)
    if ours.code != theirs["code"]:
        text = (
            f"voicegraph {theirs['version']} there (code {theirs['code'][:8]}), "
            f"{ours.version} here (code {ours.code[:8]})"
        )
        return Problem("worker-version", _found(where, text), fix=same)
    other = {
        name: version
        for name, version in ours.packages.items()
        if version and theirs["packages"].get(name) != version
    }
    if not other:
        return None
    text = ", ".join(
        f"{name} {theirs['packages'].get(name) or 'missing'} there, {version} here"
        for name, version in other.items()
    )
    fix = " ".join([pip, *(f'"{name}=={version}"' for name, version in other.items())])
    return Problem("worker-version", _found(where, text), fix=fix)


def _found(where: str, what: str) -> str:
    return f"the worker on {where} is refused, since its results would differ: {what}"


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])
