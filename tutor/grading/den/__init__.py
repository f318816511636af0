"""The sandbox, seen from the trusted side: a warm process in bubblewrap, and a fork of it, isolated again, a submission.

    worker  ── starts ──▶  bubblewrap  ──▶  warm process (``inside/warm.py``)  ── forks ──▶  one submission
        │                                        │                                              │
        ├── run this, end it; it has ended ──────┘                                              │
        └── frames: messages of the submission's own ────────────────────────────────────────────┘

The warm process sees the system's libraries, Python, its packages and of this one what a learner may know, all read-only;
no network, no home, nobody else's process. A fork has besides namespaces, limits and one small folder of its own, is
nobody, and can't become anybody. How much memory all its processes use, and how long they take, is watched from here.
"""

from tutor.grading.den.den import Den
from tutor.grading.den.errors import SandboxError
from tutor.grading.den.run import Run

__all__ = ["Den", "Run", "SandboxError"]
