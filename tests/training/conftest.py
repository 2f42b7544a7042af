"""Tests of the trainings, which are complete in checkouts only."""

from __future__ import annotations

import pytest

pytest.importorskip("voicegraph.training", reason="training/ is in checkouts only")
