"""Voice files: what they say, what is refused and how it is told, and converting them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from voicegraph.graph.files.models import WeightsError, identify, open_archive
from voicegraph.nodes.layers.form import PLAIN_FLOAT32
from voicegraph.nodes.synth import rvc_example
from voicegraph.nodes.synth.voice_file import KIND, open_voice
from voicegraph.nodes.synth.voice_network import load_voice
from voicegraph.schemas.card import METADATA_KEY
from voicegraph.schemas.voice_card import VoiceCard

Save = Callable[..., Path]
CPU = torch.device("cpu")


def _refused(path: Path) -> str:
    with pytest.raises(WeightsError) as caught:
        open_voice(path)
    assert path.name in str(caught.value)
    return str(caught.value)


def _config(**changes: Any) -> list[Any]:
    """The small voice's config with entries replaced by their place, ``_6=...``."""
    made = list(rvc_example.CONFIG)
    for place, value in changes.items():
        made[int(place[1:])] = value
    return made


def test_card_holds_what_trainers_wrote(save: Save) -> None:
    file = save(
        info="200epoch", sr="16k", embedder_model="contentvec", author="A. Uthor", epoch=200,
        model_name="alice", vocoder="HiFi-GAN", speakers_id=3, creation_date="2024-05-01",
    )  # fmt: skip
    found = identify(file)
    assert found.kind is KIND
    card = found.card
    assert isinstance(card, VoiceCard)
    assert (card.title, card.version, card.f0, card.speakers) == ("alice", "v2", True, 3)
    assert (card.dim, card.rate) == (768, 16000)
    assert (card.encoder, card.author, card.info) == ("contentvec", "A. Uthor", "200epoch")
    assert card.trained["epoch"] == "200"
    assert card.trained["creation_date"] == "2024-05-01"
    assert card.parameters == sum(t.numel() for t in rvc_example.voice()["weight"].values())


@pytest.mark.parametrize(
    ("encoder", "other"), [("contentvec", False), ("WavLM-Base+", True), ("whisper", True)]
)
def test_encoder_of_another_architecture_is_remarked(save: Save, encoder: str, other: bool) -> None:
    remarks = open_voice(save(embedder_model=encoder)).card.remarks
    assert any(f"features of {encoder}" in text for text in remarks) is other


def test_old_voices_get_default_values(save: Save) -> None:
    weight = rvc_example.weights(rvc_example.CONFIG, 256, f0=True)
    card = open_voice(save(weight=weight, version=None, f0=None)).card
    assert (card.version, card.f0, card.dim, card.encoder) == ("v1", True, 256, "")


def test_posterior_encoder_is_left_out(save: Save) -> None:
    weight = rvc_example.voice()["weight"] | {"enc_q.pre.weight": torch.full((4, 4), torch.nan)}
    found = open_voice(save(weight=weight))
    assert not any("enc_q" in name for name in found.names)
    assert len(found.tensors()) == len(weight) - 1


def _card(path: Path) -> VoiceCard:
    card = identify(path).card
    assert isinstance(card, VoiceCard)
    return card


@pytest.mark.parametrize("width", [256, 768])
@pytest.mark.parametrize("stated", [None, "v1", "v2", "v3", "V2", 2, 1.0, "2"])
def test_version_is_that_of_the_first_layer(save: Save, width: int, stated: object) -> None:
    weight = rvc_example.weights(rvc_example.CONFIG, width, f0=True)
    card = open_voice(save(weight=weight, version=stated)).card
    assert card.version == ("v1" if width == 256 else "v2")
    agrees = stated is None or str(stated).lower().strip("v.0") == card.version[1:]
    assert any("its version is" in text for text in card.remarks) is not agrees


