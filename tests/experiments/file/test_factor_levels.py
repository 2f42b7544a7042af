"""Every form of a factor gives the same kind of levels, with places in the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicegraph.experiments.file.factor_levels import FactorLevel
from voicegraph.experiments.file.load import load_experiment
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")


def factor(tmp_path: Path, text: str, head: str = "pipeline: world\n") -> dict[str, FactorLevel]:
    path = tmp_path / "e.yaml"
    path.write_text(f"metrics: [latency]\n{head}factors:\n  x: {text}\n", encoding="utf-8")
    return dict(load_experiment(path).factors["x"])


def set_by(level: FactorLevel) -> dict[str, object]:
    return {".".join(map(str, o.path)): o.value.data for o in level.overrides}


def test_a_swap_changes_use_params_and_assets(tmp_path: Path) -> None:
    levels = factor(
        tmp_path,
        "{swap: f0, levels: {a: f0.dio, b: {use: f0.rmvpe, dtype: auto, params: {floor: 80}, "
        "assets: {rmvpe: r.pt}, set: {block: 40ms}, optional: true}}}",
    )
    assert set_by(levels["a"]) == {"nodes.f0.use": "f0.dio"}
    assert set_by(levels["b"]) == {
        "nodes.f0.use": "f0.rmvpe",
        "nodes.f0.dtype": "auto",
        "nodes.f0.params.floor": 80,
        "assets.rmvpe": "r.pt",
        "block": "40ms",
    }
    assert levels["b"].optional


def test_values_are_the_names_of_their_levels(tmp_path: Path) -> None:
    levels = factor(tmp_path, "{set: vars.retrieve, values: [0, 0.3, 1, true, null, 40ms]}")
    assert list(levels) == ["0", "0.3", "1", "true", "null", "40ms"]
    assert set_by(levels["0.3"]) == {"vars.retrieve": 0.3}
    assert set_by(levels["null"]) == {"vars.retrieve": None}


def test_values_may_have_names(tmp_path: Path) -> None:
    levels = factor(tmp_path, "{set: nodes.f0.params, values: {low: {floor: 40}, high: {}}}")
    assert set_by(levels["low"]) == {"nodes.f0.params": {"floor": 40}}


def test_plain_levels_are_systems_overrides_or_conditions(tmp_path: Path) -> None:
    levels = factor(
        tmp_path,
        "{a: {pipeline: default, profile: michael, match: start}, b: {set: {block: 40ms}}, "
        "c: null, d: {noise: pink, snr: 20}, e: [{room: {t60: 400ms}}, {line: telephone}], "
        "f: {system: source}, g: {command: [./vc, '{input}', '{output}'], latency: 120ms}}",
    )
    assert [level.kind for level in levels.values()] == [
        "pipeline", "overrides", "condition", "condition", "condition", "source", "command",
    ]  # fmt: skip
    assert (levels["a"].profiles, levels["a"].match) == (("michael",), ("start",))
    assert levels["c"].conditions == ()
    assert levels["d"].conditions == ({"noise": "pink", "snr": 20},)
    assert [next(iter(c)) for c in levels["e"].conditions] == ["room", "line"]
    command = levels["g"].command
    assert command is not None
    assert command.argv == (str(tmp_path / "vc"), "{input}", "{output}")


def test_overrides_know_their_place(tmp_path: Path) -> None:
    level = factor(tmp_path, "{set: block, values: [40ms, 250ms]}")["250ms"]
    [override] = level.overrides
    assert str(override.mark) == f"{tmp_path / 'e.yaml'}:4:34"


def test_files_are_beside_the_experiment_then_the_pipeline(tmp_path: Path) -> None:
    text = "{heart: {set: {vars.voice: voices/heart.safetensors}}}"
    shipped = factor(tmp_path, text, "pipeline: default-live\n")["heart"]

    def voice(level: FactorLevel) -> Path:
        plan = Pipeline.load("default-live", placed=level.overrides).loaded
        at = ("nodes", "voice", "params", "voice")
        return plan.source_map.resolve(at, plan.file.nodes["voice"].params["voice"])

    assert voice(shipped).parts[-3:] == ("pipelines", "voices", "heart.safetensors")
    own = tmp_path / "voices" / "heart.safetensors"
    own.parent.mkdir()
    own.touch()
    assert voice(factor(tmp_path, text, "pipeline: default-live\n")["heart"]) == own


def test_a_var_of_the_pipeline_is_written_with_two_dollars(tmp_path: Path) -> None:
    head = "pipeline: world\nvars: {depth: 3}\n"
    text = "{a: {set: {vars.formant: $depth, nodes.sola.params.search: $$rate}}}"
    assert set_by(factor(tmp_path, text, head)["a"]) == {
        "vars.formant": 3,
        "nodes.sola.params.search": "$rate",
    }


def test_a_pipeline_is_named_relative_to_the_experiment(tmp_path: Path) -> None:
    levels = factor(tmp_path, "{a: {pipeline: ./p.yaml}, b: {pipeline: world}}", "")
    assert levels["a"].pipeline == tmp_path / "p.yaml"
    assert levels["b"].pipeline == "world"


def test_an_override_that_does_not_fit_is_shown_in_the_experiment(tmp_path: Path) -> None:
    level = factor(tmp_path, "{set: block, values: [250ms]}", "pipeline: default-live\n")["250ms"]
    with pytest.raises(PipelineError) as caught:
        Pipeline.load("default-live", placed=level.overrides).compile()
    [problem] = caught.value.problems
    assert [str(mark) for _, mark in problem.notes] == [f"{tmp_path / 'e.yaml'}:4:28"]
    assert str(problem.fix).startswith("block: 240ms")
