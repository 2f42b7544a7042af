"""Files near an RVC voice that are none: weights of its training, voices of other programs.

They are recognised by names of tensors that no other kind of file has, so that the message can say
what the file is and what to take instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from voicegraph.graph import Problem
from voicegraph.graph.files.models import Archive, WeightsError
from voicegraph.graph.files.models.plain_values import Plain
from voicegraph.graph.files.models.state_dict import without_wrappers

_EXTRACTED = (
    "use the voice that the trainer extracts: in RVC the small .pth in the folder `weights`, in "
    "Applio the NAME_..e_..s.pth in `logs/NAME`"
)
_TRAINING_KEYS = ("iteration", "learning_rate", "optimizer", "epoch", "step")
_RVC_VOICE = "use an RVC voice; voices of other programs cannot be converted into one"


@dataclass(frozen=True, slots=True)
class _Other:
    """A format that can be told apart.

    Attributes:
        names: parts of dotted names; each must occur at a boundary of a segment.
        noun: for messages, with its article.
        code: of the error.
        fix: what to take instead.
    """

    names: tuple[str, ...]
    noun: str
    code: str = "other-voice-format"
    fix: str = _RVC_VOICE


_OTHERS = (
    _Other(
        ("discriminators.0.convs.0.bias", "discriminators.1.convs.0.bias"),
        "the discriminator of an RVC training (D_*.pth, or pretrained as f0D40k.pth), which no "
        "voice contains",
        "training-checkpoint",
        f"take the G_*.pth beside it, and extract a voice from that; or {_EXTRACTED}",
    ),
    _Other(
        ("enc_p.enc_.attn_layers.0.conv_q.weight", "enc_p.f0_emb.weight", "f0_decoder.proj.weight"),
        "a voice of so-vits-svc",
    ),
    _Other(("enc_p.ssl_proj.weight",), "a voice of GPT-SoVITS (text to speech)"),
    _Other(("ar_text_embedding.word_embeddings.weight",), "the text model of GPT-SoVITS"),
    _Other(("unit2ctrl",), "a voice of DDSP-SVC"),
    _Other(("denoise_fn.input_projection.weight",), "a diffusion model for singing voices"),
    _Other(("phone_extractor",), "a checkpoint of Beatrice"),
    _Other(("enc_p.emb.weight",), "a voice of VITS (text to speech)"),
)


def refuse_other_formats(path: Path, names: Iterable[str]) -> None:
    """Raises an error if a file is of one of the formats that can be told apart.

    Raises:
        WeightsError: saying what it is, and what to take instead.
    """
    plain = [f".{without_wrappers(name)}." for name in names]
    for other in _OTHERS:
        marks = tuple(f".{part}." for part in other.names)
        if any(mark in name for name in plain for mark in marks):
            text = f"{path}: {other.noun}; not an RVC voice"
            raise WeightsError(Problem(other.code, text, fix=other.fix))


def refuse_arrays(path: Path, tree: object, marker: str) -> None:
    """Raises an error if a voice's weights are stored as something else than tensors.

    Args:
        path: of the file.
        tree: of the file.
        marker: the name of a tensor that every voice has.

    Raises:
        WeightsError: if there is such an entry, and it is no tensor.
    """
    levels = [tree, *(tree.values() if isinstance(tree, dict) else ())]
    for level in levels:
        names = [str(key) for key in level] if isinstance(level, dict) else []
        if any(f".{without_wrappers(name)}".endswith(f".{marker}") for name in names):
            text = f"{path}: an RVC voice, but its weights are NumPy arrays or objects, not tensors"
            fix = f"save them as tensors (torch.from_numpy); or {_EXTRACTED}"
            raise WeightsError(Problem("broken-voice", text, fix=fix))


def without_config(path: Path, archive: Archive, settings: Mapping[str, Plain]) -> WeightsError:
    """The error for the weights of an RVC voice without the config, which no tensor shows.

    Args:
        path: of the file.
        archive: the opened file.
        settings: what is stored beside the weights.
    """
    tree = archive.tree
    keys = {*settings, *(tree if isinstance(tree, dict) else ())}
    if keys.intersection(_TRAINING_KEYS):
        what = "a checkpoint of an RVC training (G_*.pth)"
        fix = f"extract a voice from it, as trainers do under `ckpt processing`; or {_EXTRACTED}"
    elif isinstance(tree, dict) and isinstance(tree.get("model"), dict):
        what = "the weights that an RVC training starts from (pretrained, such as f0G40k.pth)"
        fix = f"train a voice on them; or {_EXTRACTED}"
    else:
        what = "a bare state dict with the weights of an RVC voice"
        fix = f"{_EXTRACTED}; it has `config` beside `weight`"
    lacks = "the config: upsampling rates and dilations, which no tensor shows"
    return WeightsError(Problem("training-checkpoint", f"{path}: {what}, without {lacks}", fix=fix))
