"""`make hub`: a class's whole week on one machine, as its people live it, and what each of them can't reach."""

import csv
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from learners.answers import in_style
from learners.classroom import CHECKOUT, fill_in
from learners.hub import CHAPTER, INSTRUCTOR, LEARNERS, Hub, load_start, no_root, running_hub
from nbgrader.utils import is_grade, is_solution

from tutor.checking.card import SIGNS

NOTEBOOK = f"{CHAPTER}.ipynb"
WRONG = "def neuron(inputs, weights, bias):\n    return (inputs * weights).sum()\n"
DIAGNOSIS = "Your neuron never adds the bias."
DEPLOY = CHECKOUT / "deploy" / "jupyterhub"


@dataclass
class Week:
    """A hub after a class's first week, and what its people were told on the way."""

    hub: Hub
    told: dict[str, object] = field(default_factory=dict)

    @property
    def course(self) -> Path:
        return self.hub.folder / "course"

    @property
    def exchange(self) -> Path:
        return self.hub.folder / "exchange" / "layer-by-layer"


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    """A hub that everybody has logged in to."""
    reason = no_root()
    if reason:
        pytest.skip(reason)
    with running_hub() as hub:
        for user in (INSTRUCTOR, *LEARNERS):
            hub.log_in(user)
        for user in (INSTRUCTOR, *LEARNERS):
            told = hub.wait_for_server(user)
            assert '"ready": true' in told, f"{user}: {told}\n{hub.log.read_text()}"
        yield hub


@pytest.fixture(scope="module")
def week(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Week:
    """The week: Ada works by JupyterLab's buttons, Bob and the instructor in a terminal."""
    week = Week(hub)
    told, desk = week.told, tmp_path_factory.mktemp("desk")

    def teach(*arguments: str) -> str:
        return hub.nbgrader(INSTRUCTOR, *arguments, cwd=week.course)

    teach("generate_assignment", CHAPTER, "--force")
    teach("release_assignment", CHAPTER)
    mine = {"course_id": "layer-by-layer", "assignment_id": CHAPTER}
    released = CHECKOUT / "notebooks" / CHAPTER / NOTEBOOK
    cells = nbformat.read(released, as_version=4).cells
    right = in_style(CHAPTER, "vectorised")
    right |= {cell.id: "Because." for cell in cells if is_grade(cell) and is_solution(cell)}

    def solve(user: str, answers: dict[str, str]) -> None:
        fill_in(released, answers, desk / user / NOTEBOOK)
        own = hub.home(user) / CHAPTER / NOTEBOOK
        assert "raise NotImplementedError()" in hub.read(own), "what was fetched"
        hub.write(user, own, (desk / user / NOTEBOOK).read_text(encoding="utf-8"))

    def ada() -> None:
        told["released"] = hub.get("ada", "assignments?course_id=layer-by-layer").json()
        told["fetched"] = hub.post("ada", "assignments/fetch", **mine)
        solve("ada", right)
        told["validated by ada"] = hub.post("ada", "assignments/validate", path=f"{CHAPTER}/{NOTEBOOK}")
        hub.post("ada", "assignments/submit", **mine)

    def bob() -> None:
        hub.nbgrader("bob", "fetch_assignment", CHAPTER)
        solve("bob", right | {"neuron": WRONG})
        told["validated by bob"] = hub.nbgrader("bob", "validate", f"{CHAPTER}/{NOTEBOOK}")
        hub.nbgrader("bob", "submit", CHAPTER)

    at_once(ada, bob)
    told["collected"] = teach("collect", CHAPTER)
    told["graded"] = hub.run(
        INSTRUCTOR, sys.executable, "-m", "tutor", "grade", CHAPTER, "--workers=1", cwd=week.course
    )
    teach("generate_feedback", CHAPTER, "--force")
    teach("release_feedback", CHAPTER)
    at_once(
        partial(teach, "export"),
        partial(hub.post, "ada", "assignments/fetch_feedback", **mine),
        partial(hub.nbgrader, "bob", "fetch_feedback", CHAPTER),
    )
    return week


def at_once(*parts: Callable[[], object]) -> None:
    """Run what several people do at the same time."""
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(part) for part in parts]:
            done.result()


