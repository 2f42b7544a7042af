"""The JSON Schema (draft 2020-12) by which editors complete and check experiment files.

It is generated from the models of the file, the nodes (levels of a swap), and the shipped metrics
and conditions. ``python -m voicegraph.app.reports.experiment_schema`` updates the file in the
repository; with a file name, it writes a schema that includes nodes of installed add-ons.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from voicegraph.experiments import conditions, metrics
from voicegraph.experiments.file.kind import EXPERIMENT, MERGE_KEY
from voicegraph.experiments.metric import Condition, MetricFamily, Params
from voicegraph.graph.loading.document import read_document
from voicegraph.graph.loading.file_kind import EXPERIMENTS, PIPELINES, Family
from voicegraph.graph.registry import names
from voicegraph.schemas.experiment import ExperimentFile
from voicegraph.schemas.experiment_factors import LevelSpec, NodeLevel, SwapFactor, ValuesFactor
from voicegraph.schemas.experiment_measures import OPTIONAL
from voicegraph.schemas.experiment_values import LEVEL

from ._param_descriptions import default
from ._schema_vars import NAME_PATTERN, VAR, VAR_DEFINITION, Schema, plain, tidy, with_vars
from .editor_schema import builtin, committed, node_rules, words_of

FILE_NAME = "experiment.schema.json"
COMMAND = "python -m voicegraph.app.reports.experiment_schema"
_LITERAL = ("version", "description", "extends", "vars", "profiles")
"""Keys below which a dollar sign has no meaning."""
_LEVEL_PATTERN = f"^(?!{MERGE_KEY}$){LEVEL}$"
_KEEPS: Schema = {"const": True, "description": "keep the levels of the extended experiment"}


def experiment_schema(nodes: Iterable[str]) -> Schema:
    """The schema, with the given nodes as levels of swaps.

    Raises:
        KeyError: if one of them is not registered.
    """
    top = _model(ExperimentFile)
    properties = {
        key: value if key in _LITERAL else with_vars(value)
        for key, value in top["properties"].items()
    }
    about = {key: words_of(value) for key, value in properties.items()}
    properties["factors"] = {
        **about["factors"],
        "type": "object",
        "patternProperties": {NAME_PATTERN: {"$ref": "#/$defs/factor"}},
        "additionalProperties": False,
    }
    properties["metrics"] = {**about["metrics"], "type": "array", "minItems": 1,
                             "items": {"$ref": "#/$defs/metric"}}  # fmt: skip
    properties["extends"] = {**about["extends"], "anyOf": _shipped(EXPERIMENTS, "the experiment")}
    properties["pipeline"] = {**about["pipeline"], "anyOf": _shipped(PIPELINES, "the pipeline")}
    own = {name: with_vars(schema) for name, schema in top["$defs"].items()}
    compared = own["Comparison"]["properties"]["metrics"]["anyOf"]
    compared.append({"type": "array", "items": {"type": "string"}})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "voicegraph experiment",
        "description": top["description"],
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        # A file that extends another may omit what the other has, and remove factors by null.
        "if": {"properties": {"extends": {"type": "string"}}, "required": ["extends"]},
        "else": {"required": top["required"]},
        "$defs": {**own, "var": VAR_DEFINITION, **_factors(nodes), **_metrics(), **_conditions()},
    }


def _model(model: type[BaseModel]) -> Schema:
    """The schema of a model, with defaults in the form of a file and its models as definitions."""
    schema = model.model_json_schema(by_alias=True)
    schema = {**tidy(schema), "$defs": {k: tidy(v) for k, v in schema.get("$defs", {}).items()}}
    for name, field in model.model_fields.items():
        found = schema["properties"][field.alias or name]
        if not field.is_required() and not isinstance(default(field), (dict, list)):
            found["default"] = default(field)
        else:
            found.pop("default", None)
    return schema


def _shipped(family: Family, what: str) -> list[Schema]:
    """Files that come along by name, or any other text: a path."""
    known = [
        {"const": name, "description": str(_description(path) or f"{what} {name}")}
        for name, path in family.shipped().items()
    ]
    return [*known, {"type": "string"}, {"type": "null"}]


def _description(path: Path) -> Any:
    from voicegraph.graph.loading.file_kind import PIPELINE

    kind = EXPERIMENT if path.parent == EXPERIMENTS.folder else PIPELINE
    return read_document(path, kind=kind).data.get("description")


# ---- factors --------------------------------------------------------------------------------


def _factors(nodes: Iterable[str]) -> dict[str, Schema]:
    """Definitions of factors and levels."""
    rules = node_rules(sorted(nodes))
    levels = {"type": "object", "minProperties": 1, "additionalProperties": False}
    swap, values = _part(SwapFactor), _part(ValuesFactor)
    swap["properties"]["levels"] = {
        **words_of(swap["properties"]["levels"]),
        **levels,
        "patternProperties": {_LEVEL_PATTERN: {"$ref": "#/$defs/swap_level"}},
    }
    swap["properties"][MERGE_KEY] = _KEEPS
    swap["required"] = ["levels"]  # an extended experiment may say what is swapped
    plain_levels = {
        **levels,
        "properties": {MERGE_KEY: _KEEPS},
        "description": "levels by name: systems, overrides, or conditions of the clip",
        "not": {"anyOf": [{"required": ["swap"]}, {"required": ["values"]}]},
        "patternProperties": {_LEVEL_PATTERN: {"$ref": "#/$defs/level"}},
    }
    node = _part(NodeLevel)
    node["properties"]["use"] = {**words_of(node["properties"]["use"]), "anyOf": [*rules.uses, VAR]}
    node["allOf"] = rules.rules
    level = _part(LevelSpec)
    shipped = _shipped(PIPELINES, "the pipeline")
    level["properties"]["pipeline"] = {
        **words_of(level["properties"]["pipeline"]), "anyOf": shipped[:-1]
    }  # fmt: skip
    return {
        # `if` and not `anyOf`: an editor then names the key that is wrong.
        "factor": {
            "type": ["object", "null"],
            "description": "what varies: a node ({swap, levels}), a value ({set, values}), or "
            "whatever its levels say",
            "if": _either("swap", "levels"),
            "then": swap,
            "else": {"if": {"required": ["values"]}, "then": values, "else": plain_levels},
        },
        "swap_level": {"anyOf": [*rules.uses, VAR, node, {"type": "null"}]},
        "level": {
            "if": {"type": "object", **_either(*level["properties"])},
            "then": level,
            "else": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/condition"},
                               {"type": "array", "items": {"$ref": "#/$defs/condition"},
                                "minItems": 1}, VAR]},
        },
        **rules.definitions,
    }  # fmt: skip


def _part(model: type[BaseModel]) -> Schema:
    """A model inside the file, without definitions of its own."""
    schema = with_vars(_model(model))
    schema.pop("$defs", None)
    return schema


def _either(*keys: str) -> Schema:
    return {"anyOf": [{"required": [key]} for key in keys]}


# ---- plug-ins -------------------------------------------------------------------------------


def _metrics() -> dict[str, Schema]:
    """Definitions of metrics: shipped families with their params, and any other name."""
    families = {name: metrics.find(name) for name in sorted(metrics.BUILTIN)}
    defs: dict[str, Schema] = {}
    properties: dict[str, Schema] = {}
    for name, family in families.items():
        defs |= _params(f"metric.{name}", family.text, family.params)
        whole = {"$ref": f"#/$defs/metric.{name}"}
        first = _first(defs[f"metric.{name}"], family)
        members = [whole, *first, {"type": "null"}]
        properties[name] = {"description": plain(family.text), "anyOf": members}
    optional = {"type": "boolean", "description": "leave it out, with a warning, if a package that "
                "it needs is missing", "default": False}  # fmt: skip
    known = [{"const": name, "description": plain(f.text)} for name, f in families.items()]
    return {
        **defs,
        "metric": {
            "anyOf": [
                *known,
                {"type": "string"},
                {
                    "type": "object",
                    "properties": {**properties, OPTIONAL: optional},
                    "minProperties": 1,
                    "maxProperties": 2,
                },
            ]
        },
    }


def _first(schema: Schema, family: type[MetricFamily]) -> list[Schema]:
    """The schema of a value that is no mapping: the family's first param."""
    fields = list(family.params.model_fields)
    if not fields:
        return []
    value = schema["properties"][fields[0]]
    return [{key: part for key, part in value.items() if key not in ("default", "description")}]


