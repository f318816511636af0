"""The course as a book to read: each chapter with what its cells show, and exercises without their solutions."""

import base64
import html
import io
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Sequence
from importlib.util import find_spec
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from PIL import Image

from tutor.course import ways
from tutor.course.chapters import Chapter, CourseError, find_chapters
from tutor.course.execution import execute_for_readers
from tutor.course.release import release
from tutor.course.source import check_calls, nbgrader_metadata, read_source

MODEL = Path("docs") / "book"  # the settings of Sphinx, the first page, the style
LISTED = "<!-- chapters -->"
FOLDED = {"code_prompt_show": "Show what comes out (predict it first)", "code_prompt_hide": "Hide what comes out"}
DOES = re.compile(r"\*\*What you will do\.\*\*(.+?)(?:\n\s*\n|\Z)", re.DOTALL)


def build_book(
    top: Path,
    to: Path,
    names: Sequence[str] = (),
    *,
    predictions: Collection[str] = (),
    repository: str = "",
    hub: str = "",
    say: Callable[[str], None] = print,
) -> Path:
    """Build the book of the course at ``top`` (all chapters, or those named) in a folder, and return its first page.

    Runs each chapter's solution, some minutes in all. The folder is replaced only when all went well. predictions: exercises
    that ask what comes out; what the cells after them show is folded away. repository: a copy of the course on GitHub, as
    OWNER/NAME, which the links to Binder, Codespaces and Colab open. hub: the address of a JupyterHub.

    Raises CourseError when a chapter can't be read, run or released, when the folder holds something else than a book, and
    when Sphinx finds anything to warn of, such as a link that leads nowhere.
    """
    if find_spec("myst_nb") is None:
        raise CourseError("myst-nb is not installed: run make environment, or pip install 'layer-by-layer[book]'")
    if not (top / MODEL / "conf.py").is_file():
        raise CourseError(f"{top / MODEL}/conf.py is not there, by which Sphinx builds the book; is this a checkout?")
    repository = ways.known_repository(repository) if repository else ""
    hub = ways.known_hub(hub) if hub else ""
    if to.exists() and not (to / "searchindex.js").is_file() and (to.is_file() or any(to.iterdir())):
        raise CourseError(f"{to} holds something else than a book; name an empty folder, or none")
    chapters = find_chapters(top, names)
    with tempfile.TemporaryDirectory() as workshop:
        for path, content in _first_pages(top, chapters).items():
            _write(Path(workshop, path), content)
        for number, chapter in enumerate(chapters, start=1):
            say(f"[{number}/{len(chapters)}] {chapter.name}: running all cells")
            opening = _opening(chapter.name, repository, hub)
            for path, content in pages(chapter, predictions, opening).items():
                _write(Path(workshop, path), content)
        say("Sphinx makes the pages")
        site = _sphinx(top / MODEL, Path(workshop))
        to.parent.mkdir(parents=True, exist_ok=True)
        if to.exists():
            shutil.rmtree(to)  # or the new one would be moved into it
        shutil.move(site, to)
    return to / "index.html"


def pages(chapter: Chapter, predictions: Collection[str], opening: str) -> dict[str, bytes]:
    """Return what a chapter adds to Sphinx's pages (``source/``) and to what lies beside them (``extra/``).

    The page is the learners' notebook, in which cells that are the same in the solution show what they show there. Checks
    show nothing, and answers are as unwritten as learners find them. opening: markdown that comes after the title.
    """
    ran = read_source(chapter)
    execute_for_readers(ran, chapter)
    with tempfile.TemporaryDirectory() as workshop:
        files = release(chapter, (nbformat.writes(ran) + "\n").encode(), Path(workshop))
    page = nbformat.reads(files[chapter.student.name].decode(), as_version=4)
    made = {f"source/{path}": content for path, content in files.items()}
    made[f"extra/notebooks/{chapter.student.name}"] = files[chapter.student.name]
    predicting = shown = False
    for index, (cell, done) in enumerate(zip(page.cells, ran.cells, strict=True)):
        if cell.cell_type == "code":
            predicting = _predicts(cell, predictions, predicting)
            if cell.source == done.source and not nbgrader_metadata(cell).get("grade"):
                place = f"pictures/{chapter.name}-{index + 1}"
                cell.outputs = [_shown(o, f"{place}-{n}.png", made) for n, o in enumerate(done.outputs, start=1)]
            if predicting and cell.outputs:
                shown = True
                cell.metadata["tags"] = ["hide-output"]
                cell.metadata["mystnb"] = FOLDED
        elif shown:  # what was to be predicted has been shown, and the text goes on
            predicting = shown = False
        cell.metadata.pop("nbgrader", None)
    page.cells[0].source, _, rest = page.cells[0].source.partition("\n")
    page.cells[0].source += f"\n\n{opening}\n{rest}"
    made[f"source/{chapter.student.name}"] = (nbformat.writes(page) + "\n").encode()
    return made


