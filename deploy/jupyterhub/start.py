"""``make hub``: prepare a folder, accounts and the proxy for a class on this machine, then become JupyterHub.

    hub.toml     who takes part, and at which address; written the first time, edited by hand
    course/      the instructor's: sources, releases, gradebook
    exchange/    where assignments go out and submissions come in: nbgrader's
    settings/    what Jupyter and nbgrader read for the instructor, and for learners
    hub/         root's: JupyterHub's own files, and the passwords of the accounts that were made

Doing it again changes nothing that is there; it takes in who is new in hub.toml.
"""

import argparse
import json
import os
import pwd
import re
import secrets
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
PROXY = TOP / "build" / "proxy"
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")  # where Debian, Ubuntu and many others keep them
COURSE = "layer-by-layer"  # course_id in nbgrader_config.py
OPEN = (".venv", "tutor")  # of the checkout, what learners' notebooks run with
FIRST = """\
# The hub's people and address. After a change: Ctrl-C where it runs, and make hub again.
instructor = "instructor"
learners = ["ada", "bob"]

# Only this machine reaches 127.0.0.1. For others: "https://0.0.0.0:443", a certificate and its key.
address = "http://127.0.0.1:8000"
# certificate = "/etc/ssl/hub.pem"
# key = "/etc/ssl/hub.key"

# What hub and proxy talk through, on this machine only.
hub_port = 8081
proxy_port = 8001
"""
FOR_INSTRUCTOR = """\
c = get_config()
load_subconfig({course!r})
"""
FOR_LEARNER = """\
c = get_config()
c.CourseDirectory.course_id = {course!r}
c.Exchange.root = {exchange!r}
c.Execute.timeout = 120  # as where submissions are graded
c.KernelManager.transport_encryption = "auto"  # else each validation begins with a warning
"""
ON_THIS_HUB = """

# ---- On this hub.
c.Exchange.root = {exchange!r}
"""
# Parts of nbgrader that a role has no use for: the list of courses is for hubs with several.
HIDDEN = {"instructor": ["course-list"], "learner": ["course-list", "formgrader", "create-assignment"]}


class Refused(Exception):
    """The hub can't be started; the message is one sentence that says why and what to do."""


def require_machine() -> None:
    """Raise Refused where there can be no hub."""
    if sys.platform != "linux":
        raise Refused(
            "The hub is for Linux: it gives each person an account of the system, and grading needs Linux too."
        )
    if os.geteuid() != 0:
        raise Refused(
            "The hub starts each person's JupyterLab under an account of that person's own, which takes root: "
            "`sudo make hub`. To look at the course alone, `make lab` needs none of this."
        )
    missing = [name for name in ("npm", "node", "useradd", "chpasswd") if not shutil.which(name)]
    if missing:
        raise Refused(
            f"There is no {', no '.join(missing)} here: install what is missing (on Debian and Ubuntu: "
            "`apt-get install nodejs npm passwd`), then `make hub` again."
        )


def read_settings(path: Path) -> dict:
    """Return what hub.toml says, written with two learners where there is none; raises Refused."""
    if not path.exists():
        path.write_text(FIRST, encoding="utf-8")
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
        people = [settings["instructor"], *settings["learners"]]
        address = urlsplit(settings["address"])
        ports = [address.port, settings["hub_port"], settings["proxy_port"]]
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"{path} can't be read: {error}.") from error
    except KeyError as error:
        raise Refused(
            f"{path} lacks {error.args[0]}: delete the file to have it written anew, or add the line."
        ) from error
    odd = [name for name in people if not re.fullmatch(r"[a-z_][a-z0-9_-]{0,30}", str(name)) or name == "root"]
    if odd:
        raise Refused(
            f"{odd[0]!r} in {path} can't be an account: use small letters, digits, - and _, from a letter on."
        )
    if len(set(people)) != len(people):
        raise Refused(f"Somebody stands in {path} twice: each person is one account, the instructor or a learner.")
    if len(set(ports)) != len(ports):
        raise Refused(f"{path} gives a port twice: address, hub_port and proxy_port need one each.")
    if address.hostname not in ("127.0.0.1", "localhost", "::1") and not (
        address.scheme == "https" and settings.get("certificate") and settings.get("key")
    ):
        raise Refused(
            f"{settings['address']} in {path} is reached from other machines, and passwords would cross the network in "
            "the clear: use https:// with certificate and key, or 127.0.0.1 behind a server that has them."
        )
    return settings


def require_readable() -> None:
    """Raise Refused where learners couldn't reach Python, its packages or the course's own."""
    for target in (Path(sys.executable).resolve(), Path(sys.prefix), Path(os.__file__), TOP / "tutor"):
        for folder in (*reversed(target.parents), target):
            if not folder.stat().st_mode & (0o001 if folder.is_dir() else 0o004):
                raise Refused(
                    f"Learners can't reach {target}, since {folder} is closed to others: put Python and the checkout "
                    "where everybody may go, such as /opt."
                )


