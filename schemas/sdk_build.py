"""The report of ``voicegraph sdk build --json``."""

from __future__ import annotations

from voicegraph.schemas.report import Report


class SdkBuildReport(Report):
    """What was built."""

    folder: str
    """The folder."""
    library: str
    """The C library in it."""
    files: list[str]
    """All files that were written, relative to the folder."""
    plugins: list[str] = []
    """Labels of the LADSPA plug-ins."""
