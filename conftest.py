"""What all tests share, the solution notebooks' cells (nbval) too: a pinned, isolated world, no silent skips.

At the checkout's top, not in ``tests/``: pytest applies a ``conftest.py`` only to what lies below it.
"""

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

BY_FIRST_PARAMETER = ("test_browser.py", "test_nbgrader.py", "test_grading_worker.py", "test_grading_attacks.py")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def pin_the_world() -> tempfile.TemporaryDirectory[str]:
    """Set, for this process and every kernel it starts, what may not depend on whose machine it is.

    Must run before torch is imported, which reads the thread counts then. Returns the temporary folder that
    stands in for the user's Jupyter and IPython folders; kernels are found under ``sys.prefix`` all the same.
    """
    home = tempfile.TemporaryDirectory(prefix="course-tests-")
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        os.environ[name] = str(Path(home.name) / name.lower())
    os.environ["OMP_NUM_THREADS"] = "1"  # torch's, and numpy's
    os.environ["TUTOR_DATA"] = "sample"
    # Of its own for each worker: notebooks that run at the same time replace each other's runs otherwise.
    os.environ["TUTOR_BUILD"] = str(Path(home.name) / "build")
    os.environ.pop("CIFAR10_ROOT", None)
    # nbgrader starts alembic by name: the programs beside this Python come first.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return home


HOME = pin_the_world()
pytest.register_assert_rewrite("lab")  # the browser tests' fixtures; their asserts say as much as a test's


def pytest_unconfigure() -> None:
    """Remove the stand-in folders when the run is over."""
    HOME.cleanup()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Say what has to run on one worker when there are several.

    A file's tests share what its fixtures make, and a notebook's cells a kernel, so they stay together; in some long files
    they do so chapter by chapter, or paragraph by paragraph, and the tests of the checks share nothing.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByWhatIsShared(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::")[0]
            name = Path(file).name
            if name.startswith("test_checking"):
                return nodeid
            return file + re.split(r"[-\]]", nodeid.partition("[")[2])[0] if name in BY_FIRST_PARAMETER else file

    return ByWhatIsShared(config, log)


def skip_reason(report: pytest.TestReport | pytest.CollectReport) -> str | None:
    """Return why a test or a file was skipped; None where it wasn't, or was an expected failure."""
    if not report.skipped or hasattr(report, "wasxfail"):
        return None
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)


def refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure under ``CI=true``: there everything that tests need is installed."""
    reason = skip_reason(report)
    if reason is not None and os.environ.get("CI") == "true":
        report.outcome = "failed"
        why = reason.removeprefix("Skipped: ")
        report.longrepr = f"Nothing may be skipped under CI=true, and this was: {why}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Hold tests to it."""
    report = yield
    refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Hold whole files to it (``importorskip``, a skip at module level)."""
    report = yield
    refuse_skip(report)
    return report


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of a Chromium or Chrome: ``$CHROMIUM``, else the first one on PATH."""
    named = os.environ.get("CHROMIUM")
    if named:
        found = shutil.which(named)
        assert found, f"CHROMIUM names {named}, which is not a program that runs here"
        return found
    for name in BROWSERS:
        found = shutil.which(name)
        if found:
            return found
    pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is on PATH, and CHROMIUM names none")
