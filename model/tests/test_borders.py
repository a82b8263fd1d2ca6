"""The rooms of tidepool_model import as its README says: nothing points back, nothing goes round in a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "tidepool_model"
# Whom the modules of a room may import, besides their own room. The table in model/README.md says why.
ROOMS: Mapping[str, frozenset[str]] = {
    "architecture": frozenset(),
    "convert": frozenset({"architecture"}),
    "data": frozenset({"architecture", "tasks"}),
    "training": frozenset({"data", "convert", "architecture"}),
    "posttraining": frozenset({"training", "data", "convert", "architecture", "tasks"}),
    "export": frozenset({"architecture"}),
    "evaluation": frozenset({"export", "data", "architecture", "tasks"}),
    "tasks": frozenset(),
}

Imports = dict[str, set[str]]


def module_names(root: Path) -> dict[str, Path]:
    """Every module of the recipe by its dotted name; a package goes by its own name."""
    files = (path for top in (PACKAGE, "tasks") for path in (root / top).rglob("*.py"))
    return {".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path for path in files}


def imported(name: str, path: Path, names: Mapping[str, Path]) -> Iterator[str]:
    """The recipe's modules that one of them imports, inside functions and under TYPE_CHECKING too."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                found = next((n for n in (f"{source}.{alias.name}", source) if n in names), None)
                if found is not None:
                    yield found


def read_imports(root: Path) -> Imports:
    """module -> modules that it imports."""
    names = module_names(root)
    return {name: set(imported(name, path, names)) - {name} for name, path in names.items()}


def room_of(name: str) -> str:
    parts = name.split(".")
    return "tasks" if parts[0] == "tasks" else parts[1] if len(parts) > 1 else ""


def faults(imports: Imports) -> list[str]:
    """Imports across a border that the table doesn't open, rooms that it doesn't know, and a circle of modules."""
    found = []
    for name, others in sorted(imports.items()):
        room = room_of(name)
        if room and room not in ROOMS:
            found.append(f"{name}: room '{room}' is not in the table")
            continue
        allowed = {room} | ROOMS.get(room, frozenset())
        found += [f"{name} imports {other}: {room or 'the top'} must not import {room_of(other)}" for other in sorted(others) if room_of(other) not in allowed]
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        found.append("circle: " + " -> ".join(error.args[1]))
    return found


def test_the_recipe_keeps_its_borders() -> None:
    imports = read_imports(ROOT)
    assert len(imports) > 60 and sum(map(len, imports.values())) > 100  # the reading itself works
    assert faults(imports) == []


def test_every_room_of_the_table_is_there_and_tested() -> None:
    for room in ROOMS:
        assert (ROOT / ("tasks" if room == "tasks" else f"{PACKAGE}/{room}")).is_dir(), room
        assert (ROOT / "tests" / room).is_dir(), room


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"architecture/a.py": "from ..training.b import x", "training/b.py": ""}, "architecture must not import training"),
        ({"data/a.py": "def f():\n    from ..export import b", "export/b.py": ""}, "data must not import export"),
        ({"export/a.py": "import tidepool_model.data.b", "data/b.py": ""}, "export must not import data"),
        ({"data/chats/a.py": "from ...convert.b import x", "convert/b.py": ""}, "data must not import convert"),
        ({"data/a.py": "from .b import x", "data/b.py": "from . import a"}, "circle: "),
        ({"attic/a.py": ""}, "room 'attic' is not in the table"),
    ],
)
def test_a_broken_border_is_named(tmp_path: Path, files: dict[str, str], said: str) -> None:
    for name, text in files.items():
        path = tmp_path / PACKAGE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        for folder in (path.parent, tmp_path / PACKAGE):
            (folder / "__init__.py").touch()
    assert any(said in fault for fault in faults(read_imports(tmp_path))), faults(read_imports(tmp_path))
