"""The answer in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from voicegraph.experiments.report._answers import Sentence, answers

from .synthetic_run import SyntheticRun, name_of, synthetic_run

WORLD = "pipeline=world, noise=clean"


def _sentence(run: SyntheticRun, level: str = "swift") -> Sentence:
    (answer,) = answers(run.manifest, run.tests, run.costs)
    return next(s for s in answer.sentences if (s.level, s.within) == (level, WORLD))


def _with(run: SyntheticRun, **changes: Any) -> SyntheticRun:
    """The run with another first test."""
    run.tests = [replace(run.tests[0], **changes), *run.tests[1:]]
    return run


def test_clause_has_difference_interval_p_and_verdict() -> None:
    run = _with(
        synthetic_run(),
        difference=0.1834,
        low=0.14,
        high=0.2249,
        p_corrected=0.0123,
        margin=None,
        verdict="better",
    )
    clause = _sentence(run).clauses[0]
    assert clause.text == "+0.18 [+0.14, +0.22], Holm p = .012"
    assert (clause.metric, clause.verdict, clause.sign) == ("DistillMOS", "better", "▲")


def test_margin_is_told_with_its_test() -> None:
    held = _with(synthetic_run(), margin=0.05, equivalent=True, p_equivalence=0.0004)
    assert "within ±0.05 (TOST p < .001)" in _sentence(held).clauses[0].text
    missed = _with(synthetic_run(), margin=0.05, equivalent=False, p_equivalence=0.31)
    assert "not shown to be within ±0.05 (TOST p = .310)" in _sentence(missed).clauses[0].text


def test_no_difference_says_what_would_have_been_seen() -> None:
    run = _with(synthetic_run(), verdict="no difference shown", margin=None, detectable=0.213, n=8)
    texts = {clause.metric: clause.text for clause in _sentence(run).clauses}
    assert "8 speakers would show 0.21 or more" in texts["DistillMOS"]


def test_what_was_shown_comes_first() -> None:
    order = ["better", "worse", "equivalent", "different", "no difference shown", "not tested"]
    for sentence in answers(synthetic_run().manifest, synthetic_run().tests, ())[0].sentences:
        places = [order.index(clause.verdict) for clause in sentence.clauses]
        assert places == sorted(places)


def test_untested_pair_says_why() -> None:
    run = _with(synthetic_run(), difference=None, verdict="not tested", why="no speaker has both")
    (answer,) = answers(run.manifest, run.tests, run.costs)
    texts = [c.text for s in answer.sentences for c in s.clauses if c.verdict == "not tested"]
    assert texts == ["not tested: no speaker has both"]
    assert answer.lead.endswith("1 pair could not be tested.")


def test_lead_counts_verdicts() -> None:
    run = synthetic_run()
    run.tests = [
        replace(t, verdict=v) for t, v in zip(run.tests, ["better", "worse"], strict=False)
    ]
    (answer,) = answers(run.manifest, run.tests, run.costs)
    assert answer.lead == "2 tests, after Holm correction: 1 better, 1 worse."


def test_lead_says_why_nothing_could_be_shown() -> None:
    run = synthetic_run()
    why = "8 speakers cannot reach p = 0.05 in a family of 50 tests: the least is 0.39"
    run.tests = [replace(t, verdict="no difference shown", why=why) for t in run.tests[:2]]
    (answer,) = answers(run.manifest, run.tests, run.costs)
    assert answer.lead.endswith(f"2 no difference shown. {why}.")


def test_cost_of_the_swap_ends_the_sentence() -> None:
    sentence = _sentence(synthetic_run())
    assert sentence.costs == "CPU +2.10 ms a block [+2.00, +2.20]; latency unchanged at 80 ms"
    assert _sentence(synthetic_run(), "praat").costs.endswith("latency +40 ms, to 120 ms")


def test_cost_of_several_pairs_is_their_mean() -> None:
    run = synthetic_run()
    contrast = run.manifest.contrasts[0].model_copy(update={"within": ("pipeline",)})
    run.manifest = run.manifest.model_copy(update={"contrasts": (contrast,)})
    run.tests = [replace(t, within=t.within.partition(",")[0]) for t in run.tests]
    (answer,) = answers(run.manifest, run.tests, run.costs)
    costs = next(s.costs for s in answer.sentences if s.level == "swift")
    assert costs.startswith("CPU +2.10 ms a block (mean of 2 pairs)")


def test_no_cost_is_made_up() -> None:
    run = synthetic_run()
    run.costs = [row for row in run.costs if row.cell != name_of("world", "swift", "clean")]
    assert _sentence(run).costs == "latency unchanged at 80 ms"


def test_blocks_of_other_lengths_are_compared_by_what_they_take_of_a_core() -> None:
    run = synthetic_run()
    longer = {
        key: plan.model_copy(update={"block_ms": 100.0}) if key.endswith("swift") else plan
        for key, plan in run.manifest.plans.items()
    }
    run.manifest = run.manifest.model_copy(update={"plans": longer})
    run.costs = [
        *run.costs,
        *(
            replace(
                row,
                name="cpu_rtf",
                difference=-0.158,
                difference_low=-0.169,
                difference_high=-0.146,
            )
            for row in run.costs
            if row.difference is not None
        ),
    ]
    assert _sentence(run).costs.startswith("CPU −0.158 of a core [−0.169, −0.146];")  # noqa: RUF001
