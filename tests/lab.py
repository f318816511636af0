"""JupyterLab in a real browser, for the tests that meet the course as learners do: by keyboard, mouse and eye.

A test file takes its fixtures (``lab``, ``browser``, ``notebook``) with ``pytest_plugins = ["lab"]``. They last as long as
the file's tests, and no longer: playwright keeps an event loop running that other tests in the same process could not bear.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

TOP = Path(__file__).parents[1]
SCREENSHOTS = TOP / "build" / "screenshots"
PATIENCE = 90_000  # ms; a kernel that shares two cores with a browser needs a while to import torch
WIDE = {"width": 1180, "height": 860}
NARROW = {"width": 480, "height": 860}
OUTPUTS = ".jp-Cell-outputArea .jp-OutputArea-output"  # what cells have shown
AXE = {"resultTypes": ["violations"], "iframes": False}  # what is inside a frame is TensorBoard's own


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: its address, its token, and the folder whose files it shows."""

    address: str
    token: str
    folder: Path

    def tree(self, path: str) -> str:
        """Return the address at which JupyterLab opens a file of the folder."""
        return f"{self.address}/lab/tree/{path}?token={self.token}&reset"

    def write(self, name: str, *cells: str) -> str:
        """Write a notebook of code cells into the folder and return its path in there."""
        notebook = new_notebook(cells=[new_code_cell(source) for source in cells])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.folder / f"{name}.ipynb")
        return f"{name}.ipynb"


