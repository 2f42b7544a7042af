"""The JSON Schema (draft 2020-12) by which editors complete and check pipeline files.

It is generated from the models of the file and from the registry: the node in ``use:`` decides
which params are allowed. ``python -m voicegraph.app.reports.editor_schema`` updates the file in the
repository; with a file name, it writes a schema that includes installed add-ons.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from pydantic import BaseModel

from voicegraph.graph.loading.document import read_document
from voicegraph.graph.loading.model_fields import examples
from voicegraph.graph.loading.sources import shipped
from voicegraph.graph.loading.values import flow_yaml
from voicegraph.graph.node import Node
from voicegraph.graph.registry import find, names
from voicegraph.schemas.pipeline import IDENTIFIER, InputSpec, NodeSpec, PipelineFile
from voicegraph.schemas.report import NodeInfo

from ._param_descriptions import default
from ._schema_vars import NAME_PATTERN, VAR, VAR_DEFINITION, Schema, plain, tidy, with_vars
from .node_catalogue import describe_class

FILE_NAME = "pipeline.schema.json"
_SOURCES = {"audio": "input", "pitch": "pitch", "features": "content", "mask": "f0.voiced"}
"""Kind of an input -> what the sample of a node reads."""
COMMAND = "python -m voicegraph.app.reports.editor_schema"
_LITERAL = ("version", "description", "extends", "vars", "profiles")
"""Keys below which a dollar sign has no meaning, as in ``graph/loading/_variables.py``."""


def editor_schema(nodes: Iterable[str]) -> Schema:
    """The schema for the given nodes.

    Raises:
        KeyError: if one of them is not registered.
    """
    classes = {name: find(name) for name in sorted(nodes)}
    infos = {name: describe_class(name, cls) for name, cls in classes.items()}
    top = _model(PipelineFile)
    properties = {
        key: value if key in _LITERAL else with_vars(value)
        for key, value in top["properties"].items()
    }
    properties["input"] = {**with_vars(_model(InputSpec)), **words_of(top["properties"]["input"])}
    defs: dict[str, Schema] = {
        "var": VAR_DEFINITION,
        "node": _node(classes, infos),
        "complete_node": _complete_node(infos),
    }
    properties["nodes"] = _nodes(top["properties"]["nodes"])
    for name, cls in classes.items():
        defs.update(_params(name, cls, infos[name]))
    properties["extends"] = {**words_of(top["properties"]["extends"]), "anyOf": _extends()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "voicegraph pipeline",
        "description": top["description"],
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        # A file that extends another may omit what the other has, and remove nodes by null.
        "if": {"properties": {"extends": {"type": "string"}}, "required": ["extends"]},
        "else": {
            "required": top["required"],
            "properties": {"nodes": {"additionalProperties": {"$ref": "#/$defs/complete_node"}}},
        },
        "$defs": defs,
    }


def _model(model: type[BaseModel]) -> Schema:
    """The schema of a model, with defaults in the form of a file."""
    schema = tidy(model.model_json_schema(by_alias=True))
    for name, field in model.model_fields.items():
        found = schema["properties"][field.alias or name]
        if field.is_required() or isinstance(default(field), dict):
            found.pop("default", None)
        else:
            found["default"] = default(field)
    return schema


def _extends() -> list[Schema]:
    """The shipped pipelines by name, or any other text: a path."""
    known = [{"const": name, "description": _purpose(path)} for name, path in shipped().items()]
    return [*known, {"type": "string"}, {"type": "null"}]


def _purpose(path: Path) -> str:
    return str(read_document(path).data.get("description") or f"the pipeline {path.stem}")


def words_of(schema: Schema) -> Schema:
    """Its description and examples."""
    return {key: schema[key] for key in ("description", "examples") if key in schema}


def _nodes(schema: Schema) -> Schema:
    """The mapping of names to nodes."""
    return {
        **words_of(schema),
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"not": {"const": "input"}},
        "patternProperties": {NAME_PATTERN: {"$ref": "#/$defs/node"}},
        "additionalProperties": False,
    }


def _node(classes: dict[str, type[Node]], infos: dict[str, NodeInfo]) -> Schema:
    """One node of any file; null removes a node of the extended file."""
    spec = _model(NodeSpec)
    properties = {key: with_vars(value) for key, value in spec["properties"].items()}
    known = [{"const": n, "description": _about(n, classes[n], i)} for n, i in infos.items()]
    # No other name, so that an editor marks a wrong one. No example: it would show at every node.
    about = spec["properties"]["use"]["description"]
    properties["use"] = {"description": about, "anyOf": [*known, VAR]}
    properties["in"] = {
        **words_of(spec["properties"]["in"]),
        "default": None,
        "anyOf": _any_input(),
    }
    return {
        "description": spec["description"],
        "type": ["object", "null"],
        "properties": properties,
        "additionalProperties": False,
        "allOf": [_rule(name, classes[name], info) for name, info in infos.items()],
    }


@dataclass(frozen=True, slots=True)
class NodeRules:
    """What may be written for a node outside of a pipeline, such as a level of a swap.

    Attributes:
        uses: its names, for ``use``.
        rules: which params belong to which name.
        definitions: of the params.
    """

    uses: list[Schema]
    rules: list[Schema]
    definitions: dict[str, Schema]


def node_rules(nodes: Iterable[str]) -> NodeRules:
    """The rules for nodes of the given names.

    Raises:
        KeyError: if one of them is not registered.
    """
    classes = {name: find(name) for name in nodes}
    infos = {name: describe_class(name, cls) for name, cls in classes.items()}
    rules: list[Schema] = []
    definitions: dict[str, Schema] = {}
    for name, cls in classes.items():
        then = {"properties": {"params": {"$ref": f"#/$defs/params.{name}"}}}
        rules.append({"if": _named(name), "then": then})
        definitions |= _params(name, cls, infos[name])
    uses = [{"const": name, "description": plain(infos[name].summary)} for name in classes]
    return NodeRules(uses, rules, definitions)


_PORT = with_vars(
    {"type": "string", "pattern": rf"^{IDENTIFIER}(\.{IDENTIFIER})?$", "examples": ["input", "f0"]}
)


def _any_input() -> list[Schema]:
    port = {"anyOf": [*_PORT["anyOf"], {"type": "null"}]}
    by_name = {
        "type": "object",
        "patternProperties": {NAME_PATTERN: port},
        "additionalProperties": False,
    }
    return [*_PORT["anyOf"], by_name, {"type": "null"}]


def _named(name: str) -> Schema:
    return {"properties": {"use": {"const": name}}, "required": ["use"]}


def _rule(name: str, cls: type[Node], info: NodeInfo) -> Schema:
    """The rule for the node of one name."""
    properties: dict[str, Schema] = {"params": {"$ref": f"#/$defs/params.{name}"}}
    if list(cls.declared.inputs) == [port.name for port in info.inputs]:
        ports = {port.name: {"description": plain(port.doc or port.kind)} for port in info.inputs}
        properties["in"] = {"properties": ports, "propertyNames": {"enum": list(ports)}}
        if not ports:
            properties["in"] = {"type": "null", "description": f"{name} has no inputs"}
    sample = _sample(name, cls, info)
    then = {"description": plain(f"{name}: {info.summary}"), "examples": [sample]}
    return {"if": _named(name), "then": {**then, "properties": properties}}


def _about(name: str, cls: type[Node], info: NodeInfo) -> str:
    """Summary and sample: an example at ``use`` would be offered as its value."""
    return plain(f"{info.summary} Example: `{flow_yaml(_sample(name, cls, info))}`")


def _sample(name: str, cls: type[Node], info: NodeInfo) -> Schema:
    """A node of this class as it may be written in a file."""
    sources = {port.name: _SOURCES.get(port.kind, port.name) for port in info.inputs}
    sample: Schema = {"use": name}
    if sources:
        sample["in"] = next(iter(sources.values())) if len(sources) == 1 else sources
    if params := _sample_params(cls, info):
        sample["params"] = params
    return sample


def _sample_params(cls: type[Node], info: NodeInfo) -> Schema:
    """Examples of the required params, or the first one that has a default."""
    files = cls.Params.file_fields()
    if required := [param.name for param in info.params if param.required]:
        found = {name: examples(cls.Params, (name,)) for name in required}
        return {n: "PATH" if n in files else e[0] for n, e in found.items() if e or n in files}
    first = next((p for p in info.params if p.default is not None and p.name != "weights"), None)
    return {first.name: first.default} if first is not None else {}


def _complete_node(infos: dict[str, NodeInfo]) -> Schema:
    """What a node needs in a file that extends no other."""
    rules = []
    for name, info in infos.items():
        required = [param.name for param in info.params if param.required]
        if required:
            then = {"required": ["params"], "properties": {"params": {"required": required}}}
            rules.append({"if": _named(name), "then": then})
    inputs = {"additionalProperties": {"type": "string"}}
    return {
        "type": "object",
        "required": ["use"],
        "properties": {"in": inputs},
        "allOf": rules,
    }


def _params(name: str, cls: type[Node], info: NodeInfo) -> dict[str, Schema]:
    """The definitions for one node's params; its nested models become definitions of their own."""
    own = f"params.{name}"
    schema = cls.Params.model_json_schema(ref_template=f"#/$defs/{own}.{{model}}")
    nested = {f"{own}.{key}": with_vars(tidy(v)) for key, v in schema.pop("$defs", {}).items()}
    schema = tidy(schema)
    properties: dict[str, Schema] = {}
    for param in info.params:
        found = dict(schema.get("properties", {})[param.name])
        found.pop("default", None)
        if not param.required:
            found["default"] = param.default
        facts = [param.unit, param.range, "live: may change while it runs" if param.live else None]
        listed = ", ".join(fact for fact in facts if fact)
        found["description"] = plain(f"{param.doc} ({listed})" if listed else param.doc)
        properties[param.name] = with_vars(found)
    made = {
        "description": plain(f"Params of {name}: {info.summary}"),
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
    return {own: made, **nested}


def text(nodes: Iterable[str]) -> str:
    """The schema as the text of a file."""
    return json.dumps(editor_schema(nodes), indent=1, ensure_ascii=False) + "\n"


def builtin() -> list[str]:
    """The nodes of the committed schema: those of the package, without add-ons."""
    from voicegraph.nodes import BUILTIN

    return sorted(BUILTIN)


def committed(name: str = FILE_NAME) -> Path:
    """The path of a committed schema."""
    return Path(str(resources.files("voicegraph.schemas"))) / name


def main(arguments: list[str] | None = None) -> int:
    """Writes the committed schema, or one with all installed nodes to the given file."""
    parser = argparse.ArgumentParser(prog="python -m voicegraph.app.reports.editor_schema")
    parser.add_argument(
        "file", nargs="?", type=Path, help="write a schema with all installed nodes to this file"
    )
    named: Path | None = parser.parse_args(arguments).file
    path = named or committed()
    path.write_text(text(names() if named else builtin()), encoding="utf-8", newline="\n")
    sys.stdout.write(f"wrote {path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
