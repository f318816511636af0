"""The player of animations in a real browser: it plays, is stepped through by keyboard, and leaves people in peace."""

from collections.abc import Iterator

import pytest
import torch
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tutor import plots

# Counts the timers that run, so that a test sees whether one is left behind.
COUNTED = """
window.running = new Set();
const [start, stop] = [window.setInterval, window.clearInterval];
window.setInterval = (...of) => { const id = start(...of); running.add(id); return id; };
window.clearInterval = (id) => { running.delete(id); stop(id); };
"""


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Start the machine's own Chromium."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def two() -> str:
    """Return a page with two players."""
    grid, kernel = torch.arange(16.0).view(4, 4), torch.ones(3, 3)
    animations = (plots.convolution_animation(grid, kernel), plots.conv_transpose_animation(grid[:2, :2], kernel))
    return f"<!doctype html><html lang='en'><body>{''.join(each.player() for each in animations)}</body></html>"


def opened(browser: Browser, html: str, motion: str = "no-preference") -> Page:
    """Return the page in a browser whose clock only goes on when told."""
    page = browser.new_context(reduced_motion=motion).new_page()
    page.clock.install()
    page.goto("about:blank")
    page.evaluate(COUNTED)
    page.set_content(html)
    return page


def counts(page: Page) -> list[str]:
    return page.locator(".count").all_inner_texts()


def running(page: Page) -> int:
    return page.evaluate("running.size")


def test_one_plays_at_a_time_and_stops_when_asked_or_gone(browser, two):
    page = opened(browser, two)
    play = page.locator(".play")
    assert play.all_inner_texts() == ["Play", "Pause"] and running(page) == 1, "the last one that was opened"
    page.clock.run_for(2000)
    assert counts(page) == ["Step 1 of 4", "Step 3 of 4"]
    play.first.click()
    assert play.all_inner_texts() == ["Pause", "Play"] and running(page) == 1
    page.clock.run_for(4000)
    assert counts(page) == ["Step 1 of 4", "Step 3 of 4"], "round once"
    play.first.click()
    page.clock.run_for(4000)
    assert counts(page) == ["Step 1 of 4", "Step 3 of 4"] and running(page) == 0
    play.first.click()
    page.evaluate("document.querySelector('.tutor-player').remove()")
    page.clock.run_for(1000)
    assert running(page) == 0, "a cell that is run again leaves no timer behind"


def test_whoever_wants_less_motion_begins_it_themselves(browser, two):
    page = opened(browser, two, "reduce")
    assert page.locator(".play").all_inner_texts() == ["Play", "Play"] and running(page) == 0


def test_the_keyboard_steps_and_picture_words_and_slider_go_together(browser, two):
    page = opened(browser, two, "reduce")
    box = page.locator(".tutor-player").first
    first = box.locator(".change").get_attribute("src")
    box.get_by_label("Step", exact=True).focus()
    page.keyboard.press("ArrowRight")
    expect(box.locator(".count")).to_have_text("Step 2 of 4")
    expect(box.locator("p")).to_contain_text("Output[0, 1]: the window is on rows 0 to 2, columns 1 to 3;")
    assert "Output[0, 1]" in box.locator(".whole").get_attribute("alt")
    assert "Output[0, 0]" not in box.locator(".whole").get_attribute("alt")
    assert box.locator(".change").get_attribute("src") != first
    before = box.bounding_box()
    for key, step in (("Enter", 3), ("Space", 4), ("Enter", 1)):
        box.locator(".next").focus()
        page.keyboard.press(key)
        expect(box.locator(".count")).to_have_text(f"Step {step} of 4")
        expect(box.locator("input")).to_have_value(str(step))
    box.locator(".previous").click()
    assert counts(page)[0] == "Step 4 of 4" and box.bounding_box() == before, "nothing jumps"
