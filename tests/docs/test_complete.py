"""The documentation is complete: keys, commands, options, exit codes, dependencies, links."""

from __future__ import annotations

import json
import re
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import typer
from packaging.requirements import Requirement
from pydantic import BaseModel, TypeAdapter
from typer.core import TyperGroup

from voicegraph.app.cli._limit_codes import OUTSIDE
from voicegraph.app.cli.app import COMMANDS, STOPPED, app, main
from voicegraph.app.cli.experiment_run import FAILED
from voicegraph.graph import errors
from voicegraph.graph.comparison.measures import MEASURES
from voicegraph.graph.loading.file_kind import EXPERIMENTS
from voicegraph.graph.loading.load import load_pipeline
from voicegraph.graph.pipeline import Pipeline
from voicegraph.schemas.experiment import ExperimentFile
from voicegraph.schemas.experiment_clips import ClipsSpec, Cut, Draw, TargetSpec
from voicegraph.schemas.experiment_factors import LevelSpec, NodeLevel
from voicegraph.schemas.experiment_measures import Comparison
from voicegraph.schemas.experiment_resources import Resources
from voicegraph.schemas.pipeline import InputSpec, NodeSpec, PipelineFile

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def _rows(page: str, section: str) -> list[list[str]]:
    """The rows of the tables below a heading, cells as written."""
    return [row for table in _tables(page, section) for row in table]


