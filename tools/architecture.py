"""Reads the architecture off the imports: which folder imports which.

    python tools/architecture.py            # brings the picture in docs/design.md up to date
    python tools/architecture.py --check    # fails if it is not

Every import counts: those under TYPE_CHECKING and those inside functions, too. The picture leaves
out arrows that follow from others (transitive reduction). ``tests/test_architecture.py`` holds the
arrows against the allowed ones.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("schemas", "graph", "nodes", "pipelines", "experiments", "app", "training")
PAGE = ROOT / "docs" / "design.md"
DATA = "app/sdk/hosts"
"""Programs that are copied to users; no part of the package."""
BEGIN, END = "<!-- architecture: begin -->", "<!-- architecture: end -->"
Module = tuple[str, ...]
Arrows = dict[str, set[str]]


def source_files() -> list[Path]:
    """Every Python file of the package, the front (``__init__.py``, ``__main__.py``) included."""
    front = [ROOT / "__init__.py", ROOT / "__main__.py"]
    inside = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
    return front + [path for path in inside if folder_of(path) != DATA]


def module_of(path: Path) -> Module:
    """The parts of a file's module path below ``voicegraph``."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def folder_of(path: Path) -> str:
    """The folder of a file as the pages write it; ``.`` for the front."""
    return path.relative_to(ROOT).parent.as_posix()


def imports(path: Path) -> Iterator[tuple[int, Module]]:
    """Line and target of each import of our own, as parts below ``voicegraph``."""
    package = path.relative_to(ROOT).parent.parts
    for found in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(found, ast.ImportFrom):
            module = tuple(found.module.split(".")) if found.module else ()
            if found.level:
                module = ("voicegraph", *package[: len(package) - found.level + 1], *module)
            targets = [(*module, alias.name) for alias in found.names]
        elif isinstance(found, ast.Import):
            targets = [tuple(alias.name.split(".")) for alias in found.names]
        else:
            continue
        for target in targets:
            if target[:1] == ("voicegraph",):
                yield found.lineno, target[1:]


def file_arrows() -> dict[Path, set[Path]]:
    """Which file imports which."""
    files = {module_of(path): path for path in source_files()}
    arrows: dict[Path, set[Path]] = defaultdict(set)
    for path in files.values():
        for _, target in imports(path):
            found = files.get(target) or files.get(target[:-1])
            if found is not None and found != path:
                arrows[path].add(found)
    return dict(arrows)


def folder_arrows() -> Arrows:
    """Which folder imports which."""
    arrows: Arrows = defaultdict(set)
    for path, targets in file_arrows().items():
        for target in targets:
            if folder_of(target) != folder_of(path):
                arrows[folder_of(path)].add(folder_of(target))
    return dict(arrows)


def cycles(arrows: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Groups whose members reach each other: strongly connected components (R. Tarjan, 1972)."""
    index: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = lowest[name] = len(index)
        stack.append(name)
        for target in sorted(arrows.get(name, ())):
            if target not in index:
                visit(target)
                lowest[name] = min(lowest[name], lowest[target])
            elif target in stack:
                lowest[name] = min(lowest[name], index[target])
        if lowest[name] == index[name]:
            group = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(group) > 1:
                found.append(sorted(group))

    for name in sorted(arrows):
        if name not in index:
            visit(name)
    return sorted(found)


def reachable(arrows: Mapping[str, Iterable[str]], start: str) -> set[str]:
    """Everything that ``start`` imports, directly or not."""
    seen: set[str] = set()
    waiting = list(arrows.get(start, ()))
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(arrows.get(name, ()))
    return seen


def reduced(arrows: Arrows) -> Arrows:
    """The arrows without those that follow from others; ``arrows`` must have no cycle."""
    return {
        name: {
            target
            for target in targets
            if not any(target in reachable(arrows, other) for other in targets if other != target)
        }
        for name, targets in arrows.items()
    }


def mermaid() -> str:
    """The picture: rooms as boxes, folders in them, arrows from who imports to who is imported."""
    arrows = reduced(folder_arrows())
    folders = sorted({folder_of(path) for path in source_files()})
    names = {folder: f"n{i}" for i, folder in enumerate(folders)}
    lines = ["```mermaid", "flowchart TD"]
    for room in (".", *ROOMS):
        inside = [f for f in folders if f == room or f.startswith(f"{room}/")]
        title = "voicegraph" if room == "." else room
        if len(inside) == 1:
            lines.append(f'  {names[inside[0]]}["{title}"]')
            continue
        lines.append(f'  subgraph {room}["{room}/"]')
        lines += [f'    {names[f]}["{f.removeprefix(room + "/")}"]' for f in inside]
        lines.append("  end")
    for folder in folders:
        lines += [f"  {names[folder]} --> {names[t]}" for t in sorted(arrows.get(folder, ()))]
    return "\n".join([*lines, "```"])


def updated_page(page: str) -> str:
    """The text of ``docs/design.md`` with the picture as it is now.

    Raises:
        ValueError: if the page has no place for it.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"docs/design.md has no {BEGIN} ... {END}")
    return f"{before}{BEGIN}\n{mermaid()}\n{END}{after}"


def main() -> int:
    """The command line; 1 where ``--check`` finds an old picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    chosen = parser.parse_args()
    page = PAGE.read_text(encoding="utf-8")
    new = updated_page(page)
    if new == page:
        print("docs/design.md: up to date")
        return 0
    if chosen.check:
        print("docs/design.md: old picture\n  fix: python tools/architecture.py", file=sys.stderr)
        return 1
    PAGE.write_text(new, encoding="utf-8", newline="\n")
    print("docs/design.md: updated")
    return 0


if __name__ == "__main__":
    sys.exit(main())
