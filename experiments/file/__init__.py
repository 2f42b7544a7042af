"""The experiment file: loads YAML by the pipeline files' machinery into validated models."""

__all__ = ["cell_pattern", "factor_levels", "kind", "load", "loaded_experiment"]
