"""Old module paths that were documented: they keep working, with a warning that names the new path.

Only documented imports and ``python -m`` commands are listed; ``docs/design.md`` has the complete
table of old and new paths.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import Any

MOVED = {
    "voicegraph.graph.control.options": "voicegraph.app.control.options",
    "voicegraph.graph.control.server": "voicegraph.app.control_servers",
    "voicegraph.graph.recording.reading": "voicegraph.graph.files.recordings.reader",
    "voicegraph.graph.recording.replaying": "voicegraph.graph.files.recordings.replay",
    "voicegraph.graph.views.editor_schema": "voicegraph.app.reports.editor_schema",
    "voicegraph.graph.weights": "voicegraph.graph.files.models",
}
"""Old path -> new path."""
RENAMED = {("voicegraph.graph.weights", "fit"): "load_state"}
"""Documented name in an old module -> its new name."""
_PACKAGES = {name.rpartition(".")[0] for name in MOVED} - {"voicegraph.graph"}


class MovedModuleFinder(MetaPathFinder, InspectLoader):
    """Finds modules by their old paths, after all other finders."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """A spec for an old path, or for a package that contained one."""
        if fullname in MOVED or fullname in _PACKAGES:
            return ModuleSpec(fullname, self, is_package=fullname in _PACKAGES)
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Forwards attributes to the new module, with a FutureWarning."""
        if (new := MOVED.get(module.__name__)) is None:
            return
        warnings.warn(f"{module.__name__} is now {new}", FutureWarning, stacklevel=2)
        moved = import_module(new)

        def find(name: str) -> Any:
            return getattr(moved, RENAMED.get((module.__name__, name), name))

        module.__dict__["__getattr__"] = find

    def is_package(self, fullname: str) -> bool:
        """Whether it is a package that contained old paths."""
        return fullname in _PACKAGES

    def get_source(self, fullname: str) -> str:
        """Source that runs the new module, for ``python -m`` with the old path."""
        new = MOVED[fullname]
        return (
            "import runpy, sys\n"
            f"print('{fullname} is now {new}', file=sys.stderr)\n"
            f"runpy.run_module('{new}', run_name='__main__', alter_sys=True)\n"
        )

    def get_code(self, fullname: str) -> CodeType:
        """:meth:`get_source`, compiled."""
        return compile(self.get_source(fullname), f"<{fullname}>", "exec")


def install() -> None:
    """Makes the old paths importable. Safe to call twice."""
    if not any(isinstance(finder, MovedModuleFinder) for finder in sys.meta_path):
        sys.meta_path.append(MovedModuleFinder())
