"""The command ``tutor``: read arguments, call the package, turn errors into one line and an exit status."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

GRADE: dict[str, Any] = {
    "help": "what a class has handed in → points, feedback cards, gradebook",
    "formatter_class": argparse.RawDescriptionHelpFormatter,
    "description": """\
Grade what nbgrader collect has put into build/submitted: each submission in a sandbox of its own, several
at a time, recorded in nbgrader's gradebook and folders as soon as it is done. What is graded already and hasn't
changed is not run again, so that after Ctrl-C the same command goes on.""",
    "epilog": """\
examples:
  tutor grade 01_activations
  tutor grade 01_activations --student ada --force
  tutor grade --scheduler tls://grader:8786 --tls-ca ca.pem --tls-cert me.pem --tls-key me.key

exit status: 0 all graded and recorded, 1 something couldn't be (the tables say what), 2 nothing begun: wrong
arguments or nothing to grade, 130 interrupted""",
}

DOCTOR: dict[str, Any] = {
    "help": "what is wrong with this installation, and how to mend it",
    "formatter_class": argparse.RawDescriptionHelpFormatter,
    "description": """\
Look at this installation, without the network and in some seconds: Python, packages, PyTorch, JupyterLab, folders,
pictures, and the sandbox for grading. Each line says "ok", "note" (works all the same) or "mend", and how.""",
    "epilog": """\
example:
  tutor doctor