@pytest.mark.parametrize("f0", [True, False])
@pytest.mark.parametrize("stated", [None, 0, 1, True, False, "0", "1", 1.0, "yes", "ja", 2])
def test_pitch_is_that_of_the_tensors(save: Save, f0: bool, stated: object) -> None:
    weight = rvc_example.weights(rvc_example.CONFIG, 768, f0=f0)
    card = open_voice(save(weight=weight, f0=stated)).card
    assert card.f0 is f0
    says = {None: f0, 0: False, 1: True, "0": False, "1": True, "yes": True}.get(stated)  # pyright: ignore[reportArgumentType]
    assert any("its f0 is" in text for text in card.remarks) is (says is not f0)


def test_missing_pitch_tensors_are_named(save: Save) -> None:
    weight = rvc_example.voice()["weight"]
    del weight["enc_p.emb_pitch.weight"]
    assert "missing: enc_p.emb_pitch.weight" in _refused(save(weight=weight))


def test_content_of_another_width_is_described_but_refused(save: Save) -> None:
    file = save(weight=rvc_example.weights(rvc_example.CONFIG, 1024, f0=True))
    card = _card(file)
    assert (card.version, card.width, card.dim) == ("unknown", 1024, 1024)
    assert "content features of width 1024" in card.unusable
    assert "content features of width 1024" in _refused(file)


@pytest.mark.parametrize("vocoder", ["MRF HiFi-GAN", "RefineGAN"])
def test_other_vocoder_is_described_but_refused(save: Save, vocoder: str) -> None:
    weight = rvc_example.voice()["weight"]
    weight["dec.other.weight"] = weight.pop("dec.conv_pre.weight")
    file = save(vocoder=vocoder, weight=weight)
    card = _card(file)
    assert card.vocoder == vocoder
    assert "only HiFi-GAN" in card.unusable
    assert f"trained with the vocoder {vocoder}; only HiFi-GAN" in _refused(file)


@pytest.mark.parametrize("vocoder", ["HiFi-GAN", "NSF-HiFiGAN", "hifigan"])
def test_spellings_of_hifigan_are_accepted(save: Save, vocoder: str) -> None:
    assert open_voice(save(vocoder=vocoder)).card.vocoder == vocoder


def test_missing_and_unexpected_tensors_are_reported_together(save: Save) -> None:
    weight = rvc_example.voice()["weight"]
    del weight["dec.conv_post.weight"], weight["flow.flows.0.post.bias"]
    weight["dec.extra"] = torch.zeros(3)
    weight["enc_p.proj.weight"] = torch.zeros(8, 9, 1)
    weight["emb_g.weight"] = weight["emb_g.weight"].int()
    text = _refused(save(weight=weight))
    assert "missing: dec.conv_post.weight [1, 2, 7]" in text
    assert "missing: flow.flows.0.post.bias [2]" in text
    assert "unexpected: dec.extra [3]" in text
    assert "enc_p.proj.weight: expected [8, 8, 1], found [8, 9, 1]" in text
    assert "emb_g.weight: expected floating point, found int32" in text


def test_half_a_weight_norm_is_refused(save: Save) -> None:
    weight = rvc_example.voice()["weight"]
    del weight["dec.ups.0.weight_v"]
    text = _refused(save(weight=weight))
    assert "missing: dec.ups.0.weight" in text
    assert "unexpected: dec.ups.0.weight_g" in text


@pytest.mark.parametrize(
    ("vocoder", "name"),
    [
        ("MRF HiFi-GAN", "dec.mrfs.0.0.layers.0.conv1.bias"),
        ("RefineGAN", "dec.upsample_conv_blocks.0.input_conv.bias"),
    ],
)
@pytest.mark.parametrize("stated", [None, "HiFi-GAN"])
def test_vocoder_is_that_of_the_tensors(
    save: Save, vocoder: str, name: str, stated: str | None
) -> None:
    weight = rvc_example.voice()["weight"]
    kept = {key: value for key, value in weight.items() if not key.startswith("dec.resblocks.")}
    card = _card(save(vocoder=stated, weight={**kept, name: torch.zeros(2)}))
    assert card.vocoder == vocoder
    assert f"the vocoder {vocoder}" in card.unusable
    assert any("its vocoder is" in text for text in card.remarks) is (stated is not None)


