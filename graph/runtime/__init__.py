"""Sessions: the engine that runs a plan, its state, live params, hot swap, snapshots."""

__all__ = [
    "background_writer",
    "engine",
    "engine_setup",
    "fault_recovery",
    "hot_swap",
    "live_params",
    "openmp_pool",
    "param_values",
    "port_series",
    "recording_start",
    "running_node",
    "session",
    "snapshot",
    "thread_layout",
    "timing",
    "write_permission",
]
