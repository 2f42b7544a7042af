from .driver.experiment import Experiment as Experiment
from .driver.experiment import swap as swap
from .engines.processes import Processes as Processes
from .engines.ray import Ray as Ray
from .engines.serial import Serial as Serial
from .metric import Condition as Condition
from .metric import Heard as Heard
from .metric import Metric as Metric
from .metric import MetricFamily as MetricFamily
from .metric import Need as Need
from .metric import NotMeasured as NotMeasured
from .metric import Observer as Observer
from .metric import Origin as Origin
from .metric import Params as Params
from .registry import condition as condition
from .registry import family as family
from .registry import metric as metric
from .registry import observer as observer
from .results.run import Run as Run
from .task import Arrays as Arrays

__all__ = [
    "Arrays",
    "Condition",
    "Experiment",
    "Heard",
    "Metric",
    "MetricFamily",
    "Need",
    "NotMeasured",
    "Observer",
    "Origin",
    "Params",
    "Processes",
    "Ray",
    "Run",
    "Serial",
    "condition",
    "family",
    "metric",
    "observer",
    "swap",
]