def _predicts(cell: NotebookNode, predictions: Collection[str], before: bool) -> bool:
    """Tell whether what this cell shows may give a prediction away: from its check to the next answer."""
    about = nbgrader_metadata(cell)
    if about.get("grade") and not about.get("solution"):
        return check_calls(cell.source)[0].exercise in predictions
    return before and not about.get("solution")


def _shown(output: NotebookNode, path: str, made: dict[str, bytes]) -> NotebookNode:
    """Return an output as the page shows it; a picture becomes the file, with the words that a notebook keeps beside it."""
    data = output.get("data", {})
    if "image/png" not in data:
        return output
    picture = made[f"extra/{path}"] = base64.b64decode(data["image/png"])
    about = output.metadata.get("image/png", {})
    wide, high = Image.open(io.BytesIO(picture)).size
    width = about.get("width", wide)  # both, so that the page doesn't jump when the picture arrives
    size = f'width="{width}" height="{round(high * width / wide)}"'
    image = f'<img src="{path}" alt="{html.escape(about.get("alt", ""))}" {size} loading="lazy" class="drawn">'
    drawn: NotebookNode = nbformat.v4.new_output("display_data", {"text/html": image})
    return drawn


def _opening(chapter: str, repository: str, hub: str) -> str:
    """Return the links that open a chapter, as HTML that markdown takes as it is."""
    links = [("at your course's hub", ways.hub(hub, chapter))] if hub else []
    links.append(("in JupyterLab on this computer, once <code>make lab</code> runs", ways.local(chapter)))
    if repository:
        links += [("in Binder", ways.binder(repository, chapter)), ("in Colab", ways.colab(repository, chapter))]
        links.append(("in Codespaces", ways.codespaces(repository)))
    listed = "".join(f'<li><a href="{html.escape(address)}">{words}</a></li>' for words, address in links)
    taken = f'<li><a href="notebooks/{chapter}.ipynb" download>download the notebook</a></li>'
    said = "<span>Open it to work in it:</span>"
    return f'<nav class="opening" aria-label="Open this chapter">{said}<ul>{listed}{taken}</ul></nav>\n'


def _first_pages(top: Path, chapters: Sequence[Chapter]) -> dict[str, bytes]:
    """Return the first page and the learners' guide, with their pictures, and a list of the chapters in the first."""
    lines = []
    for chapter in chapters:
        text = "\n\n".join(cell.source for cell in read_source(chapter).cells[:3] if cell.cell_type == "markdown")
        does = DOES.search(text)
        lines.append(
            f"- **[{_title(text, chapter)}]({chapter.name}.ipynb)**{': ' + ' '.join(does[1].split()) if does else ''}"
        )
    index = (top / MODEL / "index.md").read_text(encoding="utf-8")
    guide = (top / "docs" / "learner.md").read_text(encoding="utf-8")
    known = {chapter.name for chapter in chapters}
    links = re.compile(r"\[([^\]]+)\]\(\.\./notebooks/(\w+)/\2\.ipynb\)")
    guide = links.sub(lambda m: f"[{m[1]}]({m[2]}.ipynb)" if m[2] in known else m[1], guide)
    index = index.replace(LISTED, "\n".join(lines))
    files = {"source/index.md": index.encode(), "source/learner.md": guide.encode()}
    for name in re.findall(r"\]\((pictures/[\w-]+\.png)\)", index + guide):
        files[f"source/{name}"] = (top / "docs" / name).read_bytes()
    return files


def _title(text: str, chapter: Chapter) -> str:
    """Return a chapter's title; raises CourseError when its first cell has none."""
    found = re.match(r"# (.+)", text)
    if not found:
        raise CourseError(f"{chapter.shown(chapter.source)} does not begin with a title, # such as this")
    return found[1]


def _write(path: Path, content: bytes) -> None:
    """Write one of Sphinx's sources."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _sphinx(settings: Path, workshop: Path) -> Path:
    """Let Sphinx make the pages and return their folder; raises CourseError with whatever it warns of."""
    site = workshop / "site"
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-n", "-q"]
    paths = ["-c", settings, "-d", workshop / "doctrees", "-D", f"html_extra_path={workshop / 'extra'}"]
    done = subprocess.run([*command, *map(str, [*paths, workshop / "source", site])], capture_output=True, text=True)
    if done.returncode != 0:
        raise CourseError(f"Sphinx is not content with the book:\n{(done.stderr or done.stdout).strip()}")
    return site
