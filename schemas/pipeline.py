"""The pipeline file: how YAML wires nodes into a pipeline.

These models define the file format. The compiler checks the rest: which nodes exist, which params
each of them has, and whether types and rates fit.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
)

from voicegraph.schemas.quantities import Duration, Rate

IDENTIFIER = r"[a-z][a-z0-9_]*"
"""Names of nodes, ports, vars and assets."""


def _not_input(name: str) -> str:
    if name == "input":
        raise ValueError("input is the pipeline's own input: give the node another name")
    return name


def _scalar(value: Any) -> Any:
    if value is None or isinstance(value, (str, int, float)):
        return value
    kind = "a mapping" if isinstance(value, dict) else "a list"
    found = kind if isinstance(value, (dict, list)) else repr(value)
    raise ValueError(f"expected one value (text, a number, true, false or null), found {found}")


def _switch(value: Any) -> Any:
    """Refuses ``off`` and ``no``: in YAML 1.2 they are text, which would count as true."""
    if isinstance(value, str) and value.strip().lower() in {"false", "off", "no", "null", "none"}:
        raise ValueError(f"{value!r} is text, which counts as true: write false")
    return value


def whole_version(value: Any) -> Any:
    """Refuses ``1.0`` and ``true``, which pydantic would take for 1."""
    if isinstance(value, (bool, float)):
        raise ValueError(f"expected 1, found {str(value).lower()}")
    return value


def _shape_of_inputs(value: Any) -> str | None:
    shapes = {str: "one", dict: "many", type(None): "none"}
    return shapes.get(type(value))


NodeName = Annotated[
    str,
    Field(pattern=f"^{IDENTIFIER}$", examples=["to16k", "f0"]),
    AfterValidator(_not_input),
]
"""Name of a node inside its pipeline."""

Name = Annotated[str, Field(pattern=f"^{IDENTIFIER}$", examples=["voice", "index_rate"])]
"""Name of a var, an asset or an input port."""

PortRef = Annotated[
    str,
    Field(pattern=rf"^{IDENTIFIER}(\.{IDENTIFIER})?$", examples=["input", "f0", "f0.voiced"]),
]
"""``node`` (its first output) or ``node.port``."""

Scalar = Annotated[str | int | float | bool | None, BeforeValidator(_scalar)]
"""One value that is neither a mapping nor a list."""

Inputs = Annotated[
    Annotated[PortRef, Tag("one")]
    | Annotated[dict[Name, PortRef], Tag("many")]
    | Annotated[None, Tag("none")],
    Discriminator(
        _shape_of_inputs,
        custom_error_type="inputs_type",
        custom_error_message="expected an output such as to16k, or a mapping of inputs to outputs",
    ),
]
"""The sources of a node: one output for its first input, or an output for each input by name."""


class _FileModel(BaseModel):
    """Base of the models of this file: strict, frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", validate_default=True)


class InputSpec(_FileModel):
    """The audio that the pipeline takes. Other files and devices are adapted by visible nodes."""

    rate: Rate = Field(
        default=Fraction(48000),
        description="sample rate of the pipeline's input, in Hz",
        examples=[48000],
    )
    channels: int = Field(
        default=1, ge=1, le=64, description="channels of the pipeline's input", examples=[1]
    )


