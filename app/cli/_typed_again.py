"""The command as it was typed, with the one word in it that was wrong replaced."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from voicegraph.graph.errors import Problem


def with_command(problem: Problem, arguments: Sequence[str]) -> Problem:
    """Makes a whole command of a fix that is only the name to type instead of a wrong one.

    Args:
        problem: any problem; most stay as they are.
        arguments: of the command line.
    """
    fix = problem.fix
    if problem.mark is not None or not fix or len(fix.split()) != 1:
        return problem
    wrong = [k for k, word in enumerate(arguments) if _is_refused(word, problem)]
    if len(wrong) != 1:
        return problem
    words = ["voicegraph", *arguments]
    words[wrong[0] + 1] = fix
    command = subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)
    return replace(problem, fix=command)


def _is_refused(word: str, problem: Problem) -> bool:
    """Whether a word of the command line is the name that a problem is about."""
    if problem.code.startswith("unknown-"):
        return f"called {word!r}" in problem.message
    return problem.code == "no-such-file" and Path(word).stem == problem.fix