exit status: 0 all is well, 1 there is something to mend, 2 wrong arguments""",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 1 not as it should be, 2 wrong arguments, 130 interrupted."""
    options = arguments_of(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read it has seen enough, as in `tutor grade | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would complain when it ends
        return 1
    return status


def arguments_of(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments of a command line; ends with status 2 when they are wrong."""
    return _parser().parse_args(words)


def _parser() -> argparse.ArgumentParser:
    """Describe every command, its arguments and an example of each."""
    parser = argparse.ArgumentParser(prog="tutor", description="What Layer by Layer does outside its notebooks.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    update = commands.add_parser(
        "update",
        help="a newer student bundle → the notebooks, without touching what you wrote",
        description="Put the course's notebooks into notebooks/, and take in a newer bundle. A notebook that you have worked "
        "in is never written over: the newer one is put beside it, with your answers in it.",
        epilog="example: python -m tutor update student-bundle.zip",
    )
    update.add_argument(
        "bundle", nargs="?", type=Path, metavar="ZIP", help="the newer one (default: what is unzipped here)"
    )
    update.set_defaults(run=_update)
    here = Path(__file__).parent
    if (here / "course").is_dir():  # learners have neither
        _describe_course(commands)
    if (here / "grading").is_dir():
        _describe_grade(commands.add_parser("grade", **GRADE))
    doctor = commands.add_parser("doctor", **DOCTOR)
    doctor.add_argument("--json", action="store_true", help="print one JSON object instead")
    doctor.set_defaults(run=_doctor)
    return parser


def _describe_course(commands: Any) -> None:
    """Describe ``tutor build``, ``tutor bundle`` and ``tutor book``."""
    build = commands.add_parser(
        "build",
        help="chapter source → executed solution → learners' notebook",
        description="Build chapters: solutions/NN_topic/NN_topic.py → the executed notebook beside it → "
        "notebooks/NN_topic, through nbgrader. Building twice gives the same bytes; a build that fails "
        "changes nothing.",
        epilog="example: tutor build 01_activations",
    )
    build.add_argument("chapters", nargs="*", metavar="CHAPTER", help="such as 01_activations (default: all)")
    build.add_argument("--check", action="store_true", help="write nothing; say what would change (status 1 if so)")
    build.add_argument("--course", type=Path, default=Path(), metavar="FOLDER", help="a folder of the course")
    build.set_defaults(run=_build)
    bundle = commands.add_parser(
        "bundle",
        help="what learners get: everything but solutions and grading",
        description="Pack the notebooks as they are released, and what they need: a zip that installs, tests and updates itself.",
        epilog="example: tutor bundle --branch students",
    )
    bundle.add_argument("--to", type=Path, metavar="FILE", help="the zip (default: build/student-bundle.zip)")
    bundle.add_argument(
        "--branch", metavar="NAME", help="also the next commit of this branch, which holds nothing else"
    )
    bundle.add_argument("--course", type=Path, default=Path(), metavar="FOLDER", help="a folder of the course")
    bundle.set_defaults(run=_bundle)
    book = commands.add_parser(
        "book",
        help="the chapters as web pages to read, without solutions",
        description="Run every chapter and make a book of it, for any web server or none: what cells show, exercises without "
        "solutions, a search and formulas that work offline. Links at the top of each chapter open it.",
        epilog="example: tutor book --repository ada/layer-by-layer --hub https://hub.example.org",
    )
    book.add_argument("chapters", nargs="*", metavar="CHAPTER", help="such as 01_activations (default: all)")
    book.add_argument("--to", type=Path, metavar="FOLDER", help="where it goes (default: build/book)")
    book.add_argument("--repository", default="", metavar="OWNER/NAME", help="on GitHub, for Binder, Colab, Codespaces")
    book.add_argument("--hub", default="", metavar="ADDRESS", help="a JupyterHub that learners have accounts at")
    book.add_argument("--course", type=Path, default=Path(), metavar="FOLDER", help="a folder of the course")
    book.set_defaults(run=_book)


def _describe_grade(grade: argparse.ArgumentParser) -> None:
    """Describe the arguments of ``tutor grade``."""
    grade.add_argument("chapters", nargs="*", metavar="CHAPTER", help="such as 01_activations (default: all)")
    grade.add_argument("--student", action="append", default=[], metavar="NAME", help="only this one; may be repeated")
    grade.add_argument("--force", action="store_true", help="also what is graded already and hasn't changed")
    grade.add_argument("--whole", action="store_true", help="run the chapter's own examples too (slower)")
    grade.add_argument("--json", metavar="FILE", help="write everything there as JSON; - for standard output")
    grade.add_argument("--course", type=Path, default=Path(), metavar="FOLDER", help="a folder of the course")
    grade.add_argument("--db", metavar="URL", help="the gradebook (default: db_url in nbgrader_config.py)")
    grade.add_argument("--seed", type=_seed, metavar="N", help="of the hidden inputs (default: the course's own)")
    where = grade.add_argument_group("where it runs")
    where.add_argument("--workers", type=_count, default=0, metavar="N", help="processes here (default: one a core)")
    where.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler, such as tcp://host:8786")
    for name, what in (("ca", "the authority's certificate"), ("cert", "your certificate"), ("key", "its key")):
        where.add_argument(f"--tls-{name}", type=Path, metavar="FILE", help=f"{what}, for a tls:// scheduler")
    limits = grade.add_argument_group("what a submission may do")
    limits.add_argument("--time-limit", type=_amount, metavar="SECONDS", help="for one cell (default: 60)")
    limits.add_argument("--total-limit", type=_amount, metavar="SECONDS", help="for all of it (default: 600)")
    limits.add_argument("--memory-limit", type=_count, metavar="MB", help="for all of it (default: 2000)")
    limits.add_argument(
        "--sandbox", choices=("bubblewrap", "none"), default="bubblewrap", help="none: learners' code runs unprotected"
    )
    grade.set_defaults(run=_grade)


def _count(text: str) -> int:
    """Read a whole number from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def _seed(text: str) -> int:
    """Return a whole number from 0; 0 is the seed of the checks in the notebooks."""
    return 0 if text == "0" else _count(text)


def _amount(text: str) -> float:
    """Read a number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def _grade(options: argparse.Namespace) -> int:
    """Grade what was handed in."""
    if sys.platform != "linux":  # before anything is imported that is not there elsewhere
        said = f"grading is for Linux, and this is {sys.platform}: grade on a Linux machine; all the rest works here."
        print(f"tutor grade: {said}", file=sys.stderr)
        return 2
    if not options.scheduler:
        from tutor.grading import ahead

        ahead.begin()  # before the imports of this process, which take as long
    from tutor.grading.command import grade

    return grade(options)


def _doctor(options: argparse.Namespace) -> int:
    """Look at this installation."""
    from tutor.doctor.command import doctor

    return doctor(options)


def _build(options: argparse.Namespace) -> int:
    """Build, or check, the chapters named."""
    from tutor.checking import bank
    from tutor.course.build import build
    from tutor.course.chapters import CourseError, find_top

    try:
        changed = build(find_top(options.course), options.chapters, exercises=bank.names(), check=options.check)
    except CourseError as error:
        print(f"tutor build: {error}", file=sys.stderr)
        return 1
    if options.check and changed:
        print(f"tutor build: {len(changed)} file(s) are not as built; run: tutor build", file=sys.stderr)
        return 1
    return 0


def _bundle(options: argparse.Namespace) -> int:
    """Pack the student bundle."""
    from tutor.course.branch import write_branch
    from tutor.course.bundle import contents, zipped
    from tutor.course.chapters import CourseError, find_top

    try:
        top = find_top(options.course)
        found = contents(top)
        to = options.to or top / "build" / "student-bundle.zip"
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(zipped(found))
        print(f"{to}: {len(found)} files, {to.stat().st_size / 1e6:.1f} MB")
        if options.branch:
            changed = write_branch(top, options.branch, found)
            print(f"the branch {options.branch} {'has a new commit' if changed else 'is up to date'}")
    except (CourseError, OSError) as error:
        print(f"tutor bundle: {error}", file=sys.stderr)
        return 1
    return 0


def _book(options: argparse.Namespace) -> int:
    """Make the book."""
    from tutor.checking import bank
    from tutor.course.book import build_book
    from tutor.course.chapters import CourseError, find_top

    try:
        top = find_top(options.course)
        asked = {name for name in bank.names() if bank.get(name).prediction or name.startswith("predict_")}
        links = {"repository": options.repository, "hub": options.hub}
        first = build_book(top, options.to or top / "build" / "book", options.chapters, predictions=asked, **links)
    except (CourseError, OSError) as error:
        print(f"tutor book: {error}", file=sys.stderr)
        return 1
    print(f"The book is made: open {first}")
    return 0


def _update(options: argparse.Namespace) -> int:
    """Bring a learner's notebooks up to date."""
    from tutor.updating import UpdateError, update

    try:
        said = update(Path(__file__).resolve().parents[1], options.bundle)
    except UpdateError as error:
        print(f"tutor update: {error}", file=sys.stderr)
        return 1
    print("\n".join(said) or "The notebooks are up to date.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
