"""`tutor doctor`, given one broken thing after the other: each is said, with how to mend it."""

from __future__ import annotations

import ast
import importlib
import json
import os
import runpy
import shutil
import socket
import subprocess
import sys
import tempfile
import tomllib
from argparse import Namespace
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.data_tiny import tiny_cifar10, without_privileges
from tutor import cli
from tutor.doctor import command, folders, importing, jupyter, packages, pictures, python, sandbox
from tutor.doctor.finding import Finding

TOP = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def only(findings: Iterable[Finding]) -> Finding:
    """Return the one finding there is."""
    (finding,) = findings
    return finding


def mended(findings: Iterable[Finding], what: str, how: str) -> None:
    """Hold the one finding to be something to mend, said with these words."""
    finding = only(findings)
    assert finding.state == "mend"
    assert what in finding.what
    assert how in finding.how


def program(folder: Path, name: str) -> Path:
    """Put a program into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (f"{name}.exe" if os.name == "nt" else name)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


# Python and its programs


def test_a_python_that_is_too_old_is_named_with_the_mend() -> None:
    mended(python.version((3, 10, 14), "python3"), "Python 3.10.14 (python3), and the course needs 3.11", "python3.11")
    assert only(python.version((3, 11, 0))).state == "ok"


def test_all_places_that_name_the_oldest_python_agree(monkeypatch) -> None:
    assert PROJECT["requires-python"] == ">={}.{}".format(*python.OLDEST)
    monkeypatch.setattr(sys, "version_info", (*python.OLDEST[:1], python.OLDEST[1] - 1, 9))
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer, and .* is Python 3\.10: install a newer one"):
        runpy.run_path(str(TOP / "tutor" / "__main__.py"))


@pytest.mark.parametrize("name", ["__init__.py", "__main__.py"])
def test_what_refuses_an_old_python_can_be_read_by_it(name: str) -> None:
    ast.parse((TOP / "tutor" / name).read_text(encoding="utf-8"), feature_version=(3, 7))


def test_alembic_that_is_not_on_path_is_found_by_activating_the_environment(tmp_path) -> None:
    own = program(tmp_path / "venv" / "bin", "alembic").parent
    (own / "activate").touch()
    empty = tmp_path / "empty"
    mended(python.programs(str(empty), str(own)), "not on PATH: gradebooks can't be made", f"`source {own}/activate`")
    (own.parent / "conda-meta").mkdir()
    assert f"`conda activate {own.parent}`" in only(python.programs(str(empty), str(own))).how
    assert only(python.programs(str(own), str(own))).state == "ok"
    mended(python.programs(str(empty), str(empty)), "it isn't installed", "install --constraint")


def test_an_alembic_of_another_environment_is_told(tmp_path) -> None:
    own, other = (program(tmp_path / name / "bin", "alembic").parent for name in ("own", "other"))
    finding = only(python.programs(str(other), str(own)))
    assert finding.state == "note" and f"another Python's here ({other}" in finding.what
    assert f'export PATH="{own}:$PATH"' in finding.how


# Packages


def distribution(folder: Path, name: str, version: str | None, points: str = "") -> None:
    """Put an installed package's notes into a folder that Python imports from."""
    about = folder / f"{name.replace('-', '_')}-1.dist-info"
    about.mkdir(parents=True)
    if version:
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (about / "entry_points.txt").write_text(points)


def test_packages_that_are_missing_too_old_or_half_installed_are_named(tmp_path) -> None:
    importlib.import_module(
        "importlib_metadata"
    )  # some package's: from then on it answers in the standard library's place
    for name, version in (("good", "2.1"), ("old", "1.9"), ("half", None), ("early", "3.0rc1")):
        distribution(tmp_path, name, version)
    wanted = ["good>=2", "old>=2", "half>=1", "early>=2", "absent>=1", 'elsewhere>=1; sys_platform == "none"']
    *wrong, rest = packages.needed(wanted, [str(tmp_path)])
    assert {finding.state for finding in wrong} == {"mend"}
    assert [finding.what for finding in wrong] == [
        "The package old is 1.9 here, and the course needs >=2.",
        "The package half is only half installed.",
        "The package absent is missing.",
    ]
    assert [finding.how.split()[-1] for finding in wrong] == ["'old>=2'`.", "'half>=1'`.", "'absent>=1'`."]
    assert rest.state == "ok" and rest.what.startswith("2 packages")


