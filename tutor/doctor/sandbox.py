"""The sandbox that submissions are graded in: whether it can be made here, found out by making one."""

import sys
from collections.abc import Iterator

from tutor.doctor.finding import Finding, grading_is_here

SUBJECT = "grading"


def sandbox(platform: str = sys.platform) -> Iterator[Finding]:
    """Make a sandbox with nothing in it, as `tutor grade` makes its own. platform: as in ``sys.platform``."""
    if not grading_is_here():
        yield Finding(SUBJECT, "note", "Grading isn't part of this copy of the course; learners need nothing of it.")
        return
    if platform != "linux":
        what = f"Grading is for Linux, and this is {platform}: `tutor grade` isn't for here, and all the rest works."
        yield Finding(SUBJECT, "note", what)
        return
    from tutor.grading.den import Den, SandboxError

    try:
        with Den(serve="builtins:id"):  # isolates one fork, which then ends: nothing is ever served
            pass
    except SandboxError as error:
        what = f"Submissions can't be graded in a sandbox here. {error}"
        how = "Only instructors need it. Install bubblewrap (on Debian and Ubuntu: `sudo apt install bubblewrap`); "
        how += "in a container, allow user namespaces, or grade on another machine."
        yield Finding(SUBJECT, "mend", what, how)
        return
    yield Finding(SUBJECT, "ok", "Submissions can be graded in a sandbox here (bubblewrap works).")