class NodeSpec(_FileModel):
    """One node of the graph: its class, sources, device and params."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"use": "dsp.gain", "in": "input"}]})

    use: str = Field(
        pattern=rf"^{IDENTIFIER}\.{IDENTIFIER}$",
        description="the kind of node, as family.name; `voicegraph nodes` lists them",
        examples=["f0.harvest"],
    )
    inputs: Inputs = Field(
        None,
        alias="in",
        description="sources of the node: an output (`to16k`, `f0.voiced`) for its first input, or "
        "a mapping of its inputs to outputs",
        examples=["to16k"],
    )
    enabled: Annotated[Scalar, BeforeValidator(_switch)] = Field(
        True,
        description="null, false, 0 or empty text passes the input through; anything else runs the "
        "node, so that `$index` switches it on by naming a file",
        examples=[False, True, "$index"],
    )
    device: str = Field(
        "cpu",
        pattern=r"^(cpu|mps|(cuda|xpu)(:[0-9]+)?)$",
        description="where the node runs, as torch names it: cpu, cuda or cuda:N (NVIDIA, AMD), "
        "mps (Apple), xpu or xpu:N (Intel)",
        examples=["cpu", "cuda", "cuda:1", "mps", "xpu:0"],
    )
    fallback: Literal["cpu"] | None = Field(
        None,
        description="where the node runs if its device is missing; null makes that an error",
        examples=["cpu"],
    )
    dtype: Literal["auto", "float32", "float16", "bfloat16", "int8"] = Field(
        "float32",
        description="precision of the node's computation; auto takes bfloat16 or int8 where a "
        "trial at load shows that it is faster on this processor, and float32 else",
        examples=["auto"],
    )
    params: dict[str, Any] = Field(
        default_factory=dict,
        description="the node's own params; `voicegraph nodes NAME` shows them",
        examples=[{"rate": 16000}],
    )


class PipelineFile(_FileModel):
    """A pipeline: nodes connected by their inputs, and the block in which they run."""

    version: Annotated[Literal[1], BeforeValidator(whole_version)] = Field(
        1, description="version of this file format", examples=[1]
    )
    description: str | None = Field(None, description="what the pipeline does", examples=["text"])
    extends: str | None = Field(
        None,
        description="the pipeline that this one changes: name of a shipped one, or a path relative "
        "to this file. Mappings merge, other values replace, null removes a node",
        examples=["rvc"],
    )
    block: Duration = Field(
        gt=0,
        description="the block of the pipeline: every node runs once per block",
        examples=["10ms"],
    )
    vars: dict[Name, Annotated[Scalar, Field(examples=["required"])]] = Field(
        default_factory=dict,
        description="values by name, used as `$name` or `${name}`; `required` must be given with "
        "`--set vars.name=...`",
        examples=[{"voice": "required"}],
    )
    assets: dict[Name, Annotated[str, Field(min_length=1, examples=["hubert.pt"])] | None] = Field(
        default_factory=dict,
        description="files by name, for the nodes' `weights`; `required` must be given with "
        "`--set assets.name=PATH`, null means that there is none",
        examples=[{"hubert": "hubert.pt"}],
    )
    input: InputSpec = Field(
        default_factory=InputSpec,
        description="the audio that the pipeline takes",
        examples=[{"rate": 48000, "channels": 1}],
    )
    nodes: dict[NodeName, NodeSpec] = Field(
        min_length=1,
        description="the nodes by name, in any order",
        examples=[{"quieter": {"use": "dsp.gain", "in": "input", "params": {"db": -6}}}],
    )
    output: PortRef = Field(
        description="the output of the pipeline: a node, or node.port", examples=["quieter"]
    )
    profiles: dict[str, Annotated[dict[str, Any], Field(examples=[{"block": "5ms"}])]] = Field(
        default_factory=dict,
        description="named sets of overrides: dotted path -> value; chosen with `--profile`",
        examples=[{"fast": {"block": "5ms"}}],
    )
    seed: int = Field(0, ge=0, le=2**63 - 1, description="seed of everything random", examples=[0])
    threads: int | None = Field(
        None,
        ge=1,
        le=1024,
        description="number of threads of PyTorch; null keeps its default",
        examples=[1],
    )
    on_nan: Literal["error", "silence"] = Field(
        "error",
        description="what happens on NaN or infinite values: stop, or replace them by silence",
        examples=["error"],
    )
    on_late: Literal["fade", "silence", "dry"] = Field(
        "fade",
        description="what is played when a block is late: a fade to silence, silence, or the input",
        examples=["fade"],
    )