# ---------------------------------------------------------------- coming in


def test_everybody_comes_to_jupyterlab_and_only_the_instructor_to_formgrader(hub):
    for user in (INSTRUCTOR, *LEARNERS):
        page = hub.get(user, "lab")
        assert page.ok and page.url == f"{hub.address}/user/{user}/lab" and "<title>JupyterLab" in page.text
    assert hub.get(INSTRUCTOR, "formgrader").ok
    assert [each["name"] for each in hub.get(INSTRUCTOR, "formgrader/api/assignments").json()] == [CHAPTER]
    for user in LEARNERS:
        for path in ("formgrader", "formgrader/api/assignments", "formgrader/api/gradebook"):
            assert hub.get(user, path).status_code == 404


def test_nobody_comes_to_the_server_of_somebody_else(hub):
    for user, other in (("ada", "bob"), ("bob", "ada"), ("ada", INSTRUCTOR), (INSTRUCTOR, "ada")):
        for path in ("lab", "api/contents", "formgrader"):
            assert hub.get(user, path, of=other).status_code in (403, 404), f"{user} at {path} of {other}"


def test_with_a_wrong_password_nobody_comes_in(hub):
    own = hub.sessions["ada"]
    assert hub.log_in("ada", password="guessed").status_code == 403
    hub.sessions["ada"] = own


# ---------------------------------------------------------------- the week


def test_a_learner_sees_what_is_released_and_fetches_it(week):
    [listed] = week.told["released"]["value"]
    assert (listed["assignment_id"], listed["status"]) == (CHAPTER, "released")
    assert [each["status"] for each in week.told["fetched"]["value"]] == ["fetched"]


def test_validation_tells_right_from_wrong(week):
    told = week.told["validated by ada"]
    assert told["success"] and not re.search("fail|error", str(told["value"]), re.IGNORECASE)
    assert "VALIDATION FAILED ON 1 CELL(S)" in week.told["validated by bob"]
    assert re.search(r"The following cell failed:\s+check\(neuron, ", week.told["validated by bob"])
    assert "eavesdropping" not in week.told["validated by bob"], "a warning that is nothing to a learner"


def test_what_was_handed_in_is_collected_as_whose_it_is(week):
    assert sorted(week.hub.inside("ls", week.course / "build" / "submitted").stdout.split()) == ["ada", "bob"]
    assert "cheating" not in week.told["collected"]


def test_grades_are_recorded_and_exported(week):
    rows = csv.DictReader(week.hub.read(week.course / "build" / "grades.csv").splitlines())
    scores = {row["student_id"]: float(row["score"]) for row in rows if row["assignment"] == CHAPTER}
    assert set(scores) == set(LEARNERS)
    assert 0 < scores["bob"] < scores["ada"]
    assert "bob" in week.told["graded"] and "neuron" in week.told["graded"]


def test_each_learner_finds_his_own_cards_in_the_fetched_feedback(week):
    pages = {}
    for user in LEARNERS:
        [path] = week.hub.inside(
            "find", week.hub.home(user) / CHAPTER / "feedback", "-name", "*.html"
        ).stdout.splitlines()
        pages[user] = " ".join(BeautifulSoup(week.hub.read(Path(path)), "html.parser").get_text(" ").split())
    assert DIAGNOSIS in pages["bob"] and DIAGNOSIS not in pages["ada"]
    assert f"{SIGNS['passed']} neuron" in pages["ada"] and f"{SIGNS['passed']} neuron" not in pages["bob"]
    assert not any("HIDDEN TESTS" in page or "hidden=True" in page for page in pages.values())


def test_the_week_is_the_one_in_the_guide(week):
    blocks = re.findall(r"```sh\n(.*?)```", (CHECKOUT / "docs" / "hub.md").read_text(encoding="utf-8"), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if not line.startswith("sudo ")]
    assert len(lines) == 11
    ran = [" ".join(map(str, command)) for command in week.hub.ran]
    for line in lines:
        assert any(line in command for command in ran), f"nobody ran: {line}"


