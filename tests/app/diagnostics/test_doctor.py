"""What doctor finds, on this machine and on machines that lack something."""

from __future__ import annotations

import importlib
import os
import re
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from voicegraph.app.diagnostics import doctor
from voicegraph.app.diagnostics.doctor import diagnose
from voicegraph.app.diagnostics.packages import NEEDS, need_of
from voicegraph.graph import optional_packages
from voicegraph.graph.optional_packages import pip_install, requirement, satisfies
from voicegraph.graph.precision import PrecisionChoice
from voicegraph.nodes.content.hubert import Hubert
from voicegraph.nodes.synth.rvc import Rvc
from voicegraph.schemas.report import Component, DoctorReport

Patch = pytest.MonkeyPatch
ROOT = Path(__file__).resolve().parents[3]


def _broken(monkeypatch: Patch, module: str, error: Exception) -> None:
    """Makes one module fail to import."""
    real = importlib.import_module

    def fake(name: str, *rest: Any) -> Any:
        if name == module:
            raise error
        return real(name, *rest)

    monkeypatch.setattr(doctor.importlib, "import_module", fake)


def _found(report: DoctorReport, name: str) -> Component:
    return next(component for component in report.components if component.name == name)


def test_this_machine() -> None:
    report = diagnose()
    assert report.ok
    assert _found(report, "torch").version
    assert "libsndfile" in _found(report, "soundfile").detail
    assert "WAV" in report.audio_formats
    assert report.threads is not None
    assert report.threads >= 1


def test_what_large_networks_compute_in(monkeypatch: Patch) -> None:
    """Asked of the nodes themselves, which hold what they have measured."""
    choice = PrecisionChoice("int8", {"float32": 40.0, "int8": 20.0})
    monkeypatch.setattr(Hubert, "usual_precision", classmethod(lambda cls: choice))
    monkeypatch.setattr(Rvc, "usual_precision", classmethod(lambda cls: PrecisionChoice()))
    content, voice = diagnose().precisions
    assert (content.node, content.precision) == ("content.hubert", "int8")
    assert content.milliseconds == {"float32": 40.0, "int8": 20.0}
    assert (voice.node, voice.precision, voice.milliseconds) == ("synth.rvc", "float32", {})
    assert voice.threads == torch.get_num_threads()


def test_needs_are_those_of_the_project_file() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = {None: project["dependencies"], **project["optional-dependencies"]}
    for extra, lines in listed.items():
        if extra in ("dev", "docs"):
            continue
        own = {need.package for need in NEEDS if need.extra == extra}
        others = {need.package for need in NEEDS if need.extra not in (None, extra)}
        named = {re.split(r"[<>=]", line)[0] for line in lines if "[" not in line}
        assert own <= named <= own | others, extra  # a package of two extras is listed once


def test_packages_are_found_by_module() -> None:
    assert need_of("yaml.reader") == next(need for need in NEEDS if need.package == "pyyaml")
    assert need_of("voicegraph.nothing") is None


@pytest.mark.parametrize(
    ("module", "error", "package", "detail", "fix"),
    [
        ("soxr", ModuleNotFoundError("No module", name="soxr"), "soxr", "not installed", "soxr>="),
        ("pyworld", ModuleNotFoundError("x", name="pyworld"), "pyworld-prebuilt",
         "not installed", "pyworld-prebuilt"),
        ("torch", OSError("libtorch.so: wrong format"), "torch", "wrong format", "torch>="),
        ("sounddevice", ModuleNotFoundError("x", name="sounddevice"), "sounddevice",
         "not installed", "voicegraph[live]"),
        ("matplotlib", ModuleNotFoundError("x", name="matplotlib"), "matplotlib",
         "not installed", "voicegraph[plot]"),
        ("faiss", ModuleNotFoundError("x", name="faiss"), "faiss-cpu", "not installed",
         "faiss-cpu"),
    ],
)  # fmt: skip
def test_what_is_missing_is_told_with_what_mends_it(
    monkeypatch: Patch, module: str, error: Exception, package: str, detail: str, fix: str
) -> None:
    _broken(monkeypatch, module, error)
    report = diagnose()
    found = _found(report, package)
    assert not found.ok
    assert detail in found.detail
    assert found.fix is not None
    assert fix in found.fix
    assert "-m pip install" in found.fix
    assert report.ok is not found.required


