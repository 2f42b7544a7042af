"""Where a block's time goes: reports of ``voicegraph bench --json`` as one picture.

    voicegraph bench rvc --json ... > rvc.json
    voicegraph bench rvc-live --json ... > rvc-live.json
    python tools/block_time.py rvc.json rvc-live.json --out docs/images/block-time.png
    python tools/block_time.py "before=old.json" "rvc-live, 240 ms=rvc-live.json" --out FILE.png

Each bar is one report: the medians of the nodes as a share of the block. What lies right of the
line takes longer than it lasts.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

LEAST_SHARE = 0.02
"""Nodes below this share of a block are drawn together."""
STAGES = {"content": "encoder", "voice": "synthesizer", "f0": "pitch", "retrieval": "retrieval"}


def shares(report: dict[str, Any]) -> dict[str, float]:
    """Share of the block by stage; small ones together."""
    block = float(report["block_ms"])
    found = {str(node["name"]): float(node["median_ms"]) / block for node in report["nodes"]}
    large: dict[str, float] = {
        STAGES.get(name, name): share for name, share in found.items() if share >= LEAST_SHARE
    }
    rest = float(report["whole"]["median_ms"]) / block - sum(large.values())
    return {**large, "other": max(0.0, rest)}


def draw(reports: dict[str, dict[str, Any]], out: Path) -> None:
    """Writes the picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 0.8 + 0.55 * len(reports)), layout="constrained")
    axes = figure.subplots()
    stages = list(dict.fromkeys(name for report in reports.values() for name in shares(report)))
    stages.sort(key=lambda name: name == "other")
    left = dict.fromkeys(reports, 0.0)
    for stage in stages:
        widths = [shares(report).get(stage, 0.0) for report in reports.values()]
        bars = axes.barh(list(reports), widths, left=list(left.values()), label=stage, height=0.62)
        texts = [f"{width:.2f}" if width > 0.05 else "" for width in widths]
        axes.bar_label(bars, texts, label_type="center", color="white", fontsize=8)
        left = {name: left[name] + width for name, width in zip(reports, widths, strict=True)}
    axes.axvline(1, color="black", linewidth=1)
    axes.invert_yaxis()
    axes.set_xlabel("compute time as a share of the block (medians); live needs less than 1")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(ncols=len(stages), loc="upper center", bbox_to_anchor=(0.5, 1.25), frameon=False)
    figure.savefig(out, dpi=110)


def main(arguments: list[str] | None = None) -> int:
    """Draws the given reports."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("reports", nargs="+", metavar="[LABEL=]FILE.json")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.png")
    given = parser.parse_args(arguments)
    found: dict[str, dict[str, Any]] = {}
    for text in given.reports:
        label, _, name = text.rpartition("=")
        try:
            report = json.loads(Path(name).read_text(encoding="utf-8"))
            shares(report)
        except (OSError, ValueError, KeyError, TypeError) as error:
            parser.error(f"{name} is no report of `voicegraph bench --json`: {error}")
        found[label or f"{report['pipeline']}, {report['block_ms']:g} ms"] = report
    draw(found, given.out)
    print(given.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