def install_proxy() -> Path:
    """Return the proxy's program, installed by npm where the one that package.json names isn't there."""
    wanted, there = (HERE / "package.json").read_text(encoding="utf-8"), PROXY / "installed.json"
    if not there.exists() or there.read_text(encoding="utf-8") != wanted:
        print("Installing the proxy (npm, some seconds) ...", flush=True)
        PROXY.mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / "package.json", PROXY)
        quiet = ("--no-audit", "--no-fund", "--no-package-lock", "--no-update-notifier", "--loglevel=error")
        # node trusts its own list of authorities; the system's may have one more, an office's, say.
        trusted = {"NODE_EXTRA_CA_CERTS": str(AUTHORITIES)} if AUTHORITIES.is_file() else {}
        command = ["npm", "install", *quiet, "--fetch-retries=1", "--prefix", str(PROXY)]  # says soon what is wrong
        if subprocess.run(command, env={**trusted, **os.environ}).returncode:
            raise Refused("npm could not install the proxy: its lines above say why; mend that, then `make hub` again.")
        there.write_text(wanted, encoding="utf-8")  # last: an interrupted installation doesn't count
    return PROXY / "node_modules" / ".bin" / "configurable-http-proxy"


def close_checkout() -> None:
    """Keep others out of everything in the checkout that learners' notebooks don't run with: solutions, history, tests."""
    for path in TOP.iterdir():
        if path.name not in OPEN and path.suffix != ".egg-info" and not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o077)


def make_accounts(people: Sequence[str], passwords: Path) -> None:
    """Make the accounts that aren't there, with a password each, and close everybody's home to the others."""
    for name in people:
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            subprocess.run(["useradd", "--create-home", "--shell", "/bin/bash", name], check=True)
            password = secrets.token_urlsafe(12)
            subprocess.run(["chpasswd"], input=f"{name}:{password}\n", text=True, check=True)
            with os.fdopen(os.open(passwords, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w") as file:
                file.write(f"{name} {password}\n")
            print(f"An account is made for {name}; its first password is in {passwords}.", flush=True)
            account = pwd.getpwnam(name)
        home = Path(account.pw_dir)
        if account.pw_uid < 1000 or not home.is_dir() or home.stat().st_uid != account.pw_uid:
            raise Refused(f"{name} is an account of the system's own, or has no home: choose another name in hub.toml.")
        home.chmod(0o700)


def make_folders(folder: Path, instructor: str) -> None:
    """Make the course, the exchange and the settings, where they are missing, with the owners and modes they need."""
    account = pwd.getpwnam(instructor)
    course, exchange = folder / "course", folder / "exchange"
    if not course.exists():
        new = folder / "course.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        for name in ("solutions", "notebooks"):
            shutil.copytree(TOP / name, new / name, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        settings = (TOP / "nbgrader_config.py").read_text(encoding="utf-8")
        (new / "nbgrader_config.py").write_text(settings + ON_THIS_HUB.format(exchange=str(exchange)), encoding="utf-8")
        for path in (new, *new.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid)
        new.rename(course)
    # nbgrader wants the exchange open to all, and its inbound folder open to whoever hands in, but listed to nobody. The
    # sticky bits are ours: they keep learners from moving away what isn't theirs. What is there is left alone, since the
    # instructor could have put a link to anything in its place.
    exchange.mkdir(exist_ok=True)
    exchange.chmod(0o1777)
    shelf = exchange / COURSE
    if not os.path.lexists(shelf):
        (shelf / "inbound").mkdir(parents=True)
        (shelf / "inbound").chmod(0o1733)
        for path in (shelf / "inbound", shelf):
            os.chown(path, account.pw_uid, account.pw_gid)
    for role in ("instructor", "learner"):
        (folder / "settings" / role).mkdir(parents=True, exist_ok=True)
    path = folder / "settings" / "instructor" / "nbgrader_config.py"
    path.write_text(FOR_INSTRUCTOR.format(course=str(course / "nbgrader_config.py")), encoding="utf-8")
    learner = folder / "settings" / "learner"
    text = FOR_LEARNER.format(course=COURSE, exchange=str(exchange))
    (learner / "nbgrader_config.py").write_text(text, encoding="utf-8")
    for role, hidden in HIDDEN.items():
        off = {f"nbgrader.server_extensions.{name.replace('-', '_')}": False for name in hidden}
        _write(folder / "settings" / role / "jupyter_server_config.json", {"ServerApp": {"jpserver_extensions": off}})
        menu = {f"@jupyter/nbgrader:{name}": True for name in hidden}
        _write(folder / "settings" / role / "labconfig" / "page_config.json", {"disabledExtensions": menu})


def _write(path: Path, content: dict) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Prepare everything and become the hub; return an exit status where that can't be."""
    parser = argparse.ArgumentParser(prog="make hub", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--folder", type=Path, default=Path("/srv") / COURSE, help="where all of it is (default: %(default)s)"
    )
    parser.add_argument("--prepare", action="store_true", help="stop before the hub starts")
    options = parser.parse_args(arguments)
    folder = options.folder.absolute()
    os.umask(0o022)
    try:
        require_machine()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "hub").mkdir(mode=0o700, exist_ok=True)
        settings = read_settings(folder / "hub.toml")
        require_readable()
        proxy = install_proxy()
        close_checkout()
        make_accounts([settings["instructor"], *settings["learners"]], folder / "hub" / "first-passwords.txt")
        make_folders(folder, settings["instructor"])
    except Refused as error:
        print(f"make hub: {error}", file=sys.stderr)
        return 2
    if options.prepare:
        return 0
    print(
        f"The hub is at {settings['address']}; people and address stand in {folder / 'hub.toml'}; Ctrl-C ends it.",
        flush=True,
    )
    os.chdir(folder / "hub")
    os.environ |= {"COURSE_HUB": str(folder), "COURSE_PROXY": str(proxy)}
    os.execv(sys.executable, [sys.executable, "-m", "jupyterhub", "--config", str(HERE / "jupyterhub_config.py")])


if __name__ == "__main__":
    raise SystemExit(main())
