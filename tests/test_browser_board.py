"""TensorBoard in JupyterLab where the browser reaches nothing but JupyterLab: as a JupyterHub serves it, and locally."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from lab import PATIENCE, Lab, Notebook, look_into_tensorboard, opened, running_lab
from playwright.sync_api import Browser, Request, expect

pytest_plugins = ["lab"]

LOG = """\
import torch
from tutor import board
for name in ("another", "mine"):
    folder = board.run(name)
    board.log_layer(f"relu_{name}", torch.relu, [torch.rand(4, 3, 8, 8) for _ in range(3)], folder=folder)
    with board.writer(folder) as writer:
        writer.add_embedding(torch.rand(12, 5), ["cat", "dog"] * 6, torch.rand(12, 3, 8, 8))
        for step in range(5):
            writer.add_scalar("loss", 1 / (step + 1), step)"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Start JupyterLab as a JupyterHub does for the user Ada."""
    folder = tmp_path_factory.mktemp("hub")
    with running_lab(folder, "/user/ada/", JUPYTERHUB_SERVICE_PREFIX="/user/ada/") as started:
        yield started


def asked_elsewhere(notebook: Notebook, lab: Lab) -> list[str]:
    """Note from now on which addresses outside the Jupyter server the page asks."""
    found: list[str] = []

    def note(request: Request) -> None:
        if request.url.startswith("http") and not request.url.startswith(f"{lab.address}/"):
            found.append(request.url)

    notebook.page.on("request", note)
    return found


def test_behind_a_hub_all_goes_through_its_address(hub: Lab, browser: Browser) -> None:
    path = hub.write("board", LOG, *(f"board.show(folder, tab='{tab}')" for tab in ("images", "scalars", "projector")))
    with opened(browser, hub, path) as notebook:
        elsewhere = asked_elsewhere(notebook, hub)
        assert notebook.run_all() == []
        notebook.show_all()
        frames = notebook.page.locator("iframe")
        expect(frames).to_have_count(3, timeout=PATIENCE)
        for frame in frames.all():
            assert (frame.get_attribute("src") or "").startswith(f"{hub.address}/proxy/")
            look_into_tensorboard(frame)
        assert frames.first.content_frame.get_by_text("relu_another").count() == 0, "a run that isn't shown"
        assert [url for url in elsewhere if "/font-roboto/" not in url] == []  # TensorBoard asks for those at the top
        notebook.picture("board")


def test_without_the_proxy_the_frame_takes_the_port_itself(lab: Lab, browser: Browser) -> None:
    """As localhost, too: a frame at 127.0.0.1 would be a stranger to the page. And dark in a dark JupyterLab."""
    lab = replace(lab, address=lab.address.replace("127.0.0.1", "localhost"))
    with opened(browser, lab, lab.write("board", LOG, "board.show(folder)")) as notebook:
        notebook.theme("JupyterLab Dark")
        notebook.page.route("**/proxy/**", lambda route: route.fulfill(status=404))
        assert notebook.run_all() == []
        notebook.show_all()
        frame = notebook.page.locator("iframe")
        expect(frame).to_have_attribute("src", re.compile(r"http://localhost:\d+/[\w-]{16}/\?darkMode=true#images"))
        look_into_tensorboard(frame)
        expect(frame.content_frame.locator("body")).to_have_class(re.compile("dark-mode"))
        notebook.picture("board-dark")
        notebook.page.evaluate("jupyterapp.commands.execute('docmanager:save')")
        notebook.page.evaluate("jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        notebook.page.reload()
        notebook.wait_until_ready()
        expect(notebook.page.get_by_text("TensorBoard has ended with its kernel")).to_be_visible(timeout=PATIENCE)
