"""Pipelines that come with voicegraph: YAML files, loadable by name."""
