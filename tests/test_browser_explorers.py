"""Explorers in JupyterLab: moved by keyboard, named for screen readers, readable in both themes and a narrow window.

The pictures that the tests take are left in ``build/screenshots``.
"""

from __future__ import annotations

import os

import pytest
from lab import NARROW, PATIENCE, Lab, Notebook, opened
from playwright.sync_api import Browser, expect

from tutor import explorers

pytest_plugins = ["lab"]

SLIDERS = {"neuron": "w2", "activation": "x", "linear": "batch", "net": "image"}  # the others: n
LOOKED_AT = explorers.__all__ if os.environ.get("COURSE_PAGES") else ["convolution", "net"]  # for whoever looks at all


def test_each_explorer_follows_the_keyboard_in_both_themes_and_a_narrow_window(lab: Lab, browser: Browser) -> None:
    cells = [f"explorers.{name}()" for name in explorers.__all__]
    with opened(browser, lab, lab.write("explorers", "from tutor import explorers", *cells)) as notebook:
        page = notebook.page
        notebook.run("from tutor")
        notebook.show_all()
        for name in explorers.__all__:
            notebook.run(f"explorers.{name}()")
            image = notebook.output.locator("img")
            expect(image).to_be_visible(timeout=PATIENCE)
            before = image.get_attribute("src")
            slider = notebook.output.get_by_role("slider", name=SLIDERS.get(name, "n"), exact=True)
            slider.press("ArrowLeft")
            expect(image).not_to_have_attribute("src", str(before))
            expect(slider).to_be_focused()
            assert slider.evaluate("handle => getComputedStyle(handle).outlineStyle") == "solid", (
                "the focus is not seen"
            )
            if name in LOOKED_AT:
                notebook.picture(f"explorer-{name}-light")
        cut = "labels => labels.filter(l => l.scrollWidth > l.clientWidth + 1).map(l => l.textContent)"
        assert page.locator(".explorer .widget-label").evaluate_all(cut) == []
        assert page.locator("mjx-merror").count() == 0, "a formula that can't be read"
        assert notebook.violations() == []
        notebook.theme("JupyterLab Dark")
        assert notebook.violations() == []
        for name in LOOKED_AT:
            notebook.select(f"explorers.{name}()")
            notebook.picture(f"explorer-{name}-dark")
        page.set_viewport_size(NARROW)
        assert notebook.too_wide() == []
        assert notebook.violations() == []
        for name in LOOKED_AT:
            notebook.select(f"explorers.{name}()")
            controls, shown = (
                notebook.output.locator(f".explorer-{part}").bounding_box() for part in ("controls", "shown")
            )
            assert shown["y"] >= controls["y"] + controls["height"], "not below each other"
            notebook.picture(f"explorer-{name}-narrow")


@pytest.mark.parametrize("chapter", ["02_convolution"], indirect=True)
def test_predict_first_by_keyboard_in_the_chapter(notebook: Notebook, chapter: str) -> None:
    notebook.run("from tutor import")
    notebook.run("explorers.convolution()")
    output, page = notebook.output, notebook.page
    image, message = output.locator("img"), output.get_by_role("status")
    expect(image).to_be_visible(timeout=PATIENCE)
    expect(output.locator(".explorer-formula mjx-container")).to_have_count(3)
    before = place_of_picture(notebook)

    output.get_by_label("predict first").press("Space")
    expect(image).to_have_count(0)
    expect(output).to_contain_text("How many rows (and columns) has the output?")
    page.keyboard.press("Tab")
    prediction = output.get_by_label("Your prediction")
    expect(prediction).to_be_focused()
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    expect(message).to_contain_text("You said 3; it is 5.")
    expect(message).to_contain_text("leaves out the padding")
    expect(image).to_be_visible()
    expect(prediction).to_be_focused()
    notebook.picture("explorer-predicted")

    groups = output.get_by_role("slider", name="groups", exact=True)
    groups.press("ArrowRight")
    expect(message).to_contain_text("✗ Not possible: groups=2 has to divide in_channels=1")
    expect(output).to_contain_text("The picture is still that of groups = 1.")
    assert place_of_picture(notebook) == before, "the layout jumps"
    notebook.picture("explorer-impossible")


def place_of_picture(notebook: Notebook) -> list[float]:
    """Return where an explorer's picture is, and how large: from the upper left corner of the explorer."""
    explorer, box = (notebook.output.locator(name).bounding_box() for name in (".explorer", ".explorer-box"))
    return [box["x"] - explorer["x"], box["y"] - explorer["y"], box["width"], box["height"]]
