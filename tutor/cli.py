"""The command ``tutor``: read arguments, call the package, turn errors into one line and an exit status."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 1 not as it should be, 2 wrong arguments."""
    options = _parser().parse_args(arguments)
    status: int = options.run(options)
    return status


def _parser() -> argparse.ArgumentParser:
    """Describe every command, its arguments and an example of each."""
    parser = argparse.ArgumentParser(prog="tutor", description="Build and check the chapters of Layer by Layer.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
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
    return parser


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


if __name__ == "__main__":
    raise SystemExit(main())
