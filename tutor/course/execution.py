"""Run a chapter's solution in a fresh kernel, the same way on every machine."""

import os
import re
import sys
import tempfile

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode
from nbgrader.utils import determine_grade
from traitlets.config import Config

from tutor.course.chapters import Chapter, CourseError
from tutor.course.outputs import keep_text, unfit
from tutor.course.source import cell_name, nbgrader_metadata

CELL_SECONDS = 300
ANIMATION = re.compile(r"\bplots\.\w+_animation\(")
ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def execute(notebook: NotebookNode, chapter: Chapter, *, cell_seconds: int = CELL_SECONDS) -> None:
    """Run every cell in place, with the chapter's folder as working folder, and keep the lasting outputs.

    The kernel sees the built-in sample instead of CIFAR-10, an empty build folder, one thread, and no settings of
    the user's own IPython. cell_seconds: the longest that one cell may take.

    Raises CourseError that names the cell which failed, took too long, killed the kernel, does not earn its
    full points, or shows something that another run would not.
    """
    with tempfile.TemporaryDirectory() as workshop:
        _run(notebook, chapter, workshop, cell_seconds)
        _refuse(notebook, chapter, workshop)
    keep_text(notebook)


def execute_for_readers(notebook: NotebookNode, chapter: Chapter, *, cell_seconds: int = CELL_SECONDS) -> None:
    """Run every cell in place as ``execute`` does, and keep all that it shows: pictures, and animations that play.

    Raises CourseError that names the cell which failed, took too long or killed the kernel.
    """
    with tempfile.TemporaryDirectory() as workshop:
        _run(notebook, chapter, workshop, cell_seconds, playing=True)
    notebook.metadata.get("language_info", {}).pop("version", None)  # as keep_text does


def _run(notebook: NotebookNode, chapter: Chapter, workshop: str, cell_seconds: int, playing: bool = False) -> None:
    """Run every cell in place. playing: animations come as people see them, not as a strip of pictures."""
    started = [0]

    def note_start(cell: NotebookNode, cell_index: int) -> None:
        """Remember which cell runs, for a message about it."""
        started[0] = cell_index
        if client.kc:  # by which a kernel knows that a person looks (tutor.frontend)
            client.kc.allow_stdin = playing and bool(ANIMATION.search(cell.source))

    config = Config()
    config.KernelManager.transport_encryption = "auto"  # without it each kernel starts with a warning on the screen
    client = NotebookClient(
        notebook,
        config=config,
        timeout=cell_seconds,
        kernel_name="python3",
        resources={"metadata": {"path": str(chapter.folder)}},
        coalesce_streams=True,
        record_timing=False,
        store_widget_state=False,
        on_cell_start=note_start,
    )
    try:
        client.execute(env=_environment(workshop))
    except CellExecutionError as error:
        what = f"fails: {error.ename}: {strip_ansi(error.evalue)}"
        raise CourseError(f"{_place(notebook, chapter, started[0])} {what}") from error
    except CellTimeoutError as error:
        what = f"ran longer than {cell_seconds} s"
        raise CourseError(f"{_place(notebook, chapter, started[0])} {what}") from error
    except DeadKernelError as error:
        raise CourseError(f"{_place(notebook, chapter, started[0])} ended its kernel") from error


def _environment(workshop: str) -> dict[str, str]:
    """Return the kernel's environment; a display setting of the shell would change what figures show."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("MPLBACKEND", "PYTHONHASHSEED")}
    fixed = {"TUTOR_DATA": "sample", "TUTOR_BUILD": f"{workshop}/build", "IPYTHONDIR": f"{workshop}/ipython"}
    return {**inherited, **fixed, "PYTHONHASHSEED": "0", **dict.fromkeys(ONE_THREAD, "1")}


def _place(notebook: NotebookNode, chapter: Chapter, index: int) -> str:
    """Return where a cell is, as messages begin."""
    return f"{chapter.shown(chapter.source)}, {cell_name(notebook, index)}"


def _refuse(notebook: NotebookNode, chapter: Chapter, workshop: str) -> None:
    """Raise CourseError when a cell shows what will not last, or when the solution misses points."""
    found = []
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        reasons = list(unfit(cell, [str(chapter.top), sys.prefix, workshop]))
        metadata = nbgrader_metadata(cell)
        if metadata.get("grade") and not metadata.get("solution"):
            earned, worth = determine_grade(cell)
            if earned != worth:
                reasons.append(f"gives the solution only {earned:g} of {worth:g} points")
        found += [f"{_place(notebook, chapter, index)} {what}" for what in reasons]
    if found:
        raise CourseError("\n".join(found))
