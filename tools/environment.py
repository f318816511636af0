"""Make ``.venv`` with everything the course needs, or mend it, saying each step: `make lab` and `make test` call it.

Only the standard library is used, and only syntax that Python 3.6 reads, so that an older Python is refused in
words. ``.venv`` is whole or counts as not made: ``MARKER`` lies in it from the first moment and becomes ``STAMP`` in
one rename as the last step, so a kill at any point leaves the marker, and the next call begins anew (the downloads
that pip had finished are in pip's own cache). What this script did not make, it never deletes.
"""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from failures import explain

OLDEST = (3, 11)
TOP = Path(__file__).resolve().parents[1]
VENV = TOP / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
MARKER = VENV / "course-unfinished.json"
STAMP = VENV / "course.json"
TRASH = TOP / ".venv.trash"
LOG = TOP / "build" / "install.log"
PROJECT = TOP / "pyproject.toml"
EXACT = TOP / "constraints.txt"
# JupyterLab's defaults in this environment: a lesson neither opens with a question about news nor goes online for it.
LAB_SETTINGS = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}
GOAL = os.environ.get("COURSE_GOAL", "lab")  # the make target that asked, to be named in messages


class Refused(Exception):
    """The environment can't be made; the message says why and what to do."""


def say(text):
    """Print one line at once, also into a pipe."""
    print(text, flush=True)


def clean():
    """Return the process's environment without what would lead pip or Python astray of ``.venv``."""
    drop = ("PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "__PYVENV_LAUNCHER__")
    return dict({name: value for name, value in os.environ.items() if name not in drop}, PIP_USER="0")


def answer(*arguments):
    """Run ``.venv``'s Python unseen; return what it prints, or None where it doesn't start or fails."""
    command = [str(PYTHON), *arguments]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60, env=clean())
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode().strip() if done.returncode == 0 else None


def version_inside():
    """Return the version of ``.venv``'s Python, such as "3.11", or None where none runs."""
    return answer("-c", "import sys; print('%d.%d' % sys.version_info[:2])")


def require_python():
    """Raise Refused where this Python is too old, or can't make virtual environments."""
    version = "%d.%d" % sys.version_info[:2]
    if sys.version_info < OLDEST:
        raise Refused(
            "Python {}.{} or newer is needed, and {} is Python {}: install a newer one, or name it, as in"
            " `make {} PYTHON=/path/to/python3.12`.".format(*OLDEST, sys.executable, version, GOAL)
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        raise Refused(
            "{} can't make virtual environments: install its venv module (on Debian and Ubuntu: `apt install"
            " python{}-venv`), then `make {}` again.".format(sys.executable, version, GOAL)
        ) from None
    if os.pathsep in str(TOP):
        said = "A virtual environment can't live under a path with {!r} in it, and {} has one: move the checkout."
        raise Refused(said.format(os.pathsep, TOP))


def digest():
    """Return a digest of what is to be installed: the project's metadata and the exact versions."""
    import tomllib  # from Python 3.11

    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))
    asked = json.dumps([project.get("build-system"), project.get("project")], sort_keys=True)
    return hashlib.sha256((asked + EXACT.read_text(encoding="utf-8")).encode()).hexdigest()


def half_installed():
    """Return the name of a package that an interrupted pip left in pieces, or None."""
    for site in [*VENV.glob("lib/python*/site-packages"), *VENV.glob("Lib/site-packages")]:
        for entry in site.iterdir():
            unrecorded = entry.suffix == ".dist-info" and not (entry / "RECORD").is_file()
            if unrecorded or entry.name.startswith("~"):
                return entry.name.lstrip("~").split("-")[0]
    return None


def examine(wanted):
    """Look at ``.venv``; return ``(action, reason)`` with action "ready", "make", "update" or "remake"."""
    if not os.path.lexists(str(VENV)):
        return "make", ""
    if not VENV.is_dir():
        raise Refused("{} is not a folder, and the environment goes there: move it away.".format(VENV))
    if MARKER.exists():
        return "remake", "an installation in it was interrupted"
    version = version_inside()
    if version is None:
        return "remake", "there is no Python in it that runs"
    if tuple(map(int, version.split("."))) < OLDEST:
        return "remake", "its Python is {}, and {}.{} is needed".format(version, *OLDEST)
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8")) if STAMP.exists() else None
    except ValueError:
        return "remake", "{} in it can't be read".format(STAMP.name)
    if stamp and stamp["checkout"] != str(TOP):
        return "remake", "it was made for {}".format(stamp["checkout"])
    if stamp and stamp["python"] != version:
        return "remake", "its Python was {} and is now {}".format(stamp["python"], version)
    if stamp and stamp["digest"] == wanted:
        return "ready", version
    if answer("-m", "pip", "--version") is None:
        return "remake", "there is no pip in it that runs"
    broken = half_installed()
    if broken:
        return "remake", "{} in it is only half installed".format(broken)
    return "update", "the dependencies have changed" if stamp else "it was not made by `make`"


