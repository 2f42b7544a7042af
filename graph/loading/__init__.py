"""From YAML text or Python keys to a validated pipeline in which every value knows its place."""

from .load import LoadedPipeline as LoadedPipeline
from .load import load_mapping as load_mapping
from .load import load_pipeline as load_pipeline
