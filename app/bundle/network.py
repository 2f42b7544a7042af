"""A network of a bundle in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from voicegraph.graph.errors import InputError, PipelineError, Problem
from voicegraph.graph.files.onnx_files.load import read_checked
from voicegraph.graph.optional_packages import is_installed, missing_package
from voicegraph.schemas.bundle import BundleNetwork

Arrays = Mapping[str, np.ndarray]


class BundledNetwork:
    """A network on the CPU, without threads that spin.

    Args:
        described: in the manifest.
        path: of its file.
        threads: that it may use.

    Raises:
        PipelineError: if onnxruntime is not installed.
        InputError: if the file is of another form, or the runtime cannot load it.
        WeightsError: if the file is damaged, or no runtime should see it.
    """

    def __init__(self, described: BundleNetwork, path: Path, threads: int = 1) -> None:
        if described.form != "onnx":
            text = f"{path}: a network in the form {described.form}; this runtime takes onnx"
            fix = "voicegraph export PIPELINE --all DIR --form onnx"
            raise InputError(Problem("wrong-form", text, fix=fix))
        if not is_installed("onnxruntime"):
            raise PipelineError(missing_package("a bundle", "onnxruntime", extra="onnx"))
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        providers = ["CPUExecutionProvider"]
        self.described, self.path = described, path
        _, data = read_checked(path)
        try:
            self._session = onnxruntime.InferenceSession(data, options, providers=providers)
        except Exception as error:  # the runtime's errors have no common base
            text = f"{path}: ONNX Runtime cannot load it: {str(error).splitlines()[0]}"
            raise InputError(Problem("broken-bundle", text)) from None

    def __call__(self, **inputs: np.ndarray | float) -> dict[str, np.ndarray]:
        """Outputs, and the next state, by name; inputs are cast to the dtypes that they have."""
        declared = {**self.described.inputs, **self.described.state}
        fed = {
            name: np.ascontiguousarray(values, dtype=declared[name].dtype).reshape(np.shape(values))
            for name, values in inputs.items()
        }
        names = [*self.described.outputs, *(f"{name}_next" for name in self.described.state)]
        made = self._session.run(names, fed)
        return {name: np.asarray(array) for name, array in zip(names, made, strict=True)}
