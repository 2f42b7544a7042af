"""Pareto fronts, scales, dot plots, heat maps, spectrograms and F0."""

from __future__ import annotations

import io
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from voicegraph.experiments.report._dot_plot import MOST_ROWS, dot_plot
from voicegraph.experiments.report._heat_map import heat_maps
from voicegraph.experiments.report._numbers import MINUS, interval, number, p_value
from voicegraph.experiments.report._pareto import Point, front, fronts, legend, pareto_plot
from voicegraph.experiments.report._summary import meets_goal, speaker_means
from voicegraph.experiments.report._svg import Scale
from voicegraph.experiments.report.page_sound import F0_RATE, f0_contour, spectrogram_png
from voicegraph.experiments.results.means import cell_means

from .synthetic_run import FACTORS, METRICS, RATE, glide, synthetic_run

NUMBERS = st.floats(-1e6, 1e6, allow_subnormal=False).map(lambda x: round(x, 6))


def _point(cost: float, value: float) -> Point:
    return Point(f"{cost}/{value}", cost, value, None, None, "")


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1), st.sampled_from(["higher", "lower"]))
def test_front_is_what_nothing_beats_in_both(pairs: list[tuple[float, float]], better: str) -> None:
    points = [_point(*pair) for pair in pairs]
    sign = 1 if better == "higher" else -1

    def beaten(point: Point) -> bool:
        return any(
            other.cost <= point.cost
            and sign * other.value >= sign * point.value
            and (other.cost, other.value) != (point.cost, point.value)
            for other in points
        )

    expected = {(p.cost, p.value) for p in points if not beaten(p)}
    assert {(p.cost, p.value) for p in front(points, better)} == expected


def test_pareto_plot_names_its_front() -> None:
    picture = ET.fromstring(pareto_plot(METRICS[0], [_point(1, 3), _point(2, 2)], "CPU"))
    assert picture.findtext("desc") == "Best at their cost: 1/3"


def test_each_group_has_a_front_with_its_name() -> None:
    clean, noisy = [_point(1, 3), _point(2, 4)], [_point(1, 1), _point(2, 2)]
    points = [
        *(replace(point, group="clean") for point in clean),
        *(replace(point, group="pink10") for point in noisy),
    ]
    found = fronts(points, "higher")
    assert {group: [p.value for p in best] for group, best in found.items()} == {
        "clean": [3, 4],
        "pink10": [1, 2],
    }
    picture = ET.fromstring(pareto_plot(METRICS[0], points, "CPU"))
    assert len(picture.findall("polyline")) == 2
    names = {text.text: text for text in picture.iter("text") if text.text in ("clean", "pink10")}
    heights = sorted(float(text.get("y", "")) for text in names.values())
    assert len(names) == 2
    assert heights[1] - heights[0] >= 16  # no name lies on another


def test_marks_are_those_of_the_legend() -> None:
    """Levels that are not in the picture have their colours all the same."""
    one = replace(_point(1, 3), series="live")
    shown = pareto_plot(METRICS[0], [one, _point(2, 4)], "CPU", ["source", "live"])
    live = dict(legend(["source", "live"]))["live"]
    style = ET.fromstring(live)[0].get("class")
    marked = {mark.get("class") for mark in ET.fromstring(shown) if mark.find("title") is not None}
    assert style in marked


@given(st.lists(NUMBERS, min_size=1))
def test_scale_holds_all_values_and_has_ticks(values: list[float]) -> None:
    scale = Scale.over(values, 10, 110)
    assert all(10 <= scale(value) <= 110 for value in values)
    ticks = scale.ticks()
    assert 2 <= len(ticks) <= 8
    assert len({text for _, text in ticks}) == len(ticks)


def test_dot_plot_has_a_dot_for_each_speaker() -> None:
    run = synthetic_run()
    means = {(row.cell, row.metric): row for row in cell_means(run.values)}
    names = [cell.name for cell in run.manifest.cells]
    found = dot_plot(METRICS[0], names, speaker_means(run.values), means)
    assert found is not None
    classes = [each.get("class") for each in ET.fromstring(found).iter()]
    assert classes.count("dot") == 12 * 6
    assert classes.count("mean") == classes.count("interval") == 12 <= MOST_ROWS


def test_dot_plot_of_nothing_is_left_out() -> None:
    assert dot_plot(METRICS[0], ["a"], {}, {}) is None


def test_heat_maps_average_over_the_other_factors() -> None:
    run = synthetic_run()
    values = {(cell.name, "words.wer"): float(at) for at, cell in enumerate(run.manifest.cells)}
    maps = heat_maps(METRICS[1], run.manifest.cells, FACTORS, values)
    assert [(m.down, m.across, m.averaged) for m in maps] == [
        ("pipeline", "tracker", 2),
        ("pipeline", "noise", 3),
        ("tracker", "noise", 2),
    ]
    assert [(c.text, c.step) for c in maps[1].rows[0][1]] == [("2.000", 8), ("3.000", 7)]


def test_spectrogram_is_dark_where_it_is_loud() -> None:
    sound = np.zeros(2 * RATE, np.float32)
    sound[RATE:] = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    picture = np.array(Image.open(io.BytesIO(spectrogram_png(sound))).convert("L"), np.float64)
    assert picture.shape[0] == 128
    half = picture.shape[1] // 2
    assert (picture[:, : half - 4] == 255).all()
    row = 127 - np.argmin(picture[::-1, half + 4 :].mean(axis=1))
    mel = 2595 * np.log10(1 + 440 / 700) / (2595 * np.log10(1 + 8000 / 700))
    assert row == pytest.approx(127 - 128 * mel, abs=2)


@pytest.mark.parametrize("samples", [0, 1, 100, 4000])
def test_silence_and_short_sounds_have_pictures(samples: int) -> None:
    sound = np.zeros(samples, np.float32)
    assert spectrogram_png(sound).startswith(b"\x89PNG")
    assert not f0_contour(sound).any()


def test_f0_follows_a_glide() -> None:
    found = f0_contour(glide(1.0, 120, 180))
    middle = found[20:80]
    expected = 120 + 60 * np.arange(20, 80) / F0_RATE
    assert np.abs(middle / expected - 1).max() < 0.03  # half a semitone


@pytest.mark.parametrize(
    ("value", "goal", "met"),
    [
        (0.9, ">= .88", True),
        (0.87, ">= .88", False),
        (12.0, "< 12 ms", False),
        (12.0, "<= 12 ms", True),
        (1.0, "small", None),
        (1.0, None, None),
    ],
)
def test_goals_are_judged(value: float, goal: str | None, met: bool | None) -> None:
    assert meets_goal(value, goal) is met


def test_numbers_have_true_signs() -> None:
    assert number(-0.0314, 3, signed=True) == f"{MINUS}0.031"
    assert number(-0.0004, 3, signed=True) == "0.000"
    assert number(2.0, 1, signed=True) == "+2.0"
    assert interval(-1.0, 0.5, 1) == f"[{MINUS}1.0, 0.5]"
    assert (p_value(0.0004), p_value(0.012), p_value(1.0)) == ("p < .001", "p = .012", "p = 1.000")
