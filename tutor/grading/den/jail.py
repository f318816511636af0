"""What the warm process sees inside bubblewrap: only what Python needs, read-only, and no answers."""

import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tutor
from tutor.grading.den.errors import INSTEAD, SandboxError
from tutor.places import CHECKOUT_MARK

FOLDER = "/submission"  # where forks work
PACKAGE = Path(tutor.__file__).parent
_SYSTEM = ("/bin", "/lib", "/lib32", "/lib64", "/sbin", "/usr")
_SETTINGS = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime")
_DEVICES = (
    "/dev/full",
    "/dev/null",
    "/dev/random",
    "/dev/urandom",
)  # not zero: mapped, it is memory that nobody counts
_HIDDEN = ("checking/bank", "course", "grading")  # of the package: answers, and what judges them
_SHOWN = (
    "grading/__init__.py",
    "grading/frames.py",
    "grading/inside",
    "grading/tensors.py",
    "grading/values.py",
    "grading/warm",
)


def refuse_elsewhere(isolated: bool) -> None:
    """Raise SandboxError on systems other than Linux, and for the sandbox on old ones."""
    if sys.platform != "linux":
        raise SandboxError(f"Grading needs Linux, and this is {sys.platform}: grade on a Linux machine.")
    release = os.uname().release
    # Before, a user's processes all over the system counted against the processes that one submission may have.
    if isolated and [int(number) for number in re.findall(r"\d+", release)[:2]] < [5, 14]:
        raise SandboxError(f"The sandbox needs Linux 5.14 or younger, and this is {release}: {INSTEAD}.")


def modules() -> list[str]:
    """Return the folders that this process imports modules from, with this package's own."""
    known = [path for path in sys.path if os.path.isabs(path)]
    top = str(PACKAGE.parent)
    return known if top in known else [*known, top]


def environment(home: str) -> dict[str, str]:
    """Return the whole environment of a warm process; home: where it may write while it imports."""
    threads = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    return {
        "HOME": home,
        "TMPDIR": home,
        "USER": "learner",
        "LOGNAME": "learner",
        "LANG": "C.UTF-8",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",  # the same order of sets in every run
        "TUTOR_DATA": "sample",
        "TUTOR_BUILD": f"{home}/build",
        **dict.fromkeys(threads, "1"),
    }


def python(boot: str, settings: Mapping[str, Any]) -> list[str]:
    """Return the command of a warm process: the interpreter itself, which finds modules where it is told to."""
    return [os.path.realpath(sys.executable), "-P", "-s", "-c", boot, json.dumps(settings)]


def bubblewrap(root: bool) -> list[str]:
    """Return the command that the warm process's comes after; raises SandboxError where there is no bubblewrap.

    root: this process is root, who needs no user namespace. An ordinary user gets one, and in it the right to make the forks'.
    """
    program = shutil.which("bwrap")
    if program is None:
        raise SandboxError(
            "The sandbox needs bubblewrap, and there is no program `bwrap` here: install it (`apt install bubblewrap`,"
            f" `dnf install bubblewrap`), or {INSTEAD}."
        )
    alone = [
        "--unshare-pid",
        "--unshare-net",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-cgroup-try",
        "--new-session",
    ]
    user = [] if root else ["--unshare-user", "--cap-add", "CAP_SYS_ADMIN"]
    return [program, *alone, *user, "--hostname", "sandbox", *_places(), "--chdir", "/", "--"]


def visible() -> list[str]:
    """Return the folders besides the system's that are seen inside, each at its own path."""
    prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    packages = {path for path in modules() if Path(path).name in ("site-packages", "dist-packages")}
    named = prefixes | packages
    return sorted({path for path in (*named, *(os.path.realpath(name) for name in named)) if os.path.isdir(path)})


def below_tmp() -> list[str]:
    """Return what of it is seen below /tmp, to be seen there in the forks too, whose /tmp is their own."""
    paths = [*map(Path, visible()), PACKAGE]
    return [
        str(path)
        for path in paths
        if path.is_relative_to("/tmp") and not any(path != other and path.is_relative_to(other) for other in paths)
    ]


def _places() -> list[str]:
    """Return bubblewrap's options for everything that is seen, or hidden, inside."""
    options: list[str] = []
    for path in _SYSTEM:
        if os.path.islink(path):
            options += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            options += ["--ro-bind", path, path]
    for path in _SETTINGS:
        options += ["--ro-bind-try", path, path]
    options += ["--tmpfs", "/dev", *(word for path in _DEVICES for word in ("--dev-bind", path, path))]
    options += ["--dir", "/dev/shm", "--proc", "/proc", "--dir", "/tmp", "--tmpfs", FOLDER]
    seen = dict.fromkeys([*visible(), str(PACKAGE)], "--ro-bind")
    seen |= {str(PACKAGE / name): "--tmpfs" for name in _HIDDEN} | {str(PACKAGE / name): "--ro-bind" for name in _SHOWN}
    if (PACKAGE.parent / CHECKOUT_MARK).is_file():  # where it lies below something that is seen
        seen[str(PACKAGE.parent)] = "--tmpfs"
    for name in list(seen):  # folders on the way, which bubblewrap would make for root alone
        seen = dict.fromkeys(map(str, Path(name).parents), "--dir") | seen
    for path in sorted(seen, key=lambda name: Path(name).parts):  # outer ones first
        options += [seen[path], path, *([path] if seen[path] == "--ro-bind" else [])]
    for path in ("/dev", *(path for path, how in seen.items() if how == "--tmpfs"), "/"):
        options += ["--remount-ro", path]
    return options
