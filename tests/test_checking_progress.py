"""What checks find is kept for ``progress()``: on this computer, between sessions, whatever happens to the file."""

import contextlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel

import tutor
from tutor.checking import bank, notebook, progress, recorded
from tutor.course.chapters import find_chapters
from tutor.course.source import graded_checks, read_source

TOP = Path(__file__).parents[1]
RELU = "def relu(input):\n    return input.clamp(min=0)\n"


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Return an empty build folder, with somebody watching."""
    folder = tmp_path / "a <b>build & more"
    monkeypatch.setenv("TUTOR_BUILD", str(folder))
    monkeypatch.setattr(recorded, "_unkept", {})
    monkeypatch.setattr(notebook, "someone_watches", lambda: True)
    monkeypatch.setattr(progress, "someone_watches", lambda: True)
    return folder


@pytest.fixture
def shown(build, monkeypatch):
    """Return a function that calls ``progress`` and returns its HTML and its text."""
    cards = []
    monkeypatch.setattr(progress, "show", lambda html, text: cards.append((html, text)))

    def look(**options):
        tutor.progress(**options)
        return cards[-1]

    return look


def checked(function, **options):
    with contextlib.suppress(notebook.CheckFailed):
        notebook.check(function, **options)


def good(input):
    return input.clamp(min=0)


def stub(input):
    raise NotImplementedError()


good.__name__ = stub.__name__ = "relu"


def test_the_points_and_titles_are_those_of_the_chapters():
    chapters = {chapter.name: read_source(chapter) for chapter in find_chapters(TOP)}
    worth = {
        name: {check.exercise: check.points for check in graded_checks(notebook)} for name, notebook in chapters.items()
    }
    assert progress.exercises() == worth
    for name, cells in worth.items():
        assert list(progress.exercises()[name]) == list(cells) == bank.names(name), "another order"
        assert chapters[name].cells[0].source.startswith(f"# {progress.title(name)}\n")


def test_the_best_and_the_last_result_of_visible_checks_are_kept(build, capsys):
    checked(good, points=2)
    assert recorded.read() == ({"relu": recorded.Result(1.0, 1.0)}, [])
    checked(bank.twin("relu", "absolute-value"), points=2)
    assert recorded.read()[0] == {"relu": recorded.Result(1.0, 0.0)}
    checked(bank.twin("elu", "alpha-ignored"), points=3)
    best = recorded.read()[0]["elu"]
    assert 0 < best.best == best.last < 1 and list(recorded.read()[0]) == ["relu", "elu"]
    checked(good)
    assert list(recorded.read()[0]) == ["elu", "relu"], "the last to be checked comes last"


@pytest.mark.parametrize(
    ("function", "options"),
    [
        (good, {"points": 2, "hidden": True}),
        (stub, {"points": 2}),
        (bank.twin("relu", "absolute-value"), {}),  # the demonstration in chapter 00
    ],
)
def test_hidden_checks_empty_answers_and_demonstrations_are_not_kept(function, options, build, capsys):
    checked(function, **options)
    assert not build.exists()


def test_a_card_counts_exercises_and_points(shown, build):
    for name, score in {"neuron": 1.0, "relu": 1.0, "elu": 0.75, "conv2d": 0.0}.items():
        recorded.record(name, score)
    recorded.record("neuron", 0.5)
    html, text = shown()
    assert "6.25 of 307 points" in text and "2 of 86 right, 1 partly" in text
    assert re.search(r"01 Activations +✓○○○○○◐○+ +1 of 19 right, 1 partly · 4.25 of 57 points", text)
    for part in (
        "6.25 of 307 points",
        "2 of 86 right, 1 partly",
        "2 of 2 points, the last check 1",
        "2.25 of 3 points",
    ):
        assert part in html
    assert html.count("<details") == html.count("<summary") == 7 and html.count("<li") == 86
    assert "a &lt;b&gt;build &amp; more/progress.jsonl" in html and "<b>" not in html


def test_what_comes_next_is_where_one_works_and_else_the_first_to_do(shown, build):
    assert "Next: neuron, in 00 Start" in shown()[1]
    recorded.record("conv_output_size", 1.0)
    recorded.record("pad2d", 0.5)
    assert "Next: pad2d, in 02 Convolution, which is partly right already" in shown()[1]
    for name in bank.names("02_convolution"):
        recorded.record(name, 1.0)
    assert "Next: neuron, in 00 Start" in shown()[1]
    for name in bank.names():
        recorded.record(name, 1.0)
    assert "every exercise is right" in shown()[1] and "307 of 307 points" in shown()[0]


def test_starting_again_keeps_what_was_there(shown, build):
    assert "nothing to put away" in shown(reset=True)[1]
    for number in (1, 2):
        recorded.record("relu", 1.0)
        kept = (build / recorded.FILE).read_bytes()
        text = shown(reset=True)[1]
        aside = build / f"progress-before-{number}.jsonl"
        assert "0 of 307 points" in text and str(aside) in text and aside.read_bytes() == kept
    aside.rename(build / recorded.FILE)
    assert "2 of 307 points" in shown()[1]


DAMAGES = [
    b"{garbage",
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b'{"exercise": "relu"}',
    b'{"exercise": "relu", "score": 7}',
    b'{"exercise": "relu", "score": NaN}',
    b'{"exercise": ["relu"], "score": 1}',
    b'{"exercise": "relu", "score": true}',
    b'{"exercise": "relu", "sc',
]


@pytest.mark.parametrize("damage", DAMAGES, ids=range(len(DAMAGES)))
def test_a_damaged_file_is_put_aside_with_one_sentence_and_the_rest_of_it_used(damage, shown, build):
    recorded.record("relu", 1.0)
    with recorded.path().open("ab") as file:
        file.write(damage)  # without the end of its line, as a crash would leave it
    recorded.record("elu", 0.5)
    before = recorded.path().read_bytes()
    text = shown()[1]
    aside = build / "progress-damaged-1.jsonl"
    assert aside.read_bytes() == before and f"1 damaged line(s) of {recorded.path()} were left out" in text
    assert "3.5 of 307 points" in text
    again = shown()[1]
    assert "3.5 of 307 points" in again and "damaged" not in again


def test_a_folder_that_can_not_be_written_stops_no_check(shown, build, capsys):
    build.write_text("a file where the folder should be")
    assert notebook.check(good, points=2) is None
    assert capsys.readouterr().out == "✓ relu: right · 2 of 2 points\n"
    html, text = shown()
    assert text.count("results are not kept") == 1 and "0 of 307 points" in text and "results are not kept" in html
    build.unlink()
    notebook.check(good, points=2)
    text = shown()[1]
    assert "not kept" not in text and "2 of 307 points" in text


def test_notebooks_that_are_open_at_the_same_time_lose_nothing(build):
    code = "import sys; from tutor.checking import recorded\nfor i in range(300): recorded.record(sys.argv[1], i / 300)"
    writers = [subprocess.Popen([sys.executable, "-c", code, name], cwd=TOP) for name in ("relu", "elu", "tanh")]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    lines = [json.loads(line) for line in recorded.path().read_bytes().split(b"\n") if line]
    assert len(lines) == 900
    assert recorded.read() == (dict.fromkeys(recorded.read()[0], recorded.Result(299 / 300, 299 / 300)), [])
    assert set(recorded.read()[0]) == {"relu", "elu", "tanh"}


def test_in_a_kernel_only_what_somebody_watches_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("TUTOR_BUILD", str(tmp_path))
    manager, client = start_new_kernel(kernel_name="python3")
    outputs = []

    def run(code, watched):
        outputs.clear()
        client.execute_interactive(
            code, allow_stdin=watched, output_hook=lambda m: outputs.append(m["content"]), timeout=60
        )
        return [part for part in outputs if "data" in part or "name" in part]

    try:
        run(f"from tutor import check, hint, progress\n{RELU}", True)
        run("check(relu, points=2)", False)
        assert not list(tmp_path.iterdir()), "a program ran the check"
        (told,) = run("progress()", False)
        assert told == {"name": "stdout", "text": progress.phrase("progress-unwatched") + "\n"}
        (told,) = run("hint('relu')", False)
        assert told["text"].startswith("Hint 1 of 3 for relu: ")
        (card,) = run("check(relu, points=2)", True)
        assert "2 of 2 points" in card["data"]["text/html"]
        (card,) = run("progress()", True)
        assert "2 of 307 points" in card["data"]["text/html"] and "2 of 307 points" in card["data"]["text/plain"]
        (card,) = run("hint('relu')", True)
        assert "Hint 2 of 3" in card["data"]["text/html"]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
