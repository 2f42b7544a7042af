"""``tools/screenshot.py``: the picture of a live session in the documentation."""

from __future__ import annotations

import asyncio
import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_picture_is_current() -> None:
    """Mended by ``python tools/screenshot.py``."""
    tool = runpy.run_path(str(ROOT / "tools" / "screenshot.py"))
    drawn = asyncio.run(tool["draw"](tool["SIZE"]))
    assert drawn == tool["TARGET"].read_text(encoding="utf-8")
    links = {part.split('"')[0] for part in drawn.split("http")[1:]}
    assert all("www.w3.org" in link or "textualize.io" in link for link in links), links
