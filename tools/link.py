"""Makes ``.dev/voicegraph``, a link to the repository's root, for type checkers and editors.

The root is the package ``voicegraph``, whatever the clone's folder is called, so a static tool
finds no folder of that name. ``pyproject.toml`` puts ``.dev`` on its search path; git ignores it.

    python tools/link.py
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def link(root: Path) -> Path:
    """Makes the link if it is missing or points elsewhere (a moved clone).

    Raises:
        OSError: if the file system has no links.
    """
    path = root / ".dev" / "voicegraph"
    if path.exists() and path.samefile(root):
        return path
    path.parent.mkdir(exist_ok=True)
    _remove(path)
    try:
        path.symlink_to("..", target_is_directory=True)
    except OSError:
        if os.name != "nt":
            raise
        _junction(path, root)
    return path


def _remove(path: Path) -> None:
    """Removes a link, never its target."""
    if path.is_symlink():
        path.unlink()
    elif os.path.lexists(path):
        path.rmdir()  # a junction; a real folder that holds files refuses


def _junction(path: Path, root: Path) -> None:
    """On Windows only privileged users may make symbolic links; everybody may make junctions."""
    command = ["cmd", "/c", "mklink", "/J", str(path), str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{path} cannot be made: {(done.stderr or done.stdout).strip()}")


def main() -> int:
    """Makes the link, or prints why it cannot."""
    try:
        link(ROOT)
    except OSError as error:
        print(f"{error}\n  fix: clone onto a file system that has links", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
