"""Write ``constraints.txt``: the newest versions that fit ``pyproject.toml``, as pip resolves them now.

Nothing is installed. Run it (``make constraints``) with the oldest Python that the course supports, so that newer
ones find these versions too; then ``make test`` shows whether the course is content with them.
"""

import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
HEADER = """\
# Exact versions that the tests passed with: names and versions only, written by `make constraints`.
# A line for a package that is not installed on some platform does nothing there.
"""


def resolve() -> dict[str, str]:
    """Return name → version of everything that installing the checkout with its ``dev`` extra would bring."""
    with tempfile.TemporaryDirectory() as folder:  # with a pip of its own: .venv may be what can't be made
        report = Path(folder) / "report.json"
        venv.create(folder, with_pip=True)
        python = Path(folder) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--editable", ".[dev]"]
        only_ask = ["--dry-run", "--ignore-installed", "--report", str(report)]
        subprocess.run([*pip, *only_ask], cwd=TOP, check=True)
        installs = json.loads(report.read_text(encoding="utf-8"))["install"]
    found = {item["metadata"]["name"]: item["metadata"]["version"].partition("+")[0] for item in installs}
    del found["layer-by-layer"]
    return found


def main() -> None:
    """Resolve, and rewrite the file."""
    found = resolve()
    lines = [f"{name}=={found[name]}\n" for name in sorted(found, key=str.lower)]
    (TOP / "constraints.txt").write_text(HEADER + "".join(lines), encoding="utf-8")
    print(f"constraints.txt: {len(lines)} packages, resolved with Python {sys.version.split()[0]}.")


if __name__ == "__main__":
    main()
