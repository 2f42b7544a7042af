"""Writes a bundle: everything that another program needs to run a pipeline, and to check itself."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from voicegraph.schemas.bundle import (
    MANIFEST,
    PLAN,
    BundleManifest,
    BundleNetwork,
    BundleReport,
    BundleTensor,
)
from voicegraph.schemas.export_report import ExportDtype, ExportReport, TensorReport

from ..optional_packages import version_of
from ..pipeline import Pipeline, Plan
from ..plan import PlannedNode
from ..startup_stages import begin_stage
from ._bundle_folder import check_folder, folder_in_place, hashed
from ._bundle_values import network_values, plan_values, write_arrays
from .bundle_plan import bundle_plan
from .export import export_network
from .form import FORMS
from .networks import exportable, load_network

_PACKAGES = ("torch", "onnx", "onnxscript")
_BLOCKS = "checks/plan/blocks.npz"


def write_bundle(
    pipeline: Pipeline,
    folder: Path,
    *,
    form: str = "onnx",
    dtype: ExportDtype = "float32",
    force: bool = False,
) -> BundleReport:
    """Writes a bundle into a folder that appears when it is complete.

    The values in it are those of the pipeline in float32 on the CPU, whatever its file says.

    Args:
        pipeline: to be bundled.
        folder: to be made.
        form: of the networks, one of ``FORMS``.
        dtype: of their weights.
        force: replace an existing bundle.

    Raises:
        PipelineError: if the pipeline does not compile, or a network has not this precision.
        ExportError: if a network cannot be written in this form, or differs from its node.
        OutputError: if the folder exists, or cannot be written.
    """
    FORMS[form].require()
    check_folder(folder, force)
    exact = _in_float32(pipeline)
    with folder_in_place(folder, force) as made:
        writer = _Writer(exact, made, form, dtype)
        writer.write()
        files = [file for file in made.rglob("*") if file.is_file()]
        return BundleReport(
            path=str(folder),
            pipeline=writer.plan.name,
            hash=writer.plan.hash,
            networks=writer.reports,
            without_network=writer.without_network,
            size_bytes=sum(file.stat().st_size for file in files),
        )


def _in_float32(pipeline: Pipeline) -> Pipeline:
    """The pipeline with every node in float32 on the CPU."""
    wanted = {
        f"nodes.{planned.name}.{key}": value
        for planned in pipeline.compile().nodes
        for key, value in (("dtype", "float32"), ("device", "cpu"))
        if getattr(planned, key) != value
    }
    return pipeline.changed(wanted) if wanted else pipeline


class _Writer:
    """The parts of one bundle."""

    def __init__(self, pipeline: Pipeline, folder: Path, form: str, dtype: ExportDtype) -> None:
        self.pipeline, self.folder = pipeline, folder
        self.form = form
        self.dtype: ExportDtype = dtype
        self.plan: Plan = pipeline.compile()
        self.reports: list[ExportReport] = []
        self.networks: dict[str, BundleNetwork] = {}
        self.files: dict[str, str] = {}

    @property
    def without_network(self) -> list[str]:
        """Nodes that have none."""
        return [node.name for node in self.plan.nodes if node.name not in self.networks]

    def write(self) -> None:
        """Writes everything; the manifest last."""
        for name in exportable(self.plan):
            self._network(name)
        for planned in self.plan.nodes:
            self._files(planned)
        checks = self._checks()
        files = {name: network.file for name, network in self.networks.items()}
        described = bundle_plan(self.plan, files, self.files)
        _write(self.folder / PLAN, described.model_dump_json(indent=1))
        versions = {name: version_of(name) for name in _PACKAGES}
        manifest = BundleManifest(
            pipeline=self.plan.name,
            hash=self.plan.hash,
            made_with={
                "voicegraph": metadata.version("voicegraph"),
                **{name: version for name, version in versions.items() if version},
            },
            networks=self.networks,
            without_network=self.without_network,
            checks=checks,
            blocks=_BLOCKS,
            files=list(hashed(self.folder)),
        )
        _write(self.folder / MANIFEST, manifest.model_dump_json(indent=1))

    def _network(self, name: str) -> None:
        """Writes the network of a node, and values of one call."""
        file = f"networks/{name}{FORMS[self.form].endings[0]}"
        (self.folder / file).parent.mkdir(exist_ok=True)
        report = export_network(
            self.plan, name, self.folder / file, form=self.form, dtype=self.dtype
        )
        network = load_network(self.plan, name)  # anew: of one with state, the stream has begun
        check, begin = f"checks/networks/{name}.npz", None
        write_arrays(self.folder / check, network_values(network))
        if network.state:
            begin = f"networks/{name}.begin.npz"
            held = {key: value.numpy() for key, value in network.state.items()}
            write_arrays(self.folder / begin, held)
        self.reports.append(report.model_copy(update={"path": file}))
        self.networks[name] = BundleNetwork(
            file=file,
            form=self.form,
            inputs=_tensors(report.inputs),
            outputs=_tensors(report.outputs),
            state=_tensors(report.state),
            check=check,
            begin=begin,
        )

    def _files(self, planned: PlannedNode) -> None:
        """Writes the files that a node says other programs need."""
        for param, held in planned.node.exported_files(planned.params).items():
            name = f"files/{planned.name}.{param}{held.ending}"
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(held.contents)
            self.files[f"{planned.name}.{param}"] = name

    def _checks(self) -> dict[str, str]:
        """Writes the first blocks, and one block of every node; their files by node."""
        begin_stage("running the first blocks")
        blocks, nodes = plan_values(self.pipeline.compile())
        write_arrays(self.folder / _BLOCKS, blocks)
        checks = {name: f"checks/nodes/{name}.npz" for name in nodes}
        for name, arrays in nodes.items():
            write_arrays(self.folder / checks[name], arrays)
        return checks


def _tensors(reports: list[TensorReport]) -> dict[str, BundleTensor]:
    return {
        tensor.name: BundleTensor(
            axes=list(tensor.axes), dtype=tensor.dtype, description=tensor.description
        )
        for tensor in reports
    }


def _write(path: Path, text: str) -> None:
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