def test_missing_speaker_embedding_is_refused(save: Save) -> None:
    weight = rvc_example.voice()["weight"]
    del weight["emb_g.weight"]
    assert "it has no emb_g.weight" in _refused(save(weight=weight))


def test_number_of_speakers_is_that_of_the_embedding(save: Save) -> None:
    assert open_voice(save(config=_config(_15=4711))).card.speakers == rvc_example.SPEAKERS


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (rvc_example.CONFIG[:-1], "config has 17 entries; RVC writes 18"),
        ([*rvc_example.CONFIG, 1, 2], "config has 20 entries"),
        ("not JSON", "text, but neither JSON nor a list"),
        (7, "its config is 7, neither a list nor a table"),
        ({"rates": [10, 4, 4]}, "a table without any of the entries"),
        ({"upsample_rates": [10, 4, 4]}, "lacks resblock_dilation_sizes, which cannot be derived"),
        (_config(_11=[[1, 3]]), "differ in length"),
        (_config(_11=[[1, 3], [1, 2, 3]]), "missing: dec.resblocks.1.convs1.2.weight"),
        (_config(_12=[10, 16]), "differ in length"),
        (_config(_12=[2, 4, 4]), "sample_rate: Input should be greater than or equal to 8000"),
        (_config(_12="many"), "upsample_rates"),
    ],
)
def test_invalid_config_is_refused(save: Save, config: Any, said: str) -> None:
    text = _refused(save(config=config))
    assert said in text
    assert "get the voice again" not in text


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (_config(_17=44100), "states 44100 Hz, but its upsampling makes 160 samples"),
        (_config(_17="41k5"), "states 41k5, but"),
        (_config(_6=10**9), "n_layers 1000000000; its tensors show 2"),
        (_config(_4=8192), "filter_channels 8192; its tensors show 12"),
        (_config(_13=12), "upsample_initial_channel 12; its tensors show 16"),
        (_config(_2=5), "inter_channels 5; its tensors show 4"),
        (_config(_5=3, _9="3"), "n_heads 3, resblock 3; its tensors show 2, 1"),
        (_config(_10=[3, 4]), "resblock_kernel_sizes [3 4]; its tensors show [3 5]"),
        (_config(_14=[16, 8, 5]), "upsample_kernel_sizes [16 8 5]; its tensors show [16 8 4]"),
        (_config(_15=4711), "spk_embed_dim 4711; its tensors show 3"),
        (_config(_12=[10, 2, 8]), "upsample_rates [10 2 8]; its tensors show [10 4 4]"),
    ],
)
def test_tensors_decide_what_a_config_contradicts(save: Save, config: list[Any], said: str) -> None:
    found = open_voice(save(config=config))
    plain = open_voice(save("plain.pth")).card
    assert found.card.config.model_copy(update={"spec_channels": 33}) == plain.config
    assert any(said in text for text in found.card.remarks)


@pytest.mark.parametrize("unused", [{"_0": "?"}, {"_1": None}, {"_8": 17}])
def test_what_only_training_uses_does_not_matter(save: Save, unused: dict[str, Any]) -> None:
    assert not open_voice(save(config=_config(**unused))).card.remarks


def test_training_checkpoint_is_refused_with_advice(tmp_path: Path) -> None:
    model = rvc_example.voice()["weight"]
    torch.save({"model": model, "iteration": 7, "optimizer": {}}, tmp_path / "G_7.pth")
    text = _refused(tmp_path / "G_7.pth")
    assert "a checkpoint of an RVC training (G_*.pth)" in text
    assert "extract a voice from it" in text
    model = {"discriminators.0.convs.0.bias": torch.zeros(2)}
    torch.save({"model": model, "iteration": 7, "optimizer": {}}, tmp_path / "D_7.pth")
    assert "take the G_*.pth beside it" in _refused(tmp_path / "D_7.pth")


