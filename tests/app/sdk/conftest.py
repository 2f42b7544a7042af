"""The C library, built once, and a program in C that calls it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from voicegraph.app.sdk._compile_library import require_tools
from voicegraph.app.sdk.build import build_sdk
from voicegraph.graph.errors import VoicegraphError

HERE = Path(__file__).parent
_LIMIT_S = 240


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program in C ended."""

    code: int
    out: str
    err: str

    @property
    def facts(self) -> dict[str, str]:
        """Its lines ``name: value``; lines in between belong to the one before."""
        found: dict[str, str] = {}
        name = ""
        for line in self.out.splitlines():
            head, colon, rest = line.partition(": ")
            if colon and not head.startswith(" ") and len(head) < 20 and head not in found:
                name = head
                found[name] = rest
            else:
                found[name] += f"\n{line}"
        return found


Call = Callable[..., Ran]
"""``call("mistakes", ...)``: runs a scenario of ``caller.c``."""


@pytest.fixture(scope="session")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``voicegraph sdk build`` writes; the test is skipped where nothing can be compiled."""
    pytest.importorskip("cffi")
    try:
        require_tools()
    except VoicegraphError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("sdk") / "made"
    build_sdk(folder)
    return folder


@pytest.fixture(scope="session")
def caller(sdk: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``caller.c``, compiled as its README says."""
    if sys.platform == "win32":
        pytest.skip("caller.c uses POSIX threads")
    return compiled(sdk, tmp_path_factory.mktemp("caller") / "caller")


def compiled(sdk: Path, target: Path, flags: Sequence[str] = ()) -> Path:
    """Compiles ``caller.c`` against an SDK, with all warnings as errors."""
    compiler = shutil.which("cc") or pytest.skip("there is no cc")
    warnings = ["-std=gnu99", "-Wall", "-Wextra", "-Werror"]
    linked = [f"-I{sdk / 'include'}", f"-L{sdk / 'lib'}", "-lvoicegraph", "-lpthread"]
    linked.append(f"-Wl,-rpath,{sdk / 'lib'}")
    source = str(HERE / "caller.c")
    subprocess.run([compiler, *warnings, *flags, source, "-o", str(target), *linked], check=True)
    return target


@pytest.fixture(scope="session")
def call(caller: Path) -> Call:
    """``call(scenario, *arguments, **environment)``."""

    def run(*arguments: object, **environment: str) -> Ran:
        return run_program(caller, *arguments, **environment)

    return run


def run_program(program: Path, *arguments: object, **environment: str) -> Ran:
    """Runs a program without the variables by which this interpreter finds its modules."""
    left_out = {"PYTHONPATH", "PYTHONHOME", "VOICEGRAPH_PYTHON"}
    clean = {name: value for name, value in os.environ.items() if name not in left_out}
    done = subprocess.run(
        [str(program), *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**clean, **environment},
        timeout=_LIMIT_S,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)