def _conditions() -> dict[str, Schema]:
    """Definitions of conditions: shipped ones with their params, and those of other names."""
    known: Mapping[str, type[Condition]] = {
        name: conditions.find(name) for name in sorted(conditions.BUILTIN)
    }
    defs: dict[str, Schema] = {}
    for name, condition in known.items():
        defs |= _params(f"condition.{name}", condition.text, condition.params)
        defs[f"condition.{name}"]["required"] = sorted(
            {name, *defs[f"condition.{name}"].get("required", [])}
        )
    others = {"type": "object", "minProperties": 1, "not": _either(*known)}
    return {
        **defs,
        "condition": {
            "description": "a condition of the clip: its first key names it",
            "anyOf": [*({"$ref": f"#/$defs/condition.{name}"} for name in known), others],
        },
    }


def _params(own: str, about: str, model: type[Params]) -> dict[str, Schema]:
    """The definitions of a plug-in's params; its nested models become definitions of their own."""
    schema = model.model_json_schema(ref_template=f"#/$defs/{own}.{{model}}")
    nested = {f"{own}.{key}": with_vars(tidy(v)) for key, v in schema.pop("$defs", {}).items()}
    schema = tidy(schema)
    schema["description"] = plain(about)
    schema.setdefault("properties", {})
    return {own: with_vars(schema), **nested}


def text(nodes: Iterable[str]) -> str:
    """The schema as the text of a file."""
    return json.dumps(experiment_schema(nodes), indent=1, ensure_ascii=False) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Writes the committed schema, or one with all installed nodes to the given file."""
    parser = argparse.ArgumentParser(prog=COMMAND)
    parser.add_argument(
        "file", nargs="?", type=Path, help="write a schema with all installed nodes to this file"
    )
    named: Path | None = parser.parse_args(arguments).file
    path = named or committed(FILE_NAME)
    path.write_text(text(names() if named else builtin()), encoding="utf-8", newline="\n")
    sys.stdout.write(f"wrote {path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
