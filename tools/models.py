"""Model files with made-up weights, in the forms in which people have theirs.

    python tools/models.py FOLDER            # full size: 1.3 GB; what bench and parity are run on
    python tools/models.py FOLDER --small    # a few megabytes: runs in real time anywhere

FOLDER then holds a voice of each version and rate (``voice_v2_48k.pth``, ...), the content encoder
(``hubert_base.pt`` as fairseq writes it and ``hubert/`` as Hugging Face does, or one small file),
``rmvpe.pt`` (full size only), and an index for each width of content. What they say is noise, but
they load, cost and compute as real ones do.
"""

from __future__ import annotations

import argparse
import json
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "tests" / "data" / "reference"
filled = runpy.run_path(str(ROOT / "tools" / "fill.py"))["filled"]

UPSAMPLING: dict[str, tuple[int, list[int], list[int]]] = {
    "v1_32k": (513, [10, 4, 2, 2, 2], [16, 16, 4, 4, 4]),
    "v1_40k": (1025, [10, 10, 2, 2], [16, 16, 4, 4]),
    "v1_48k": (1025, [10, 6, 2, 2, 2], [16, 16, 4, 4, 4]),
    "v2_32k": (513, [10, 8, 2, 2], [20, 16, 4, 4]),
    "v2_40k": (1025, [10, 10, 2, 2], [16, 16, 4, 4]),
    "v2_48k": (1025, [12, 10, 2, 2], [24, 20, 4, 4]),
}
"""Spectrum bins, upsampling rates and kernels of RVC's own voices."""
SMALL_INDEX, FULL_INDEX = 4_000, 20_000


def config(kind: str, small: bool = False) -> list[Any]:
    """The ``config`` list of a voice such as ``v2_48k``."""
    bins, rates, kernels = UPSAMPLING[kind]
    hidden, inner, start, gin = (32, 64, 64, 32) if small else (192, 768, 512, 256)
    dilations = [[1, 3, 5]] * 3
    return [
        bins, 32, hidden, hidden, inner, 2, 2 if small else 6, 3, 0, "1",
        [3, 7, 11], dilations, rates, start, kernels, 109, gin, int(kind[3:5]) * 1000,
    ]  # fmt: skip


def voice(kind: str, f0: bool = True, seed: int = 1, small: bool = False) -> dict[str, Any]:
    """What a voice file holds."""
    from voicegraph.nodes.synth import rvc_example

    made, version = config(kind, small), kind[:2]
    shapes = rvc_example.shapes(made, 256 if version == "v1" else 768, f0, speakers=109)
    return {
        "weight": filled(shapes, seed), "config": made, "info": "made up",
        "sr": kind[3:], "f0": int(f0), "version": version,
    }  # fmt: skip


def encoder(names: str = "hf", seed: int = 1) -> dict[str, torch.Tensor]:
    """A full-size content encoder's weights, by the names of ``hf`` or ``fairseq``."""
    text = (REFERENCE / f"hubert_{names}.keys.json").read_text(encoding="utf-8")
    return filled(json.loads(text), seed)


def index(vectors: np.ndarray, lists: int = 64) -> faiss.Index:
    """An inverted-file index, as trainers of voices make it."""
    made = faiss.index_factory(vectors.shape[1], f"IVF{lists},Flat")
    faiss.extract_index_ivf(made).nprobe = 1
    made.train(vectors)
    made.add(vectors)
    return made


def write(folder: Path, seed: int = 1, small: bool = False) -> None:
    """Writes them all."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind in UPSAMPLING:
        for f0 in (True, False):
            name = f"voice_{kind}{'' if f0 else '_nof0'}.pth"
            torch.save(voice(kind, f0, seed, small), folder / name)
    if small:
        _write_small_encoder(folder, seed)
    else:
        _write_encoders(folder, seed)
        shapes = json.loads((REFERENCE / "rmvpe.keys.json").read_text(encoding="utf-8"))
        torch.save(filled(shapes, seed), folder / "rmvpe.pt")
    for version, dim in {"v1": 256, "v2": 768}.items():
        count = SMALL_INDEX if small else FULL_INDEX
        vectors = np.random.default_rng(seed).normal(0, 1, (count, dim)).astype(np.float32)
        faiss.write_index(index(vectors), str(folder / f"added_{version}.index"))


def _write_encoders(folder: Path, seed: int) -> None:
    torch.save({"args": None, "model": encoder("fairseq", seed)}, folder / "hubert_base.pt")
    (folder / "hubert").mkdir(exist_ok=True)
    torch.save(encoder("hf", seed), folder / "hubert" / "pytorch_model.bin")
    settings: Mapping[str, Any] = {"architectures": ["HubertModel"], "num_attention_heads": 12}
    (folder / "hubert" / "config.json").write_text(json.dumps(settings), encoding="utf-8")


def _write_small_encoder(folder: Path, seed: int) -> None:
    """Of width 768, or 256 after its projection, as voices take it; but thin inside."""
    from voicegraph.nodes.content import hubert_example
    from voicegraph.nodes.content.hubert_sizes import HubertSizes

    kernels = (10, 3, 3, 3, 3, 2, 2)
    sizes = HubertSizes((32,) * 7, kernels, 768, 64, 12, 12, 16, 16, 256)
    hubert_example.write(folder / "hubert_base.safetensors", sizes, seed)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--small", action="store_true", help="a few megabytes instead of 1.3 GB")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    write(chosen.folder, chosen.seed, chosen.small)
    print(f"made {', '.join(sorted(path.name for path in chosen.folder.iterdir()))}")


if __name__ == "__main__":
    main()
