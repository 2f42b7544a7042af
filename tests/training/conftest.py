"""What makes the voices that come along stands beside the package."""

from __future__ import annotations

import pytest

pytest.importorskip("voicegraph.training", reason="training/ is in checkouts only")
