"""``retrieval.faiss``."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import faiss
import numpy as np
import pytest
import torch

from voicegraph.graph import conformance, registry
from voicegraph.graph.errors import PipelineError, VoicegraphError
from voicegraph.graph.intervals import Interval
from voicegraph.graph.node import Node
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.ports import In, Out, PortSpec
from voicegraph.graph.signals import Features
from voicegraph.nodes.retrieval._faiss_example import vectors, with_lists
from voicegraph.nodes.retrieval.faiss import Faiss, FaissParams

from ...tolerance import assert_close, rounding

pytestmark = pytest.mark.numeric

BLENDED = rounding(16 + 8)
"""Distances of 16 numbers, and eight neighbours."""

test_conformance = conformance.suite("retrieval.faiss")

REFERENCE = Path(__file__).parents[2] / "data" / "reference"
STORED = vectors(300, 16)
EXACT = ("Flat", "IVF8,Flat", "IVF8_HNSW4,Flat", "IDMap,Flat", "IDMap2,IVF8,Flat")
"""Types that hold vectors as they are, as FAISS's factory calls them,"""
NEAR = (
    *("IVF8,SQ8", "IVF8,SQ4", "IVF8,SQfp16", "IVF8,PQ4x4", "PCA8,IVF8,Flat", "OPQ4_16,IVF8,PQ4x4"),
)
"""and those that do not."""


def opened(index: Path, core: int = 0, frames: int = 40, **params) -> SimpleNamespace:
    """The node as compiled for windows of 50 Hz, of which frames from ``core`` on are used."""
    made = Faiss()
    chosen = FaissParams(index=index, **params)
    dim = made.ports(chosen).inputs["content"].dim
    assert dim is not None
    span = Interval(Fraction(-frames, 50), Fraction(0))
    used = Interval(span.start + Fraction(core, 50), span.end)
    spec = PortSpec(Features(Fraction(50), dim), span, used, True)
    made.given, made.asked = {"content": spec}, {"out": spec}
    made.prepare(chosen)
    made.load(chosen, torch.device("cpu"), torch.float32)

    def run(features: np.ndarray, **live) -> np.ndarray:
        now = chosen.model_copy(update=live)
        found = made.process({"content": torch.from_numpy(features)}, now, None)["out"]
        return found.numpy()

    return SimpleNamespace(run=run, node=made)


# ---- numbers ----------------------------------------------------------------------------------


def test_matches_the_reference() -> None:
    recorded = np.load(REFERENCE / "retrieval.npz")
    queries = recorded["queries"][None]
    retrieval = opened(REFERENCE / "retrieval.index", rate=1.0)
    assert_close(retrieval.run(queries)[0], recorded["retrieved"], rounding(queries.shape[-1] + 8))
    mixed = retrieval.run(queries, rate=float(recorded["index_rate"]))[0]
    assert_close(mixed, recorded["blended"], rounding(queries.shape[-1] + 8))


@pytest.mark.parametrize("core", [0, 7, 39])
def test_frames_before_the_core_pass_unchanged(core: int) -> None:
    recorded = np.load(REFERENCE / "retrieval.npz")
    queries = recorded["queries"][None]
    found = opened(REFERENCE / "retrieval.index", core, rate=1.0).run(queries)[0]
    np.testing.assert_array_equal(found[:core], queries[0, :core])
    assert_close(found[core:], recorded["retrieved"][core:], rounding(queries.shape[-1] + 8))


@pytest.mark.parametrize("kind", EXACT)
def test_a_stored_vector_comes_back_as_it_is(build, kind: str) -> None:
    retrieval = opened(build(kind), frames=4, rate=1.0)  # few, so that FAISS does not subtract
    found = retrieval.run(STORED[None, 50:54].copy())[0]
    assert_close(found, STORED[50:54], BLENDED)


@pytest.mark.parametrize("kind", [*EXACT, *NEAR])
def test_every_type_gives_what_its_own_reconstruction_gives(build, kind: str) -> None:
    path = build(kind)
    whole = faiss.read_index(str(path))
    mapped = isinstance(whole, faiss.IndexIDMap)
    index = faiss.downcast_index(whole.index) if mapped else whole
    queries = vectors(40, 16, seed=9)
    distances, _, stored = index.search_and_reconstruct(queries, 8)
    weights = (1 / distances.astype(np.float64)) ** 2
    weights[distances > 1e37] = 0
    weights /= weights.sum(1, keepdims=True)
    expected = (weights[..., None] * np.nan_to_num(stored)).sum(1)
    found = opened(path, rate=1.0).run(queries[None])[0]
    assert_close(found, expected, BLENDED)


