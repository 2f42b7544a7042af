"""The experiment file: loads YAML by the pipeline files' machinery into validated models."""

__all__: list[str] = []
