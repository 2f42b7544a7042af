"""Versions of installed packages, and the commands that install missing ones."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys

from .errors import Problem

_INDEX = "https://download.pytorch.org/whl/"
_CUDA = "cu130"
"""PyTorch's index of CUDA builds for Windows; its name changes with PyTorch's releases."""


def is_installed(module: str) -> bool:
    """Whether a module can be found; nothing is imported."""
    try:
        return importlib.util.find_spec(module) is not None
    except ValueError:  # it is in sys.modules without a spec
        return sys.modules.get(module) is not None


def missing_package(
    purpose: str,
    *packages: str,
    extra: str = "",
    instead: str = "",
    code: str = "missing-package",
) -> Problem:
    """The problem that packages are not installed, with the command that installs them.

    Args:
        purpose: the feature that needs them; the subject of the message.
        packages: their names on the package index.
        extra: the extra of voicegraph that installs them; empty for a required package.
        instead: how to continue without them.
        code: a stable name for programs.
    """
    verb = "is" if len(packages) == 1 else "are"
    listed = " and ".join(filter(None, (", ".join(packages[:-1]), packages[-1])))
    message = f"{purpose} needs {listed}, which {verb} not installed"
    if extra:
        message += f" (part of the extra `{extra}`)"
        fix = pip_install(f"voicegraph[{extra}]")
    else:
        fix = install_command(*packages)
    return Problem(code, message, fix=f"{fix}\nor {instead}" if instead else fix)


def version_of(package: str) -> str | None:
    """The installed version; None if it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def requirement(package: str) -> str:
    """The versions that voicegraph requires, such as ``>=2.6``; empty if it accepts any."""
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
    """Whether ``2.6.1`` is within ``>=2.6,<3``; True if they cannot be compared."""
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


def install_command(*packages: str) -> str:
    """The command that installs packages in the versions that voicegraph requires."""
    if packages == ("torch",):
        return install_torch("torch" + requirement("torch"))
    return pip_install(*(package + requirement(package) for package in packages))


def has_nvidia() -> bool:
    """Whether an NVIDIA driver is installed."""
    return shutil.which("nvidia-smi") is not None


def install_torch(*what: str) -> str:
    """The command that installs the build of PyTorch for this machine.

    PyPI has the CUDA build for Linux, and the CPU build for Windows.
    """
    if has_nvidia() and sys.platform == "win32":
        return pip_install(*what, "--index-url", _INDEX + _CUDA)
    if not has_nvidia() and sys.platform == "linux":
        return pip_install(*what, "--index-url", _INDEX + "cpu")
    return pip_install(*what)


def pip_install(*what: str) -> str:
    """The command that installs packages into this Python, quoted for the shell."""
    return pip_command("install", *what)


def pip_command(*words: str) -> str:
    """A command line of this Python's pip, quoted for the shell."""
    command = [sys.executable, "-m", "pip", *words]
    if os.name == "nt":
        return subprocess.list2cmdline(command)
    return " ".join(f'"{part}"' if re.search(r"[^\w./:=+-]", part) else part for part in command)