def test_what_is_needed_is_what_the_project_lists(tmp_path, monkeypatch) -> None:
    assert packages.requirements(TOP) == PROJECT["dependencies"]
    monkeypatch.setattr(packages.metadata, "requires", lambda name: ["absent>=1", "ruff>=1; extra == 'dev'"])
    mended(packages.needed(packages.requirements(None), [str(tmp_path)]), "The package absent is missing", "absent>=1")


def entry_points() -> str:
    """Return the project's entry points as an installation notes them."""
    groups = {"console_scripts": PROJECT["scripts"], **PROJECT["entry-points"]}
    return "\n".join(f"[{group}]\n" + "\n".join(f"{k} = {v}" for k, v in p.items()) for group, p in groups.items())


def test_an_egg_info_that_hides_entry_points_is_told(tmp_path) -> None:
    top, site = tmp_path / "top", tmp_path / "site-packages"
    top.mkdir()
    shutil.copy(TOP / "pyproject.toml", top)
    distribution(site, "layer-by-layer", "1", entry_points())
    path = [str(top), str(site)]
    assert only(packages.course(top, path)).state == "ok"
    egg = top / "layer_by_layer.egg-info"
    egg.mkdir()
    (egg / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: layer-by-layer\nVersion: 0.0.1\n")
    (egg / "entry_points.txt").write_text(entry_points().replace("tutor-warm", "tutor-cold"))
    mended(packages.course(top, path), "it lacks tutor-warm, and hides", f"install --constraint {TOP}/constraints.txt")
    (egg / "entry_points.txt").write_text(entry_points())
    assert only(packages.course(top, path)).state == "ok"


def test_a_course_that_is_not_installed_is_told_with_where_it_is(tmp_path, monkeypatch) -> None:
    path = [str(tmp_path)]
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "environment"))
    mended(packages.course(tmp_path, path), "isn't installed in this Python", f"--editable {TOP}`")
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    mended(packages.course(tmp_path, path), "isn't installed in this Python", "Make an environment for it")
    program(tmp_path / ".venv" / "bin", "activate")
    finding = only(packages.course(tmp_path, path))
    mended([finding], "isn't installed in this Python", f"activate that: `source {tmp_path}/.venv/bin/activate`")
    assert finding.last, "all the rest would only say that nothing is installed here"


# Imports

STUBS = ("torch/__init__.py", "torch/utils/__init__.py", "torch/utils/tensorboard.py", "torchvision.py")
STUBS += ("matplotlib/__init__.py", "matplotlib/pyplot.py", "tensorboard/__init__.py", "tensorboard/program.py")
NMS = "raise RuntimeError('operator torchvision::nms does not exist')"


@pytest.fixture
def stubs(tmp_path) -> Path:
    """A folder of packages that stand in for the heavy ones."""
    for name in STUBS:
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).touch()
    return tmp_path


