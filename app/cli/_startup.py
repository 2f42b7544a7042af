"""What happens before a command works: the import of torch, and the report of missing packages."""

from __future__ import annotations

import gc
import sys

from voicegraph.graph.errors import VoicegraphError
from voicegraph.graph.optional_packages import missing_package


def import_torch() -> None:
    """Imports torch without garbage collection, and exempts its modules from later collections.

    The collector would otherwise traverse all objects of torch several times, although modules live
    as long as the process.
    """
    if "torch" in sys.modules:
        return
    enabled = gc.isenabled()
    gc.disable()
    try:
        import torch  # noqa: F401
    finally:
        if enabled:
            gc.enable()
    gc.freeze()


def not_installed(error: ModuleNotFoundError) -> VoicegraphError | None:
    """The error for a package that voicegraph needs; None if another module is missing."""
    from voicegraph.app.diagnostics.packages import need_of

    need = need_of(error.name or "")
    if need is None:
        return None
    problem = missing_package("this command", need.package, extra=need.extra or "")
    return VoicegraphError(problem)