def _tables(page: str, section: str) -> list[list[list[str]]]:
    """The rows of each table below a heading, without its first two."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    below = re.split(rf"^#+ {re.escape(section)}$", text, maxsplit=1, flags=re.MULTILINE)[1]
    below = re.split(r"^#+ ", below, maxsplit=1, flags=re.MULTILINE)[0]
    tables = re.findall(r"(?:^\|.*\n)+", below + "\n", flags=re.MULTILINE)
    return [
        [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
        for table in tables
    ]


def _default(model: type[BaseModel], key: str) -> str:
    field = next(f for name, f in model.model_fields.items() if key in (name, f.alias))
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, InputSpec):
        return f"{value.rate} Hz mono" if value.channels == 1 else str(value)
    if isinstance(value, Fraction):
        value = TypeAdapter(field.rebuild_annotation()).dump_python(value, mode="json")
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


@pytest.mark.parametrize(
    ("section", "model"),
    [("The file", PipelineFile), ("`input`", InputSpec), ("Nodes", NodeSpec)],
    ids=["file", "input", "node"],
)
def test_every_key_is_described(section: str, model: type[BaseModel]) -> None:
    rows = _rows("pipeline-file.md", section)
    keys = [field.alias or name for name, field in model.model_fields.items()]
    assert {key.strip("`") for key, *_ in rows} == set(keys)
    assert {key: default for key, default, _ in rows} == {
        f"`{key}`": _default(model, key) for key in keys
    }


EXPERIMENT_TABLES = [
    ("The file", 0, ExperimentFile),
    ("`clips`", 0, ClipsSpec),
    ("`clips`", 1, Draw),
    ("`clips`", 2, Cut),
    ("`targets`", 0, TargetSpec),
    ("Factors", 0, NodeLevel),
    ("Factors", 1, LevelSpec),
    ("`compare`", 0, Comparison),
    ("Running", 0, Resources),
]


@pytest.mark.parametrize(("section", "number", "model"), EXPERIMENT_TABLES)
def test_every_key_of_an_experiment_is_described(
    section: str, number: int, model: type[BaseModel]
) -> None:
    rows = _tables("experiment-file.md", section)[number]
    defaults = {key.strip("`"): default for key, default, _ in rows}
    keys = {field.alias or name for name, field in model.model_fields.items()}
    assert defaults.keys() == keys
    plain = {key for key, default in defaults.items() if default.startswith(("`", "required"))}
    assert {key: defaults[key] for key in plain} == {key: _default(model, key) for key in plain}
    assert len(keys - plain) <= 4


def test_every_shipped_experiment_is_described() -> None:
    rows = _rows("experiment-file.md", "Experiments that come along")
    assert {name.strip("`") for name, _ in rows} == EXPERIMENTS.shipped().keys()


@pytest.mark.parametrize(
    ("page", "section", "pipelines"),
    [
        ("default-voice.md", "Vars", ["default-live", "default"]),
        ("rvc.md", "Vars", ["rvc"]),
    ],
)
def test_every_var_is_described(page: str, section: str, pipelines: list[str]) -> None:
    """Names and defaults of each pipeline, in its order."""
    rows = [row for row in _rows(page, section) if len(row) == len(pipelines) + 2]
    for column, pipeline in enumerate(pipelines, start=1):
        described = [
            pair
            for row in rows
            for pair in zip(row[0].split(", "), row[column].split(", "), strict=True)
        ]
        found = load_pipeline(pipeline, keep_going=True).file.vars
        assert described == [(f"`{name}`", _shown(value)) for name, value in found.items()]


def _shown(value: Any) -> str:
    if value == "required":
        return "required"
    words = {None: "null", True: "true", False: "false"}
    return f"`{words[value] if value is None or isinstance(value, bool) else value}`"


def test_every_live_param_of_the_bundled_voices_is_described() -> None:
    text = (ROOT / "docs" / "default-voice.md").read_text(encoding="utf-8")
    described = re.findall(
        r"`(\w+\.\w+)`", text.partition("`session.set` changes")[2].partition(".\n")[0]
    )
    for pipeline in ("default", "default-live"):
        nodes = Pipeline.load(pipeline).compile().nodes
        assert described == [
            f"{planned.name}.{name}"
            for planned in nodes
            for name in sorted(planned.node.Params.live_fields())
        ]


def test_every_command_is_described() -> None:
    text = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    found = re.findall(r"^## `voicegraph ([\w ]+)`", text, re.MULTILINE)
    assert found == [_words(name) for name in COMMANDS]


def _words(module: str) -> str:
    """The command of a module; the module ``app`` is the frame, so the command has another one."""
    return module.removesuffix("_command").replace("_", " ")


def _options(section: str) -> set[str]:
    """The options that the table of a section describes."""
    cells = [row[0] for row in _rows("command-line.md", section)]
    return {name for cell in cells for name in re.findall(r"--[a-z][a-z-]*", cell)}


def _offered(command: Any) -> set[str]:
    """The options that a command takes, or those below it; none may be missing from its table."""
    if isinstance(command, TyperGroup) and command.commands and command.name != "voicegraph":
        return set().union(*(_offered(below) for below in command.commands.values()))
    names = {name for param in command.params for name in [*param.opts, *param.secondary_opts]}
    return {name for name in names if name.startswith("--")} - {"--help"}


def _command(program: TyperGroup, name: str) -> Any:
    """``experiment_run`` is the command ``run`` of the group ``experiment``."""
    found: Any = program
    for part in _words(name).split():
        found = found.commands[part]
    return found


@pytest.fixture(scope="module")
def program() -> TyperGroup:
    """The command line as typer has it, all commands registered."""
    main(["--version"])
    found = typer.main.get_command(app)
    assert isinstance(found, TyperGroup)
    return found


@pytest.mark.parametrize(
    "command", [name for name in COMMANDS if name not in ("experiment", "voice")]
)
def test_every_option_is_described(command: str, program: TyperGroup) -> None:
    section = f"`voicegraph {_words(command)}`"
    assert _options(section) == _offered(_command(program, command))


def test_every_program_option_is_described(program: TyperGroup) -> None:
    assert _options("Everywhere") - {"--help"} == _offered(program)


def test_exit_codes_are_those_of_the_errors() -> None:
    codes = {code.strip("`") for code, _ in _rows("command-line.md", "Exit codes")}
    assert "128 + n" in codes  # signals
    classes = [
        cls
        for cls in vars(errors).values()
        if isinstance(cls, type) and issubclass(cls, errors.VoicegraphError)
    ]
    numbers = {0, STOPPED, OUTSIDE, FAILED, *(cls.exit_code for cls in classes)}
    assert codes - {"128 + n"} == {str(number) for number in numbers}


def test_links_lead_somewhere() -> None:
    broken = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", text):
            target = "".join(target)
            path, _, anchor = target.partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            other = page.parent / path if path else page
            if not other.exists() or (anchor and anchor not in _anchors(other)):
                broken.append(f"{page.name}: {target}")
    assert broken == []


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _requirements() -> dict[str, list[Requirement]]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    groups = {"": project["dependencies"], **project["optional-dependencies"]}
    parsed = {name: [Requirement(text) for text in found] for name, found in groups.items()}
    return {name: [r for r in found if r.name != "voicegraph"] for name, found in parsed.items()}


def test_every_dependency_is_justified() -> None:
    wanted = {found.name.lower() for group in _requirements().values() for found in group}
    sections = ("To run", "Extras", "To develop (extra `dev`)")
    cells = [row[0] for section in sections for row in _rows("dependencies.md", section)]
    assert {name for cell in cells for name in re.findall(r"`([\w-]+)`", cell)} == wanted


def test_constraints_pin_every_dependency() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    wanted = {r.name.lower(): r.specifier for group in _requirements().values() for r in group}
    assert pinned.keys() == wanted.keys()
    assert [name for name, spec in wanted.items() if not spec.contains(pinned[name])] == []


def test_ci_runs_the_readme_commands() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```bash\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    typed = re.findall(r"^python -m pip install .*$", "\n".join(blocks), re.MULTILINE)
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert len(typed) == 2
    assert [line for line in typed if f"run '{line}'" not in script] == []


def test_every_measure_is_described() -> None:
    rows = _rows("compare.md", "Measures")
    assert {name.strip("`"): unit for name, unit, *_ in rows} == {
        measure.name: measure.unit or "-" for measure in MEASURES.values()
    }
