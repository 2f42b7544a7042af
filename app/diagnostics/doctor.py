"""What this machine has of what voicegraph needs, and the commands that install what is missing."""

from __future__ import annotations

import importlib
import platform
import sys
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

from voicegraph.graph.machine import cores, cpu_model, system
from voicegraph.graph.optional_packages import (
    has_nvidia,
    install_command,
    install_torch,
    is_installed,
    pip_command,
    pip_install,
    requirement,
    satisfies,
    version_of,
)
from voicegraph.schemas.report import (
    Component,
    CudaDevice,
    DoctorReport,
    PrecisionTrial,
    SoundCards,
)

from .packages import NEEDS, Need

_REMOTE = "AzureExecutionProvider"
"""Sends a model's inputs to a server; in every build of ONNX Runtime, and used by no node."""
_LARGE_NETWORKS = ("content.hubert", "synth.rvc")
"""The nodes that decide whether a voice runs live on a processor."""


def diagnose() -> DoctorReport:
    """Examines packages, devices and sound cards; never raises for what it finds."""
    components = [*(_component(need) for need in NEEDS), _gpu_component()]
    return DoctorReport(
        ok=all(component.ok for component in components if component.required),
        voicegraph=version_of("voicegraph") or "not installed",
        python=f"{platform.python_version()} ({platform.python_implementation()})",
        platform=system(),
        processor=cpu_model(),
        cores=cores(),
        threads=_ask("torch", lambda torch: torch.get_num_threads()),
        precisions=_ask("torch", lambda torch: _precisions(torch.get_num_threads())) or [],
        components=components,
        cuda=_ask("torch", _cuda) or [],
        sound=_ask("sounddevice", _sound_cards),
        audio_formats=_ask("soundfile", lambda files: sorted(files.available_formats())) or [],
    )


def _precisions(threads: int) -> list[PrecisionTrial]:
    """What the nodes with large networks take with ``dtype: auto``."""
    from voicegraph.graph import registry  # imports torch, which may be what is missing

    found = []
    for name in _LARGE_NETWORKS:
        choice = registry.find(name).usual_precision()
        if choice is not None:
            trial = PrecisionTrial(
                node=name,
                threads=threads,
                precision=choice.dtype,
                milliseconds=dict(choice.milliseconds),
            )
            found.append(trial)
    return found


def _component(need: Need) -> Component:
    version = version_of(need.package)
    other = _other(need)
    older = version_of(other) if other else None
    wanted = requirement(need.package)
    detail, fix, ok = need.purpose, None, False
    error = _import_error(need)
    if error is not None:
        detail, fix = f"{need.purpose}: {error}", _fix(need, error, other)
    elif version is not None and not satisfies(version, wanted):
        detail, fix = f"{need.purpose}: needs {need.package}{wanted}", _install(need)
    else:
        ok = True
        if version is not None and older is not None:
            detail += f": warning: {need.package} and {other} both install {need.module}"
            fix = _reinstall(need, other)
        elif version is None and older is not None:
            detail += f" (package {other})"
        elif need.package == "soundfile":
            detail += f", libsndfile {_ask('soundfile', lambda s: s.__libsndfile_version__)}"
    if error is None and need.module == "onnxruntime":
        detail += _providers()
    return Component(
        name=need.package,
        ok=ok,
        required=need.extra is None,
        version=version or older,
        detail=detail,
        fix=fix,
    )


def _import(module: str) -> ModuleType:
    with warnings.catch_warnings():  # pyworld 0.3.5 imports pkg_resources, which warns
        warnings.simplefilter("ignore")
        return importlib.import_module(module)


def _import_error(need: Need) -> str | None:
    if need.data_only:
        return None if is_installed(need.module) else "not installed"
    try:
        _import(need.module)
    except ModuleNotFoundError as error:
        return "not installed" if error.name == need.module else f"needs {error.name}"
    except Exception as error:  # a library that fails while it loads may raise anything
        return f"fails to load: {type(error).__name__}: {error}"
    return None


def _other(need: Need) -> str | None:
    """An installed package that installs the same module."""
    others = (*((need.replaces,) if need.replaces else ()), *need.builds)
    return next((name for name in others if version_of(name) is not None), None)


def _providers() -> str:
    """The hardware that ONNX Runtime runs on: other hardware is another package."""
    found = _ask("onnxruntime", lambda runtime: runtime.get_available_providers()) or []
    names = [name.removesuffix("ExecutionProvider") for name in found if name != _REMOTE]
    return f", on {', '.join(names)}" if names else ""


def _fix(need: Need, error: str, other: str | None) -> str:
    if other is not None:
        return _reinstall(need, other)
    if need.module == "sounddevice" and "PortAudio" in error:
        return "sudo apt install libportaudio2" if sys.platform == "linux" else _install(need)
    if need.module == "soundfile" and "sndfile library not found" in error:
        return "sudo apt install libsndfile1" if sys.platform == "linux" else _install(need)
    return _install(need)


def _install(need: Need) -> str:
    if need.data_only:
        return pip_install("--no-deps", need.package + requirement(need.package))
    if need.extra:
        return pip_install(f"voicegraph[{need.extra}]")
    return install_command(need.package)


def _reinstall(need: Need, other: str | None) -> str:
    """Two packages with one module: either one's removal takes files of the other."""
    remove = pip_command("uninstall", "-y", need.package, other or "")
    install = install_command(other) if other in need.builds else _install(need)
    return f"{remove}\n{install}"


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


def _gpu_component() -> Component:
    """Whether the build of torch suits the GPU of this machine."""
    cuda = _ask("torch", lambda torch: torch.version.cuda)
    rocm = _ask("torch", lambda torch: torch.version.hip)
    detail, fix, ok = _gpu_in_use(cuda, rocm), None, True
    if detail is None:
        detail = "no GPU found; everything runs on the CPU"
        version = (version_of("torch") or "").partition("+")[0]
        build = install_torch("--force-reinstall", f"torch=={version}")
        if has_nvidia() and version:
            ok = False
            if cuda is None:
                detail = "an NVIDIA driver is installed, but torch is built without CUDA"
                fix = build
            else:
                detail = f"torch is built for CUDA {cuda}, but finds no GPU that it can use"
                fix = "nvidia-smi   (shows the state of the driver)"
        elif cuda is not None:
            detail += f"; torch is built for CUDA {cuda}, the CPU build is some GB smaller"
            fix = build
    return Component(
        name="cuda", ok=ok, required=False, version=cuda or rocm, detail=detail, fix=fix
    )


def _gpu_in_use(cuda: str | None, rocm: str | None) -> str | None:
    """The GPU interface that torch can use; None if there is none."""
    if _ask("torch", lambda torch: torch.cuda.is_available()):
        return f"ROCm {rocm}" if rocm else f"CUDA {cuda}"
    if _ask("torch", lambda torch: torch.backends.mps.is_available()):
        return "Apple GPU (mps)"
    if _ask("torch", lambda torch: torch.xpu.is_available()):
        return "Intel GPU (xpu)"
    return None


def _sound_cards(sounddevice: Any) -> SoundCards:
    devices = list(sounddevice.query_devices())
    return SoundCards(
        host_apis=[api["name"] for api in sounddevice.query_hostapis()],
        inputs=sum(device["max_input_channels"] > 0 for device in devices),
        outputs=sum(device["max_output_channels"] > 0 for device in devices),
    )
