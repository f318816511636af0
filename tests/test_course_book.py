"""The book: every chapter with what its cells show, no solution, no dead link, and a page that reads well in a browser."""

import re
import shutil
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from lab import violations
from playwright.sync_api import Browser, Page

from tutor import cli
from tutor.course.book import build_book
from tutor.course.chapters import CourseError, find_chapters
from tutor.course.source import nbgrader_metadata

pytest_plugins = ["lab"]

TOP = Path(__file__).resolve().parents[1]
CHAPTERS = [chapter.name for chapter in find_chapters(TOP)]
REPOSITORY, HUB = "ada/course", "https://hub.example.org"
SECRETS = ("BEGIN SOLUTION", "END SOLUTION", "HIDDEN TESTS", "hidden=True", "MARK SCHEME")


class Seen(HTMLParser):
    """What a page links to, what can be linked to in it, its pictures and its words."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.names: set[str] = set()
        self.pictures: list[dict[str, str | None]] = []
        self.words: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag leads to, and what it is called."""
        given = dict(attrs)
        self.names |= {name for key in ("id", "name") if (name := given.get(key))}
        self.links += [link for key in ("href", "src") if (link := given.get(key))]
        if tag == "img":
            self.pictures.append(given)

    def handle_data(self, data: str) -> None:
        """Note what can be read."""
        self.words.append(data)

    @property
    def text(self) -> str:
        """Return all that can be read, in one line."""
        return " ".join("".join(self.words).split())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole book, as the command makes it."""
    to = tmp_path_factory.mktemp("a shelf") / "book"
    command = [
        sys.executable,
        "-m",
        "tutor.cli",
        "book",
        "--to",
        str(to),
        "--repository",
        REPOSITORY,
        "--hub",
        f"{HUB}/",
    ]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"[1/{len(CHAPTERS)}] {CHAPTERS[0]}" in done.stdout and f"open {to}/index.html" in done.stdout
    return to


@pytest.fixture(scope="module")
def seen(site: Path) -> dict[str, Seen]:
    """Each page of the book by its name."""
    return {page.name: Seen(page) for page in sorted(site.glob("*.html"))}


# ---------------------------------------------------------------- what is in it


def test_every_link_leads_to_a_page_a_picture_or_a_heading_that_is_there(site: Path, seen: dict[str, Seen]) -> None:
    assert {f"{name}.html" for name in ("index", "learner", "search", *CHAPTERS)} <= set(seen)
    away = {
        f"{HUB}/",
        "http://localhost:8888/",
        "https://mybinder.org/",
        "https://codespaces.new/",
        "https://colab.research",
    }
    known = (
        "https://github.com/pradyunsg/furo",
        "https://pradyunsg.me",
        "https://www.sphinx-doc.org",
    )  # the theme's thanks
    followed = Counter[str]()
    for name, page in seen.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                assert link.startswith((*away, *known, "data:image/")), f"{name}: {link}"
                continue
            to = site / unquote(parts.path) if parts.path else site / name
            assert to.is_file(), f"{name}: {link}"
            if parts.fragment and to.suffix == ".html":
                assert unquote(parts.fragment) in seen[to.name].names, f"{name}: {link}"
            followed[to.suffix] += 1
    assert followed[".html"] > 100 and followed[".png"] > 50


@pytest.mark.parametrize("name", CHAPTERS)
def test_no_solution_is_in_it(name: str, seen: dict[str, Seen], site: Path) -> None:
    text = seen[f"{name}.html"].text
    released = nbformat.read(TOP / "notebooks" / name / f"{name}.ipynb", as_version=4)
    solved = nbformat.read(TOP / "solutions" / name / f"{name}.ipynb", as_version=4)
    public = "\n".join(cell.source for cell in released.cells)
    kept = [
        " ".join(line.split())
        for cell in solved.cells
        if nbgrader_metadata(cell).get("solution")
        for line in cell.source.splitlines()
        if len(line.strip()) > 12 and line.strip() not in public
    ]
    assert len(kept) > 10
    assert not [line for line in kept if line in text]
    assert not [secret for secret in SECRETS if secret in text]
    assert (site / "notebooks" / f"{name}.ipynb").read_bytes() == (
        TOP / "notebooks" / name / f"{name}.ipynb"
    ).read_bytes()
    assert "No response" not in text and text.count("raise NotImplementedError()") >= 8


@pytest.mark.parametrize("name", CHAPTERS)
def test_what_cells_show_is_in_it_and_checks_show_nothing(name: str, seen: dict[str, Seen]) -> None:
    page = seen[f"{name}.html"]
    solved = nbformat.read(TOP / "solutions" / name / f"{name}.ipynb", as_version=4)
    drawn = 0
    for cell in solved.cells:
        if cell.cell_type != "code" or nbgrader_metadata(cell).get("grade"):
            continue
        for output in cell.outputs:
            said = output.get("text") or output.get("data", {}).get("text/plain", "")
            if output.output_type == "stream":
                assert " ".join(said.split()) in page.text, said
            elif output.output_type == "execute_result" and said.startswith(("A ", "An ", "The ")):
                drawn += 1
    pictures = [picture for picture in page.pictures if str(picture.get("src")).startswith("pictures/")]
    assert pictures and all(picture["alt"] and picture["width"] and picture["height"] for picture in pictures)
    assert drawn == 0 or len(pictures) >= drawn // 2
    assert "points)" not in "".join(str(picture["alt"]) for picture in pictures)
    assert not re.search(r"\d+ of \d+ points", page.text)


def test_what_is_to_be_predicted_is_folded_away_and_the_rest_is_not(site: Path) -> None:
    page = (site / "04_pooling.html").read_text(encoding="utf-8")
    before, _, after = page.partition('check</span><span class="p">(</span><span class="n">predict_pooling')
    folded = after[: after.index("Output size")].count("Show what comes out (predict it first)")
    assert before and folded == 2 and page.count("Show what comes out") == 2


def test_animations_play_in_it(site: Path) -> None:
    players = {
        name: (site / f"{name}.html").read_text(encoding="utf-8").count('class="tutor-player"') for name in CHAPTERS
    }
    assert [name for name, number in players.items() if number] == [
        "02_convolution",
        "03_transpose_convolution",
        "04_pooling",
    ]


def test_each_chapter_can_be_opened(seen: dict[str, Seen]) -> None:
    for name in CHAPTERS:
        links = seen[f"{name}.html"].links
        assert f"notebooks/{name}.ipynb" in links
        assert f"{HUB}/hub/user-redirect/lab/tree/{name}/{name}.ipynb" in links
        assert f"http://localhost:8888/lab/tree/{name}/{name}.ipynb" in links
        assert f"https://mybinder.org/v2/gh/{REPOSITORY}/HEAD?urlpath=lab/tree/notebooks/{name}/{name}.ipynb" in links
        assert f"https://colab.research.google.com/github/{REPOSITORY}/blob/colab/colab/{name}.ipynb" in links
        assert f"https://codespaces.new/{REPOSITORY}" in links


# ---------------------------------------------------------------- what can go wrong


@pytest.fixture
def mini(tmp_path: Path) -> Path:
    """A course of one small chapter, and what a book needs."""
    top = tmp_path / "course"
    shutil.copytree(TOP / "tests" / "mini_course" / "solutions", top / "solutions")
    shutil.copytree(TOP / "docs" / "book", top / "docs" / "book")
    shutil.copytree(TOP / "docs" / "pictures", top / "docs" / "pictures")
    shutil.copy(TOP / "docs" / "learner.md", top / "docs")
    shutil.copy(TOP / "nbgrader_config.py", top)
    return top


def test_a_link_that_leads_nowhere_is_an_error_and_the_old_book_stays(mini: Path) -> None:
    to = mini / "build" / "book"
    first = build_book(mini, to, say=lambda _: None)
    assert first == to / "index.html" and "A chapter" in first.read_text(encoding="utf-8")
    old = first.read_bytes()
    source = mini / "solutions" / "01_mini" / "01_mini.py"
    text = source.read_text(encoding="utf-8")
    source.write_text(text + "\n# %% [markdown]\n# See [this](nowhere.md).\n", encoding="utf-8")
    with pytest.raises(CourseError, match=r"(?s)Sphinx is not content.*nowhere\.md"):
        build_book(mini, to, say=lambda _: None)
    assert first.read_bytes() == old


def test_a_cell_that_fails_is_named(mini: Path) -> None:
    source = mini / "solutions" / "01_mini" / "01_mini.py"
    source.write_text(source.read_text(encoding="utf-8") + "\n# %%\n1 / 0\n", encoding="utf-8")
    with pytest.raises(CourseError, match=r"01_mini\.py, cell \d+ \(1 / 0\) fails: ZeroDivisionError"):
        build_book(mini, mini / "book", say=lambda _: None)
    assert not (mini / "book").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--repository", "course"], "'course' is no repository on GitHub: write OWNER/NAME."),
        (["--hub", "hub.example.org"], "'hub.example.org' is no hub's address"),
        (["--hub", 'https://x"><script>'], "is no hub's address"),
        (["99_nothing"], "there is no chapter '99_nothing'"),
        (["--to", "mine"], "mine holds something else than a book"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_runs(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    monkeypatch.chdir(tmp_path)
    assert cli.main(["book", "--course", str(TOP), *words]) == 1
    told = capsys.readouterr()
    assert said in told.err and "running" not in told.out
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"


# ---------------------------------------------------------------- in a browser, without a network


@pytest.fixture(params=[("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)], ids=lambda p: f"{p[0]}-{p[1]}")
def page(request: pytest.FixtureRequest, browser: Browser) -> Page:
    """A page in a theme and a width, that remembers what it asked the network for."""
    theme, width = request.param
    context = browser.new_context(color_scheme=theme, reduced_motion="reduce", viewport={"width": width, "height": 860})
    opened = context.new_page()
    asked: list[str] = []
    opened.on("request", lambda r: asked.append(r.url) if not r.url.startswith(("file:", "data:", "blob:")) else None)
    request.addfinalizer(context.close)
    opened.asked = asked  # type: ignore[attr-defined]
    return opened


def show(page: Page, site: Path, name: str) -> None:
    """Open a page and wait for its formulas."""
    page.goto((site / f"{name}.html").as_uri())
    page.wait_for_function("() => !window.MathJax || MathJax.startup?.promise.then(() => true)")


@pytest.mark.parametrize("name", ["index", "00_start", "04_pooling"])
def test_a_page_is_readable_for_everybody(name: str, site: Path, page: Page) -> None:
    show(page, site, name)
    formulas = page.locator(".math").count()
    assert page.locator(".math mjx-container").count() == formulas and (formulas or name == "index")
    assert page.locator("mjx-merror").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert violations(page, "article") == []
    assert page.asked == []  # type: ignore[attr-defined]


def test_the_search_finds_what_is_in_a_chapter(site: Path, page: Page) -> None:
    page.goto(f"{(site / 'search.html').as_uri()}?q=ceil_mode")
    page.locator("#search-results li a", has_text="04 Pooling").first.wait_for(timeout=30_000)
    assert page.locator("#search-results li").count() < len(CHAPTERS) + 2
    assert page.asked == []  # type: ignore[attr-defined]


def test_what_is_folded_opens_and_an_animation_steps(site: Path, page: Page) -> None:
    show(page, site, "04_pooling")
    fold = page.locator("details.hide", has_text="predict it first").first
    assert not fold.locator("img").first.is_visible()
    fold.locator("summary").click()
    assert fold.locator("img").first.is_visible()
    player = page.locator(".tutor-player").first
    player.get_by_role("button", name="Next").click()
    assert player.locator(".count").inner_text().startswith("Step 2 of ")


def test_wide_code_can_be_reached_by_keyboard_where_it_is_wide(site: Path, page: Page) -> None:
    show(page, site, "04_pooling")
    wide = "e => e.scrollWidth > e.clientWidth + 1"
    found = page.locator("article pre").evaluate_all(f"all => all.map(e => [({wide})(e), e.tabIndex === 0])")
    assert {tuple(both) for both in found} == {(True, True), (False, False)}
