"""Sessions: the engine that runs a plan, its state, live params, hot swap, snapshots."""

__all__ = [
    "background_writer",
    "engine",
    "fault_recovery",
    "hot_swap",
    "live_params",
    "param_values",
    "running_node",
    "session",
    "snapshot",
    "timing",
    "write_permission",
]