def test_fewer_neighbours_than_asked_are_averaged(tmp_path: Path) -> None:
    index = with_lists(STORED[:20], 10)
    faiss.write_index(index, str(tmp_path / "few.index"))
    found = opened(tmp_path / "few.index", frames=5, rate=1.0).run(STORED[None, :5] + 0.01)[0]
    for frame, query in zip(found, STORED[:5] + 0.01, strict=True):
        nearest = index.quantizer.search(query[None], 1)[1][0, 0]
        held = [v for v in STORED[:20] if index.quantizer.search(v[None], 1)[1][0, 0] == nearest]
        assert 0 < len(held) < 8
        weights = np.array([1 / ((query - v) ** 2).sum() ** 2 for v in held])
        expected = (weights[:, None] * np.array(held)).sum(0) / weights.sum()
        assert_close(frame, expected, BLENDED)


def test_a_frame_without_neighbours_stays_as_it_is(tmp_path: Path) -> None:
    index = with_lists(STORED[:8], 8)
    index.reset()
    index.add(STORED[:1])  # one list of eight has anything in it
    faiss.write_index(index, str(tmp_path / "hollow.index"))
    found = opened(tmp_path / "hollow.index", frames=2, rate=0.75).run(STORED[None, :2].copy())[0]
    assert_close(found[0], STORED[0], BLENDED)
    np.testing.assert_array_equal(found[1], STORED[1])


@pytest.mark.parametrize("kind", ["Flat", "IVF8,Flat", "IVF8,PQ4x4"])
@pytest.mark.parametrize("frames", [4, 40])
def test_nan_and_infinity_harm_no_other_frame(build, kind: str, frames: int) -> None:
    retrieval = opened(build(kind), frames=frames)
    clean = vectors(frames, 16, seed=9)[None]
    broken = clean.copy()
    broken[0, 0], broken[0, 1, 3], broken[0, 2] = np.nan, np.inf, 1e30
    found = retrieval.run(broken)[0]
    np.testing.assert_array_equal(found[:3], broken[0, :3])
    assert_close(found[3:], retrieval.run(clean)[0, 3:], BLENDED)


def test_rate_0_passes_features_through_without_a_search(build) -> None:
    retrieval = opened(build("Flat"), rate=0.0)
    retrieval.node.stored = None
    features = vectors(40, 16)[None]
    found = retrieval.run(features)
    np.testing.assert_array_equal(found, features)
    assert not np.shares_memory(found, features)


def test_streams_are_searched_together_and_apart_give_the_same(build) -> None:
    retrieval = opened(build("IVF8,Flat"))
    features = vectors(80, 16, seed=4).reshape(2, 40, 16)
    together = retrieval.run(features)
    for stream in (0, 1):
        alone = retrieval.run(features[stream : stream + 1])
        assert_close(together[stream], alone[0], BLENDED)


def test_nprobe_overrides_what_the_file_says(build) -> None:
    features = vectors(40, 16, seed=9)[None]
    flat = opened(build("Flat", "flat.index"), rate=1.0).run(features)
    one = opened(build("IVF8,Flat", "one.index"), rate=1.0)
    eight = opened(build("IVF8,Flat", "eight.index", probes=8), rate=1.0)
    assert_close(eight.run(features), flat, BLENDED)
    assert np.abs(one.run(features) - flat).max() > 0.1
    for nprobe in (8, 64):  # more than there are is all
        index = build("IVF8,Flat", "one.index")
        found = opened(index, rate=1.0, nprobe=nprobe).run(features)
        assert_close(found, flat, BLENDED)


def test_a_search_of_some_lists_is_told_as_an_approximation(build) -> None:
    params = {"index": build("IVF8,Flat"), "nprobe": 2}
    (found,) = Faiss().approximations(FaissParams(**params))
    assert (found.param, found.exact) == ("nprobe", 8)
    assert "2 of the 8 lists" in found.meaning
    for exact in ({**params, "nprobe": found.exact}, {"index": build("Flat")}):
        assert not Faiss().approximations(FaissParams(**exact))


def test_k_is_how_many_are_averaged(build) -> None:
    features = vectors(40, 16, seed=9)[None]
    path = build("Flat")
    nearest = opened(path, rate=1.0, k=1).run(features)[0]
    for frame in nearest:
        assert np.abs(STORED - frame).max(1).min() < 1e-6
    assert np.abs(opened(path, rate=1.0, k=64).run(features)[0] - nearest).max() > 0.1


def test_inputs_are_not_modified(build) -> None:
    features = vectors(40, 16)[None]
    before = features.copy()
    opened(build("Flat"), rate=1.0).run(features)
    np.testing.assert_array_equal(features, before)


