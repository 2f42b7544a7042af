"""Versions of installed packages against what voicegraph asks for, and pip's command line."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys


def version_of(package: str) -> str | None:
    """The installed version; None if it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def requirement(package: str) -> str:
    """The versions voicegraph asks for, such as ``>=2.6``; empty if any will do."""
    try:
        listed = importlib.metadata.requires("voicegraph") or []
    except importlib.metadata.PackageNotFoundError:
        return ""
    for line in listed:
        found = re.match(r"([A-Za-z0-9_.-]+)\s*([^;\[]*)", line)
        if found and found[1].lower().replace("_", "-") == package:
            return found[2].strip(" ()")
    return ""


def satisfies(version: str, wanted: str) -> bool:
    """Whether ``2.6.1`` is within ``>=2.6,<3``; what cannot be compared passes."""
    have = _numbers(version)
    for part in filter(None, wanted.split(",")):
        found = re.fullmatch(r"\s*(>=|<=|<|>|==)\s*([0-9.]+)\s*", part)
        if found is None:
            continue
        limit = _numbers(found[2])
        size = max(len(have), len(limit))
        one, two = (n + (0,) * (size - len(n)) for n in (have, limit))
        compare: dict[str, bool] = {
            ">=": one >= two,
            "<=": one <= two,
            "<": one < two,
            ">": one > two,
            "==": one == two,
        }
        if not compare[found[1]]:
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    leading = re.match(r"[0-9]+(\.[0-9]+)*", version)
    return tuple(int(part) for part in leading[0].split(".")) if leading else ()


def pip_install(*what: str) -> str:
    """The command that installs something into this Python, as it is typed into a shell."""
    command = [sys.executable, "-m", "pip", "install", *what]
    if os.name == "nt":
        return subprocess.list2cmdline(command)
    return " ".join(f'"{part}"' if re.search(r"[^\w./=+-]", part) else part for part in command)
