"""Nothing that a learner wrote or showed comes alive in a page that others open."""

import base64
import re
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from learners.recording import NAME, judged, mini_course
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode, v4
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.server_extensions.formgrader import handlers
from traitlets.config import Config

from tutor.course.pages import harmless_markdown
from tutor.course.release import nbgrader_config
from tutor.grading.job import Graded
from tutor.grading.record import Record
from tutor.grading.record.outputs import LEFT_OUT, make_harmless

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n and so on").decode()
CHECK = {"grade": True, "solution": False, "locked": True, "grade_id": "check_relu", "points": 2, "schema_version": 3}
ALIVE = "<script>alert(1)</script>"
MARKDOWN = rf"""
# A <script>alert(2)</script> heading
<img src=x onerror=alert(3)> <svg onload=alert(4)></svg> <iframe src="javascript:alert(5)"></iframe>
[a](javascript:alert(6)) <a href="jAvascript:alert(7)" onclick="alert(8)">b</a> ![c](x.png "d\" onload=\"alert(9)")
<details open ontoggle=alert(10)><style>*{{display:none}}</style></details> <base href="http://elsewhere/"> <form action=x>
![tracked](http://elsewhere/pixel.png) ![pasted](attachment:picture.png) <span id="check_relu">taken</span>

```mermaid
</pre>{ALIVE}
```

| {ALIVE} | $<script>alert(11)</script>$ |
| --- | --- |
| \begin{{a}}{ALIVE}\end{{a}} | `{ALIVE}` |
"""


def shown(*outputs: NotebookNode, nbgrader: dict | None = None, **limits: int) -> list[NotebookNode]:
    """Return what is left of the outputs of a cell."""
    metadata = {"nbgrader": nbgrader} if nbgrader else {}
    notebook = v4.new_notebook(cells=[v4.new_code_cell("pass", outputs=list(outputs), metadata=metadata)])
    make_harmless(notebook, **limits)
    nbformat.validate(notebook)
    return notebook.cells[0].outputs


def display(**data: str) -> NotebookNode:
    return v4.new_output("display_data", data={mime.replace("_", "/"): content for mime, content in data.items()})


# ---------------------------------------------------------------- outputs


@pytest.mark.parametrize(
    "mime",
    [
        "text/html", "text/markdown", "text/latex", "image/svg+xml", "application/javascript", "application/json",
        "application/vnd.jupyter.widget-view+json", "text/vnd.mermaid", "application/pdf", "x/y",
    ],
)  # fmt: skip
def test_a_learners_output_keeps_nothing_that_could_run(mime):
    rich = v4.new_output("display_data", data={mime: ALIVE, "text/plain": "plain"}, metadata={mime: {"isolated": True}})
    assert shown(rich, v4.new_output("display_data", data={mime: ALIVE})) == [display(text_plain="plain")]


def test_a_check_shows_its_card_and_a_learners_cell_with_the_same_name_does_not():
    card = display(text_html="<b>relu</b>", text_plain="relu")
    assert shown(card, nbgrader=CHECK) == [card]
    assert shown(card, nbgrader={**CHECK, "solution": True, "locked": False}) == [display(text_plain="relu")]


@pytest.mark.parametrize(
    "picture", ['"><script>', PNG + '"><script>', base64.b64encode(ALIVE.encode()).decode(), "", "A"]
)
def test_a_picture_is_one(picture):
    real = display(image_png=PNG)
    sized = v4.new_output(
        "display_data", data={"image/png": PNG}, metadata={"image/png": {"width": "1 onload=alert(1)"}}
    )
    assert shown(real, sized, display(image_png=picture), display(image_jpeg=PNG)) == [real, real]


def test_text_has_only_what_can_be_written():
    stream = v4.new_output("stream", name="stdout", text="a\x00b\ud800c")
    error = v4.new_output("error", ename="E\x00", evalue="\udfff", traceback=["\x00", "t"])
    one, two = shown(stream, error)
    assert (one.text, two.ename, two.evalue, two.traceback) == ("a\ufffdb\ufffdc", "E\ufffd", "\ufffd", ["\ufffd", "t"])


def test_sizes_have_an_end():
    long = v4.new_output("stream", name="stderr", text="x" * 5_000)
    kept, note = shown(long, display(text_plain="more"), cell_kb=2)
    assert len(kept.text) == 2_000 and kept.name == "stderr" and note.text == LEFT_OUT
    assert [output.text for output in shown(display(image_png=PNG * 1000), cell_kb=2)] == [LEFT_OUT]
    assert len(shown(*[v4.new_output("stream", name="stdout", text="a")] * 1_000)) == 201
    notebook = v4.new_notebook(cells=[v4.new_code_cell("", outputs=[long.copy()]) for _ in range(9)])
    make_harmless(notebook, notebook_kb=12)
    assert sum(len(output.text) for cell in notebook.cells for output in cell.outputs) <= 12_000 + 9 * len(LEFT_OUT)