@pytest.mark.parametrize(
    ("module", "error", "library"),
    [
        ("sounddevice", "PortAudio library not found", "libportaudio2"),
        ("soundfile", "sndfile library not found using ctypes", "libsndfile1"),
    ],
)
def test_system_libraries_on_linux(
    monkeypatch: Patch, module: str, error: str, library: str
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    _broken(monkeypatch, module, OSError(error))
    assert _found(diagnose(), module).fix == f"sudo apt install {library}"


def test_old_versions_are_told(monkeypatch: Patch) -> None:
    real = optional_packages.version_of
    monkeypatch.setattr(doctor, "version_of", lambda name: "1.0" if name == "numpy" else real(name))
    report = diagnose()
    found = _found(report, "numpy")
    assert not found.ok
    assert "needs numpy>=" in found.detail
    assert not report.ok


@pytest.mark.parametrize(
    ("installed", "version", "ok", "detail", "fix"),
    [
        (("pyworld-prebuilt",), "9.0", True, "F0 and the WORLD vocoder", None),
        (("pyworld",), "9.0", True, "(package pyworld)", None),
        (("pyworld-prebuilt", "pyworld"), "9.0", True, "warning: ", "-m pip uninstall -y pyworld"),
        ((), None, False, "not installed", "-m pip install "),
    ],
)
def test_both_packages_of_pyworld_are_known(
    monkeypatch: Patch,
    installed: tuple[str, ...],
    version: str | None,
    ok: bool,
    detail: str,
    fix: str | None,
) -> None:
    real = optional_packages.version_of

    def version_of(name: str) -> str | None:
        return real(name) if "pyworld" not in name else "9.0" if name in installed else None

    monkeypatch.setattr(doctor, "version_of", version_of)
    if not installed:
        _broken(monkeypatch, "pyworld", ModuleNotFoundError("x", name="pyworld"))
    found = _found(diagnose(), "pyworld-prebuilt")
    assert (found.ok, found.version) == (ok, version)
    assert detail in found.detail
    assert (found.fix is None) == (fix is None)
    assert (fix or "") in (found.fix or "")


@pytest.mark.parametrize(
    ("installed", "detail", "fix"),
    [
        (("onnxruntime",), "the nodes for ONNX files, on CPU, CUDA", None),
        (("onnxruntime-gpu",), "(package onnxruntime-gpu), on CPU, CUDA", None),
        (("onnxruntime", "onnxruntime-gpu"), "both install onnxruntime", "onnxruntime-gpu"),
    ],
)
def test_builds_of_onnx_runtime_and_their_hardware_are_told(
    monkeypatch: Patch, installed: tuple[str, ...], detail: str, fix: str | None
) -> None:
    real = optional_packages.version_of

    def version_of(name: str) -> str | None:
        return real(name) if "onnxruntime" not in name else "9.0" if name in installed else None

    monkeypatch.setattr(doctor, "version_of", version_of)
    providers = ["CPUExecutionProvider", "CUDAExecutionProvider"]
    runtime = SimpleNamespace(get_available_providers=lambda: providers)
    monkeypatch.setitem(sys.modules, "onnxruntime", runtime)
    found = _found(diagnose(), "onnxruntime")
    assert (found.ok, found.version) == (True, "9.0")
    assert detail in found.detail
    assert (found.fix is None) == (fix is None)
    if fix:
        remove, install = (found.fix or "").splitlines()
        assert remove.endswith("uninstall -y onnxruntime onnxruntime-gpu")
        assert install.endswith(f"install {fix}")


def test_pyworld_that_needs_setuptools_is_replaced(monkeypatch: Patch) -> None:
    monkeypatch.setattr(doctor, "version_of", lambda name: "0.3.5" if name == "pyworld" else None)
    _broken(monkeypatch, "pyworld", ModuleNotFoundError("x", name="pkg_resources"))
    found = _found(diagnose(), "pyworld-prebuilt")
    assert "needs pkg_resources" in found.detail
    remove, install = (found.fix or "").splitlines()
    assert remove.endswith("-m pip uninstall -y pyworld-prebuilt pyworld")
    assert "pyworld-prebuilt" in install


def _torch(cuda: str | None, available: bool) -> Any:
    properties = SimpleNamespace(name="GPU", total_memory=8 << 30)
    gpu = SimpleNamespace(
        is_available=lambda: available,
        device_count=lambda: 1,
        get_device_properties=lambda i: properties,
        mem_get_info=lambda i: (5 << 30, 8 << 30),
    )
    version = SimpleNamespace(cuda=cuda, hip=None)
    return SimpleNamespace(cuda=gpu, version=version, get_num_threads=lambda: 3)


@pytest.mark.parametrize(
    ("system", "cuda", "available", "driver", "ok", "detail", "fix"),
    [
        ("linux", None, False, False, True, "no GPU found", None),
        ("linux", None, False, True, False, "built without CUDA", "--force-reinstall torch=="),
        ("win32", None, False, True, False, "built without CUDA", "download.pytorch.org/whl/cu"),
        ("linux", "12.8", False, True, False, "finds no GPU that it can use", "nvidia-smi"),
        ("linux", "12.8", True, True, True, "CUDA 12.8", None),
        ("linux", "12.8", False, False, True, "built for CUDA 12.8", "pytorch.org/whl/cpu"),
    ],
)
def test_build_of_torch_suits_the_gpu(
    monkeypatch: Patch,
    system: str,
    cuda: str | None,
    available: bool,
    driver: bool,
    ok: bool,
    detail: str,
    fix: str | None,
) -> None:
    real = doctor._import
    fake = _torch(cuda, available)
    monkeypatch.setattr(doctor, "_import", lambda m: fake if m == "torch" else real(m))
    monkeypatch.setattr(optional_packages.shutil, "which", lambda name: name if driver else None)
    monkeypatch.setattr(optional_packages.sys, "platform", system)
    report = diagnose()
    found = _found(report, "cuda")
    assert (found.ok, found.fix is None) == (ok, fix is None)
    assert (fix or "") in (found.fix or "")
    assert detail in found.detail
    assert report.ok
    assert [gpu.free_bytes for gpu in report.cuda] == ([5 << 30] if available else [])


def test_sound_cards(monkeypatch: Patch) -> None:
    card = {"max_input_channels": 2, "max_output_channels": 0}
    fake = SimpleNamespace(
        query_devices=lambda: [card, {"max_input_channels": 1, "max_output_channels": 2}],
        query_hostapis=lambda: [{"name": "ALSA"}],
    )
    real = doctor._import
    monkeypatch.setattr(doctor, "_import", lambda m: fake if m == "sounddevice" else real(m))
    sound = diagnose().sound
    assert sound is not None
    assert (sound.host_apis, sound.inputs, sound.outputs) == (["ALSA"], 2, 1)


@pytest.mark.parametrize(
    ("version", "wanted", "good"),
    [
        ("2.13.0+cpu", ">=2.6", True),
        ("2.6", ">=2.6.0", True),
        ("2.5.9", ">=2.6", False),
        ("80.10.2", "<81", True),
        ("81.0", "<81", False),
        ("1.10", ">=1.9,<2", True),
        ("2.0", ">=1.9,<2", False),
        ("1.0", "", True),
        ("1.0rc1", "==1.0", True),
        ("1.1", "<=1.0", False),
        ("1.1", ">1.1", False),
        ("1.0", "~=0.9", True),
    ],
)
def test_versions(version: str, wanted: str, good: bool) -> None:
    assert satisfies(version, wanted) is good


@pytest.mark.skipif(os.name == "nt", reason="quoting as shells of other systems have it")
def test_pip_quotes_what_a_shell_would_read(monkeypatch: Patch) -> None:
    monkeypatch.setattr(sys, "executable", "/my python/bin/python")
    assert pip_install("torch>=2.6", "voicegraph[live]", "soxr") == (
        '"/my python/bin/python" -m pip install "torch>=2.6" "voicegraph[live]" soxr'
    )


def test_requirements_are_those_of_the_metadata() -> None:
    assert requirement("soxr") == ">=0.5"
    assert requirement("torch").startswith(">=")
    assert requirement("nothing-of-ours") == ""
