"""Runs the plan of a bundle, block by block."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from fractions import Fraction

import numpy as np

from voicegraph.graph.errors import PipelineError, Problem
from voicegraph.schemas.bundle import BundleNode, BundlePort

from .content import Content
from .edges import Edge, Reader, Values
from .folder import Bundle
from .network import BundledNetwork
from .pitch import PitchCache, Rmvpe
from .ports import NodeSpec, ref_of, spec_of
from .resample import Resample
from .retrieval import Retrieval
from .sola import Sola
from .voice import RvcVoice

Process = Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]
_PLAIN: Mapping[str, Callable[[NodeSpec], Process]] = {
    "dsp.resample": Resample,
    "dsp.sola": Sola,
    "pitch.cache": PitchCache,
}
_NETWORKS: Mapping[str, Callable[[NodeSpec, BundledNetwork], Process]] = {
    "content.hubert": Content,
    "f0.rmvpe": Rmvpe,
    "synth.rvc": RvcVoice,
}
_RETRIEVAL = "retrieval.faiss"
KNOWN = frozenset((*_PLAIN, *_NETWORKS, _RETRIEVAL))
"""Nodes that this runtime implements."""


def unknown_nodes(bundle: Bundle) -> list[str]:
    """Nodes of a bundle that this runtime does not implement."""
    networks = bundle.manifest.networks
    missing = [f"{node.name} ({node.use})" for node in bundle.plan.nodes if node.use not in KNOWN]
    missing += [
        f"{node.name} ({node.use}) without a network"
        for node in bundle.plan.nodes
        if node.use in _NETWORKS and node.name not in networks
    ]
    return missing


class Runtime:
    """One stream through the plan of a bundle.

    Args:
        bundle: whose files have been checked.
        threads: that each network may use.

    Raises:
        PipelineError: if a node of it is not implemented here, or a package is missing.
        InputError: if a file cannot be used.
    """

    def __init__(self, bundle: Bundle, threads: int = 1) -> None:
        if missing := unknown_nodes(bundle):
            text = f"this runtime does not implement {', '.join(missing)}"
            note = f"it implements {', '.join(sorted(KNOWN))}"
            fix = "voicegraph run PIPELINE IN OUT"
            raise PipelineError(Problem("not-in-runtime", text, notes=((note, None),), fix=fix))
        plan = bundle.plan
        self.bundle, self.block = bundle, Fraction(plan.block)
        self._threads = threads
        self.processes = {node.name: self._process(node) for node in plan.nodes}
        self._values: Values = {}
        self._edges = self._wire()
        output = ref_of(plan.output)
        found = spec_of(self._port(output.node, output.port))
        start = found.index(-Fraction(plan.latency) / found.rate - self.block)
        self._output = (output, start, found.type.time_axis)

    def _process(self, node: BundleNode) -> Process:
        spec = NodeSpec.of(node, self.block)
        if node.use in _PLAIN:
            return _PLAIN[node.use](spec)
        if node.use == _RETRIEVAL:
            return Retrieval(spec, self.bundle.path(str(node.params["index"])))
        described = self.bundle.manifest.networks[node.name]
        network = BundledNetwork(described, self.bundle.path(described.file), self._threads)
        return _NETWORKS[node.use](spec, network)

    def _port(self, node: str, port: str) -> BundlePort:
        plan = self.bundle.plan
        if node == "input":
            return plan.input
        return next(found for found in plan.nodes if found.name == node).outputs[port]

    def _wire(self) -> dict[tuple[str, str], Edge]:
        """An edge for every port that is read."""
        readers: dict[tuple[str, str], list[Reader]] = defaultdict(list)
        for node in self.bundle.plan.nodes:
            for port, link in node.inputs.items():
                source, given = ref_of(link.source), spec_of(link.given)
                reader = Reader((node.name, port), given, link.feedback)
                readers[source.node, source.port].append(reader)
        edges = {}
        for (node, port), found in readers.items():
            edge = edges[node, port] = Edge(spec_of(self._port(node, port)), found, self.block)
            edge.show(self._values)
        return edges

    def tick(self, block: np.ndarray) -> np.ndarray:
        """One block: float32 ``[channels, samples]`` -> the newest block of the output port."""
        made: dict[tuple[str, str], np.ndarray] = {("input", "audio"): block[None]}
        self._deliver(made)
        for node in self.bundle.plan.nodes:
            inputs = {port: self._values[node.name, port] for port in node.inputs}
            outputs = self.processes[node.name](inputs)
            found = {(node.name, port): values for port, values in outputs.items()}
            self._deliver(found)
            made |= found
        (output, start, axis), count = self._output, self.bundle.plan.samples_out
        whole = made[output.node, output.port]
        return whole[(slice(None),) * axis + (slice(start, start + count),)][0]

    def _deliver(self, made: Mapping[tuple[str, str], np.ndarray]) -> None:
        for place, values in made.items():
            if (edge := self._edges.get(place)) is not None:
                edge(self._values, values)