def test_a_backup_as_in_the_guide_holds_what_it_says(week):
    [command] = re.findall(r"^sudo (tar .*)$", (CHECKOUT / "docs" / "hub.md").read_text(encoding="utf-8"), re.MULTILINE)
    archive = week.hub.place / "hub-backup.tar.gz"
    words = command.replace("/srv/layer-by-layer", str(week.hub.folder)).replace(archive.name, str(archive)).split()
    done = week.hub.inside(*words)
    assert done.returncode in (0, 1), done.stderr  # 1: the hub isn't stopped here, and a file changed meanwhile
    held = week.hub.inside("tar", "-tf", archive).stdout.splitlines()
    assert {"./hub.toml", "./course/build/gradebook.db", "./hub/jupyterhub.sqlite"} <= set(held)


# ---------------------------------------------------------------- what learners can't reach


def secrets_of(week: Week, user: str) -> dict[str, tuple[str | Path, ...]]:
    """Return commands that each reach something which isn't the user's."""
    other = "bob" if user == "ada" else "ada"
    hub, course = week.hub, week.course
    [handed_in] = hub.inside("sh", "-c", f"ls -d {week.exchange}/inbound/{other}+*").stdout.splitlines()
    return {
        "another's notebook": ("cat", hub.home(other) / CHAPTER / NOTEBOOK),
        "another's feedback": ("ls", hub.home(other) / CHAPTER / "feedback"),
        "another's secret of the submission": (
            "ls",
            hub.home(other) / ".local" / "share" / "jupyter" / "nbgrader_cache",
        ),
        "what is handed in": ("ls", week.exchange / "inbound"),
        "what another has collected of him": ("cat", course / "build" / "submitted" / other / CHAPTER / NOTEBOOK),
        "the names of feedback": ("ls", week.exchange / "feedback"),
        "the solutions": ("cat", course / "solutions" / CHAPTER / f"{CHAPTER}.py"),
        "the solutions in the checkout": ("cat", hub.checkout / "solutions" / CHAPTER / f"{CHAPTER}.py"),
        "the tests' answers": ("ls", hub.checkout / "tests" / "answers"),
        "the history": ("cat", hub.checkout / ".git" / "HEAD"),
        "the gradebook": ("cat", course / "build" / "gradebook.db"),
        "the grades": ("cat", course / "build" / "grades.csv"),
        "the passwords": ("cat", hub.folder / "hub" / "first-passwords.txt"),
        "the hub's database": ("cat", hub.folder / "hub" / "jupyterhub.sqlite"),
        "another's token": ("cat", f"/proc/{hub.server_of(other)}/environ"),
        "the instructor's token": ("cat", f"/proc/{hub.server_of(INSTRUCTOR)}/environ"),
        "a change of the release": ("touch", week.exchange / "outbound" / CHAPTER / NOTEBOOK),
        "an end of the release": ("mv", week.exchange, f"{week.exchange}.gone"),
        "another's submission's end": ("mv", handed_in, f"{handed_in}.gone"),
        "other settings": ("touch", hub.folder / "settings" / "learner" / "nbgrader_config.py"),
    }


def test_a_learner_reaches_nothing_of_others_nor_the_solutions_nor_the_gradebook(week):
    for user in LEARNERS:
        for what, command in secrets_of(week, user).items():
            assert week.hub.inside("ls", *(p for p in command[1:2])).returncode == 0, f"{what}: there is no such thing"
            done = week.hub.inside(*command, user=user)
            assert done.returncode != 0, f"{user} reaches {what}: {done.stdout[:200]}"
            assert "Permission denied" in done.stderr or "not permitted" in done.stderr, f"{what}: {done.stderr}"


def test_a_learner_runs_the_course_and_reads_its_assignment(week):
    for user in LEARNERS:
        week.hub.run(user, sys.executable, "-c", "import tutor; tutor.check, tutor.data")
        assert week.hub.inside("cat", week.exchange / "outbound" / CHAPTER / NOTEBOOK, user=user).returncode == 0


# ---------------------------------------------------------------- preparing


