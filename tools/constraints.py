"""Write ``constraints.txt``: the newest versions that fit ``pyproject.toml``, as pip resolves them now.

Nothing is installed. They are resolved for the very oldest Python that the course supports (3.11.0, not 3.11.9: some
packages tell these apart, and Debian's is an early one); newer ones find the same versions. Run it as `make
constraints`, then see with `make test` whether the course is content with them.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
HEADER = """\
# Exact versions that the tests passed with: names and versions only, written by `make constraints`.
# A line for a package that is not installed on some platform does nothing there.
"""


def resolve(requirements: list[str], oldest: str) -> dict[str, str]:
    """Return name → version of all that installing the requirements would bring, under Python ``oldest`` ("3.11.0").

    Raises subprocess.CalledProcessError when pip finds no answer; it has said why.
    """
    with tempfile.TemporaryDirectory() as folder:  # with a pip of its own: .venv may be what can't be made
        report = Path(folder) / "report.json"
        venv.create(folder, with_pip=True)
        python = Path(folder) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--dry-run", "--ignore-installed"]
        for_oldest = ["--python-version", oldest, "--only-binary=:all:", "--target", str(Path(folder) / "nothing")]
        subprocess.run([*pip, *for_oldest, "--report", str(report), *requirements], cwd=TOP, check=True)
        installs = json.loads(report.read_text(encoding="utf-8"))["install"]
    return {item["metadata"]["name"]: item["metadata"]["version"].partition("+")[0] for item in installs}


def main() -> int:
    """Resolve, rewrite the file, and return the exit status."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    bound = re.search(r">=\s*(\d+)\.(\d+)", project["requires-python"])
    if bound is None or sys.version_info[:2] != (int(bound[1]), int(bound[2])):
        python = f"python{bound[1]}.{bound[2]}" if bound else "one"
        asked = project["requires-python"]
        print(f"pyproject.toml asks for Python {asked}: run `make constraints PYTHON={python}`.", file=sys.stderr)
        return 1
    requirements = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    try:
        found = resolve(requirements, f"{bound[1]}.{bound[2]}.0")
    except subprocess.CalledProcessError:
        print("pip found no versions that fit, as it says above; constraints.txt is as it was.", file=sys.stderr)
        return 1
    lines = [f"{name}=={found[name]}\n" for name in sorted(found, key=str.lower)]
    (TOP / "constraints.txt").write_text(HEADER + "".join(lines), encoding="utf-8")
    print(f"constraints.txt: {len(lines)} packages.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
