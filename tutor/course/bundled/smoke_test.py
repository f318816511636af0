"""Does this installation work? ``python smoke_test.py`` runs every chapter as it is released, in a minute or two.

``python smoke_test.py 00_start`` runs one. Your own notebooks are neither read nor changed.
"""

import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


def run(path: Path, folder: str) -> list[str]:
    """Run a released notebook; return what went wrong, apart from exercises that nobody has written yet."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=300, allow_errors=True, resources={"metadata": {"path": folder}})
    client.execute()
    wrong, not_written = [], 0
    for number, cell in enumerate(notebook.cells, 1):
        errors = [output for output in cell.get("outputs", []) if output.output_type == "error"]
        for error in errors:
            if error.ename == "NotAttempted":
                not_written += 1
            elif "raises-exception" not in cell.metadata.get("tags", []):
                wrong.append(f"{path.name}, cell {number}: {error.ename}: {error.evalue}")
    if not not_written:
        wrong.append(f"{path.name}: none of its checks says that its exercise isn't written yet")
    return wrong


def checks() -> list[str]:
    """Check a right and a wrong answer; return what went wrong."""
    from tutor import checking

    right = checking.run("relu", lambda input: input.clamp(min=0))
    wrong = checking.run("relu", lambda input: input.abs())
    if right.passed and not wrong.passed:
        return []
    return [f"a right ReLU is {right.verdict}, and a wrong one is {wrong.verdict}"]


def main(names: list[str]) -> int:
    """Run the chapters named, or all; return 0 when all is well, else 1."""
    found = sorted(HERE.glob("released/*/*.ipynb"))
    unknown = [name for name in names if name not in [path.stem for path in found]]
    if unknown:
        print(f"There is no chapter {unknown[0]}; there are {', '.join(path.stem for path in found)}.")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"TUTOR_DATA": "sample", "TUTOR_BUILD": folder}
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))
        wrong = checks()
        for path in found:
            if not names or path.stem in names:
                print(f"{path.stem} …", flush=True)
                wrong += run(path, folder)
    for sentence in wrong:
        print(sentence)
    print("Something is wrong, see above." if wrong else "All is well.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # terminals that lack "…"
    raise SystemExit(main(sys.argv[1:]))