@contextlib.contextmanager
def running_lab(course: Path, base: str = "/", **variables: str) -> Iterator[Lab]:
    """Run JupyterLab on a copy of the course in the folder, as ``make lab`` does, below the base address."""
    shutil.copytree(TOP / "notebooks", course / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    shutil.copy(TOP / "nbgrader_config.py", course)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    lab = Lab(f"http://127.0.0.1:{port}{base.rstrip('/')}", secrets.token_hex(8), course / "notebooks")
    with (course / "lab.log").open("w") as log:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"),
                *("--ServerApp.root_dir=notebooks", "--LabApp.news_url=None", "--LabApp.expose_app_in_browser=True"),
                *(
                    f"--IdentityProvider.token={lab.token}",
                    "--ServerApp.port_retries=0",
                    f"--ServerApp.base_url={base}",
                ),
            ],
            cwd=course,
            env={**os.environ, "TUTOR_BUILD": str(course / "build"), **variables},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait_for(f"{lab.address}/api?token={lab.token}", server, course / "lab.log")
            yield lab
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(30)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(240):
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Start JupyterLab for the tests of a file."""
    with running_lab(tmp_path_factory.mktemp("course with a space")) as started:
        yield started


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Start the machine's own Chromium."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture
def chapter(request: pytest.FixtureRequest) -> str:
    """Return the chapter to open: the first in which layers are written, unless a test asks for others."""
    return getattr(request, "param", "01_activations")


@pytest.fixture
def notebook(lab: Lab, browser: Browser, chapter: str) -> Iterator[Notebook]:
    """Open a chapter in a fresh window."""
    with opened(browser, lab, f"{chapter}/{chapter}.ipynb") as notebook:
        yield notebook


@contextlib.contextmanager
def opened(browser: Browser, lab: Lab, path: str) -> Iterator[Notebook]:
    """Open a notebook of the lab's folder alone in a fresh window, in the light theme; its kernel ends with the window."""
    page = browser.new_page(viewport=WIDE)
    page.goto(lab.tree(path), timeout=PATIENCE)
    notebook = Notebook(page)
    notebook.wait_until_ready()
    page.evaluate("jupyterapp.commands.execute('application:set-mode', {mode: 'single-document'})")
    if page.evaluate("!jupyterapp.shell.leftCollapsed"):
        page.evaluate("jupyterapp.shell.collapseLeft()")
    notebook.theme("JupyterLab Light")  # the server remembers what the test before this one chose
    yield notebook
    page.evaluate("jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page.close()


def violations(page: Page, among: str) -> list[str]:
    """Return what axe-core finds serious or critical for people with disabilities in parts of a page (a CSS selector)."""
    response = Axe().run(page, among, AXE).response
    seen = [rule["id"] for outcome in ("passes", "incomplete", "violations") for rule in response[outcome]]
    assert "color-contrast" in seen, "axe has seen no text"
    return [
        f"{rule['id']} ({rule['impact']}) at {' '.join(map(str, node['target']))}: {node['html'][:200]} "
        f"{node['failureSummary']}"
        for rule in response["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


class Notebook:
    """The open notebook: cells are found by a piece of their text and reached as a learner would reach them."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def wait_until_ready(self) -> None:
        """Wait until the notebook is open and its kernel has nothing to do."""
        self.page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.content?.model", timeout=PATIENCE)
        self.page.wait_for_function(
            "() => jupyterapp.shell.currentWidget.context?.isReady"
            " && jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'",
            timeout=PATIENCE,
        )

    def cells(self) -> list[dict[str, Any]]:
        """Return every cell's type and source."""
        found: str = self.page.evaluate(
            "JSON.stringify(jupyterapp.shell.currentWidget.content.model.sharedModel.cells"
            ".map(c => ({type: c.cell_type, source: c.getSource()})))"
        )
        return json.loads(found)  # type: ignore[no-any-return]

    def select(self, text: str) -> None:
        """Make the one code cell that holds ``text`` the active one, and scroll to it."""
        matching = [i for i, cell in enumerate(self.cells()) if cell["type"] == "code" and text in cell["source"]]
        assert len(matching) == 1, f"{len(matching)} code cells hold {text!r}"
        self.page.evaluate(
            "async i => { const n = jupyterapp.shell.currentWidget.content; n.deselectAll(); n.activeCellIndex = i;"
            " await n.scrollToItem(i, 'center'); n.activate(); }",
            matching[0],
        )
        expect(self.page.locator(".jp-Notebook-cell.jp-mod-active .cm-content")).to_be_visible()

    def write(self, text: str, source: str) -> None:
        """Replace the code of the cell that holds ``text`` by typing."""
        self.select(text)
        self.page.locator(".jp-Notebook-cell.jp-mod-active .cm-content").click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(source)

    def run(self, text: str) -> None:
        """Run the cell that holds ``text`` with Ctrl+Enter and wait until it is done."""
        self.select(text)
        self.page.keyboard.press("Control+Enter")
        self.page.wait_for_function(
            "() => { const c = jupyterapp.shell.currentWidget.content.activeCell.model;"
            " return c.executionState !== 'running' && c.executionCount !== null; }",
            timeout=PATIENCE,
        )

    def fill_in(self, answers: dict[str, str]) -> None:
        """Put answers into the cells that are meant for them."""
        for name, source in answers.items():
            found = self.page.evaluate(
                "([name, source]) => { const cell = jupyterapp.shell.currentWidget.content.model.sharedModel.cells"
                ".find(c => c.getMetadata('nbgrader')?.grade_id === name); cell?.setSource(source); return !!cell; }",
                [name, source],
            )
            assert found, f"there is no cell for {name}"

    def run_all(self) -> list[str]:
        """Run every cell, as the menu does, and return the errors that weren't meant to be there."""
        self.page.evaluate("async () => { await jupyterapp.commands.execute('notebook:run-all-cells'); }")
        found: list[str] = self.page.evaluate(
            "() => jupyterapp.shell.currentWidget.content.model.sharedModel.cells"
            ".filter(c => c.cell_type === 'code' && !(c.getMetadata('tags') || []).includes('raises-exception'))"
            ".flatMap(c => c.outputs.filter(o => o.output_type === 'error' || o.name === 'stderr')"
            ".map(o => c.getSource().split('\\n')[0] + ': ' + (o.ename || o.text)))"
        )
        return found

    @property
    def output(self) -> Any:
        """Return the output area of the active cell."""
        return self.page.locator(".jp-Notebook-cell.jp-mod-active .jp-Cell-outputArea")

    def show_all(self) -> None:
        """Have every cell in the page, not only those near the one that is looked at."""
        self.page.evaluate(
            "jupyterapp.shell.currentWidget.content.notebookConfig = "
            "{...jupyterapp.shell.currentWidget.content.notebookConfig, windowingMode: 'none'}"
        )
        self.page.wait_for_function(
            "() => document.querySelectorAll('.jp-Notebook .jp-Cell').length"
            " === jupyterapp.shell.currentWidget.content.widgets.length"
        )

    def theme(self, name: str) -> None:
        """Switch to "JupyterLab Light" or "JupyterLab Dark"."""
        light = str(name == "JupyterLab Light").lower()
        if self.page.evaluate("document.body.dataset.jpThemeLight") != light:
            self.page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", name)
        self.page.wait_for_function("light => document.body.dataset.jpThemeLight === light", arg=light)

    def violations(self, among: str = OUTPUTS) -> list[str]:
        """Return what axe-core finds serious or critical for people with disabilities among what cells have shown."""
        assert self.page.locator(among).count(), f"nothing to look at: {among}"
        # JupyterLab's body has no height and hides what overflows it: axe would take all of the page for invisible.
        self.page.evaluate("document.body.style.overflow = 'visible'")
        return violations(self.page, among)

    def too_wide(self) -> list[str]:
        """Return the outputs that are wider than their place; plain text is JupyterLab's to break."""
        found: list[str] = self.page.evaluate(
            """outputs => [...document.querySelectorAll(outputs)]
                .filter(output => !output.classList.contains('jp-RenderedText'))
                .filter(output => output.scrollWidth > output.clientWidth + 1
                    || output.getBoundingClientRect().right > output.closest('.jp-Cell').getBoundingClientRect().right + 1)
                .map(output => `${output.scrollWidth} px in ${output.clientWidth}: ${output.innerHTML.slice(0, 300)}`)""",
            OUTPUTS,
        )
        return found

    def picture(self, name: str) -> None:
        """Take a picture of what the learner sees now."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.wait_for_timeout(500)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")


def look_into_tensorboard(frame: Locator) -> None:
    """See that the frame shows what its title promises."""
    tab = (frame.get_attribute("title") or "").split()[1]
    frame.scroll_into_view_if_needed()
    inside = frame.content_frame
    if tab == "images":
        image = inside.locator("img[src*='individualImage']").first
        expect(image).to_be_visible(timeout=PATIENCE)
        assert image.evaluate("async image => { await image.decode(); return image.naturalWidth; }") > 30
    elif tab == "scalars":
        expect(inside.locator("vz-line-chart2 path[d*='L'], line-chart canvas").first).to_be_visible(timeout=PATIENCE)
    elif tab == "histograms":
        expect(inside.locator("vz-histogram-timeseries path[d*='L']").first).to_be_visible(timeout=PATIENCE)
    elif tab == "graphs":
        expect(inside.locator("tf-graph-scene .node, tf-graph .node").first).to_be_visible(timeout=PATIENCE)
    else:
        assert tab == "projector", f"nobody looks into the tab {tab}"
        inside = inside.frame_locator("iframe").frame_locator("iframe")
        expect(inside.locator(".numDataPoints")).to_have_text(re.compile("[1-9]"), timeout=PATIENCE)
        for _ in range(100):  # what WebGL has drawn can't be asked for, only looked at
            if len(_colours(inside.locator("#scatter canvas").first)) > 20:
                return
            frame.page.wait_for_timeout(100)
        pytest.fail("the projector stays empty")


def _colours(part: Locator) -> list[Any]:
    """Return the colours of what is seen there."""
    seen = Image.open(io.BytesIO(part.screenshot())).convert("RGB")
    return seen.getcolors(seen.width * seen.height) or []
