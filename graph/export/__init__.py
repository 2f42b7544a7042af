"""Networks of nodes as files for other runtimes, each checked against its node before it is kept.

API: ``exportable`` and ``load_network`` find the networks of a plan; ``export_network`` writes one,
``write_bundle`` all of a pipeline with its plan.
"""

from .bundle import write_bundle
from .export import export_network
from .form import FORMS, Form
from .networks import exportable, load_network

__all__ = ["FORMS", "Form", "export_network", "exportable", "load_network", "write_bundle"]