def test_nothing_else_of_an_output_is_taken_over():
    cell = v4.new_code_cell("pass")
    cell.outputs = [
        NotebookNode(output_type="update_display_data", data={"text/plain": "x"}, metadata={}),
        NotebookNode(
            output_type="execute_result", data={"text/plain": ["a\n", "b"]}, execution_count="1", transient={}
        ),
        NotebookNode(output_type="stream", name="stdlog", text=["a", "b"], metadata={}),
    ]
    make_harmless(NotebookNode(cells=[cell]))
    assert cell.outputs == [
        v4.new_output("execute_result", data={"text/plain": "a\nb"}, execution_count=None),
        v4.new_output("stream", name="stdout", text="ab"),
    ]


# ---------------------------------------------------------------- pages


def live(page: str) -> list[str]:
    """Return all in a page that runs, loads or takes over something."""
    soup = BeautifulSoup(page, "html.parser")
    found = [
        str(tag)
        for tag in soup(["script", "iframe", "object", "embed", "svg", "style", "base", "form", "meta", "link"])
    ]
    for tag in soup.find_all(True):
        for name, value in tag.attrs.items():
            text = " ".join(value) if isinstance(value, list) else value
            outside = name in ("href", "src") and re.match(r"\s*(javascript|data:text|http|//)", text, re.IGNORECASE)
            if name.startswith("on") or outside or (name == "id" and "check" in text):
                found.append(f"{tag.name} {name}={text}")
    return found


def submission(course, student: str, text: str, *outputs: NotebookNode) -> Graded:
    """Return a graded submission with a text in every place where learners write, and outputs in a cell of theirs."""
    graded = judged(course, student, answers={"why": text, "relu": f'"""{text}"""\n\ndef relu(x): ...'})
    notebook = nbformat.reads(graded.notebook, as_version=4)
    notebook.cells += [
        v4.new_markdown_cell(text),
        v4.new_raw_cell(text),
        v4.new_code_cell("show()", outputs=list(outputs)),
    ]
    return Graded(graded.chapter, student, graded.cells, nbformat.writes(notebook))


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[tuple[str, str], str]:
    """The pages of feedback and of formgrader of a harmless submission and one that is full of traps."""
    course = mini_course(tmp_path_factory.mktemp("pages") / "course")
    mimes = ("text/html", "image/svg+xml", "application/javascript", "text/markdown", "text/latex", "text/plain")
    traps = [v4.new_output("display_data", data={mime: f"{ALIVE}{MARKDOWN}"}) for mime in mimes]
    traps += [
        v4.new_output("stream", name="stdout", text=MARKDOWN),
        v4.new_output("error", ename=ALIVE, evalue=ALIVE, traceback=[ALIVE, f"\x1b[31m{MARKDOWN}"]),
        display(image_png=f'{PNG}"{ALIVE}'),
    ]
    with Record(course.top) as record:
        for graded in (submission(course, "good", "words"), submission(course, "evil", MARKDOWN, *traps)):
            record.put(course, graded, fingerprint="1", handed_in=None)
    config = Config(nbgrader_config(course.top))
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    found = {}
    for student in ("good", "evil"):
        result = api.generate_feedback(NAME, student)
        assert result["success"], result
        feedback = course.top / "build" / "feedback" / student / NAME / f"{NAME}.html"
        found["feedback", student] = feedback.read_text(encoding="utf-8")
        found["formgrader", student] = formgraded(course.top / "build" / "autograded" / student / NAME, config)
    return found


def formgraded(folder: Path, config: Config) -> str:
    """Return a submission's page in formgrader, made as its server makes it."""
    chosen = Config(config)
    chosen.HTMLExporter.template_name = "formgrade"
    chosen.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    resources = {
        "index": 0,
        "total": 1,
        "base_url": "",
        "notebook_id": NAME,
        "submission_id": "1",
        "assignment_id": NAME,
    }
    page: str
    page, _ = HTMLExporter(config=chosen).from_filename(str(folder / f"{NAME}.ipynb"), resources=resources)
    return page


@pytest.mark.parametrize("kind", ["feedback", "formgrader"])
def test_nothing_of_a_learners_is_alive_in_a_page(pages, kind):
    assert live(pages[kind, "evil"]) == live(pages[kind, "good"])
    assert "alert(11)" in pages[kind, "evil"] and "pasted" in pages[kind, "evil"]  # it is shown, as text


def test_what_is_alive_would_be_seen():
    """Without this the test above could pass on a page that nobody looked into."""
    page = f"{MARKDOWN}{ALIVE}"
    assert len(live(page)) >= 12


def test_markdown_looks_as_ever():
    text = (
        "## A *heading*\n\n- one\n\n| a |\n| --: |\n| 1 < 2 |\n\n$a < b$ ![line](corner.svg) [x](https://example.org)"
    )
    html = harmless_markdown(f"{text}\n\n```python\nx = 1\n```")
    for part in (
        "<h2>A <em>heading</em></h2>", "<li>one</li>", '<td style="text-align:right;">1 &lt; 2</td>', "$a &lt; b$",
        'src="corner.svg" alt="line"', '<a href="https://example.org">x</a>', '<span class="n">x</span>',
    ):  # fmt: skip
        assert part in html
