"""From a loaded pipeline to a static plan, in phases; see ``docs/design.md``, "Compiling".

All problems of a phase are reported together. Compiling is pure: it reads headers, never weights,
asks nothing of the machine, and gives the same plan every time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import Problems
from ..plan import Plan, assemble
from ..signals import Audio
from .draft import Sheet
from .order import order
from .place import place
from .rates import check_rates
from .resolve import resolve
from .rewire import adapt_input, bypass, keep_sound, prune
from .schedule import schedule
from .unify import unify

if TYPE_CHECKING:
    from ..loading.load import LoadedPipeline


def compile_pipeline(loaded: LoadedPipeline, source: Audio | None = None) -> Plan:
    """Compiles a pipeline for audio of type ``source`` (default: what the file declares).

    Raises:
        PipelineError: with every problem of the first phase that found any.
    """
    declared = Audio(loaded.file.input.rate, loaded.file.input.channels)
    sheet = Sheet(loaded, Problems(found=list(loaded.problems)), source or declared)
    resolve(sheet)
    bypass(sheet)
    if sheet.problems.found:
        keep_sound(sheet)  # go on as far as that goes, so that more mistakes are told at once
        adapt_input(sheet)
    else:
        adapt_input(sheet)
        prune(sheet)
    place(sheet)
    if loaded.typed:
        unify(sheet)
        check_rates(sheet)
    sheet.problems.raise_if_any()
    schedule(sheet)
    return assemble(sheet, order(sheet))