# ---- in a pipeline ------------------------------------------------------------------------------


class CoreUser(Node):
    """Asks for 1 s and uses the newest 200 ms, as a synthesizer does."""

    pure = True
    chunking = "windowed"
    content = In(Features)
    out = Out(Features, like="content", window=True)

    def needs(self, params, out):
        wide = out.widen(before=Fraction(1) - out.interval.duration)
        used = Interval(wide.end - Fraction(1, 5), wide.end)
        return {"content": type(wide)(wide.interval, used)}

    def gives(self, params, out):
        return Interval(out.end - 1, out.end)

    def process(self, inputs, params, state):
        return {"out": inputs["content"].clone()}


@pytest.fixture(autouse=True, scope="module")
def _test_nodes() -> Iterator[None]:
    with registry.isolated({"test.core_user": CoreUser}):
        yield


def _pipeline(index: Path | str, dim: int = 16, **params) -> Pipeline:
    nodes = {
        "content": node("test.core_user", "source"),  # a window
        "source": node("io.vectors", rate=50, dim=dim),
        "retrieval": node("retrieval.faiss", "content", index=str(index), **params),
        "user": node("test.core_user", "retrieval"),
    }
    return Pipeline(block="100ms", input={"rate": 16000}, nodes=nodes, output="user")


def test_only_what_the_consumer_uses_is_searched(build) -> None:
    with _pipeline(build("IVF8,Flat"), rate=1.0).session(2, warm_up=False) as session:
        for _ in range(12):
            session.process(np.zeros((2, 1, 1600), np.float32), taps=["content", "retrieval"])
        before, after = session.taps["content"], session.taps["retrieval"]
    assert before.shape == after.shape == (2, 50, 16)
    np.testing.assert_array_equal(before[:, :40], after[:, :40])
    assert (np.abs(before[:, 40:] - after[:, 40:]).max((0, 2)) > 0.01).all()


def test_rate_may_change_while_it_runs_for_each_stream(build) -> None:
    with _pipeline(build("Flat"), rate=1.0).session(2, warm_up=False) as session:
        silence = np.zeros((2, 1, 1600), np.float32)
        session.set("retrieval.rate", 0.0, stream=1)
        session.process(silence, taps=["content", "retrieval"])
        changed = np.abs(session.taps["content"] - session.taps["retrieval"]).max((1, 2))
    assert changed[0] > 0.01
    assert changed[1] == 0


def test_sessions_and_pipelines_share_one_index(build) -> None:
    index = build("IVF8,Flat")
    with (
        _pipeline(index).session(warm_up=False) as first,
        _pipeline(index, k=3, rate=0.2).session(warm_up=False) as second,
        _pipeline(index, nprobe=2).session(warm_up=False) as third,
    ):
        stored = [vars(s.plan.find("retrieval").node)["stored"] for s in (first, second, third)]
    assert stored[0] is stored[1]
    assert stored[0] is not stored[2]


def test_a_file_that_was_replaced_is_read_anew(build, tmp_path: Path) -> None:
    index = build("Flat")
    before = opened(index, rate=1.0, k=1)
    features = vectors(40, 16, seed=9)[None]
    expected = before.run(features)
    other = faiss.IndexFlatL2(16)
    other.add(STORED[:7])
    faiss.write_index(other, str(tmp_path / "new.index"))
    shutil.move(tmp_path / "new.index", index)
    assert np.abs(opened(index, rate=1.0, k=1).run(features) - expected).max() > 0.1
    np.testing.assert_array_equal(before.run(features), expected)


@pytest.mark.parametrize("harm", ["overwritten", "truncated", "removed"])
def test_an_index_in_use_does_not_need_its_file(build, harm: str) -> None:
    """A mapped file would be other vectors, or kill the process (SIGBUS)."""
    index = build("IVF8,Flat")
    retrieval = opened(index, rate=1.0, nprobe=8)
    features = vectors(40, 16, seed=9)[None]
    expected = retrieval.run(features)
    if harm == "removed":
        index.unlink()
    else:
        with index.open("r+b") as file:  # in place, as `cp` does
            whole = file.read()
            file.seek(0)
            file.write(b"" if harm == "truncated" else bytes(len(whole)))
            file.truncate()
    np.testing.assert_array_equal(retrieval.run(features), expected)


# ---- what cannot serve --------------------------------------------------------------------------


def _error(index: str, dim: int = 16, **params) -> str:
    with pytest.raises(VoicegraphError) as caught:
        _pipeline(index, dim, **params).session(warm_up=False)
    return str(caught.value).replace(f"{Path.cwd()}/", "").replace(f"{Path.cwd()}\\", "")


