"""Results: tables, manifest and the Python interface of a finished run."""

__all__ = [
    "chosen",
    "contrasts",
    "difference",
    "export_csv",
    "export_mlflow",
    "export_scp",
    "markdown",
    "means",
    "run",
    "sentences",
    "summary",
    "tables",
    "test_table",
    "write_run",
]
