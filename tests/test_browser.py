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
from playwright.sync_api import Browser, Page, expect, sync_playwright

TOP = Path(__file__).parents[1]
CHAPTER = "01_activations"
SCREENSHOTS = TOP / "build" / "screenshots"
PATIENCE = 90_000  # ms; a kernel that shares two cores with a browser needs a while to import torch

WRONG = "def relu(input):\n    return torch.where(input > 0, input, 0.01 * input)"
RIGHT = "def relu(input):\n    return torch.where(input > 0, input, torch.zeros_like(input))"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start JupyterLab on a copy of the course, as ``make lab`` does, and return the chapter's address."""
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
        yield f"{address}/lab/tree/{CHAPTER}/{CHAPTER}.ipynb?token={token}&reset"
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
def notebook(lab: str, browser: Browser) -> Iterator[Notebook]:
    """Open the chapter in a fresh window."""
    page = browser.new_page(viewport={"width": 1180, "height": 860})
    page.goto(lab, timeout=PATIENCE)
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