def imported(stubs: Path) -> Iterator[Finding]:
    """Look at the stand-ins; Python's own packages aren't there."""
    python = {"PYTHONPATH": str(stubs), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    return importing.imports(python)


def test_packages_that_can_be_imported_are_fine(stubs) -> None:
    assert only(imported(stubs)).state == "ok"


@pytest.mark.parametrize(
    ("name", "text", "what", "how"),
    [
        ("torchvision.py", NMS, "don't fit together (RuntimeError: operator torchvision::nms", "torch torchvision`"),
        ("torchvision.py", "import os; os.abort()", "don't fit together (Python itself ended with the", "in one go"),
        ("torch/__init__.py", "raise OSError('libcudart.so.12: no such file')", "OSError: libcudart", "in one go"),
        ("torch/__init__.py", "raise ModuleNotFoundError(\"No module named 'torch'\")", "torch is missing.", "Install"),
        ("torch/__init__.py", "import os; os.abort()", "can't be imported (Python itself ended with the", "in one go"),
        ("tensorboard/program.py", "import gone_now", "No module named 'gone_now'), so its views stay", "tensorboard`"),
        (
            "tensorboard/program.py",
            "raise ModuleNotFoundError(\"No module named 'tensorboard'\")",
            "tensorboard is missing, so its views stay empty",
            "tensorboard`",
        ),
        (
            "matplotlib/pyplot.py",
            "1 / 0",
            "(ZeroDivisionError: division by zero), so there are no plots",
            "matplotlib`",
        ),
    ],
)
def test_a_package_that_can_not_be_imported_is_told_once(stubs, name, text, what, how) -> None:
    (stubs / "torch" / "utils" / "tensorboard.py").write_text("import tensorboard.program")  # as torch's own does
    (stubs / name).write_text(text)
    mended(imported(stubs), what, how)


# JupyterLab


@pytest.fixture
def labextensions(tmp_path, monkeypatch) -> Path:
    """Return a folder with both extensions; what a user switches off is nowhere yet."""
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    build = {"load": "static/remote.js", "extension": "./extension"}
    for name in jupyter.IN_PAGES:
        (tmp_path / "lab" / name).mkdir(parents=True)
        about = {"name": name, "version": "1", "jupyterlab": {"_build": build}}
        (tmp_path / "lab" / name / "package.json").write_text(json.dumps(about))
    return tmp_path / "lab"


def switch_off(folder: Path, *names: str) -> None:
    """Do what `jupyter labextension disable` does."""
    (folder / "config" / "labconfig").mkdir(parents=True)
    off = {"disabledExtensions": dict.fromkeys(names, True)}
    (folder / "config" / "labconfig" / "page_config.json").write_text(json.dumps(off))


def test_extensions_that_are_missing_or_switched_off_are_told(labextensions, tmp_path) -> None:
    def found() -> Iterator[Finding]:
        return jupyter.in_pages([str(labextensions)])

    assert only(found()).state == "ok"
    shutil.rmtree(labextensions / "@jupyter-widgets")
    mended(found(), "@jupyter-widgets/jupyterlab-manager is missing", "--no-deps jupyterlab_widgets`")
    switch_off(tmp_path, "@jupyter/nbgrader")
    nbgrader, _ = found()
    mended([nbgrader], "@jupyter/nbgrader is switched off", "-m jupyter labextension enable @jupyter/nbgrader`")


def test_a_part_that_is_switched_off_is_a_note(labextensions, tmp_path) -> None:
    switch_off(tmp_path, "@jupyter/nbgrader:formgrader")
    finding = only(jupyter.in_pages([str(labextensions)]))
    assert finding.state == "note" and "enable @jupyter/nbgrader:formgrader`" in finding.how


def test_server_extensions_that_are_missing_or_switched_off_are_told(tmp_path) -> None:
    def found(**on: bool) -> list[Finding]:
        extensions = {**dict.fromkeys([*jupyter.IN_SERVER, *jupyter.FOR_INSTRUCTORS], True), **on}
        settings = {"ServerApp": {"jpserver_extensions": {k: v for k, v in extensions.items() if v is not None}}}
        (tmp_path / "jupyter_server_config.json").write_text(json.dumps(settings))
        return list(jupyter.in_server([str(tmp_path)]))

    validate, formgrader = "nbgrader.server_extensions.validate_assignment", "nbgrader.server_extensions.formgrader"
    assert only(found()).state == "ok"
    mended(found(**{validate: False}), f"{validate} is switched off", f"server extension enable {validate}`")
    mended(found(**{validate: None}), f"{validate} is missing", "--no-deps nbgrader`")
    assert only(found(**{formgrader: False})).state == "note"
    mended(found(jupyter_server_proxy=None), "jupyter_server_proxy is missing", "--no-deps jupyter-server-proxy`")


def test_a_copy_without_grading_is_not_asked_for_nbgrader(labextensions, tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "tutor.grading", None)
    shutil.rmtree(labextensions / "@jupyter" / "nbgrader")
    settings = {"jupyterlab": True, "jupyter_server_proxy": True}
    file = tmp_path / "jupyter_server_config.json"

    def found() -> list[Finding]:
        file.write_text(json.dumps({"ServerApp": {"jpserver_extensions": settings}}))
        return [*jupyter.in_pages([str(labextensions)]), *jupyter.in_server([str(tmp_path)])]

    assert list(python.programs(str(tmp_path), str(tmp_path))) == []  # no alembic, and nobody starts it
    assert [finding.state for finding in found()] == ["ok", "ok"]
    assert "nbgrader" not in " ".join(finding.what for finding in found())
    shutil.rmtree(labextensions / "@jupyter-widgets")
    del settings["jupyter_server_proxy"]
    assert [finding.what for finding in found()] == [
        "JupyterLab's extension @jupyter-widgets/jupyterlab-manager is missing.",
        "The server's extension jupyter_server_proxy is missing.",
    ]


def test_this_installation_has_its_extensions() -> None:
    assert [finding.what for finding in (*jupyter.in_pages(), *jupyter.in_server()) if finding.state == "mend"] == []


@pytest.mark.parametrize(
    ("argv", "state", "words"),
    [
        ("python", "ok", "is this Python"),
        (sys.executable, "ok", "is this Python"),
        ("/usr/bin/env", "mend", "is another Python's (/usr/bin/env)"),
        (str(Path(sys.executable).parent / "python3.0"), "mend", "that of a Python that is gone"),
        ("/gone/bin/python", "mend", "that of a Python that is gone (/gone/bin/python)"),
    ],
)
def test_a_kernel_of_another_python_is_told(tmp_path, argv, state, words) -> None:
    (tmp_path / "python3").mkdir()
    spec = {"argv": [argv, "-m", "ipykernel_launcher"], "display_name": "Python 3", "language": "python"}
    (tmp_path / "python3" / "kernel.json").write_text(json.dumps(spec))
    finding = only(jupyter.kernel([str(tmp_path)]))
    assert finding.state == state and words in finding.what
    assert state == "ok" or "-m jupyter kernelspec remove python3`" in finding.how


def test_a_kernel_that_is_missing_is_told(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "ipykernel.kernelspec", None)
    mended(jupyter.kernel([str(tmp_path)]), "There is no kernel python3", "ipykernel`")


def test_a_port_that_is_taken_is_a_note_that_names_the_option() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
        finding = only(jupyter.port(number))
        assert finding.state == "note"
        assert f"Port {number} is taken" in finding.what and "takes the next free one by itself" in finding.how
        assert "--port 8899" in finding.how
    assert only(jupyter.port(number)).state == "ok"


# The disk


def test_a_file_in_the_place_of_a_folder_is_told(tmp_path) -> None:
    (tmp_path / "build").touch()
    mended(folders.writable([tmp_path / "build" / "data"]), "can't be written", f"move {tmp_path / 'build'} away")


@pytest.mark.parametrize(("mode", "inner"), [(0o555, ""), (0o000, "build/data")])
def test_a_folder_that_may_not_be_written_or_entered_is_told(mode, inner) -> None:
    with tempfile.TemporaryDirectory() as name:  # not below pytest's, where only its owner may go
        top = Path(name, "course")
        top.mkdir()
        top.parent.chmod(0o755)
        top.chmod(mode)
        with without_privileges():
            findings = list(folders.writable([top / inner]))
        top.chmod(0o755)
    mended(findings, "can't be written (Permission denied)", f"chmod -R u+w {top}`")


def test_a_notebook_that_may_not_be_written_is_told(tmp_path) -> None:
    (tmp_path / "one.ipynb").touch()
    assert only(folders.writable([tmp_path])).state == "ok"
    (tmp_path / "two.ipynb").mkdir()  # nobody can open a folder for writing, root neither
    mended(folders.writable([tmp_path]), "two.ipynb can't be written", "Make it yours")


@pytest.mark.parametrize(("free", "state"), [(2.1e9, "ok"), (1.9e9, "note"), (1e8, "mend")])
def test_a_disk_that_is_nearly_full_is_told(tmp_path, free, state) -> None:
    finding = only(folders.disk(tmp_path / "build", free))
    assert finding.state == state
    assert state == "ok" or f"{free / 1e9:.1f} GB are free where {tmp_path}" in finding.what
    assert only(folders.disk(tmp_path / "build")).what == only(folders.disk(tmp_path)).what or state != "ok"


# The pictures


def test_the_sample_and_a_download_to_come_are_fine(tmp_path, monkeypatch) -> None:
    assert "drawn sample" in only(pictures.pictures("sample", "")).what
    monkeypatch.setenv("TUTOR_BUILD", str(tmp_path))
    finding = only(pictures.pictures("", ""))
    assert finding.state == "ok" and f"isn't in {tmp_path / 'data'} yet" in finding.what


def test_the_original_is_held_to_its_checksums(tmp_path) -> None:
    tiny = tiny_cifar10(tmp_path)
    assert "The original CIFAR-10 is in" in only(pictures.pictures("", str(tmp_path), tiny)).what
    batch = tmp_path / tiny.base_folder / "data_batch_1"
    batch.write_bytes(b"broken")
    assert "unpacked again from its archive" in only(pictures.pictures("", str(tmp_path), tiny)).what
    (tmp_path / tiny.filename).unlink()
    mended(pictures.pictures("", str(tmp_path), tiny), f"{batch} (6 bytes) is truncated or changed", "Delete")


def test_a_folder_of_images_that_lacks_a_class_is_told(tmp_path) -> None:
    from tutor.data import CLASSES

    for name in CLASSES:
        for split in ("train", "test"):
            (tmp_path / split / name).mkdir(parents=True)
            (tmp_path / split / name / "0.png").touch()
    assert "A folder of images" in only(pictures.pictures("", str(tmp_path))).what
    shutil.rmtree(tmp_path / "test" / "frog")
    mended(pictures.pictures("", str(tmp_path)), "can't be used", "lacks the class frog")
    mended(pictures.pictures("", str(tmp_path / "nowhere")), "can't be used", "does not exist: make that folder")


# The sandbox


def test_a_sandbox_that_works_is_fine_also_where_python_lacks_a_function(monkeypatch) -> None:
    monkeypatch.delattr(os, "pidfd_open", raising=False)  # as conda's Python does
    assert only(sandbox.sandbox("linux")).state == "ok"


def test_no_bubblewrap_is_told(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    mended(sandbox.sandbox("linux"), "no program `bwrap` here", "sudo apt install bubblewrap")


def test_a_system_that_allows_no_namespaces_is_told(monkeypatch, tmp_path) -> None:
    refusing = program(tmp_path, "bwrap")
    refusing.write_text("#!/bin/sh\necho 'bwrap: No permissions to create a new namespace' >&2; exit 1\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    mended(sandbox.sandbox("linux"), "No permissions to create a new namespace", "allow user namespaces")


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_on_other_systems_grading_is_no_fault(platform) -> None:
    finding = only(sandbox.sandbox(platform))
    assert finding.state == "note" and f"this is {platform}" in finding.what


def test_a_copy_without_grading_is_no_fault(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "tutor.grading", None)
    finding = only(sandbox.sandbox())
    assert finding.state == "note" and "isn't part of this copy" in finding.what


# The command

FINE = Finding("port", "ok", "Port 8888 is free.")
NOTE = Finding("disk", "note", "It is nearly full.", "Free some.")
WRONG = Finding("Python", "mend", "It is old.", "Install a newer one.")


@pytest.mark.parametrize(("findings", "status"), [([FINE], 0), ([FINE, NOTE], 0), ([NOTE, WRONG], 1)])
def test_the_exit_status_says_whether_there_is_something_to_mend(findings, status, capsys) -> None:
    assert command.doctor(Namespace(json=False), [("all", lambda: findings)]) == status
    printed = capsys.readouterr().out
    assert ("1 to mend" in printed) == bool(status) and ("All is well" in printed) == (not status)
    assert command.doctor(Namespace(json=True), [("all", lambda: findings)]) == status
    told = json.loads(capsys.readouterr().out)
    assert told["well"] == (not status)
    assert [entry["state"] for entry in told["findings"]] == [finding.state for finding in findings]


def test_each_state_has_a_sign_and_a_word() -> None:
    assert command.line(FINE) == "✓ ok    port: Port 8888 is free."
    assert command.line(WRONG) == "✗ mend  Python: It is old.\n        Install a newer one."


def test_what_can_not_be_looked_at_is_told_and_the_next_one_is_looked_at(capsys) -> None:
    def lacks() -> Iterator[Finding]:
        import nothing_of_this_name  # noqa: F401

        yield FINE

    def breaks() -> Iterator[Finding]:
        yield FINE
        raise ValueError("out of order")

    assert command.doctor(Namespace(json=False), [("a", lacks), ("b", breaks), ("c", lambda: [NOTE])]) == 1
    printed = capsys.readouterr().out
    assert "a: This can't be looked at, because a package is missing (No module named 'nothing_of" in printed
    assert "nothing_of_this_name`." in printed
    assert "b: This can't be looked at (ValueError: out of order)." in printed
    assert "disk: It is nearly full." in printed and "2 to mend" in printed


def test_nothing_is_looked_at_after_what_says_all(capsys) -> None:
    last = Finding("course", "mend", "It isn't here.", "Activate it.", last=True)
    assert command.doctor(Namespace(json=False), [("a", lambda: [last]), ("b", lambda: [NOTE])]) == 1
    assert "nearly full" not in capsys.readouterr().out


def test_a_mend_without_a_way_is_no_finding() -> None:
    with pytest.raises(ValueError, match="say how to mend it"):
        Finding("port", "mend", "It is taken.")


def test_it_runs_where_nothing_but_python_is_installed_and_grading_is_left_out(tmp_path) -> None:
    shutil.copytree(TOP / "tutor", tmp_path / "tutor", ignore=shutil.ignore_patterns("__pycache__", "grading"))
    distribution(tmp_path, "layer-by-layer", "1")
    start = [str(Path(sys.base_prefix, "bin", "python{}.{}".format(*sys.version_info))), "-S", "-m", "tutor", "doctor"]
    environment = {"PATH": os.environ["PATH"], "TUTOR_DATA": "sample", "PYTHONNOUSERSITE": "1"}
    done = subprocess.run([*start, "--json"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    states = {entry["subject"]: entry["state"] for entry in json.loads(done.stdout)["findings"]}
    assert states["Python"] == states["course"] == states["disk"] == states["folders"] == states["pictures"] == "ok"
    assert states["grading"] == "note"
    assert states["packages"] == states["JupyterLab"] == states["Jupyter server"] == states["kernel"] == "mend"


def test_help_has_an_example_and_the_exit_status(capsys) -> None:
    with pytest.raises(SystemExit):
        cli.main(["doctor", "--help"])
    said = capsys.readouterr().out
    assert "example:\n  tutor doctor" in said and "exit status: 0 all is well" in said


def test_every_probe_is_run_on_this_installation() -> None:
    names = [name for name, _ in command.probes()]
    assert len(names) == len(set(names)) == 13
    quick = [probe for name, probe in command.probes() if name not in ("PyTorch", "port", "grading")]
    found = [finding for probe in quick for finding in command.examine("", probe)]
    assert [finding.what for finding in found if "can't be looked at" in finding.what] == []
