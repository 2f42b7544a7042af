"""Reports on plans and nodes: explain, diff, tables, parameter descriptions, editor schema."""

__all__ = [
    "comparison_text",
    "device_table",
    "drawing",
    "editor_schema",
    "experiment_schema",
    "explain",
    "file_list",
    "index_text",
    "metric_catalogue",
    "node_catalogue",
    "plan_diff",
    "plan_report",
    "replay_text",
    "run_difference_text",
    "setup_lines",
    "text_table",
]