def clear_away(reason):
    """Take a ``.venv`` that is of no use out of the way: deleted when made by this script, else kept beside."""
    if MARKER.exists() or STAMP.exists() or not any(VENV.iterdir()):
        say(".venv is half-made or stale ({}): it is made anew.".format(reason))
        VENV.rename(TRASH)  # at once: a kill during the deletion leaves nothing that looks like an environment
        empty_trash()
    else:
        kept = next(p for p in (TOP / ".venv.old{}".format(n or "") for n in range(1000)) if not p.exists())
        VENV.rename(kept)
        say(".venv can't be used ({}): it is kept as {}, and a new one is made.".format(reason, kept.name))


def empty_trash():
    """Delete the environment that was put aside for it, also where an earlier call was killed over that."""
    if TRASH.is_symlink():
        TRASH.unlink()
    elif TRASH.exists():
        shutil.rmtree(str(TRASH))


def install(wanted, held):
    """Fill ``.venv``, making it where it is missing; the stamp comes last. ``held`` is the lock's file or None."""
    VENV.mkdir(exist_ok=True)
    MARKER.write_text("{}", encoding="utf-8")
    if STAMP.exists():
        STAMP.unlink()
    LOG.parent.mkdir(exist_ok=True)
    LOG.write_text("", encoding="utf-8")
    if not PYTHON.exists():
        say("1/2  Making .venv with Python {}.{}.{} (some seconds) ...".format(*sys.version_info[:3]))
        run([sys.executable, "-m", "venv", str(VENV)], held)
    count = EXACT.read_text(encoding="utf-8").count("==")
    say(
        "2/2  Installing some {} packages; on Linux 3 GB are downloaded the first time, which takes minutes,".format(
            count
        )
    )
    say(
        "     and 6 GB stay in .venv ({:.0f} GB are free). pip tells what it is at; after its line".format(
            shutil.disk_usage(str(TOP)).free / 1e9
        )
    )
    say("     'Installing collected packages' it is quiet for up to three minutes, and works all the same:")
    temporary = VENV / "tmp"  # on the same disk, and gone with .venv should pip be killed
    temporary.mkdir(exist_ok=True)
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--log", str(LOG), "install"]
    run([*pip, "--constraint", EXACT.name, "--editable", ".[dev]"], held, TMPDIR=str(temporary))
    shutil.rmtree(str(temporary))
    settings = VENV / "share" / "jupyter" / "lab" / "settings"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "overrides.json").write_text(json.dumps(LAB_SETTINGS, indent=2), encoding="utf-8")
    stamp = {"checkout": str(TOP), "python": version_inside(), "digest": wanted}
    MARKER.write_text(json.dumps(stamp), encoding="utf-8")
    MARKER.replace(STAMP)
    say(".venv is ready (Python {}).".format(stamp["python"]))


def run(command, held, **variables):
    """Run one step in the open; raise Refused when it fails. A step that outlives this process keeps the lock."""
    keep = {} if held is None else {"pass_fds": (held.fileno(),)}
    environment = dict(clean(), **variables)
    status = subprocess.run(command, cwd=str(TOP), env=environment, stdin=subprocess.DEVNULL, **keep).returncode
    if status < 0:
        said = "pip was killed (signal {}), perhaps because memory ran out: close other programs. Then `make {}` again."
        raise Refused(said.format(-status, GOAL))
    if status:
        raise Refused(explain(LOG.read_text(encoding="utf-8", errors="replace"), TOP, GOAL))


def lock():
    """Wait until no other ``make`` is at work on this ``.venv``; return the file that holds the lock."""
    try:
        import fcntl
    except ImportError:  # Windows: two at once are not kept apart there
        return None
    held = open(str(TOP / ".venv.lock"), "w")  # noqa: SIM115 - closed by the end of the process
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("Another `make` is at work on .venv: waiting for it ...")
        fcntl.flock(held, fcntl.LOCK_EX)
    return held


def main():
    """Bring ``.venv`` up to date; return the exit status."""
    for name in ("SIGTERM", "SIGHUP"):
        with contextlib.suppress(AttributeError):  # Windows has no SIGHUP
            signal.signal(getattr(signal, name), signal.default_int_handler)
    try:
        require_python()
        held = lock()
        wanted = digest()
        empty_trash()
        action, reason = examine(wanted)
        if action == "remake":
            clear_away(reason)
        elif action == "update":
            say(".venv is brought up to date ({}).".format(reason))
        if action == "ready":
            say(".venv is ready (Python {}).".format(reason))
        else:
            install(wanted, held)
    except Refused as refused:
        print("\n{}".format(refused), file=sys.stderr)
        return 1
    except OSError as error:
        print("\n{}".format(explain(str(error), TOP, GOAL)), file=sys.stderr)
        return 1
    except ValueError as error:
        print("\n{} is not valid TOML: {}.".format(PROJECT, error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        said = "\nInterrupted before .venv was whole: `make {}` begins it anew; finished downloads are kept."
        print(said.format(GOAL), file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
