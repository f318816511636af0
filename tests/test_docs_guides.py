"""The guides in docs/: each command runs here or in a test that is named, links lead somewhere, the author's example is built."""

import ast
import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

import pytest
from learners import postgres, standin
from nbgrader import apps

from tutor import cli
from tutor.grading import command

TOP = Path(__file__).resolve().parents[1]
DOCS = TOP / "docs"
GUIDES = ("learner.md", "instructor.md", "author.md", "operator.md", "design.md")
NAME = "00_start"
NEW = re.compile(r"^In a new file `([^`]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
AFTER = re.compile(r"^After the line `([^`]+)` of `([^`]+)`[^\n]*:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"\s+#.*")

# Commands that take minutes, a browser or another machine: the test that runs each, and how it is written there.
ELSEWHERE = MappingProxyType(
    {
        "tutor doctor": ("test_doctor.py", "test_it_runs_where_nothing_but_python_is_installed", '"tutor", "doctor"'),
        "make test": ("test_house_make.py", "test_ci_run_calls_make_test_under_ci_without_stdin", "make test CI=true"),
        "tutor grade --json build/class.json": (
            "test_grading_command.py",
            "test_a_class_is_graded_once_and_then_only_what_changed",
            'grade(course, "--json", str(file))',
        ),
    }
)
# What a class without a hub leaves out, and what one with a hub does.
OF_A_HUB = ("nbgrader release_assignment", "nbgrader collect", "nbgrader release_feedback")
BY_HAND = ("make student-bundle", "mkdir", "cp")
# Sections whose commands a test of this file runs.
HERE = MappingProxyType(
    {
        ("learner.md", "Start"): "test_make_knows_the_targets_and_what_they_start",
        ("learner.md", "When you are stuck"): "test_the_environment_is_activated_as_the_guides_say",
        ("learner.md", "A fresh notebook"): "test_a_fresh_notebook_keeps_one_s_own",
        ("instructor.md", "Once"): "test_make_knows_the_targets_and_what_they_start",
        ("instructor.md", "Monday: out"): "test_a_week_and_those_who_are_late_and_a_backup",
        ("instructor.md", "Friday: in, graded, back"): "test_a_week_and_those_who_are_late_and_a_backup",
        ("instructor.md", "Whoever hands in late, or again"): "test_a_week_and_those_who_are_late_and_a_backup",
        ("author.md", "Build and test"): "test_the_author_s_example_is_built_and_holds",
        ("operator.md", "Backups"): "test_a_week_and_those_who_are_late_and_a_backup",
        ("operator.md", "PostgreSQL"): "test_a_database_is_made_saved_and_restored",
        ("operator.md", "Upgrades"): "test_an_upgrade_is_pulled",
        ("operator.md", "What lies in build/"): "test_a_week_and_those_who_are_late_and_a_backup",
    }
)


def sections(guide: str) -> dict[str, str]:
    """Return a guide's text by heading (of the second level); what comes before the first has none."""
    parts = re.split(r"^## (.+)\n", (DOCS / guide).read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(["", *parts[1::2]], parts[::2], strict=True))


def commands(guide: str, heading: str) -> list[str]:
    """Return the commands of a section, without comments."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", sections(guide)[heading], re.MULTILINE | re.DOTALL)
    return [COMMENT.sub("", line) for block in blocks for line in block.splitlines() if line]


def shell(line: str, cwd: Path, env: dict[str, str] | None = None) -> str:
    """Run a command as it stands and return what it said; fail with that when it fails."""
    done = subprocess.run(
        ["bash", "-c", line], cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}"
    return done.stdout


# ---------------------------------------------------------------- every command, every link, every name


def functions(file: str) -> dict[str, str]:
    """Return the text of each test of a file."""
    text = (TOP / "tests" / file).read_text(encoding="utf-8")
    found = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    return {node.name: ast.get_source_segment(text, node) or "" for node in found}


@pytest.mark.parametrize("guide", GUIDES)
def test_every_command_is_run_by_a_test(guide: str) -> None:
    mine = functions(Path(__file__).name)
    for heading in sections(guide):
        found = commands(guide, heading)
        test = HERE.get((guide, heading))
        if test:
            assert found and f'"{guide}"' in mine[test] and f'"{heading}"' in mine[test]
        else:
            assert set(found) <= set(ELSEWHERE), f"{guide}, {heading}: name the test that runs these"


@pytest.mark.parametrize("guide", GUIDES)
def test_commands_stand_in_blocks_of_sh_and_those_in_a_sentence_exist(guide: str) -> None:
    text = (DOCS / guide).read_text(encoding="utf-8")
    kinds = re.findall(r"^```(\w*)\n.*?^```$", text, re.MULTILINE | re.DOTALL)
    assert set(kinds) <= {"sh", "python", "toml", "markdown", "text", ""}
    targets = re.findall(r"^([a-z-]+):", (TOP / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for said in re.findall(r"`((?:make|tutor|nbgrader|python -m tutor) [^`]+)`", text):
        program, *words = shlex.split(said.replace("python -m tutor", "tutor"))
        if program == "tutor":
            assert cli.arguments_of(words)
        else:
            assert words[0] in (targets if program == "make" else apps.NbGraderApp.subcommands), said


@pytest.mark.parametrize("line", ELSEWHERE)
def test_the_test_that_is_named_runs_it(line: str) -> None:
    file, name, written = ELSEWHERE[line]
    [text] = [text for test, text in functions(file).items() if test.startswith(name)]
    assert written in text


def anchor(heading: str) -> str:
    """Return what a heading is called in links: as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("guide", [*GUIDES, "../README.md"])
def test_links_lead_to_files_and_headings(guide: str) -> None:
    text = re.sub(r"^```.*?^```$", "", (DOCS / guide).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
        name, _, wanted = target.partition("#")
        path = (DOCS / guide).parent / name if name else DOCS / guide
        assert path.exists(), target
        if wanted:
            headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            assert wanted in map(anchor, headings), target


def test_each_guide_is_linked_from_the_readme_and_names_only_files_that_are_there() -> None:
    readme = (TOP / "README.md").read_text(encoding="utf-8")
    for guide in GUIDES:
        assert f"(docs/{guide})" in readme
        text = re.sub(r"^In a new file .*", "", (DOCS / guide).read_text(encoding="utf-8"), flags=re.MULTILINE)
        for name in re.findall(r"`((?:tutor|tests|tools|bench|deploy|solutions)/[^`\s]*)`", text):
            assert (TOP / name).exists(), f"{guide} names {name}"


# ---------------------------------------------------------------- learners


def test_make_knows_the_targets_and_what_they_start() -> None:
    lab, demo = "-m jupyterlab --ServerApp.root_dir=notebooks", "-m tutor.grading.demo"
    [start] = commands("learner.md", "Start")
    first, activate, doctor, class_of_thirty = commands("instructor.md", "Once")
    assert (first, doctor, [activate]) == (start, "tutor doctor", commands("learner.md", "When you are stuck")[:1])
    for line, started in ((start, lab), (class_of_thirty, demo)):
        assert started in shell(line.replace("make", "make -n"), TOP, {**os.environ, "MAKEFLAGS": ""})


def test_the_environment_is_activated_as_the_guides_say(tmp_path: Path) -> None:
    activate, doctor = commands("learner.md", "When you are stuck")
    assert doctor in ELSEWHERE
    venv.create(tmp_path / ".venv", with_pip=False, symlinks=True)
    assert shell(f"{activate} && command -v python", tmp_path).strip() == str(tmp_path / ".venv" / "bin" / "python")


def test_a_fresh_notebook_keeps_one_s_own(tmp_path: Path) -> None:
    shutil.copytree(TOP / "notebooks" / NAME, tmp_path / "notebooks" / NAME)
    own = tmp_path / "notebooks" / NAME / f"{NAME}.ipynb"
    released = own.read_bytes()
    who = "-c user.name=a -c user.email=a@example.org -c commit.gpgsign=false"
    shell(f"git init -q && git add . && git {who} commit -qm released", tmp_path)
    own.write_text("mine", encoding="utf-8")
    for line in commands("learner.md", "A fresh notebook"):
        shell(line, tmp_path)
    assert own.read_bytes() == released and own.with_name("mine.ipynb").read_text(encoding="utf-8") == "mine"


# ---------------------------------------------------------------- instructors and operators


def nbgrader(words: list[str], cwd: Path) -> None:
    """Run an nbgrader command in this process, which is quicker."""
    app = getattr(apps, "".join(map(str.capitalize, words[0].split("_"))) + "App")()
    said, path = io.StringIO(), list(sys.path)
    with contextlib.chdir(cwd), contextlib.redirect_stderr(said):
        try:
            app.initialize(words[1:])
            app.start()
        except SystemExit as end:
            assert not end.code, said.getvalue()
        finally:
            sys.path[:] = path
            for handler in list(app.log.handlers):
                app.log.removeHandler(handler)


def run(line: str, top: Path, *more: str) -> None:
    """Run a command of the week, with a stand-in for the sandboxed work; more: options for ``tutor grade``."""
    words = shlex.split(line)
    if words[:2] == ["nbgrader", "db"]:  # its commands' commands can't be two in one process
        shell(f"{shlex.quote(sys.executable)} -m {line}", top)
    elif words[0] == "nbgrader":
        nbgrader(words[1:], top)
    elif words[0] == "tutor":
        assert command.grade(cli.arguments_of([*words[1:], "--course", str(top), *more]), standin.grade) == 0
    else:
        shell(line, top)


def fresh_course(top: Path) -> Path:
    """Return a course of one chapter, as a fresh checkout has it, and the class list that the guide shows."""
    for folder in ("solutions", "notebooks"):
        shutil.copytree(TOP / folder / NAME, top / folder / NAME)
    shutil.copy(TOP / "nbgrader_config.py", top)
    [people] = re.findall(r"^```text\n(.*?)^```$", sections("instructor.md")["Monday: out"], re.MULTILINE | re.DOTALL)
    (top / "build").mkdir()
    (top / "build" / "class.csv").write_text(people, encoding="utf-8")
    return top


def test_a_week_and_those_who_are_late_and_a_backup(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    top, desk = fresh_course(tmp_path / "course"), tmp_path / "desk"
    desk.mkdir()
    exchange = f'c.Exchange.root = "{top}/build/exchange"\nc.Exchange.cache = "{desk}/cache"\n'
    course = 'c = get_config()\nc.CourseDirectory.course_id = "layer-by-layer"\n'
    (desk / "nbgrader_config.py").write_text(course + exchange, encoding="utf-8")

    def follow(heading: str) -> None:
        for line in commands("instructor.md", heading):
            if not line.startswith(BY_HAND):
                run(line, top, "--workers", "1")

    follow("Monday: out")
    nbgrader(["fetch_assignment", NAME], desk)
    nbgrader(["submit", NAME, "--student=ada"], desk)
    follow("Friday: in, graded, back")
    page = top / "build" / "feedback" / "ada" / NAME / f"{NAME}.html"
    first = (top / "build" / "submitted" / "ada" / NAME / "timestamp.txt").read_text(encoding="utf-8")
    before, grades = page.stat().st_mtime_ns, top / "build" / "grades.csv"
    lines = grades.read_text(encoding="utf-8").splitlines()
    assert any(line.startswith(f"{NAME},2026-11-19 12:00:00,") and ",Lovelace,Ada,ada@" in line for line in lines)
    assert any(line.startswith(f"{NAME},2026-11-19 12:00:00,,bob,") for line in lines), (
        "a row for who handed in nothing"
    )
    released = top / "build" / "exchange" / "layer-by-layer" / "feedback"
    assert len(list(released.iterdir())) == 1

    own = desk / NAME / f"{NAME}.ipynb"
    own.write_text(own.read_text(encoding="utf-8").replace("*Write your answer here.*", "Because."), encoding="utf-8")
    nbgrader(["submit", NAME, "--student=ada"], desk)
    nbgrader(["submit", NAME, "--student=bob"], desk)
    follow("Whoever hands in late, or again")
    assert (top / "build" / "submitted" / "ada" / NAME / "timestamp.txt").read_text(encoding="utf-8") > first
    assert page.stat().st_mtime_ns > before, "ada's page is that of what she handed in last"
    assert ",,bob," not in grades.read_text(encoding="utf-8")
    assert len(list(released.iterdir())) == 3

    mailed = top / "build" / "submitted" / "cid" / NAME  # in a hub's class, by mail
    mailed.mkdir(parents=True)
    shutil.copy(own, mailed)
    for line in commands("instructor.md", "Whoever hands in late, or again")[1:3]:
        run(line, top, "--workers", "1")
    [leaving_out] = re.findall(r"`(nbgrader release_feedback [^`]+)`", sections("grading.md")[""])
    run(leaving_out.replace("01_activations", NAME).replace("STUDENT", "cid"), top)

    [listing] = commands("operator.md", "What lies in build/")
    listed = {line.split("/")[-1] for line in shell(listing, top).splitlines()}
    assert listed <= set(re.findall(r"`([\w.-]+)`", sections("operator.md")["What lies in build/"]))

    save, environment, activate, *restore = commands("operator.md", "Backups")
    assert [activate] == commands("learner.md", "When you are stuck")[:1]
    assert "tools/environment.py" in shell(environment.replace("make", "make -n"), TOP, {**os.environ, "MAKEFLAGS": ""})
    before_it = {path.name for path in top.iterdir()}
    run(save, top)
    assert {path.name for path in top.iterdir()} == before_it, "git add would publish it"
    again = fresh_course(tmp_path / "again")
    capsys.readouterr()
    for line in restore:
        run(line, again, "--scheduler", "nowhere://host")  # where nothing has to be run, nobody is asked
    assert {"ada", "bob"} <= set(capsys.readouterr().out.split())
    secret = (top / "build" / "grading" / "seed", again / "build" / "grading" / "seed")
    assert secret[0].read_text() == secret[1].read_text() and secret[1].stat().st_mode & 0o777 == 0o600


def test_a_week_without_a_hub(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    top = fresh_course(tmp_path / "course")
    sent = tmp_path / "ada.ipynb"
    shutil.copy(top / "notebooks" / NAME / sent.name.replace("ada", NAME), sent)

    def follow(heading: str) -> None:
        for line in commands("instructor.md", heading):
            if line.startswith("make"):
                assert "tutor.cli bundle" in shell(
                    line.replace("make", "make -n"), TOP, {**os.environ, "MAKEFLAGS": ""}
                )
            elif not line.startswith(OF_A_HUB):
                run(line.replace("~/Downloads", str(tmp_path)), top, "--workers", "1")

    follow("Monday: out")
    follow("Friday: in, graded, back")
    folder = top / "build" / "submitted" / "ada" / NAME
    page = top / "build" / "feedback" / "ada" / NAME / f"{NAME}.html"
    assert f"`{page.relative_to(top)}`" in sections("instructor.md")["Friday: in, graded, back"]
    with pytest.raises(FileNotFoundError, match=r"timestamp\.txt"):
        nbgrader(["release_feedback", NAME, f"--Exchange.root={tmp_path}"], top)
    shutil.copy(sent, folder / f"{NAME}.ipynb")
    text = sent.read_text(encoding="utf-8").replace("*Write your answer here.*", "Because of the bands.")
    (folder / f"{NAME}.ipynb").write_text(text, encoding="utf-8")
    follow("Whoever hands in late, or again")
    assert "Because of the bands." in page.read_text(encoding="utf-8"), "what she sent last"

    late = sections("grading.md")["Late"]
    [penalty] = re.findall(r"^```python\n(.*?)^```$", late, re.MULTILINE | re.DOTALL)
    [time] = re.findall(r"\(`([\d: -]+UTC)`\)", late)
    (folder / "timestamp.txt").write_text(time, encoding="utf-8")
    grades = top / "build" / "grades.csv"
    for setting in ("", penalty):
        with (top / "nbgrader_config.py").open("a", encoding="utf-8") as file:
            file.write(setting)
        capsys.readouterr()
        run(f"tutor grade {NAME} --force", top, "--workers", "1")
        assert "handed in 1 d after the due date" in " ".join(capsys.readouterr().out.split())
        run("nbgrader export", top)
        [row] = [line for line in grades.read_text(encoding="utf-8").splitlines() if ",ada," in line]
        raw, cost = row.split(",")[-4:-2]
        assert float(cost) == (float(raw) if setting else 0) and float(raw) > 0
    shutil.rmtree(folder.parent)
    run("nbgrader export", top)
    assert row in grades.read_text(encoding="utf-8"), "a row stays when the folder is gone"


def test_a_database_is_made_saved_and_restored(tmp_path: Path) -> None:
    if postgres.program("initdb") is None:
        pytest.skip("no PostgreSQL: initdb is neither on PATH nor in /usr/lib/postgresql/*/bin")
    top = tmp_path / "checkout"
    top.mkdir()
    owner, database, save, restore = commands("operator.md", "PostgreSQL")
    with postgres.server() as server:
        programs = str(Path(str(postgres.program("initdb"))).parent)
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        env = {**os.environ, "PGHOST": str(server.folder), "PGUSER": "grader", "PATH": path}
        for line in (owner, database):
            shell(line, top, env)
        owner_of = "select pg_get_userbyid(datdba) from pg_database where datname = current_database()"
        assert shell(f'psql --no-align --tuples-only --command="{owner_of}" course', top, env) == "teacher\n"
        env["PGUSER"] = "teacher"
        table = "create table points (earned int); insert into points values (57)"
        shell(f"psql --command='{table}' course", top, env)
        shell(save, top, env)
        shell("psql --command='delete from points' course", top, env)
        shell(restore, top, env)
        assert shell("psql --no-align --tuples-only --command='select * from points' course", top, env) == "57\n"


def test_an_upgrade_is_pulled(tmp_path: Path) -> None:
    pull, test = commands("operator.md", "Upgrades")
    assert test in ELSEWHERE
    commit = "git add . && git -c user.name=a -c user.email=a@example.org -c commit.gpgsign=false commit -qm"
    (tmp_path / "ours").mkdir()
    shell(f"git init -q && echo old > version && {commit} old && git clone -q . ../yours", tmp_path / "ours")
    shell(f"echo new > version && {commit} new", tmp_path / "ours")
    shell(pull, tmp_path / "yours")
    assert (tmp_path / "yours" / "version").read_text(encoding="utf-8") == "new\n"


# ---------------------------------------------------------------- authors


def written(top: Path) -> Path:
    """Return a copy of the course in which somebody has done everything that docs/author.md says, but not built it."""
    for folder in ("tutor", "tests", "solutions", "notebooks"):
        shutil.copytree(TOP / folder, top / folder, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    for file in ("nbgrader_config.py", "conftest.py", "pyproject.toml", "README.md", "Makefile"):
        shutil.copy(TOP / file, top)
    text = (DOCS / "author.md").read_text(encoding="utf-8")
    for name, content in NEW.findall(text):
        assert not (top / name).exists(), f"{name} is there already"
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(content, encoding="utf-8")
    for line, name, content in AFTER.findall(text):
        lines = (top / name).read_text(encoding="utf-8").splitlines(keepends=True)
        same: Callable[[str, str], bool] = str.startswith if line.endswith("…") else str.__eq__
        [place] = [n for n, found in enumerate(lines) if same(found.rstrip("\n"), line.rstrip("…"))]
        (top / name).write_text("".join([*lines[: place + 1], content, *lines[place + 1 :]]), encoding="utf-8")
    return top


def test_the_author_s_example_is_built_and_holds(tmp_path: Path) -> None:
    top = written(tmp_path / "course")
    build, test, ask = commands("author.md", "Build and test")
    python = f"{shlex.quote(sys.executable)} "
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")} | {
        "PYTHONPATH": str(top)
    }
    said = shell(f"{python}-m {build}", top, env)
    assert "notebooks/07_clipping/07_clipping.ipynb written" in said
    released = (top / "notebooks" / "07_clipping" / "07_clipping.ipynb").read_text(encoding="utf-8")
    assert "raise NotImplementedError()" in released and "torch.where(input" not in released
    passed = shell(test.replace("python ", python, 1) + " -p no:cacheprovider -p no:xdist", top, env)
    counted = re.search(r"\b(\d+) passed\b", passed)
    assert counted and int(counted[1]) >= 15, passed
    assert "smooth" in shell(ask.replace("python ", python, 1), top, env)
    made = ["tutor/checking/bank/clipping", "tests/answers/07_clipping", "solutions/07_clipping/07_clipping.py"]
    shell(f"{python}-m ruff check {' '.join(made)} && {python}-m ruff format --check {' '.join(made)}", top, env)