def test_other_files_are_named_in_the_error(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(3)}, tmp_path / "thing.pth")
    assert "but an RVC voice is expected" in _refused(tmp_path / "thing.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    assert "but an RVC voice is expected" in _refused(tmp_path / "list.pth")
    (tmp_path / "text.pth").write_text("hello, this is no voice at all", encoding="utf-8")
    assert "text file" in _refused(tmp_path / "text.pth")
    assert "there is no such file" in _refused(tmp_path / "none.pth")


def test_encoder_is_named_in_the_error(tmp_path: Path) -> None:
    from voicegraph.nodes.content import hubert_example

    hubert_example.write(tmp_path / "encoder.safetensors")
    text = _refused(tmp_path / "encoder.safetensors")
    assert "is a content encoder" in text
    assert "but an RVC voice is expected" in text


def test_index_is_named_in_the_error(tmp_path: Path) -> None:
    from voicegraph.nodes.retrieval import _faiss_example as faiss_example

    faiss_example.write(tmp_path)
    text = _refused(tmp_path / "flat.index")
    assert "index" in text
    assert "but an RVC voice is expected" in text


def test_incomplete_download_is_refused(save: Save) -> None:
    file = save()
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert "file" in _refused(file)


def test_integer_weights_are_refused(save: Save) -> None:
    weight = rvc_example.voice()["weight"]
    weight["dec.conv_pre.bias"][3] = torch.nan
    file = save(weight=weight)
    with pytest.raises(WeightsError, match=r"dec\.conv_pre\.bias"):
        load_voice(file, CPU, PLAIN_FLOAT32)


# ---- converted ------------------------------------------------------------------------------


def _converted(file: Path, **changes: Any) -> Path:
    tensors, card = KIND.convert(file, open_archive(file))
    card = card.model_copy(update=changes)
    target = file.with_suffix(".safetensors")
    save_file(tensors, target, {METADATA_KEY: card.model_dump_json()})
    return target


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize("f0", [True, False])
def test_converted_voice_gives_the_same_bits(
    save: Save, drive: Any, dtype: torch.dtype, f0: bool
) -> None:
    weight = rvc_example.weights(rvc_example.CONFIG, 768, f0)
    weight = {name: tensor.to(dtype) for name, tensor in weight.items()}
    file = save(weight={**weight, "enc_q.pre.bias": torch.zeros(3)}, f0=int(f0))
    target = _converted(file)
    held = open_archive(target)
    assert held.tensors.keys() == weight.keys()
    assert all(header.dtype is dtype for header in held.tensors.values())
    assert identify(target).card == identify(file).card
    generator = torch.Generator().manual_seed(1)
    content = torch.randn(1, 20, 768, generator=generator)
    pitch = torch.full((1, 20), 200.0)
    made = [drive(path, 10, extra="100ms")(content, pitch) for path in (file, target)]
    assert torch.equal(*made)
    assert made[0].abs().max() > 1e-3
    assert identify(_converted(target)).card == identify(file).card


def test_tensors_decide_what_a_card_contradicts(save: Save) -> None:
    file = save()
    card = open_voice(file).card
    sizes = card.config.model_copy(update={"filter_channels": 99})
    changed = {"speakers": 7, "parameters": 7, "f0": False, "version": "v1", "config": sizes}
    found = open_voice(_converted(file, **changed)).card
    assert found.model_copy(update={"remarks": ()}) == card
    text = " ".join(found.remarks)
    assert all(f"its card states {name}" in text for name in changed)


def test_card_of_another_version_is_refused(save: Save) -> None:
    tensors, _ = KIND.convert(save(), open_archive(save()))
    target = save().with_suffix(".safetensors")
    save_file(tensors, target, {METADATA_KEY: '{"kind": "voice", "mood": "merry"}'})
    assert "its card is not understood" in _refused(target)


def test_other_files_are_not_converted(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(3)}, tmp_path / "thing.pth")
    assert KIND.card(tmp_path / "thing.pth", open_archive(tmp_path / "thing.pth")) is None
    assert KIND.card(tmp_path / "thing.pth", None) is None
    with pytest.raises(WeightsError, match="an RVC voice is expected"):
        KIND.convert(tmp_path / "thing.pth", open_archive(tmp_path / "thing.pth"))
