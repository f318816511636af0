"""The verdict on one graded cell: the check's visible and hidden half, judged here, and what nbgrader is to read of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from nbformat import NotebookNode

from tutor.checking import bank, card
from tutor.checking.answer import Answer
from tutor.checking.engine import examine
from tutor.checking.key import Key
from tutor.checking.report import Report
from tutor.checking.telling import Told, tell
from tutor.course.source import GradedCheck
from tutor.grading.job import NOT_CHECKED, CellResult, CellVerdict
from tutor.grading.submission import writable

Output = dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What a graded cell earned, and its outputs: those that running the cell would have shown in a notebook."""

    result: CellResult
    outputs: list[Output]


def judge(check: GradedCheck, answer: Answer, seed: int) -> Verdict:
    """Check an answer with the numbers that everybody sees and with hidden ones, and return the verdict.

    seed: of the hidden numbers. Raises what ``answer`` raises.
    """
    seen = examine(key(check.exercise, False, 0), answer)
    told = tell(seen, None, check.points)
    outputs = _shown(seen, told, check.points)
    if told.line:
        return _verdict(check, [seen], 0.0, outputs)
    hidden = examine(key(check.exercise, True, seed), answer)
    told = tell(hidden, seen, check.points)
    outputs += _shown(hidden, told, check.points)
    earned = 0.0 if told.line else check.points if told.earned is None else told.earned
    if told.earned is not None:
        outputs.append(
            {
                "output_type": "execute_result",
                "data": {"text/plain": repr(told.earned)},
                "metadata": {},
            }
        )
    return _verdict(check, [seen, hidden], earned, outputs)


@cache
def key(exercise: str, hidden: bool, seed: int) -> Key:
    """Return the key that every answer of a class is held against."""
    return Key(bank.get(exercise), seed=seed, hidden=hidden)


def nothing(check: GradedCheck, why: str) -> Verdict:
    """Return the verdict on an answer that could not be checked. why: the reason, as it goes on after a colon."""
    said = f"{NOT_CHECKED}{why}"
    return Verdict(
        CellResult(check.grade_id, check.exercise, 0.0, check.points, "not run", why=said), [failed("NotChecked", said)]
    )


def failed(name: str, said: str) -> Output:
    """Return an error as a notebook shows it, on one line."""
    return {"output_type": "error", "ename": name, "evalue": said, "traceback": [f"{name}: {said}"]}


def formed(outputs: Sequence[Any]) -> list[NotebookNode]:
    """Return those of the outputs, whoever made them, that have a notebook's form, with nothing else in them.

    Nor anything that no file can hold: NUL and half surrogates, of which JSON can tell.
    """
    return [node for output in outputs if isinstance(output, dict) and (node := _formed(output)) is not None]


def _formed(output: Output) -> NotebookNode | None:
    kind = output.get("output_type")
    texts = {name: writable(text) for name, text in output.items() if isinstance(text, str)}
    if kind == "stream" and texts.get("name") in ("stdout", "stderr"):
        return _node(kind, name=texts["name"], text=texts.get("text", ""))
    if kind == "error":
        lines = output.get("traceback")
        traceback = [writable(line) for line in lines if isinstance(line, str)] if isinstance(lines, list) else []
        ename, evalue = texts.get("ename", ""), texts.get("evalue", "")
        return _node(kind, ename=ename, evalue=evalue, traceback=traceback)
    if kind in ("display_data", "execute_result") and isinstance(output.get("data"), dict):
        data = {writable(mime): writable(text) for mime, text in output["data"].items() if isinstance(text, str)}
        count = {"execution_count": None} if kind == "execute_result" else {}
        return _node(kind, data=NotebookNode(data), metadata=NotebookNode(), **count)
    return None


def _node(kind: str, **held: Any) -> NotebookNode:
    """Return an output, as nbformat's ``new_output`` does; the notebook is validated once, when it is written."""
    return NotebookNode(output_type=kind, **held)


def _verdict(check: GradedCheck, reports: list[Report], earned: float, outputs: list[Output]) -> Verdict:
    worst = min(reports, key=lambda report: report.score)
    found = dict.fromkeys(diagnosis.id for report in reports for diagnosis in report.diagnoses)
    verdict = cast(CellVerdict, "passed" if earned == check.points else worst.verdict)
    result = CellResult(check.grade_id, check.exercise, earned, check.points, verdict, tuple(found))
    return Verdict(result, outputs)


def _shown(report: Report, told: Told, points: float) -> list[Output]:
    outputs: list[Output] = []
    if told.shows:
        data = {"text/html": card.as_html(report, points), "text/plain": card.as_text(report, points)}
        outputs.append({"output_type": "display_data", "data": data, "metadata": {}})
    if told.line:
        outputs.append(failed("NotAttempted" if report.verdict == "not attempted" else "CheckFailed", told.line))
    return outputs
