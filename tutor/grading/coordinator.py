"""Grade a class: take each submission in, send it to the workers, and record what comes back as soon as it comes."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from nbformat import NotebookNode

from tutor.course.chapters import Chapter, CourseError
from tutor.grading.fleet import Fleet, FleetError, Tls
from tutor.grading.form import source_notebook
from tutor.grading.intake import read_submission
from tutor.grading.interrupting import Interruption, interruptible
from tutor.grading.job import Graded, Job, Limits, Sandbox
from tutor.grading.rebuild import rebuild
from tutor.grading.record import Entry as Recorded
from tutor.grading.record import Record, RecordError, Refused
from tutor.grading.report import ByHand, ClassReport, Entry, State
from tutor.grading.station import Grade, grade_warm
from tutor.grading.submission import IntakeError, Remark, Submission
from tutor.grading.submitted import HandedIn, class_seed, find_submissions
from tutor.grading.unrun import unrun

TROUBLE: dict[str, State] = {
    "not-recorded": "not recorded",
    "refused": "refused",
    "grading-failed": "not graded",
    "ended-grading": "not graded",
}  # by the kind of remark


@dataclass(frozen=True)
class Options:
    """How a class is graded.

    workers: processes here, where no ``scheduler`` is named; 0 for one a processor core. students: only these. force: grade
    also what was graded before and hasn't changed. seed: of the hidden inputs, instead of the course's own. db: the
    gradebook's address, instead of the course's own.
    """

    workers: int = 0
    scheduler: str | None = None
    tls: Tls | None = None
    students: tuple[str, ...] = ()
    force: bool = False
    limits: Limits = field(default_factory=Limits)
    sandbox: Sandbox = "bubblewrap"
    whole: bool = False
    seed: int | None = None
    db: str | None = None


class Progress(Protocol):
    """Who is told how far it is."""

    def __call__(self, total: int) -> AbstractContextManager[Callable[[], object]]:
        """Yield what is called after each of ``total`` submissions."""


@dataclass(frozen=True)
class _Waiting:
    """What the coordinator keeps of a submission while it is graded."""

    chapter: Chapter
    fingerprint: str
    remarks: tuple[Remark, ...]
    handed_in: datetime | None


class _Class:
    """One run over a class."""

    def __init__(
        self,
        top: Path,
        sources: Mapping[Chapter, NotebookNode],
        options: Options,
        record: Record,
        advance: Callable[[], object],
    ) -> None:
        self.sources, self.options, self.record, self.advance = sources, options, record, advance
        self.texts = {chapter: chapter.source.read_bytes() for chapter in sources}
        self.seed = class_seed(top) if options.seed is None else options.seed
        self.report = ClassReport()
        self.waiting: dict[tuple[str, str], _Waiting] = {}

    def jobs(self, places: Sequence[HandedIn]) -> Iterator[Job]:
        """Yield what there is to run, one at a time; what needs no run is dealt with on the way."""
        for place in places:
            refused = ""
            try:
                submission = read_submission(place.folder, place.chapter)
            except CourseError:
                raise
            except Exception as error:  # one submission must not stop the others, however odd it is
                refused = (
                    str(error) if isinstance(error, IntakeError) else f"reading it failed ({error!r}): ask for it again"
                )
                submission = Submission(place.chapter.name, "", {}, (), (Remark("refused", refused),), None)
            options = self.options
            job = Job(
                place.chapter.name,
                place.student,
                json.dumps(rebuild(self.sources[place.chapter], submission)),
                self.seed,
                options.limits,
                options.sandbox,
                options.whole,
            )
            fingerprint = _fingerprint(job, self.texts[place.chapter], submission)
            if not options.force and self.record.done(place.chapter, place.student) == fingerprint:
                known = self.record.entry(place.chapter, place.student)
                line = _entry(known, kept=True) if known else None
                if line and line.state != "not graded":  # which may have been the machine's fault
                    self._add(line)
                    continue
            self.waiting[job.chapter, job.student] = _Waiting(
                place.chapter, fingerprint, () if refused else submission.remarks, submission.handed_in
            )
            if refused:
                self.finish(unrun(job, "refused", refused))
            else:
                yield job

    def finish(self, graded: Graded) -> None:
        """Record one submission."""
        began = time.monotonic()
        waiting = self.waiting.pop((graded.chapter, graded.student))
        graded = replace(graded, remarks=(*waiting.remarks, *graded.remarks))
        try:
            odd = self.record.put(waiting.chapter, graded, fingerprint=waiting.fingerprint, handed_in=waiting.handed_in)
        except Refused as error:
            odd = [Remark("not-recorded", f"it is graded, and not recorded: {error}")]
        graded = replace(graded, remarks=(*graded.remarks, *odd))
        self.report.recording_seconds += time.monotonic() - began
        self._add(_entry(graded, waiting.handed_in))

    def _add(self, entry: Entry) -> None:
        self.report.entries.append(entry)
        self.advance()


def grade_class(
    top: Path,
    chapters: Sequence[Chapter],
    options: Options,
    *,
    progress: Progress,
    grade: Grade = grade_warm,
) -> ClassReport:
    """Grade what a class has handed in for these chapters and record it.

    Ctrl-C or SIGTERM: what has arrived is recorded, the rest is left and counted. What kept everything from being graded
    stands in the report's ``stopped``.

    Raises CourseError when a chapter isn't built or nothing was handed in, RecordError when nothing can be recorded.
    """
    start = time.monotonic()
    sources = {chapter: source_notebook(chapter) for chapter in chapters}
    places, skipped = find_submissions(top, chapters, options.students)
    with interruptible() as interruption, Record(top, db_url=options.db) as book, progress(len(places)) as advance:
        book.resume()
        run = _Class(top, sources, options, book, advance)
        run.report.skipped = skipped
        try:
            _run(run, places, interruption, grade)
        except (FleetError, RecordError) as error:
            run.report.stopped = str(error)
        else:
            waiting = [(chapter.name, book.by_hand(chapter)) for chapter in chapters]
            run.report.by_hand = [ByHand(name, *cell) for name, cells in waiting for cell in cells]
    run.report.left = len(places) - len(run.report.entries)
    run.report.interrupted = interruption.asked
    run.report.seconds = time.monotonic() - start
    return run.report


def _run(run: _Class, places: Sequence[HandedIn], interruption: Interruption, grade: Grade) -> None:
    """Send what there is to the workers; start none when there is nothing."""
    jobs = itertools.takewhile(lambda _: not interruption.asked, run.jobs(places))
    first = next(jobs, None)
    if first is None:
        return
    options = run.options
    fleet = Fleet(
        options.workers or len(os.sched_getaffinity(0)),
        options.scheduler,
        tls=options.tls,
        grade=grade,
        sandbox=options.sandbox if grade is grade_warm else None,
    )
    interruption.stop.append(fleet.stop)
    interruption.kill.append(fleet.kill)
    if interruption.asked:  # before there was a fleet to stop
        return
    with fleet:
        for graded in fleet.results(itertools.chain([first], jobs)):
            run.finish(graded)


def _entry(known: Graded | Recorded, handed_in: datetime | None = None, *, kept: bool = False) -> Entry:
    """Make a submission's line of the report."""
    when = known.handed_in if isinstance(known, Recorded) else handed_in
    kinds = [remark.kind for remark in known.remarks]
    return Entry(
        known.student,
        known.chapter,
        next((trouble for kind, trouble in TROUBLE.items() if kind in kinds), "graded"),
        tuple(known.cells),
        known.remarks,
        when.isoformat(sep=" ", timespec="seconds") if when else None,
        known.seconds,
        kept,
    )


def _fingerprint(job: Job, text: bytes, submission: Submission) -> str:
    """Return what changes when the submission is to be graded anew: what is run, how, and what is told of it.

    text: of the chapter's source.
    """
    what = hashlib.sha256(text)
    how = (job.chapter, job.seed, job.limits, job.sandbox, job.whole, submission.handed_in, submission.remarks)
    what.update(f"\0{job.notebook}\0{how!r}".encode())
    return what.hexdigest()
