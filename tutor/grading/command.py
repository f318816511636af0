"""The command ``tutor grade``: from its arguments to a class graded, tables, JSON and an exit status."""

import argparse
import shlex
import sys
from dataclasses import replace
from pathlib import Path

from tutor.course.chapters import Chapter, CourseError, find_chapters, find_top
from tutor.grading.coordinator import Options, grade_class
from tutor.grading.fleet import FleetError, Tls
from tutor.grading.interrupting import STATUS
from tutor.grading.job import Limits
from tutor.grading.progress import progress
from tutor.grading.record import RecordError
from tutor.grading.report import ClassReport, as_json
from tutor.grading.station import Grade, grade_warm
from tutor.grading.submitted import submitted_folder
from tutor.grading.tables import missed, tables

UNPROTECTED = (
    "tutor grade: WITHOUT A SANDBOX: learners' code runs unprotected, as you: it can read and change your files, the "
    "gradebook and other submissions, and use the network."
)


def grade(options: argparse.Namespace, grade: Grade = grade_warm) -> int:
    """Grade as the arguments say and return the exit status: 0, 1, 2 or 130."""
    try:
        top = find_top(options.course)
        chapters = find_chapters(top, options.chapters)
        if not options.chapters:
            chapters = _handed_in(top, chapters) or chapters
        wanted = _options(options)
        if options.sandbox == "none":
            print(UNPROTECTED, file=sys.stderr)
        report = grade_class(top, chapters, wanted, progress=progress, grade=grade)
    except (CourseError, FleetError, RecordError) as error:
        print(f"tutor grade: {error}", file=sys.stderr)
        return 2
    return _told(report, options)


def _handed_in(top: Path, chapters: list[Chapter]) -> list[Chapter]:
    """Return the chapters for which somebody has handed something in."""
    return [chapter for chapter in chapters if any(submitted_folder(top).glob(f"*/{chapter.name}"))]


def _options(options: argparse.Namespace) -> Options:
    """Translate the arguments; FleetError when they don't go together."""
    files = (options.tls_ca, options.tls_cert, options.tls_key)
    tls = Tls(*files) if all(files) else None
    if any(files) and not tls:
        raise FleetError("--tls-ca, --tls-cert and --tls-key go together: give all three")
    if tls and not options.scheduler:
        raise FleetError("--tls-ca, --tls-cert and --tls-key are for a scheduler: give --scheduler tls://HOST:PORT too")
    missing = [path for path in files if path and not path.is_file()]
    if missing:
        raise FleetError(f"there is no file {missing[0]}")
    limits = {"cell_seconds": options.time_limit, "seconds": options.total_limit, "memory_mb": options.memory_limit}
    return Options(
        workers=options.workers,
        scheduler=options.scheduler,
        tls=tls,
        students=tuple(options.student),
        force=options.force,
        limits=replace(Limits(), **{name: value for name, value in limits.items() if value}),
        sandbox=options.sandbox,
        whole=options.whole,
        seed=options.seed,
        db=options.db,
    )


def _told(report: ClassReport, options: argparse.Namespace) -> int:
    """Print what became of the class and return the exit status."""
    to_screen = sys.stderr if options.json == "-" else sys.stdout
    shown = tables(report)
    if shown:
        print(shown, file=to_screen)
    kept = sum(entry.kept for entry in report.entries)
    graded = len(report.entries) - kept
    known = f"; {kept} were graded before and haven't changed" if kept else ""
    print(f"\n{graded} graded in {report.seconds:.1f} s{known}", file=to_screen)
    status = 0 if report.whole else 1
    if options.json:
        text = as_json(report, missed(report))
        try:
            print(text) if options.json == "-" else Path(options.json).write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            print(f"tutor grade: {options.json} can't be written ({error.strerror})", file=sys.stderr)
            status = 1
    odd = len(report.skipped) + sum(not entry.whole for entry in report.entries)
    if odd:
        what = f"{odd} submissions or files were" if odd > 1 else "1 submission or file was"
        print(f"tutor grade: {what} not graded as usual; the remarks say why", file=sys.stderr)
    if report.stopped:
        print(f"tutor grade: stopped: {report.stopped}", file=sys.stderr)
    if report.left:
        again = shlex.join(["tutor", *(word for word in sys.argv[1:] if word != "--force")])
        left = f"{report.left} submissions are" if report.left > 1 else "1 submission is"
        print(f"tutor grade: {left} left; the same command goes on: {again}", file=sys.stderr)
    return STATUS if report.interrupted else status
