"""What several folders of tests need: example nodes, and a live session that is served."""

from ..example_nodes import _test_nodes, build, refused
from .served_session import client, idle, live, locked, serve

__all__ = ["_test_nodes", "build", "client", "idle", "live", "locked", "refused", "serve"]
