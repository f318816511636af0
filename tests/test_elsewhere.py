"""Where the course runs apart from `make`: what can be run here is, and files for services are held to their rules."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
import yaml
from learners.answers import in_style
from learners.classroom import fill_in
from learners.submitting import said, taken, write
from packaging.requirements import Requirement

from tools import elsewhere
from tutor import cli
from tutor.board.frame import View
from tutor.course.branch import git, write_branch
from tutor.course.bundle import _package
from tutor.course.chapters import find_chapters
from tutor.grading.form import read_form
from tutor.places import BUNDLE_MARK

TOP = Path(__file__).resolve().parents[1]
README = (TOP / "README.md").read_text(encoding="utf-8")
DOCS = (TOP / "docs" / "elsewhere.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
INSTALL = "python -m pip install --constraint constraints.txt --editable ."
[START] = find_chapters(TOP, ["00_start"])


def blocks(text: str, language: str) -> list[list[str]]:
    """Return the commands of each block of code in a language, a line each."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [block.replace("\\\n", " ").splitlines() for block in found]


# ---------------------------------------------------------------- without make


def test_the_commands_without_make_are_the_same_steps_on_every_system() -> None:
    [posix] = [block for block in blocks(README, "sh") if INSTALL in block]
    [windows] = blocks(README, "powershell")
    lab = "python -m jupyterlab --ServerApp.root_dir=notebooks --LabApp.news_url=None"
    same = [INSTALL, lab]
    assert posix == ["python3 -m venv .venv", "source .venv/bin/activate", *same]
    assert windows == ["py -m venv .venv", r".venv\Scripts\Activate.ps1", *same]
    for command in posix:
        assert subprocess.run(["bash", "-n", "-c", command]).returncode == 0
    assert lab.removeprefix("python ") in (TOP / "Makefile").read_text(encoding="utf-8")
    bundled = (TOP / "tutor" / "course" / "bundled" / "README.md").read_text(encoding="utf-8")
    assert [lab] in blocks(bundled, "sh")


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_grading_says_in_a_sentence_that_it_is_for_linux(platform, monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert cli.main(["grade", "01_activations"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == (
        f"tutor grade: grading is for Linux, and this is {platform}: grade on a Linux machine; all the rest works here.\n"
    )


def test_the_table_of_routes_names_files_and_commands_that_are_there() -> None:
    rows = re.findall(
        r"^\| ([^|]+) \| ([^|]+) \| (yes|no)[:;|]? ?[^|]*\|$", README.partition("## Where it runs")[2], re.M
    )
    assert len(rows) == 10
    for _, what, _ in rows:
        for name in re.findall(r"`([^` ]+)`", what):
            assert (TOP / name).exists(), name
    # What CI runs: make, the hub, the book, and nothing that takes a service.
    ran = ["make, on Linux", "JupyterHub on one machine", "a book to read, on any web server or none"]
    assert [route for route, _, run in rows if run == "yes"] == ran


# ---------------------------------------------------------------- Binder and Codespaces


def test_binder_gets_every_dependency_once_and_pytorch_for_processors() -> None:
    file = yaml.safe_load((TOP / ".binder" / "environment.yml").read_text(encoding="utf-8"))
    assert set(file) == {"name", "channels", "dependencies"} and file["channels"] == ["conda-forge"]
    asked = {Requirement(line).name: Requirement(line).specifier for line in PROJECT["dependencies"]}
    conda = {Requirement(re.sub("(?<![<>=])=(?!=)", "==", line)).name: line for line in file["dependencies"]}
    assert set(conda) == {"python", "pip", "pytorch-cpu", "torchvision"}
    assert conda["pytorch-cpu"] == f"pytorch-cpu{asked['torch']}"
    assert conda["torchvision"] == f"torchvision{asked['torchvision']}"
    version = conda["python"].partition("=")[2]
    assert f"{version}.0" in Requirement(f"python{PROJECT['requires-python']}").specifier
    script = TOP / ".binder" / "postBuild"
    assert os.access(script, os.X_OK), "Binder doesn't run it"
    assert subprocess.run(["bash", "-n", script]).returncode == 0
    # What repo2docker would prefer to environment.yml, or choose another buildpack for.
    assert {path.name for path in script.parent.iterdir()} == {"environment.yml", "postBuild"}


def test_binders_script_installs_the_checkout(tmp_path) -> None:
    fake = tmp_path / "python"
    fake.write_text('#!/bin/sh\necho "$@"\n')
    fake.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [TOP / ".binder" / "postBuild"], cwd=TOP, env={"PATH": path}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "-m pip install --no-cache-dir --editable .\n"


# Of the Development Container Specification's schema: the keys in use, and their types.
KEYS = {
    "name": str,
    "image": str,
    "hostRequirements": dict,
    "postCreateCommand": str,
    "forwardPorts": list,
    "portsAttributes": dict,
    "customizations": dict,
}


def test_the_code_space_is_as_its_schema_says_and_makes_the_environment() -> None:
    file = json.loads((TOP / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    assert {key: type(value) for key, value in file.items()} == KEYS
    assert isinstance(file["hostRequirements"]["cpus"], int)
    for size in ("memory", "storage"):
        assert re.fullmatch(r"\d+(tb|gb|mb|kb)?", file["hostRequirements"][size])
    assert file["forwardPorts"] == [8888] and list(file["portsAttributes"]) == ["8888"]
    actions = {"notify", "openBrowser", "openBrowserOnce", "openPreview", "silent", "ignore"}
    assert file["portsAttributes"]["8888"]["onAutoForward"] in actions
    assert set(file["customizations"]) == {"vscode", "codespaces"}
    assert set(file["customizations"]["vscode"]) == {"extensions", "settings"}
    assert all(re.fullmatch(r"[\w-]+\.[\w-]+", name) for name in file["customizations"]["vscode"]["extensions"])
    assert all((TOP / name).is_file() for name in file["customizations"]["codespaces"]["openFiles"])
    target = file["postCreateCommand"].removeprefix("make ")
    assert re.search(rf"^{target}:", (TOP / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    version = re.fullmatch(r"python:(\d+\.\d+)", file["image"])
    assert version and f"{version[1]}.0" in Requirement(f"python{PROJECT['requires-python']}").specifier


# ---------------------------------------------------------------- Colab


def test_the_badges_lead_to_files_that_are_there(capsys) -> None:
    assert elsewhere.main(["ada/layers"]) == 0
    printed = capsys.readouterr().out
    chapters = [path.name for path in sorted((TOP / "solutions").iterdir())]
    assert re.findall(r"/ada/layers/blob/colab/colab/(\w+)\.ipynb", printed) == chapters
    [opened] = re.findall(r"/v2/gh/ada/layers/HEAD\?urlpath=lab/tree/(\S+?)\)", printed)
    assert (TOP / opened).is_file()
    assert "https://codespaces.new/ada/layers" in printed
    assert elsewhere.main(["layers"]) == 2
    assert capsys.readouterr().err == "'layers' is no repository on GitHub: write OWNER/NAME.\n"


# What Colab doesn't have. A check that imports one of them would fail there.
NOT_IN_COLAB = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"jupyterlab", "nbgrader", "jupytext", "nbval", "pytest", "distributed", "jupyter_server_proxy"}:
            raise ModuleNotFoundError(f"{name} is not in Colab")
sys.meta_path.insert(0, Missing())
"""


def test_the_first_cell_fetches_the_course_and_checks_work_without_jupyterlab(tmp_path, monkeypatch, capsys) -> None:
    """The branch is a real one; git is told to take it from this disk, and Colab is its module's name."""
    repository = tmp_path / "repository"
    repository.mkdir()
    git(repository, "init", "--quiet")
    for name, value in (("user.name", "Ada"), ("user.email", "ada@example.org")):
        git(repository, "config", name, value)
    bundle = {f"tutor/{path}": data for path, data in _package()}
    bundle["released/00_start/00_start.ipynb"] = START.student.read_bytes()
    bundle[BUNDLE_MARK] = b'{"version": "1", "content": ""}'
    monkeypatch.setattr(elsewhere, "contents", lambda top: bundle)
    monkeypatch.setattr(elsewhere, "write_branch", lambda top, *rest: write_branch(repository, *rest))
    told = []
    for address in ("bob/layers", "ada/layers", "ada/layers"):
        assert elsewhere.main([address, "--branch"]) == 0
        told.append(capsys.readouterr().err)
    assert told == ["the branch colab has a new commit\n"] * 2 + ["the branch colab is up to date\n"]

    notebook = nbformat.reads(git(repository, "show", "colab:colab/00_start.ipynb").decode(), as_version=4)
    nbformat.validate(notebook)
    assert [cell.id for cell in notebook.cells[1:]] == [cell.id for cell in nbformat.read(START.student, 4).cells]
    first, neuron = notebook.cells[0].source, in_style("00_start", "vectorised")["neuron"]
    code = "\n".join(
        [
            NOT_IN_COLAB,
            "import types; sys.modules['google.colab'] = types.ModuleType('google.colab')",
            first,
            neuron,
            "import tutor; print(tutor.__file__); from tutor import check; check(neuron, points=2)",
        ]
    )
    colab = tmp_path / "content"
    colab.mkdir()
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "GIT"))}
    here = {
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": f"url.file://{repository}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/ada/layers",
        "GIT_CONFIG_KEY_1": "safe.directory",
        "GIT_CONFIG_VALUE_1": "*",
    }
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=colab, env=outer | here, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert f"{colab / 'layer-by-layer' / 'tutor' / '__init__.py'}\n" in done.stdout
    assert "2 of 2 points" in done.stdout
    before = list(sys.path)
    exec(compile(first, "first cell", "exec"), {})  # and here, as in grading, it does nothing
    assert sys.path == before and not Path("layer-by-layer").exists()


ANSWERS = {**in_style("00_start", "vectorised"), "explain_start": "It went downhill."}


def downloaded(folder: Path) -> dict:
    """Return chapter 00 from the branch, answered, as Colab's *Download .ipynb* writes it: format 4.0, ids in metadata."""
    fill_in(START.student, ANSWERS, folder / "answered.ipynb")
    content = json.loads(elsewhere.for_colab((folder / "answered.ipynb").read_bytes(), "ada/layers"))
    (folder / "answered.ipynb").unlink()
    content["nbformat_minor"] = 0
    content["metadata"] = {
        "colab": {"provenance": [], "toc_visible": True},
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "language_info": {"name": "python"},
    }
    for number, cell in enumerate(content["cells"]):
        del cell["id"]
        cell["metadata"] |= {"id": f"xY{number:010}"}
        if cell["cell_type"] == "code":
            cell["metadata"] |= {"colab": {"base_uri": "https://localhost:8080/"}, "outputId": f"o{number}"}
    return content


@pytest.mark.parametrize("kept", [True, False], ids=["metadata kept", "metadata dropped"])
def test_all_answers_are_taken_out_of_a_notebook_from_colab(tmp_path, kept) -> None:
    content = downloaded(tmp_path)
    if not kept:
        for cell in content["cells"]:
            cell["metadata"] = {"id": cell["metadata"]["id"]}
    write(tmp_path, content, START.student.name)
    submission, texts = taken(tmp_path, START)
    assert {asked.grade_id for asked in read_form(START).answers} == set(ANSWERS)
    assert submission.answers == ANSWERS
    assert [extra.text for extra in submission.extras] == ["".join(content["cells"][0]["source"])]
    assert len(texts) == len(content["cells"])
    told = {remark.kind for remark in submission.remarks}
    assert told == (set() if kept else {"by-function", "by-place", "lost-metadata"})


def test_prose_is_taken_by_its_place_only_where_no_other_could_be_meant(tmp_path) -> None:
    content = downloaded(tmp_path)
    at = next(n for n, each in enumerate(content["cells"]) if "".join(each["source"]) == ANSWERS["explain_start"])
    content["cells"][at]["metadata"] = {}
    content["cells"].insert(at, {"cell_type": "markdown", "metadata": {}, "source": "A thought."})
    write(tmp_path, content, START.student.name)
    submission, _ = taken(tmp_path, START)
    assert "explain_start" not in submission.answers
    assert not said(submission, "by-place")
    assert {"A thought.", ANSWERS["explain_start"]} <= {extra.text for extra in submission.extras}


def test_tensorboard_takes_colabs_own_way() -> None:
    html = View("TensorBoard", "http://127.0.0.1:6006/1/#images", 640)._repr_mimebundle_()["text/html"]
    script = re.search(r"<script>\n(.*)</script>", html, re.DOTALL)
    assert script
    pretend = """
    const frame = {};
    const proxyPort = async (port) => `https://${port}-colab.example/`;
    globalThis.window = {google: {colab: {kernel: {proxyPort}}}, location: new URL("https://outputframe.example/")};
    globalThis.document = {getElementById: (id) => id.startsWith("tensorboard-") ? frame : null, body: {dataset: {}}};
    """
    shown = "setTimeout(() => console.log(String(frame.src)));"
    done = subprocess.run(["node", "-e", pretend + script[1] + shown], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "https://6006-colab.example/1/?tensorboardColab=true#images\n"


# ---------------------------------------------------------------- the container for graders


def test_the_containerfile_copies_what_is_there_and_installs_what_ci_does_for_grading() -> None:
    text = (TOP / "deploy" / "grader" / "Containerfile").read_text(encoding="utf-8")
    steps = [line.split(maxsplit=1) for line in text.splitlines() if line and not line.startswith("#")]
    assert {word for word, _ in steps} == {"FROM", "RUN", "COPY", "WORKDIR", "ENV", "USER", "CMD"}
    assert steps[0][0] == "FROM" and [word for word, _ in steps].count("FROM") == 1
    version = re.fullmatch(r"FROM python:(\d+\.\d+)-slim", " ".join(steps[0]))
    assert version and f"{version[1]}.0" in Requirement(f"python{PROJECT['requires-python']}").specifier
    copied = {name for word, rest in steps if word == "COPY" for name in rest.split()[:-1]}
    assert not [name for name in copied if not (TOP / name).exists()]
    needed = {"pyproject.toml", PROJECT["readme"], *PROJECT["license-files"], "constraints.txt"}
    assert needed | {"tutor", "solutions", "notebooks", "nbgrader_config.py"} == copied
    run = [rest for word, rest in steps if word == "RUN"]
    for command in run:
        assert subprocess.run(["bash", "-n", "-c", command]).returncode == 0
    [apt] = re.findall(r"--no-install-recommends ([\w -]+?) &&", run[0])
    sandbox = re.search(
        r"# The sandbox.*\n.*missing\+=\(([\w -]+)\)", (TOP / ".ci" / "run").read_text(encoding="utf-8")
    )
    assert sandbox and apt.split() == sandbox[1].split()
    assert INSTALL.replace("install", "install --no-cache-dir") in run
    order = [word for word, _ in steps]
    assert order.index("USER") > len(order) - 1 - order[::-1].index("RUN"), "what runs is no longer root"
    assert json.loads(steps[-1][1]) == ["tutor", "grade"]


def test_the_documented_commands_for_the_container_are_commands_of_this_course() -> None:
    lines = [" ".join(line.split()) for block in blocks(DOCS, "sh") for line in block]
    for line in lines:
        assert subprocess.run(["bash", "-n", "-c", line]).returncode == 0
    started = [line for line in lines if " run --rm " in line]
    assert [line.split()[0] for line in started] == ["podman", "docker"]
    for line in started:
        assert "--security-opt seccomp=unconfined" in line and '--user "$(id -u):$(id -g)"' in line
        words = line.partition("layer-by-layer-grader tutor ")[2].split()
        options = cli.arguments_of(words)
        assert [chapter.name for chapter in find_chapters(TOP, options.chapters)] == ["01_activations"]
    built = [line for line in lines if " build " in line]
    assert len(built) == 2 and all("--file deploy/grader/Containerfile " in line for line in built)
    assert "python -m tools.elsewhere OWNER/NAME --branch" in lines
