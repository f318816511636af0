"""One list of dependencies: pyproject.toml, constraints.txt, environment.yml and what is installed agree."""

import importlib.util
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

TOP = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ASKED = [Requirement(line) for line in (*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"])]


def exact() -> dict[str, Version]:
    """Return what constraints.txt pins: canonical name → version."""
    pins = {}
    for line in (TOP / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            requirement = Requirement(line)
            (specifier,) = requirement.specifier
            assert specifier.operator == "==" and not requirement.url, f"not an exact version: {line}"
            pins[canonicalize_name(requirement.name)] = Version(specifier.version)
    return pins


def test_constraints_pin_every_dependency_within_its_bounds() -> None:
    pins = exact()
    for requirement in ASKED:
        assert pins[canonicalize_name(requirement.name)] in requirement.specifier


def test_every_dependency_has_a_lower_bound() -> None:
    assert not [str(r) for r in ASKED if not any(s.operator in (">=", "==", "~=") for s in r.specifier)]


def installed(name: str, extras: frozenset[str]) -> dict[str, Version]:
    """Return name → version of a distribution and all that it brought along here."""
    found: dict[str, Version] = {}
    seen, waiting = set(), [(name, extras)]
    while waiting:
        seen.add(waiting[-1])
        name, extras = waiting.pop()
        distribution = metadata.distribution(name)
        found[name] = Version(Version(distribution.version).public)
        for requirement in map(Requirement, distribution.requires or []):
            applies = requirement.marker is None or any(
                requirement.marker.evaluate({"extra": e}) for e in {"", *extras}
            )
            brought = (canonicalize_name(requirement.name), frozenset(requirement.extras))
            if applies and brought not in seen:
                waiting.append(brought)
    return found


def test_what_is_installed_is_what_constraints_pin() -> None:
    found = installed(PROJECT["name"], frozenset({"dev"}))
    del found[PROJECT["name"]]
    pins = exact()
    if sys.platform != "linux":  # what only another system needs is not pinned: constraints.txt is resolved on Linux
        found = {name: version for name, version in found.items() if name in pins}
    assert {name: pins.get(name) for name in found} == found


def test_the_pinned_versions_take_the_very_oldest_python() -> None:
    oldest = PROJECT["requires-python"].removeprefix(">=") + ".0"
    too_new = []
    for name in installed(PROJECT["name"], frozenset({"dev"})):
        bounds = metadata.metadata(name).get("Requires-Python", "")
        if not SpecifierSet(bounds).contains(oldest):
            too_new.append(f"{name} asks for Python {bounds}")
    assert not too_new


def test_conda_installs_this_project_in_the_same_versions_and_lists_nothing_of_its_own() -> None:
    conda = yaml.safe_load((TOP / "environment.yml").read_text(encoding="utf-8"))
    *own, pip_section = conda["dependencies"]
    assert sorted(Requirement(line).name for line in own) == ["pip", "python"]
    assert pip_section == {"pip": ["--constraint constraints.txt", "--editable .[dev]"]}
    (python,) = [Requirement(line) for line in own if line.startswith("python")]
    bounds = SpecifierSet(PROJECT["requires-python"])
    for minor in range(5, 30):
        assert not python.specifier.contains(f"3.{minor}") or bounds.contains(f"3.{minor}")
    assert python.specifier.contains("3.11")


def tool(name: str) -> ModuleType:
    """Import one of the programs in tools/."""
    spec = importlib.util.spec_from_file_location(name, TOP / "tools" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "The disk is full"),
        ("ERROR: ... [Errno 122] Disk quota exceeded", "The disk is full"),
        (
            "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('...: [Errno -3] "
            "Temporary failure in name resolution')'\nERROR: No matching distribution found for torch==2",
            "The package index can't be reached",
        ),
        ("pip._vendor.urllib3.exceptions.ReadTimeoutError: Read timed out.", "The package index can't be reached"),
        ("ERROR: No matching distribution found for torch==2.15.0", "There is no torch==2.15.0 for Python 3."),
        ("ERROR: ResolutionImpossible: for help visit", "don't fit together under Python 3."),
        ("PermissionError: [Errno 13] Permission denied: '/a/b'", "/a/b may not be written to by you"),
        ("first\nsomething else", "The installation failed (something else)"),
        ("ERROR: no such thing\n" + "more " * 99, "The installation failed (ERROR: no such thing)"),
    ],
)
def test_what_pip_wrote_becomes_one_sentence_with_the_mend(log: str, said: str) -> None:
    sentence = tool("failures").explain(log, TOP, "lab")
    assert said in sentence
    assert "\n" not in sentence
    assert "`make lab` again" in sentence


def test_what_pip_got_over_is_not_blamed() -> None:
    log = "NewConnectionError\n" + "Downloading\n" * 300 + "ERROR: No matching distribution found for torch==2"
    assert "There is no torch==2" in tool("failures").explain(log, TOP, "lab")
