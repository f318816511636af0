"""The chapter as a learner meets it: JupyterLab in a real browser, driven by keyboard and mouse.

The pictures that the tests take are left in ``build/screenshots``; ``make pictures`` makes the README's out of them.
"""

from __future__ import annotations

import os

import pytest
from lab import NARROW, OUTPUTS, PATIENCE, Notebook, look_into_tensorboard
from learners.answers import CHAPTERS, in_style
from playwright.sync_api import expect

pytest_plugins = ["lab"]

WRONG = "def relu(input):\n    return torch.where(input > 0, input, 0.01 * input)"
RIGHT = "def relu(input):\n    return torch.where(input > 0, input, torch.zeros_like(input))"


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
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        notebook.theme(theme)
        assert notebook.violations() == [], theme
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
    """Every cell of the learners' notebook, answers filled in: no error, and all that is shown can be read by all."""
    answers = in_style(chapter, "vectorised")
    notebook.fill_in(answers)
    assert notebook.run_all() == []
    notebook.show_all()
    page = notebook.page
    for name in answers:
        expect(page.get_by_role("group", name=f"{name}: right").first).to_be_visible(timeout=PATIENCE)
    images = page.locator(f"{OUTPUTS} img")
    alts = [image.get_attribute("alt") for image in images.all() if image.get_attribute("aria-hidden") != "true"]
    assert not {None, "", "Image"} & set(alts), "JupyterLab calls an image without a description 'Image'"
    assert page.locator(".jp-RenderedLatex .MathJax_Error, mjx-merror").count() == 0, "a formula that can't be read"
    frames = page.locator("iframe[title^='TensorBoard: ']")
    assert frames.count(), "TensorBoard isn't opened"
    for frame in frames.all():
        look_into_tensorboard(frame)
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        notebook.theme(theme)
        assert notebook.violations() == [], theme
        if os.environ.get("COURSE_PAGES"):  # for whoever wants to look at all of it
            look_through(notebook, f"{chapter}-{theme.split()[1].lower()}")
    page.set_viewport_size(NARROW)
    assert notebook.too_wide() == []
    if os.environ.get("COURSE_PAGES"):
        look_through(notebook, f"{chapter}-narrow", 480)


def look_through(notebook: Notebook, name: str, width: int = 1000) -> None:
    """Take a picture of the whole notebook, one window after the other, into ``build/screenshots``."""
    notebook.page.set_viewport_size({"width": width, "height": 1500})
    height = notebook.page.evaluate("document.querySelector('.jp-WindowedPanel-outer').scrollHeight")
    for number in range(-(-height // 1380)):
        notebook.page.evaluate(f"document.querySelector('.jp-WindowedPanel-outer').scrollTop = {number * 1380}")
        notebook.picture(f"{name}-{number:02}")