def test_doing_it_again_takes_in_who_is_new_and_leaves_the_rest(week):
    hub = week.hub
    before, gradebook = hub.password("ada"), hub.read(week.course / "build" / "grades.csv")
    hub.settings.write_text(hub.settings.read_text().replace('["ada", "bob"]', '["ada", "bob", "cleo"]'))
    done = hub.inside(*hub.start, "--prepare")
    assert done.returncode == 0, done.stderr
    assert re.findall(r"made for (\w+)", done.stdout) == ["cleo"]
    assert hub.password("ada") == before and hub.password("cleo")
    assert hub.read(week.course / "build" / "grades.csv") == gradebook


def test_an_account_of_the_system_is_nobody_to_log_in(week):
    hub, before = week.hub, week.hub.settings.read_text()
    hub.settings.write_text(before.replace('["ada"', '["daemon", "ada"'))
    done = hub.inside(*hub.start, "--prepare")
    hub.settings.write_text(before)
    assert done.returncode == 2
    assert "daemon is an account of the system's own, or has no home" in done.stderr


@pytest.fixture
def start(monkeypatch):
    """The program behind `make hub`, as a module."""
    module = load_start()
    monkeypatch.setattr(module.os, "umask", lambda mode: mode)
    return module


def test_without_root_it_says_what_is_needed_and_makes_nothing(start, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert start.main(["--folder", str(tmp_path / "srv")]) == 2
    [said] = capsys.readouterr().err.splitlines()
    assert "takes root: `sudo make hub`" in said
    assert not list(tmp_path.iterdir())


def test_a_missing_program_is_named(start, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(start.shutil, "which", lambda name: None if name == "npm" else "/bin/it")
    assert start.main(["--folder", str(tmp_path / "srv")]) == 2
    assert "There is no npm here: install what is missing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"bob"]', '"Bob B."]', "'Bob B.' in .* can't be an account"),
        ('"bob"]', '"root"]', "'root' in .* can't be an account"),
        ('"bob"]', '"ada"]', "Somebody stands in .* twice"),
        ("8081", "8001", "gives a port twice"),
        ("http://127.0.0.1:8000", "http://0.0.0.0:8000", "passwords would cross the network in the clear"),
        ('instructor = "instructor"', "", "lacks instructor"),
        ('"bob"]', '"bob"', "can't be read"),
    ],
)
def test_settings_that_do_not_do_are_refused_in_a_sentence(start, tmp_path, old, new, sentence):
    path = tmp_path / "hub.toml"
    path.write_text(start.FIRST.replace(old, new))
    with pytest.raises(start.Refused, match=sentence):
        start.read_settings(path)


def test_settings_are_written_the_first_time(start, tmp_path):
    assert start.read_settings(tmp_path / "hub.toml")["learners"] == ["ada", "bob"]
    assert (tmp_path / "hub.toml").read_text() == start.FIRST


def test_a_python_that_learners_cannot_reach_is_refused(start, monkeypatch, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o700)
    monkeypatch.setattr(start.sys, "prefix", str(tmp_path / "closed"))
    monkeypatch.setattr(start.sys, "executable", "/bin/sh")
    monkeypatch.setattr(start, "TOP", Path("/usr"))
    with pytest.raises(start.Refused, match="is closed to others: put Python and the checkout where everybody may go"):
        start.require_readable()


def test_the_values_for_zero_to_jupyterhub_are_yaml_and_carry_the_same_settings(start):
    values = yaml.safe_load((DEPLOY / "zero-to-jupyterhub.yaml").read_text(encoding="utf-8"))
    files = values["singleuser"]["extraFiles"]
    settings = files["nbgrader"]["stringData"]
    compile(settings, "nbgrader_config.py", "exec")
    compile(values["hub"]["extraConfig"]["course"], "jupyterhub_config.py", "exec")
    subprocess.run(["sh", "-n", "-c", values["singleuser"]["cmd"][2]], check=True)
    assert f'course_id = "{start.COURSE}"' in settings
    mounted = {each["mountPath"] for each in values["singleuser"]["storage"]["extraVolumeMounts"]}
    assert re.search(r'Exchange\.root = "(.*)"', settings)[1] in mounted
