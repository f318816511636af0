"""What people expect of a project: licences, how to cite it, what is new, hooks, and CI on all Pythons and newest versions."""

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

TOP = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
README = (TOP / "README.md").read_text(encoding="utf-8")
WORKFLOWS = sorted((TOP / ".github" / "workflows").glob("*.yml"))


def text(name: str) -> str:
    return (TOP / name).read_text(encoding="utf-8")


def test_both_licences_are_named_where_people_look() -> None:
    assert PROJECT["license"] == "MIT AND CC-BY-4.0"
    assert PROJECT["license-files"] == ["LICENSE", "LICENSE-texts"]
    assert "[MIT](LICENSE)" in README and "[CC BY 4.0](LICENSE-texts)" in README
    assert text("LICENSE").startswith("MIT License")


def test_the_texts_licence_covers_every_text_and_picture() -> None:
    patterns = re.findall(r"^    (\S+)", text("LICENSE-texts"), flags=re.M)
    covered = {pattern: set(TOP.glob(pattern)) for pattern in patterns}
    assert not [pattern for pattern, paths in covered.items() if not paths], "nothing of that kind"
    kinds = ("docs/**/*", "*.md", "tutor/**/words.toml", "solutions/*/*", "notebooks/*/*")
    texts = {path for kind in kinds for path in TOP.glob(kind) if path.is_file()} - set(TOP.glob("docs/**/*.py"))
    written = {".md", ".png", ".svg", ".ipynb", ".toml", ".py"}
    assert not {p for p in texts if p.suffix in written and "." not in p.parent.name} - set().union(*covered.values())


def test_the_citation_has_what_its_schema_asks_for_and_this_version() -> None:
    citation = yaml.safe_load(text("CITATION.cff"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert set(citation) <= {
        "cff-version",
        "message",
        "title",
        "authors",
        "type",
        "version",
        "abstract",
        "keywords",
        "license",
    }
    assert citation["cff-version"] == "1.2.0" and citation["type"] == "software"
    assert citation["version"] == PROJECT["version"]
    assert all(isinstance(word, str) for word in citation["keywords"])
    (author,) = citation["authors"]
    assert set(author) == {"name"} and f"Copyright (c) 2026 {author['name']}" in text("LICENSE")


def test_the_changelog_tells_of_this_version() -> None:
    changelog = text("CHANGELOG.md")
    headings = re.findall(r"^## \[(.+?)\]( - \d{4}-\d\d-\d\d)?$", changelog, flags=re.M)
    assert headings[0] == ("Unreleased", "")
    assert all(date for _, date in headings[1:])
    assert PROJECT["version"] in changelog
    kinds = set(re.findall(r"^### (.+)$", changelog, flags=re.M))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


HOOKS: dict[str, dict[str, Any]] = {
    hook["id"]: hook
    for repository in yaml.safe_load(text(".pre-commit-config.yaml"))["repos"]
    for hook in repository["hooks"]
}


def test_the_hooks_download_nothing() -> None:
    assert [repository["repo"] for repository in yaml.safe_load(text(".pre-commit-config.yaml"))["repos"]] == ["local"]
    assert {hook["language"] for hook in HOOKS.values()} == {"system"}
    assert set(HOOKS) == {"ruff-check", "ruff-format", "notebooks-as-built"}


@pytest.mark.parametrize(("hook", "bad"), [("ruff-check", "import os\n"), ("ruff-format", "x  =  1\n")])
def test_a_hook_of_style_finds_what_is_wrong(tmp_path: Path, hook: str, bad: str) -> None:
    entry = [sys.executable, "-m", *HOOKS[hook]["entry"].split()]
    (tmp_path / "bad.py").write_text(bad)
    assert subprocess.run([*entry, str(tmp_path / "bad.py")], cwd=TOP, capture_output=True).returncode == 1
    both = ["tutor/cli.py", "solutions/01_activations/01_activations.py"]
    done = subprocess.run([*entry, *both], cwd=TOP, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_hook_of_the_notebooks_checks_the_chapters_that_are_touched(monkeypatch) -> None:
    python, program = HOOKS["notebooks-as-built"]["entry"].split()
    assert python == "python"
    spec = importlib.util.spec_from_file_location("built", TOP / program)
    assert spec and spec.loader
    built = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(built)
    asked: list[list[str]] = []
    monkeypatch.setattr(built.cli, "main", lambda words: asked.append(words) or 1)
    name = "01_activations"
    files = [f"solutions/{name}/{name}.py", f"notebooks/{name}/{name}.ipynb", "notebooks/00_start/00_start.ipynb"]
    assert built.main(files) == 1
    assert asked == [["build", "--check", "00_start", name]]
    assert built.main(["README.md"]) == 0 and len(asked) == 1
    assert all(re.match(HOOKS["notebooks-as-built"]["files"], file) for file in files)


def workflow(name: str) -> dict[Any, Any]:
    loaded: dict[Any, Any] = yaml.safe_load(text(f".github/workflows/{name}.yml"))
    return loaded


def test_ci_runs_every_python_that_the_course_takes() -> None:
    conda = yaml.safe_load(text("environment.yml"))["dependencies"][0]
    taken = [f"3.{minor}" for minor in range(30) if f"3.{minor}" in Requirement(conda).specifier]
    (job,) = workflow("test")["jobs"].values()
    assert job["strategy"]["matrix"]["python"] == taken
    assert job["steps"][-1] == {"run": "bash .ci/run"}


def test_the_newest_versions_are_tried_by_the_clock() -> None:
    newest = workflow("newest")
    (when,) = newest[True]["schedule"]  # YAML reads the key `on` as yes
    assert len(when["cron"].split()) == 5
    (job,) = newest["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == [
        "make constraints PYTHON=python3.11",
        "bash .ci/run",
    ]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_only_read_ends_by_itself_and_pins_what_it_uses(path: Path) -> None:
    loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert loaded["permissions"] == {"contents": "read"}
    for job in loaded["jobs"].values():
        assert job["timeout-minutes"] <= 60 and job["runs-on"] != "ubuntu-latest"
        assert all(re.fullmatch(r"[\w/-]+@v\d+", step["uses"]) for step in job["steps"] if "uses" in step)
