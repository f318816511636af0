"""Addresses and badges for Binder, Codespaces and Colab, and the branch that Colab opens notebooks from.

``python -m tools.elsewhere OWNER/NAME`` prints the badges for a copy of the course on GitHub; with ``--branch`` it also
makes the branch ``colab`` here, to be pushed: the student bundle, and each notebook with a first cell that fetches it.
"""

import argparse
import json
import sys
from pathlib import Path

from tutor.course import ways
from tutor.course.branch import write_branch
from tutor.course.bundle import NAME, contents
from tutor.course.chapters import CourseError, find_chapters, find_top
from tutor.places import BUNDLE_MARK

BRANCH = ways.COLAB_BRANCH
# Nothing is installed: Colab has PyTorch and the rest, and other versions would break its own parts.
FIRST = """\
# In Colab this fetches the course: run it first, each time you come back. Elsewhere it does nothing.
import subprocess
import sys
from pathlib import Path

if "google.colab" in sys.modules:
    course = Path("{name}").resolve()
    if not course.exists():
        address = "https://github.com/{repository}"
        subprocess.run(["git", "clone", "--quiet", "--depth=1", "--branch={branch}", address, str(course)], check=True)
    sys.path.insert(0, str(course))"""


def badges(repository: str, chapters: list[str]) -> str:
    """Return the badges in Markdown, a line each. repository: on GitHub, as OWNER/NAME."""
    lines = [
        f"[Binder]({ways.binder(repository, chapters[0])})",
        f"[Codespaces]({ways.codespaces(repository)})",
    ]
    for chapter in chapters:
        picture = f"![Open {chapter} in Colab]({ways.COLAB}/assets/colab-badge.svg)"
        lines.append(f"[{picture}]({ways.colab(repository, chapter)})")
    return "\n".join(lines)


def for_colab(notebook: bytes, repository: str) -> bytes:
    """Return a released notebook with the first cell that makes it work in Colab."""
    content = json.loads(notebook)
    text = FIRST.format(name=NAME, repository=repository, branch=BRANCH)
    cell = {"cell_type": "code", "execution_count": None, "id": "for-colab", "metadata": {}, "outputs": []}
    content["cells"].insert(0, cell | {"source": text.splitlines(keepends=True)})
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def branch_files(bundle: dict[str, bytes], repository: str) -> dict[str, bytes]:
    """Return the student bundle with its notebooks for Colab, as ``colab/NN_topic.ipynb``."""
    files = dict(bundle)
    for path, data in bundle.items():
        if path.startswith("released/") and path.endswith(".ipynb"):
            files[f"{BRANCH}/{Path(path).name}"] = for_colab(data, repository)
    mark = json.loads(bundle[BUNDLE_MARK]) | {"colab": [repository, FIRST]}  # another one makes another commit
    files[BUNDLE_MARK] = (json.dumps(mark, indent=1) + "\n").encode()
    return files


def main(words: list[str] | None = None) -> int:
    """Print the badges, make the branch where asked; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.elsewhere", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("repository", metavar="OWNER/NAME", help="your copy of the course on GitHub")
    parser.add_argument("--branch", action="store_true", help=f"make the branch {BRANCH} too, which Colab opens")
    options = parser.parse_args(words)
    try:
        ways.known_repository(options.repository)
    except CourseError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        top = find_top(Path(__file__).parent)
        print(badges(options.repository, [chapter.name for chapter in find_chapters(top)]))
        if options.branch:
            changed = write_branch(top, BRANCH, branch_files(contents(top), options.repository))
            print(f"the branch {BRANCH} {'has a new commit' if changed else 'is up to date'}", file=sys.stderr)
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
