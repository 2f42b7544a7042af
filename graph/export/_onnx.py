"""Networks as ONNX files, run by ONNX Runtime."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..errors import ExportError, PipelineError, Problem
from ..network_export import ExportedNetwork, ExportedTensor
from ..optional_packages import is_installed, missing_package
from ._calls import given, taken
from ._failure import reported_as
from ._program import exported_program
from ._recurrent import gru_as_one_operator

_OPSET = 18
"""ONNX Runtime 1.14 and later."""
_IR_VERSION = 8
"""The version of the file format that came with opset 18."""
_PACKAGES = ("onnx", "onnxscript", "onnxruntime")
_LARGEST = 2**31 - 1
"""Bytes of a protobuf message."""


class OnnxForm:
    """One file with its weights inside."""

    title = "ONNX"
    endings = (".onnx",)

    def require(self) -> None:
        """Checks that onnx and onnxscript, which write it, and onnxruntime are installed.

        Raises:
            PipelineError: if one is not.
        """
        if missing := [name for name in _PACKAGES if not is_installed(name)]:
            instead = "--form torchscript"
            raise PipelineError(
                missing_package("--form onnx", *missing, extra="export", instead=instead)
            )

    def write(
        self,
        network: ExportedNetwork,
        module: torch.nn.Module,
        metadata: Mapping[str, str],
        path: Path,
    ) -> None:
        """See ``Form``.

        Raises:
            ExportError: if the module cannot be brought into this form.
        """
        with reported_as(self.title), _silenced(), gru_as_one_operator():
            program = exported_program(network, module)
            made = torch.onnx.export(
                program,
                (),
                input_names=list(taken(network)),
                output_names=list(given(network)),
                opset_version=_OPSET,
                dynamo=True,
                verbose=False,
                external_data=False,
            )
            assert made is not None
            model = made.model_proto
        _finish(model, network, metadata)
        if model.ByteSize() > _LARGEST:
            text = f"the network takes {model.ByteSize() / 1e9:.1f} GB, and an ONNX file holds 2 GB"
            fix = "--form torchscript"
            raise ExportError(Problem("too-large", text, fix=fix))
        path.write_bytes(model.SerializeToString(deterministic=True))

    def open(self, network: ExportedNetwork, path: Path, threads: int) -> _Session:
        """See ``Form``."""
        return _Session(network, path, threads)


def _finish(model: Any, network: ExportedNetwork, metadata: Mapping[str, str]) -> None:
    """Names of sizes, defaults of inputs and metadata; takes away where in Python a node came from.

    Shapes of what lies inside are left to the runtime: the exporter's names for them are no longer
    those of the inputs.
    """
    from onnx import numpy_helper

    graph = model.graph
    model.ir_version = _IR_VERSION
    model.producer_name, model.producer_version = "voicegraph", ""
    del graph.value_info[:]
    for node in graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for value, tensor in zip(graph.input, taken(network).values(), strict=True):
        _name_sizes(value, tensor)
        if tensor.default is not None:
            graph.initializer.append(numpy_helper.from_array(tensor.default.numpy(), value.name))
    for value, tensor in zip(graph.output, given(network).values(), strict=True):
        _name_sizes(value, tensor)
    for key, text in sorted(metadata.items()):
        model.metadata_props.add(key=key, value=text)


def _name_sizes(value: Any, tensor: ExportedTensor) -> None:
    """Sets the shape in the file to the axes that the node declares.

    An input that may be left out has a default whose sizes only broadcast: its own are open.
    """
    value.ClearField("metadata_props")
    shape = value.type.tensor_type.shape
    del shape.dim[:]
    default = tensor.axes if tensor.default is None else tensor.default.shape
    for size, usual in zip(tensor.axes, default, strict=True):
        if size == usual and isinstance(size, int):
            shape.dim.add(dim_value=size)
        else:
            own = tensor.default is None
            shape.dim.add(dim_param=str(size) if own else f"{value.name}_{len(shape.dim)}")


class _Session:
    """A file in ONNX Runtime on the CPU, without a pool that spins."""

    def __init__(self, network: ExportedNetwork, path: Path, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        providers = ["CPUExecutionProvider"]
        self._names = list(given(network))
        self._session = onnxruntime.InferenceSession(str(path), options, providers=providers)

    def __call__(self, values: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        feeds = {name: tensor.numpy() for name, tensor in values.items()}
        made = self._session.run(self._names, feeds)
        return {
            name: torch.from_numpy(np.asarray(array))
            for name, array in zip(self._names, made, strict=True)
        }


@contextmanager
def _silenced() -> Iterator[None]:
    """Without the exporter's remarks on packages and operators that it does not need."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
