"""The chapter as a learner meets it: JupyterLab in a real browser, driven by keyboard and mouse.

The pictures that the tests take are left in ``build/screenshots``; ``make pictures`` makes the README's out of them.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from learners.answers import CHAPTERS, in_style
from playwright.sync_api import Browser, Page, expect, sync_playwright

TOP = Path(__file__).parents[1]
SCREENSHOTS = TOP / "build" / "screenshots"
PATIENCE = 90_000  # ms; a kernel that shares two cores with a browser needs a while to import torch

WRONG = "def relu(input):\n    return torch.where(input > 0, input, 0.01 * input)"
RIGHT = "def relu(input):\n    return torch.where(input > 0, input, torch.zeros_like(input))"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start JupyterLab on a copy of the course, as ``make lab`` does, and return the address of its notebooks, with {}."""
    course = tmp_path_factory.mktemp("course with a space")
    shutil.copytree(TOP / "notebooks", course / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    shutil.copy(TOP / "nbgrader_config.py", course)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(8)
    log = (course / "lab.log").open("w")
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"),
            *("--ServerApp.root_dir=notebooks", "--LabApp.news_url=None", "--LabApp.expose_app_in_browser=True"),
            *(f"--IdentityProvider.token={token}", "--ServerApp.port_retries=0"),
        ],
        cwd=course,
        env={**os.environ, "TUTOR_BUILD": str(course / "build")},
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(f"{address}/api?token={token}", server, course / "lab.log")
        yield f"{address}/lab/tree/{{0}}/{{0}}.ipynb?token={token}&reset"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)
        log.close()


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
def browser(chromium: str) -> Iterator[Browser]:
    """Start the machine's own Chromium."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


class Notebook:
    """The open notebook: cells are found by a piece of their text and reached as a learner would reach them."""

    def __init__(self, page: Page) -> None:
        self.page = page

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

    def picture(self, name: str) -> None:
        """Take a picture of what the learner sees now."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.wait_for_timeout(500)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")


@pytest.fixture
def chapter(request: pytest.FixtureRequest) -> str:
    """Return the chapter to open: the first in which layers are written, unless a test asks for others."""
    return getattr(request, "param", "01_activations")


@pytest.fixture
def notebook(lab: str, browser: Browser, chapter: str) -> Iterator[Notebook]:
    """Open a chapter in a fresh window."""
    page = browser.new_page(viewport={"width": 1180, "height": 860})
    page.goto(lab.format(chapter), timeout=PATIENCE)
    page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.content?.model", timeout=PATIENCE)
    page.wait_for_function(
        "() => jupyterapp.shell.currentWidget.context?.isReady"
        " && jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'",
        timeout=PATIENCE,
    )
    page.evaluate("jupyterapp.commands.execute('application:set-mode', {mode: 'single-document'})")
    if page.evaluate("!jupyterapp.shell.leftCollapsed"):
        page.evaluate("jupyterapp.shell.collapseLeft()")
    yield Notebook(page)
    page.close()


def test_a_wrong_answer_is_named_and_mended(notebook: Notebook) -> None:
    """A wrong ReLU: the card names the mistake. Mended: the card says so. Then TensorBoard shows pictures inline."""
    notebook.run("from tutor import board, check")
    notebook.write("def relu(input)", WRONG)
    notebook.run("def relu(input)")
    notebook.run("check(relu, points=2)")
    card = notebook.output.get_by_role("group", name="relu: not right yet")
    expect(card).to_be_visible(timeout=PATIENCE)
    expect(card).to_contain_text("negative")
    expect(card).to_contain_text("✗")
    notebook.picture("card-wrong")
    expect(notebook.output).to_contain_text("CheckFailed")
    expect(notebook.output).not_to_contain_text("Traceback")

    notebook.write("def relu(input)", RIGHT)
    notebook.run("def relu(input)")
    notebook.run("check(relu, points=2)")
    expect(notebook.output.get_by_role("group", name="relu: right")).to_contain_text("2 of 2 points", timeout=PATIENCE)
    notebook.picture("card-right")

    for text in ("plots.activations(", "pictures = data.cifar10", "plots.images(images[:10]", "board.log_layer("):
        notebook.run(text)
        expect(notebook.output.locator(".jp-RenderedText[data-mime-type$='stderr']")).to_have_count(0)
        if text.startswith("plots."):
            picture = notebook.output.locator("img").first
            expect(picture).to_be_visible()
            assert picture.get_attribute("alt"), "a picture without alt text"
            notebook.picture(text.split("(")[0].replace(".", "-"))
    notebook.run("board.show(folder)")
    frame = notebook.page.frame_locator(".jp-Notebook-cell.jp-mod-active iframe")
    images = frame.locator("img[src*='individualImage']")
    expect(images.first).to_be_visible(timeout=PATIENCE)
    assert images.first.evaluate("async image => { await image.decode(); return image.naturalWidth; }") > 100
    assert images.count() >= 4, "TensorBoard should show input and output of both layers"
    notebook.page.set_viewport_size({"width": 1180, "height": 1160})
    notebook.page.locator(".jp-Notebook-cell.jp-mod-active iframe").scroll_into_view_if_needed()
    # Where this machine keeps its temporary files has no place in the README.
    frame.locator("#data-location").evaluate("label => { label.style.visibility = 'hidden'; }")
    notebook.picture("tensorboard")


def test_the_validate_button_says_what_is_missing(notebook: Notebook) -> None:
    """nbgrader's button in the notebook's toolbar runs the notebook and lists what fails."""
    notebook.page.get_by_role("button", name="Validate").first.click()
    dialog = notebook.page.locator(".jp-Dialog")
    expect(dialog).to_contain_text("check(", timeout=PATIENCE)
    expect(dialog).to_contain_text("not written yet")
    expect(dialog).not_to_contain_text("Traceback")
    notebook.picture("validate")


@pytest.mark.parametrize("chapter", CHAPTERS, indirect=True)
def test_every_chapter_runs_with_right_answers(notebook: Notebook, chapter: str) -> None:
    """Every cell of the learners' notebook, answers filled in: no error, every picture described, every check passed."""
    answers = in_style(chapter, "vectorised")
    notebook.fill_in(answers)
    assert notebook.run_all() == []
    notebook.page.evaluate(
        "jupyterapp.shell.currentWidget.content.notebookConfig = "
        "{...jupyterapp.shell.currentWidget.content.notebookConfig, windowingMode: 'none'}"
    )
    images = notebook.page.locator(".jp-OutputArea-output img")
    assert [image.get_attribute("src")[:40] for image in images.all() if not image.get_attribute("alt")] == []
    for name in answers:
        expect(notebook.page.get_by_role("group", name=f"{name}: right").first).to_be_visible(timeout=PATIENCE)
    assert notebook.page.locator(".jp-RenderedLatex .MathJax_Error, mjx-merror").count() == 0, (
        "a formula that can't be read"
    )
    if os.environ.get("COURSE_PAGES"):  # for whoever wants to look at all of it
        look_through(notebook, chapter)


def look_through(notebook: Notebook, chapter: str) -> None:
    """Take a picture of the whole notebook, one window after the other, into ``build/screenshots``."""
    notebook.page.set_viewport_size({"width": 1000, "height": 1500})
    height = notebook.page.evaluate("document.querySelector('.jp-WindowedPanel-outer').scrollHeight")
    for number in range(-(-height // 1380)):
        notebook.page.evaluate(f"document.querySelector('.jp-WindowedPanel-outer').scrollTop = {number * 1380}")
        notebook.picture(f"{chapter}-{number:02}")
