"""What imports what: light imports stay light, and the arrows between the parts of the package point one way."""

import ast
import graphlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[1]
PACKAGE = TOP / "tutor"
HEAVY = {"torch", "torchvision", "IPython", "matplotlib", "tensorboard", "numpy", "nbformat", "nbgrader"}

# Who may not know whom; cli is known to nobody but __main__, and doctor to nobody but cli.
KNOWS_NOTHING_OF = {
    "places": {"course", "grading", "checking", "data", "board", "plots", "training"},
    "doctor": {"explorers", "course", "checking", "board", "plots", "training"},
    "data": {"explorers", "course", "grading", "checking", "training"},
    "board": {"explorers", "course", "grading", "checking", "training"},
    "plots": {"course", "grading", "checking", "data", "board", "training", "explorers"},
    "training": {"course", "grading", "checking", "plots", "explorers"},
    "explorers": {"course", "grading", "checking", "data", "board", "training"},
    "checking": {"explorers", "course", "grading"},
    "course": {"grading"},
}
FOR_NOTEBOOKS = {"check", "hint", "progress", "data", "board", "plots", "explorers", "training"}


def loaded_by(statement: str) -> set[str]:
    """Return the top-level modules in memory after a statement in a fresh Python."""
    code = f"{statement}\nimport json, sys; print(json.dumps(sorted({{m.partition('.')[0] for m in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", code], cwd=TOP, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_import_tutor_loads_nothing_heavy() -> None:
    assert not loaded_by("import tutor") & HEAVY


def test_a_bundle_s_update_needs_only_python_itself() -> None:
    assert not loaded_by("import tutor.cli, tutor.updating") & (HEAVY | {"packaging", "traitlets"})


def test_import_check_loads_torch_and_nothing_heavier() -> None:
    loaded = loaded_by("from tutor import check")
    assert "torch" in loaded
    assert not loaded & {"torchvision", "IPython", "matplotlib", "tensorboard", "nbgrader", "nbformat", "pandas"}


def test_the_doctor_needs_nothing_that_may_be_broken() -> None:
    assert not loaded_by("import tutor.doctor.command") & (
        HEAVY | {"jupyter_core", "jupyter_server", "packaging", "psutil"}
    )
    its_own = [(name, path) for name, path in modules() if name.startswith("tutor.doctor")]
    at_once = {target for name, path in its_own for target in imports(name, path, everywhere=False)}
    assert {target.split(".")[1] for target in at_once} == {"doctor", "places"}


def modules() -> Iterator[tuple[str, Path]]:
    """Yield ``(dotted name, file)`` of every module of the package."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(TOP).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(name: str, path: Path, everywhere: bool = True) -> Iterator[str]:
    """Yield the dotted names that a module imports from this package, relative ones resolved.

    ``everywhere``: also inside functions, else only at import time.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(tree) if everywhere else tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "tutor")
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *(node.module.split(".") if node.module else [])])
            if source.split(".")[0] == "tutor":
                yield from (f"{source}.{alias.name}" for alias in node.names)


def arrows() -> dict[str, set[str]]:
    """Return part → the parts it imports, a part being a module or folder right under the package."""
    found: dict[str, set[str]] = {}
    for name, path in modules():
        if name in ("tutor", "tutor.__main__"):
            continue
        part = name.split(".")[1]
        targets = {target.split(".")[1] for target in imports(name, path) if target.count(".")}
        found.setdefault(part, set()).update(targets - {part})
    return found


@pytest.mark.parametrize("part", KNOWS_NOTHING_OF)
def test_the_arrows_between_parts_point_one_way(part: str) -> None:
    assert part in arrows(), f"no module or folder tutor/{part}: has it moved?"
    known = arrows()[part]
    assert not known & (KNOWS_NOTHING_OF[part] | {"cli"}), f"tutor.{part} imports {sorted(known)}"


def test_only_the_program_itself_imports_the_command_line() -> None:
    assert not [part for part, known in arrows().items() if "cli" in known]
    assert [part for part, known in arrows().items() if "doctor" in known] == ["cli"]


def test_the_parts_form_no_circle() -> None:
    graphlib.TopologicalSorter(arrows()).prepare()


def test_notebooks_import_only_what_is_made_for_them() -> None:
    notebooks = sorted([*TOP.glob("solutions/*/*.ipynb"), *TOP.glob("notebooks/*/*.ipynb")])
    assert notebooks, "no notebook found"
    for path in notebooks:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        for cell in (cell for cell in cells if cell["cell_type"] == "code"):
            for node in ast.walk(ast.parse("".join(cell["source"]))):
                if isinstance(node, ast.Import):
                    assert not [a.name for a in node.names if a.name.startswith("tutor.")], path
                elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tutor":
                    assert node.module == "tutor", f"{path.name} imports from {node.module}"
                    assert {alias.name for alias in node.names} <= FOR_NOTEBOOKS, path
