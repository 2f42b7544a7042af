"""ONNX networks on one thread."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from ..metric import Need

RUNTIME = Need("onnxruntime", "onnxruntime")


def session(path: Path) -> Any:
    """An inference session of ONNX Runtime; by default each process would take all cores."""
    runtime = importlib.import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
