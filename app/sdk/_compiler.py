"""The C compiler of this machine: which, and how it is called."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence

from voicegraph.graph.errors import Problem, VoicegraphError

_SHOWN_LINES = 12


def compiler() -> list[str]:
    """The words that call it: ``CC``, else the one that has built Python, else ``cc``."""
    given = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    words = shlex.split(given)
    if shutil.which(words[0]) is None and "CC" not in os.environ:
        words = ["cc"]
    return words


def uses_msvc() -> bool:
    """Whether it is Microsoft's, which takes other arguments."""
    return sys.platform == "win32" and "CC" not in os.environ


def environment_words(variable: str) -> list[str]:
    """Arguments that an environment variable such as ``CFLAGS`` adds."""
    return shlex.split(os.environ.get(variable, ""))


def run_compiler(command: Sequence[str]) -> None:
    """Runs a compiler in the manner of GCC and Clang.

    Raises:
        VoicegraphError: if it fails; has what it said.
    """
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[:_SHOWN_LINES]
        notes = tuple((line, None) for line in said)
        text = f"the C compiler has failed: {shlex.join(command)}"
        raise VoicegraphError(Problem("compiler", text, notes=notes))
