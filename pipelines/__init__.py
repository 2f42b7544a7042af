"""Pipelines that come with the package, loadable by name, and the recording they are shown with."""
