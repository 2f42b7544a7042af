"""A session of ONNX Runtime: threads of the pipeline, provider by device, numbers that it draws.

ONNX Runtime is imported when a network is loaded, and not before.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import re
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from voicegraph.graph import PipelineError, Problem, VoicegraphError, missing_package, random
from voicegraph.graph.files.models import WeightsError, shared_file
from voicegraph.graph.files.onnx_files.header import OnnxHeader
from voicegraph.graph.files.onnx_files.load import RunnableNetwork, load_onnx
from voicegraph.graph.files.onnx_files.random_inputs import Drawing

MODULE = "onnxruntime"
CPU = "CPUExecutionProvider"
_PROVIDERS = {
    "cpu": (CPU,),
    "cuda": ("CUDAExecutionProvider", "MIGraphXExecutionProvider", "ROCMExecutionProvider"),
    "mps": ("CoreMLExecutionProvider",),
    "xpu": ("OpenVINOExecutionProvider",),
}
"""Device as torch names it -> the providers that run on it."""
_PACKAGES = {
    "cuda": "onnxruntime-gpu",
    "mps": "onnxruntime",
    "xpu": "onnxruntime-openvino",
}
"""Device -> the package whose ONNX Runtime runs on it. All install the module onnxruntime."""
_FATAL = 4
"""Severity of messages below which ONNX Runtime writes nothing to stderr: errors are raised."""
_CODES = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ")
_MOST_SIZES = 256
_ZEROS, _MOST_ZEROS = 1 << 20, 1 << 28
"""Random numbers that are tried to find out how many are needed: 20 s at 48 kHz, and 1 GiB."""
Arrays = Mapping[str, np.ndarray]


def check_runtime(use: str) -> None:
    """Checks that ONNX Runtime is installed; it is not imported.

    Args:
        use: the node that needs it.

    Raises:
        PipelineError: if it is not.
    """
    if importlib.util.find_spec(MODULE) is None:
        text = missing_package(use, MODULE, extra="onnx", code="missing-extra")
        raise PipelineError(text)


class OnnxNetwork:
    """A network that ONNX Runtime runs; threads may share it.

    Attributes:
        header: of its file.
        drawings: the random numbers that it takes.
    """

    def __init__(self, loaded: RunnableNetwork, session: Any) -> None:
        self.header: OnnxHeader = loaded.header
        self.drawings: tuple[Drawing, ...] = loaded.drawings
        self._session = session
        self._dtypes = {
            name: np.dtype(value.dtype)
            for name, value in {**loaded.header.inputs, **loaded.header.optional}.items()
            if value.dtype and value.dtype not in ("bfloat16", "string")
        }
        self._shapes: dict[Hashable, tuple[tuple[int, ...], ...]] = {}

    def run(self, feeds: Arrays, outputs: Sequence[str]) -> list[np.ndarray]:
        """Computes outputs by name.

        Args:
            feeds: inputs by name, random numbers among them; converted to the types of the file.
            outputs: their names.

        Raises:
            WeightsError: if the network refuses these inputs, or fails.
        """
        try:
            return self._session.run(list(outputs), self._converted(feeds))
        except Exception as error:  # its exceptions have no common base
            raise _failed(self.header.path, error) from error

    def drawn_shapes(self, feeds: Arrays) -> tuple[tuple[int, ...], ...]:
        """Shape of the random numbers of each drawing, for inputs of these sizes.

        The network is run once more for each new combination of sizes.

        Args:
            feeds: inputs by name, without random numbers.
        """
        if not self.drawings:
            return ()
        key = tuple(
            (name, value.shape, value.item() if _is_size(value) else None)
            for name, value in sorted(feeds.items())
        )
        found = self._shapes.get(key)
        if found is None:
            if len(self._shapes) >= _MOST_SIZES:
                self._shapes.clear()
            found = self._shapes[key] = self._find_shapes(feeds)
        return found

    def drawn_once(self, feeds: Arrays, seed: int, name: str) -> dict[str, np.ndarray]:
        """Inputs with random numbers that are the same at every tick, for nodes without state.

        Args:
            feeds: inputs by name.
            seed: the pipeline's.
            name: of the node.
        """
        found = dict(feeds)
        for drawing, shape in zip(self.drawings, self.drawn_shapes(feeds), strict=True):
            found[drawing.input] = draw(drawing, seed, name, 0, 0, math.prod(shape))
        return found

    def full(self, name: str, value: float) -> np.ndarray:
        """A number in the shape that the file states for an input: ``[]`` or ``[1]``."""
        axes = {**self.header.inputs, **self.header.optional}[name].axes
        return np.full((1,) if axes is None else (1,) * len(axes), value, self._dtypes[name])

    def _find_shapes(self, feeds: Arrays) -> tuple[tuple[int, ...], ...]:
        """One run with zeros, more of them until they are enough."""
        names = [drawing.shape for drawing in self.drawings]
        count = _ZEROS
        while True:
            zeros = np.zeros(count, np.float32)
            try:
                made = self.run({**feeds, **{d.input: zeros for d in self.drawings}}, names)
            except WeightsError:
                if count >= _MOST_ZEROS:
                    raise
                count *= 16
                continue
            return tuple(tuple(shape.tolist()) for shape in made)

    def _converted(self, feeds: Arrays) -> dict[str, np.ndarray]:
        return {
            name: np.ascontiguousarray(value, self._dtypes.get(name, value.dtype))
            for name, value in feeds.items()
        }


def _is_size(value: np.ndarray) -> bool:
    return value.size == 1 and value.dtype.kind in "iu"


def draw(drawing: Drawing, seed: int, name: str, stream: int, tick: int, count: int) -> np.ndarray:
    """Random numbers of one tick, as the operator that was replaced would draw them.

    Args:
        drawing: which of the network.
        seed: the pipeline's.
        name: of the node.
        stream: its number.
        tick: its number.
        count: of the numbers.
    """
    kind = random.normal if drawing.normal else random.uniform
    values = kind(seed, f"{name}.{drawing.input}", stream, tick * count, count)
    return (values * drawing.scale + drawing.offset).astype(np.float32)


def load_network(path: Path, node: str, device: torch.device) -> OnnxNetwork:
    """The network in a file, opened once in the process for each device and number of threads.

    Args:
        path: of the file.
        node: name of the node, for messages.
        device: where it runs.

    Raises:
        WeightsError: if the file cannot be used, or ONNX Runtime refuses it.
        VoicegraphError: if ONNX Runtime is missing, or cannot run on the device.
    """
    runtime = _import(node)
    threads = torch.get_num_threads()
    provider = _provider(runtime, node, device)

    def make() -> OnnxNetwork:
        return _open(runtime, load_onnx(path), node, provider, device, threads)

    return shared_file("onnx", path, make, str(device), threads)


def _import(node: str) -> Any:
    try:
        return importlib.import_module(MODULE)
    except ImportError as error:
        text = f"{node} needs {MODULE}, which cannot be imported: {error}"
        problem = missing_package(node, MODULE, extra="onnx", code="missing-extra")
        raise PipelineError(Problem("missing-extra", text, fix=problem.fix)) from error


def _provider(runtime: Any, node: str, device: torch.device) -> str:
    """The provider for a device. There is no fallback: a CPU in its place would be late."""
    present = runtime.get_available_providers()
    found = next((name for name in _PROVIDERS.get(device.type, ()) if name in present), None)
    if found is None:
        has = ", ".join(name.removesuffix("ExecutionProvider") for name in present)
        text = (
            f"{node} runs on {device}, and the installed {MODULE} {runtime.__version__} cannot: it "
            f"runs on {has}"
        )
        raise VoicegraphError(Problem("no-provider", text, fix=_other_package(node, device)))
    return found


def _other_package(node: str, device: torch.device) -> str:
    here = f"--set nodes.{node}.device=cpu"
    package = _PACKAGES.get(device.type)
    if package is None or package == MODULE:
        return here
    return f"pip uninstall -y {MODULE} && pip install {package}\nor {here}"


def _open(
    runtime: Any,
    loaded: RunnableNetwork,
    node: str,
    provider: str,
    device: torch.device,
    threads: int,
) -> OnnxNetwork:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL
    # By default its threads wait by spinning, which takes the cores from the audio thread.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    chosen = (
        (provider, {"device_id": str(device.index or 0)}) if device.type == "cuda" else provider
    )
    try:
        session = runtime.InferenceSession(loaded.data, options, providers=[chosen])
    except Exception as error:  # its exceptions have no common base
        raise _failed(loaded.header.path, error) from error
    session.disable_fallback()
    if session.get_providers()[0] != provider:
        text = (
            f"{node} runs on {device}, and {MODULE} {runtime.__version__} could not start its "
            f"{provider}; the libraries that it needs may be missing"
        )
        raise VoicegraphError(Problem("no-provider", text, fix=_other_package(node, device)))
    return OnnxNetwork(loaded, session)


def _failed(path: Path, error: Exception) -> WeightsError:
    """The error for what ONNX Runtime refuses, in its own words without codes and addresses."""
    said = _CODES.sub("", " ".join(str(error).split()))
    text = f"{path}: ONNX Runtime refuses it: {said[:400]}"
    fix = "use another file, or export it again: voicegraph inspect shows what it takes"
    return WeightsError(Problem("onnx-refused", text, fix=fix))
