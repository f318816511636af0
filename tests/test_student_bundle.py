"""What learners get: nothing secret, installs and tests itself, and updates without writing over anybody's answers."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import nbformat
import pytest
from packaging.requirements import Requirement

from tutor import cli
from tutor.course.branch import write_branch
from tutor.course.bundle import GRADERS, NAME, contents, zipped
from tutor.course.chapters import CourseError, find_chapters
from tutor.updating import UpdateError, update

CHECKOUT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """The bundle of this course."""
    return contents(CHECKOUT)


@pytest.fixture(scope="module")
def unzipped(files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle as a learner has it, in a folder with a space and an umlaut in its name."""
    folder = tmp_path_factory.mktemp("für mich")
    (folder / "bundle.zip").write_bytes(zipped(files))
    with zipfile.ZipFile(folder / "bundle.zip") as archive:
        archive.extractall(folder)
    return folder / NAME


def python(top: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a bundle, where only its ``tutor`` can be imported, and nothing that graders need.

    This checkout's own installation is put aside: it would lend the bundle what it lacks.
    """
    without = top.parent / "without"
    without.mkdir(exist_ok=True)
    (without / "sitecustomize.py").write_text(
        f"import sys\nsys.modules.update(dict.fromkeys({sorted(GRADERS)!r}))  # None: importing it fails\n"
        "sys.meta_path[:] = [each for each in sys.meta_path if 'editable' not in repr(each).lower()]\n"
        "for name in [name for name in sys.modules if name.startswith('__editable__')]: del sys.modules[name]\n"
    )
    env = {name: value for name, value in os.environ.items() if not name.startswith(("TUTOR", "PYTEST"))}
    env |= {"PYTHONPATH": os.pathsep.join([str(top), str(without)]), **more}
    return subprocess.run([sys.executable, *arguments], cwd=top, env=env, capture_output=True, text=True)


# ---------------------------------------------------------------- what is in it


def test_it_holds_neither_solutions_nor_grading_nor_tests(files) -> None:
    tops = {path.split("/")[0] for path in files}
    assert tops == {
        ".gitignore", "LICENSE", "README.md", "bundle.json", "constraints.txt", "docs", "pyproject.toml", "released",
        "smoke_test.py", "tutor",
    }  # fmt: skip
    assert not [path for path in files if path.startswith(("tutor/grading", "tutor/course")) or "__pycache__" in path]
    assert [path for path in files if path.startswith("docs/")] == ["docs/learner.md"]
    chapters = [chapter.name for chapter in find_chapters(CHECKOUT)]
    assert [path for path in files if path.startswith("released/")] == [f"released/{n}/{n}.ipynb" for n in chapters]


def test_no_solved_answer_stands_in_any_of_its_files(files) -> None:
    texts = {path: " ".join(data.decode().split()) for path, data in files.items()}
    notebooks = " ".join(
        " ".join("".join(cell["source"]).split())
        for path, data in files.items() if path.endswith(".ipynb") for cell in json.loads(data)["cells"]
    )  # fmt: skip
    looked_at = 0
    for chapter in find_chapters(CHECKOUT):
        for cell in nbformat.read(chapter.solution, as_version=4).cells:
            for part in cell.source.split("### BEGIN SOLUTION")[1:]:
                solved = " ".join(part.split("### END SOLUTION")[0].split())
                looked_at += 1
                assert solved and solved not in notebooks
                if len(solved) > 100:  # a short one, such as F.relu(input), is what the bank compares with
                    assert not [path for path, text in texts.items() if solved in text], solved
            for part in cell.source.split("### BEGIN HIDDEN TESTS")[1:]:
                assert " ".join(part.split("### END HIDDEN TESTS")[0].split()) not in notebooks
    assert looked_at > 60


def test_the_command_packs_what_is_released_not_what_somebody_tried_out(files, tmp_path, capsys, monkeypatch) -> None:
    for folder in ("solutions", "notebooks"):
        shutil.copytree(CHECKOUT / folder / "05_linear", tmp_path / folder / "05_linear")
    (tmp_path / "docs").mkdir()
    for name in ("nbgrader_config.py", "pyproject.toml", "constraints.txt", "LICENSE", "docs/learner.md"):
        shutil.copy(CHECKOUT / name, tmp_path / name)
    tried = tmp_path / "notebooks" / "05_linear" / "05_linear.ipynb"
    tried.write_text(
        tried.read_text(encoding="utf-8").replace("raise NotImplementedError()", "return 42"), encoding="utf-8"
    )
    for name in ("GIT_AUTHOR", "GIT_COMMITTER"):
        monkeypatch.setenv(f"{name}_NAME", "A")
        monkeypatch.setenv(f"{name}_EMAIL", "a@example.org")
    git(tmp_path, "init", "--quiet")
    assert cli.main(["bundle", "--course", str(tmp_path), "--branch", "students"]) == 0
    assert "the branch students has a new commit" in capsys.readouterr().out
    released = "released/05_linear/05_linear.ipynb"
    with zipfile.ZipFile(tmp_path / "build" / "student-bundle.zip") as archive:
        assert archive.read(f"{NAME}/{released}") == files[released]
        once = archive.read(f"{NAME}/bundle.json")
    assert (
        subprocess.run(["git", "show", f"students:{released}"], cwd=tmp_path, capture_output=True).stdout
        == files[released]
    )
    assert cli.main(["bundle", "--course", str(tmp_path), "--branch", "students"]) == 0
    assert "is up to date" in capsys.readouterr().out and once == contents(tmp_path)["bundle.json"]
    (tmp_path / "solutions" / "05_linear" / "05_linear.ipynb").unlink()
    assert cli.main(["bundle", "--course", str(tmp_path)]) == 1
    assert "05_linear.ipynb is not there yet: run tutor build 05_linear" in capsys.readouterr().err


def test_make_hands_its_options_on() -> None:
    command = ["make", "-n", "student-bundle", "BUNDLE_ARGS=--branch students"]
    shown = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    assert "-m tutor.cli bundle --branch students" in shown


def test_its_modules_need_nothing_that_it_lacks(files) -> None:
    needed = {
        Requirement(line).name for line in tomllib.loads(files["pyproject.toml"].decode())["project"]["dependencies"]
    }
    assert needed > {"torch", "jupyterlab"} and not needed & GRADERS
    for path, data in files.items():
        if path.endswith(".py") and path not in ("tutor/cli.py", "tutor/doctor/sandbox.py"):  # which look first
            for node in ast.walk(ast.parse(data)):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                wrong = [
                    n for n in names if n.split(".")[0] in GRADERS or n.startswith(("tutor.grading", "tutor.course"))
                ]
                assert not wrong, path


# ---------------------------------------------------------------- it installs, and tests itself


def test_pip_installs_it_by_the_command_in_its_readme(unzipped, tmp_path) -> None:
    copy = shutil.copytree(unzipped, tmp_path / "copy")
    commands = re.findall(r"python -m (pip install .*)", (copy / "README.md").read_text(encoding="utf-8"))
    assert len(commands) == 2 and len(set(commands)) == 1  # for Linux and macOS, and for Windows
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--target", str(tmp_path / "site")]
    done = python(copy, "-m", *commands[0].split(), *offline)
    assert done.returncode == 0, done.stderr
    [installed] = metadata.distributions(name=NAME, path=[str(tmp_path / "site")])
    assert [(point.group, point.name) for point in installed.entry_points] == [("console_scripts", "tutor")]
    into = str(tmp_path / "site")  # first on the path: an installation of the checkout's has files of the same names
    found = f"import site, sys; sys.path.insert(0, {into!r}); site.addsitedir({into!r}); import tutor; print(tutor.__file__)"
    (tmp_path / "elsewhere").mkdir()
    from_elsewhere = python(tmp_path / "elsewhere", "-c", found)
    assert Path(from_elsewhere.stdout.strip()) == copy / "tutor" / "__init__.py", from_elsewhere.stderr


def test_a_wheel_of_it_holds_all_of_the_package(unzipped, tmp_path) -> None:
    copy = shutil.copytree(unzipped, tmp_path / "copy")
    done = python(
        copy, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", "..", "."
    )
    assert done.returncode == 0, done.stderr
    [wheel] = tmp_path.glob("*.whl")
    packed = {path.relative_to(unzipped).as_posix() for path in (unzipped / "tutor").rglob("*.*")}
    with zipfile.ZipFile(wheel) as archive:
        assert {path for path in packed if "__pycache__" not in path} <= set(archive.namelist())


def test_its_smoke_test_runs_a_chapter_as_released(unzipped) -> None:
    done = python(unzipped, "smoke_test.py", "04_pooling")
    assert (done.returncode, done.stdout.splitlines()) == (0, ["04_pooling …", "All is well."]), (
        done.stdout + done.stderr
    )


def test_its_smoke_test_says_what_is_wrong(unzipped, tmp_path) -> None:
    copy = shutil.copytree(unzipped, tmp_path / "copy", ignore=shutil.ignore_patterns("released"))
    (copy / "tutor" / "checking" / "bank" / "__init__.py").write_text("raise ImportError('no bank')")
    sources = {"a": "from tutor import check\ncheck(len)", "b": "1 / 0"}
    cells = [nbformat.v4.new_code_cell(source, id=name) for name, source in sources.items()]
    cells[1].metadata["tags"] = ["raises-exception"]  # on purpose, as 00_start has it
    (copy / "released" / "00_x").mkdir(parents=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), copy / "released" / "00_x" / "00_x.ipynb")
    done = python(
        copy, "-c", "import smoke_test; smoke_test.checks = lambda: []; raise SystemExit(smoke_test.main([]))"
    )
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "00_x …",
        "00_x.ipynb, cell 1: ImportError: no bank",
        "00_x.ipynb: none of its checks says that its exercise isn't written yet",
        "Something is wrong, see above.",
    ]


def test_its_command_offers_learners_what_they_have(unzipped) -> None:
    done = python(unzipped, "-m", "tutor", "--help")
    assert done.returncode == 0 and "update" in done.stdout
    assert "grade" not in done.stdout and "bundle" not in done.stdout.replace("student bundle", "")
    said = python(unzipped, "-m", "tutor", "update").stdout.splitlines()
    assert said == [f"{path.parent.name}/{path.name} is there" for path in sorted(unzipped.glob("released/*/*"))]
    place = "from tutor.places import build_folder; print(build_folder())"
    assert Path(python(unzipped, "-c", place).stdout.strip()) == unzipped / "build"


def test_links_in_its_guides_lead_to_files_of_its_own(unzipped, tmp_path) -> None:
    copy = shutil.copytree(unzipped, tmp_path / "copy", ignore=shutil.ignore_patterns("notebooks"))
    assert update(copy)
    followed = 0
    for guide in (copy / "README.md", copy / "docs" / "learner.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", guide.read_text(encoding="utf-8")):
            followed += 1
            assert (guide.parent / target).is_file(), target
    assert followed >= 2


def test_its_doctor_finds_nothing_to_mend_where_nbgrader_is_not_installed(unzipped, tmp_path) -> None:
    """With the files of Jupyter's extensions as an installation of the bundle has them: nbgrader's are not there."""
    widgets = tmp_path / "share" / "jupyter" / "labextensions" / "@jupyter-widgets" / "jupyterlab-manager"
    widgets.mkdir(parents=True)
    about = {"name": "@jupyter-widgets/jupyterlab-manager", "version": "1", "jupyterlab": {"_build": {}}}
    about["jupyterlab"]["_build"] |= {"load": "static/remote.js", "extension": "./extension"}
    (widgets / "package.json").write_text(json.dumps(about))
    config = tmp_path / "etc" / "jupyter"
    config.mkdir(parents=True)
    on = {"ServerApp": {"jpserver_extensions": {"jupyterlab": True, "jupyter_server_proxy": True}}}
    (config / "jupyter_server_config.json").write_text(json.dumps(on))
    look = (
        "from jupyter_core import paths; from tutor.doctor import command\n"
        f"paths.jupyter_path = lambda *parts: [{str(widgets.parents[1])!r}]\n"
        f"paths.jupyter_config_path = lambda: [{str(config)!r}]\n"
        "for subject, probe in command.probes():\n"
        "    if subject in ('alembic', 'JupyterLab', 'Jupyter server', 'grading'):\n"
        "        for finding in command.examine(subject, probe): print(command.line(finding))\n"
    )
    done = python(unzipped, "-c", look, PATH=str(tmp_path), JUPYTER_CONFIG_DIR=str(tmp_path), PYTHONUTF8="1")
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert [line.split()[1] for line in said] == ["ok", "ok", "note"], done.stdout
    assert "nbgrader" not in done.stdout and "Grading isn't part of this copy" in said[-1]


# ---------------------------------------------------------------- it updates

STUB = "raise NotImplementedError()"


def chapter(answers: dict[str, str], text: str = "Read.") -> bytes:
    """Return a small notebook: a text, answer cells by grade id, and a check."""
    cells = [nbformat.v4.new_markdown_cell(text, id="text")]
    for name, source in answers.items():
        about = {"grade_id": name, "solution": True, "grade": False, "locked": False}
        cells.append(nbformat.v4.new_code_cell(source, id=name, metadata={"nbgrader": about}))
    about = {"grade_id": "check", "solution": False, "grade": True, "locked": True}
    cells.append(nbformat.v4.new_code_cell("check(a)", id="check", metadata={"nbgrader": about}))
    return nbformat.writes(nbformat.v4.new_notebook(cells=cells)).encode()


def bundled(data: bytes, **more: bytes) -> dict[str, bytes]:
    about = json.dumps({"course": NAME, "version": "1", "content": ""}).encode()
    return {"bundle.json": about, "released/01_a/01_a.ipynb": data, **more}


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A small bundle, unzipped, with its notebook put in place."""
    top = tmp_path / NAME
    unzip_over(top, chapter({"a": STUB, "b": STUB, "old": STUB}))
    assert update(top) == ["01_a/01_a.ipynb is there"]
    return top


def unzip_over(top: Path, data: bytes) -> None:
    for path, content in bundled(data).items():
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_bytes(content)


def mine(top: Path) -> dict[str, bytes]:
    """Return the learner's files."""
    return {path.name: path.read_bytes() for path in sorted((top / "notebooks" / "01_a").iterdir())}


def sources(data: bytes) -> dict[str, str]:
    return {cell.id: cell.source for cell in nbformat.reads(data.decode(), as_version=4).cells}


SECOND = chapter({"a": "# Now shorter.\n" + STUB, "b": STUB, "c": STUB}, text="Read this too.")


def test_a_notebook_that_was_not_touched_is_replaced(top) -> None:
    assert update(top) == []
    unzip_over(top, SECOND)
    assert update(top) == ["01_a/01_a.ipynb is newer now"]
    assert mine(top) == {"01_a.ipynb": SECOND}


def test_a_notebook_that_was_worked_in_stays_and_its_answers_are_in_the_newer_one(top, tmp_path) -> None:
    worked = chapter({"a": STUB, "b": "mine = 1", "old": "gone = 2"}, text="Read. My note.")
    (top / "notebooks" / "01_a" / "01_a.ipynb").write_bytes(worked)
    newer = tmp_path / "newer.zip"
    newer.write_bytes(zipped(bundled(SECOND)))
    [said] = update(top, newer)
    assert said == (
        "01_a/01_a.ipynb has a newer version beside it, 01_a.new.ipynb, with 1 of your answers in it; yours is as it was"
    )
    assert (top / "released/01_a/01_a.ipynb").read_bytes() == SECOND
    assert list(mine(top)) == ["01_a.ipynb", "01_a.new.ipynb"] and mine(top)["01_a.ipynb"] == worked
    assert sources(mine(top)["01_a.new.ipynb"]) == sources(SECOND) | {"b": "mine = 1"}  # a: the first stub is no answer
    assert update(top, newer) == []

    # A third one replaces the second, which he didn't touch, and once he has, is put beside it.
    third, fourth = (chapter({"a": STUB + "\n", "b": STUB, "c": STUB}, text=text) for text in ("Third.", "Fourth."))
    unzip_over(top, third)
    assert len(update(top)) == 1 and list(mine(top)) == ["01_a.ipynb", "01_a.new.ipynb"]
    assert sources(mine(top)["01_a.new.ipynb"]) == sources(third) | {"b": "mine = 1"}
    (top / "notebooks" / "01_a" / "01_a.new.ipynb").write_bytes(chapter({"a": "a = 3", "b": "mine = 4", "c": STUB}))
    unzip_over(top, fourth)
    assert "01_a.new-2.ipynb, with 2 of your answers" in update(top)[0]
    assert sources(mine(top)["01_a.new-2.ipynb"]) == sources(fourth) | {"a": "a = 3", "b": "mine = 4"}
    assert mine(top)["01_a.ipynb"] == worked


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"cells": [1]}', b"\xff"])
def test_a_notebook_that_can_t_be_read_any_more_stays_too(top, damage) -> None:
    (top / "notebooks" / "01_a" / "01_a.ipynb").write_bytes(damage)
    (top / "notebooks" / ".released.json").write_text("{")
    unzip_over(top, SECOND)
    assert "with 0 of your answers" in update(top)[0]
    assert mine(top) == {"01_a.ipynb": damage, "01_a.new.ipynb": SECOND}