def test_an_empty_index(build, here: Path) -> None:
    build("IVF8,Flat", "trained_alice.index", state="trained")
    assert _error("trained_alice.index") == (
        "pipeline  retrieval: trained_alice.index: an index that is trained but empty, as RVC's "
        "training leaves it under the name trained_*.index\n"
        "  fix: use the voice's added_*.index beside it, which holds the vectors"
    )


def test_an_untrained_index(build, here: Path) -> None:
    build("IVF8,Flat", "alice.index", state="untrained")
    assert _error("alice.index") == (
        "pipeline  retrieval: alice.index: an index that is not trained and holds no vectors\n"
        "  fix: use the voice's added_*.index"
    )


def test_an_index_by_inner_product(build, here: Path) -> None:
    build("IVF8,Flat", "alice.index", metric=faiss.METRIC_INNER_PRODUCT)
    first, fix = _error("alice.index").splitlines()
    assert first == (
        "pipeline  retrieval: alice.index: an index that compares by inner product; retrieval "
        "weighs neighbours by squared L2"
    )
    assert fix.startswith("  fix: use the voice's added_*.index, or convert it to IVF,Flat with: ")
    assert fix.endswith(" alice.index alice_ivf.index")


def test_an_index_of_another_type(build, here: Path) -> None:
    build("HNSW8", "alice.index")
    first, fix = _error("alice.index").splitlines()
    assert first == (
        "pipeline  retrieval: alice.index: an index of the type IndexHNSWFlat; retrieval takes IVF "
        "over Flat, SQ or PQ with Flat or HNSW centres, Flat, IDMap, and OPQ"
    )
    assert fix.startswith("  fix: use the voice's added_*.index, or convert it to IVF,Flat with: ")


def test_an_index_whose_vectors_cannot_be_had(build, here: Path) -> None:
    build("IVF8,FlatDedup", "alice.index")
    first, fix = _error("alice.index").splitlines()
    assert first.startswith("pipeline  retrieval: alice.index: an index of the type IndexIVFFlatD")
    assert "or build it anew from the features that it was made of" in fix
    assert fix.endswith(" total_fea.npy alice_ivf.index")


def test_an_index_that_faiss_cannot_search(build, here: Path) -> None:
    build("IVF8,Flat", "alice.index", probes=0)
    first, fix = _error("alice.index").splitlines()
    assert first.startswith(
        "alice.index: IndexIVFFlat, which FAISS cannot search or give vectors back from: "
    )
    assert "nprobe > 0" in first
    assert fix.startswith("  fix: use the added_*.index that RVC's training wrote, or convert it ")


def test_a_truncated_index(build, here: Path) -> None:
    path = build("IVF8,Flat", "alice.index")
    path.write_bytes(path.read_bytes()[:10_000])
    text = _error("alice.index")
    assert text.startswith(
        "pipeline  retrieval: alice.index: a retrieval index, but it ends too early: its vectors "
        "would take 21600 bytes, but "
    )
    assert text.endswith(" bytes follow\n  fix: download or copy the file again")


def test_an_index_of_another_width(build, here: Path) -> None:
    build("IVF8,Flat", "v1.index", dimension=256)
    text = _error("v1.index", dim=768)
    assert "content feeds retrieval, which takes 256 dimensions, but gives 768 dimensions" in text


def test_a_web_page_instead_of_an_index(here: Path) -> None:
    Path("alice.index").write_text("<!doctype html><html>404</html>")
    assert _error("alice.index") == (
        "pipeline  retrieval: alice.index: a web page: the download returned a page instead of the "
        "file, not a FAISS index\n"
        "  fix: use the voice's added_*.index"
    )


def test_a_folder_instead_of_an_index(here: Path) -> None:
    Path("alice").mkdir()
    assert _error("alice") == (
        "pipeline  retrieval: alice: a folder, not a FAISS index\n"
        "  fix: use the voice's added_*.index"
    )


def test_another_model_instead_of_an_index(here: Path) -> None:
    torch.save({"weight": torch.zeros(3)}, "alice.pth")
    text = _error("alice.pth")
    assert "alice.pth is a file of 1 tensors of unknown kind, but a FAISS index is" in text
    assert "fix: use the voice's added_*.index" in text


def test_no_index_at_all(here: Path) -> None:
    assert "no such file" in _error("alice.index")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"rate": 1.1}, "rate is 1.1, expected at most 1"),
        ({"k": 0}, "k is 0, expected at least 1"),
        ({"k": 65}, "k is 65, expected at most 64"),
        ({"nprobe": 0}, "nprobe is 0, expected at least 1"),
    ],
)
def test_params_out_of_range(build, params: dict, message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        _pipeline(build("Flat"), **params).compile()
