"""Say whether the notebooks that some files belong to are as they are built; for .pre-commit-config.yaml.

Usage: python tools/built.py solutions/01_activations/01_activations.py ... Runs each chapter named by a file, once.
"""

import sys
from collections.abc import Sequence
from pathlib import PurePath

from tutor import cli


def main(files: Sequence[str]) -> int:
    """Check the chapters that the files lie in; return 0 where all are as built, or there is none."""
    parts = [PurePath(name).parts for name in files]
    chapters = sorted({words[1] for words in parts if len(words) > 2 and words[0] in ("solutions", "notebooks")})
    return cli.main(["build", "--check", *chapters]) if chapters else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