@pytest.mark.parametrize("name", ["notebooks/01_a/01_a.ipynb", "../out", "a\\..\\out", "C:out"])
def test_a_bundle_that_would_write_elsewhere_is_refused_whole(top, tmp_path, name) -> None:
    forged = tmp_path / "forged.zip"
    forged.write_bytes(zipped(bundled(SECOND, **{name: b"x"})))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(UpdateError, match="which no bundle of ours does: download it again"):
        update(top, forged)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_what_is_no_bundle_is_said_in_a_sentence(top, tmp_path, capsys) -> None:
    (tmp_path / "page.zip").write_text("<html>")
    with pytest.raises(UpdateError, match=r"page.zip is no student bundle of this course: download it again"):
        update(top, tmp_path / "page.zip")
    with pytest.raises(UpdateError, match=r"nowhere.zip can't be read or written \(No such file or directory\)"):
        update(top, tmp_path / "nowhere.zip")
    assert cli.main(["update"]) == 1  # this checkout is no bundle
    assert "is no student bundle (there is no bundle.json in it): unzip one" in capsys.readouterr().err


# ---------------------------------------------------------------- as a branch


def git(top: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=top, check=True, capture_output=True, text=True).stdout.strip()


def test_a_branch_holds_the_bundle_and_nothing_else_changes(tmp_path, monkeypatch) -> None:
    for name in ("GIT_AUTHOR", "GIT_COMMITTER"):
        monkeypatch.setenv(f"{name}_NAME", "A")
        monkeypatch.setenv(f"{name}_EMAIL", "a@example.org")
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    (tmp_path / "secret.py").write_text("1")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message=course")
    first = bundled(SECOND, **{"für.txt": b"\n\n"})
    assert write_branch(tmp_path, "students", first)
    assert not write_branch(tmp_path, "students", first)
    later = {**bundled(STUB.encode()), "bundle.json": first["bundle.json"].replace(b'"1"', b'"2"')}
    assert write_branch(tmp_path, "students", later)
    listed = git(tmp_path, "-c", "core.quotePath=off", "ls-tree", "-r", "--name-only", "students~").splitlines()
    assert sorted(listed) == sorted(first)
    assert git(tmp_path, "ls-tree", "-r", "--name-only", "students").splitlines() == sorted(later)
    assert git(tmp_path, "log", "--format=%s", "students").splitlines() == ["Student bundle 2", "Student bundle 1"]
    assert git(tmp_path, "status", "--porcelain") == "" and git(tmp_path, "branch", "--show-current") == "main"
    for branch, why in (("main", "is checked out"), ("..", "git check-ref-format fails")):
        with pytest.raises(CourseError, match=why):
            write_branch(tmp_path, branch, first)
    git(tmp_path, "branch", "other")
    with pytest.raises(CourseError, match="holds something else: name another one"):
        write_branch(tmp_path, "other", first)
