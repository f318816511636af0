"""A hub on this machine that the machine hardly notices: its accounts, homes and processes are in namespaces of their own.

``deploy/jupyterhub/start.py`` runs as root and makes accounts with ``useradd``; here it does so in a copy of ``/etc``, and all
that it starts ends with it. Where Python lies in somebody's closed home, the way to it is open in there, and only in there.
"""

import contextlib
import importlib.util
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import requests

CHECKOUT = Path(__file__).parents[2]
CHAPTER = "00_start"
INSTRUCTOR, LEARNERS = "grace", ("ada", "bob")
# $place is the hub's folder here, in which accounts and homes go.
ACCOUNTS = """
set -e
cp -a /etc/. "$place/etc"
printf 'HOME=%s/homes\\nSHELL=/bin/bash\\nCREATE_MAIL_SPOOL=no\\n' "$place" > "$place/etc/default/useradd"
mount --bind "$place/etc" /etc
"""


def no_root() -> str | None:
    """Return why nothing can be run as root here, or None where it can."""
    if os.geteuid() == 0:
        return None
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return None
    return "no root: a hub starts each person's JupyterLab under another account, and sudo asks for a password or isn't here"


def as_root(*command: str | Path, **variables: str) -> list[str]:
    """Return a command line that runs a command as root, with these variables and no others."""
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    return [*sudo, "env", "-i", *(f"{name}={value}" for name, value in variables.items()), *map(str, command)]


class Hub:
    """A running hub. folder: what ``--folder`` names; checkout: the copy of the course that it was started from."""

    def __init__(self, place: Path) -> None:
        self.folder, self.checkout, self.log = place / "srv", place / "checkout", place / "log"
        _copy_checkout(self.checkout)
        for folder in (self.folder, place / "etc", place / "homes"):
            folder.mkdir()
        self.place = place
        ports = _free_ports(3)
        self.address = f"http://127.0.0.1:{ports[0]}"
        self.settings = self.folder / "hub.toml"
        self.settings.write_text(
            f'instructor = "{INSTRUCTOR}"\nlearners = ["ada", "bob"]\naddress = "{self.address}"\n'
            f"hub_port = {ports[1]}\nproxy_port = {ports[2]}\n"
        )
        self.variables = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"], "/usr/sbin", "/sbin"]),
            "PYTHONPATH": str(self.checkout),
            "LANG": "C.UTF-8",
            "OMP_NUM_THREADS": "1",
            "TUTOR_DATA": "sample",
        }
        self.start = [sys.executable, self.checkout / "deploy" / "jupyterhub" / "start.py", "--folder", self.folder]
        namespaces = ("unshare", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child")
        script = f'place={shlex.quote(str(place))}\n{ACCOUNTS}\n{_open_ways(place)}\nexec "$@"'
        enter = (*namespaces, "sh", "-c", script, "enter", *self.start)
        with self.log.open("w") as log:
            command = as_root(*enter, **self.variables)
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self._wait_until_it_runs()
        except BaseException:
            if self.process.poll() is None:
                self.end()
            raise
        self.sessions: dict[str, requests.Session] = {}
        self.ran: list[tuple[str | Path, ...]] = []

    def _wait_until_it_runs(self) -> None:
        session = requests.Session()
        for _ in range(1200):
            assert self.process.poll() is None, f"the hub ended:\n{self.log.read_text()}"
            with contextlib.suppress(requests.ConnectionError):
                if session.get(f"{self.address}/hub/health", timeout=5).ok:
                    return
            time.sleep(0.1)
        raise AssertionError(f"the hub did not start:\n{self.log.read_text()}")

    def inside(self, *command: str | Path, user: str = "root", stdin: str = "", **variables: str):
        """Run a command in the hub's namespaces as somebody; return the finished process with what it said."""
        parent = self._root_of_namespaces()
        person = () if user == "root" else ("setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups")
        where = self.home(user) if user != "root" else self.place
        enter = ("nsenter", f"--target={parent}", "--mount", "--pid", "env", f"--chdir={where}")
        return subprocess.run(
            as_root(*enter, *person, *command, **{**self.variables, **variables}),
            input=stdin,
            capture_output=True,
            text=True,
        )

    def run(self, user: str, *command: str | Path, cwd: Path | None = None) -> str:
        """Run a command as somebody, as in a terminal of that one's JupyterLab; return all it said, fail where it fails."""
        self.ran.append(command)
        variables = self.variables_of(user)
        moved = ("env", f"--chdir={cwd}", *command) if cwd else command
        done = self.inside(*moved, user=user, **variables)
        assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def nbgrader(self, user: str, *arguments: str, cwd: Path | None = None) -> str:
        return self.run(user, sys.executable, "-m", "nbgrader", *arguments, cwd=cwd)

    def home(self, user: str) -> Path:
        return self.place / "homes" / user

    def write(self, user: str, path: Path, text: str) -> None:
        done = self.inside("tee", path, user=user, stdin=text)
        assert done.returncode == 0, done.stderr

    def read(self, path: Path) -> str:
        done = self.inside("cat", path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def variables_of(self, user: str) -> dict[str, str]:
        """Return the environment of somebody's JupyterLab, as the hub has made it."""
        text = self.read(Path("/proc") / str(self.server_of(user)) / "environ")
        return dict(each.split("=", 1) for each in text.split("\0") if "=" in each)

    def server_of(self, user: str) -> int:
        """Return the id, in the hub's namespaces, of the process that is somebody's JupyterLab."""
        listed = self.inside("ps", "-o", "pid=,args=", "-u", user).stdout.splitlines()
        [pid] = [int(line.split()[0]) for line in listed if "jupyterhub.singleuser" in line]
        return pid

    def password(self, user: str) -> str:
        lines = self.read(self.folder / "hub" / "first-passwords.txt").splitlines()
        return dict(line.split(" ", 1) for line in lines)[user]

    def log_in(self, user: str, password: str | None = None) -> requests.Response:
        """Log in as in a browser, and ask for the server; return the last answer."""
        session = self.sessions[user] = requests.Session()
        session.get(f"{self.address}/hub/login")
        form = {"username": user, "password": password or self.password(user), "_xsrf": self._token(user, "/hub/")}
        return session.post(f"{self.address}/hub/login?next=/hub/spawn", data=form)

    def wait_for_server(self, user: str) -> str:
        """Wait until somebody's JupyterLab runs; return what the hub said of it."""
        told = self.sessions[user].get(
            f"{self.address}/hub/api/users/{user}/server/progress",
            headers={"X-XSRFToken": self._token(user, "/hub/"), "Referer": f"{self.address}/hub/"},
        )
        self.get(user, "lab")  # logs in there, too
        return told.text

    def get(self, user: str, path: str, of: str | None = None) -> requests.Response:
        """Ask for a page of somebody's server, one's own unless told otherwise."""
        return self.sessions[user].get(f"{self.address}/user/{of or user}/{path}")

    def post(self, user: str, path: str, /, **form: str) -> dict:
        """Do what a button in somebody's JupyterLab does."""
        answer = self.sessions[user].post(
            f"{self.address}/user/{user}/{path}",
            data=form,
            headers={"X-XSRFToken": self._token(user, f"/user/{user}/"), "Referer": self.address},
        )
        assert answer.ok, answer.text
        return answer.json()

    def _token(self, user: str, path: str) -> str:
        return next(one.value for one in self.sessions[user].cookies if (one.name, one.path) == ("_xsrf", path))

    def _root_of_namespaces(self) -> int:
        """Return the id out here of the first process of the namespaces: a child of ``unshare``."""
        pid = self.process.pid
        while Path(f"/proc/{pid}/comm").read_text().strip() != "unshare":
            pid = _child(pid)
        return _child(pid)

    def end(self) -> None:
        """End the hub as Ctrl-C does, and with it the namespaces."""
        subprocess.run(as_root("kill", str(self._root_of_namespaces()), PATH=os.environ["PATH"]), check=True)
        self.process.wait(60)


def _child(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def _copy_checkout(top: Path) -> None:
    """Copy what a hub is made from, with one chapter, and something of what it must close."""
    unwanted = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
    for name in ("deploy", "tutor", f"solutions/{CHAPTER}", f"notebooks/{CHAPTER}", f"tests/answers/{CHAPTER}"):
        shutil.copytree(CHECKOUT / name, top / name, ignore=unwanted)
    shutil.copy(CHECKOUT / "nbgrader_config.py", top)
    (top / ".git").mkdir()
    (top / ".git" / "HEAD").touch()
    shutil.copytree(_proxy(), top / "build" / "proxy", symlinks=True)


def _proxy() -> Path:
    """Return the proxy's folder; npm puts it there once a checkout, with this user's own settings of the network."""
    start = load_start()
    start.install_proxy()
    return start.PROXY


def load_start() -> ModuleType:
    """Return the program behind ``make hub`` as a module of its own."""
    spec = importlib.util.spec_from_file_location("hub_start", CHECKOUT / "deploy" / "jupyterhub" / "start.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as opened:
        probes = [opened.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def _open_ways(place: Path) -> str:
    """Return shell commands that open what is closed to others on the way to this Python, for nothing else in there."""
    keep, cover, uncover = [], [], []
    for needed in {Path(sys.base_prefix).resolve(), Path(sys.prefix)}:
        closed = next((folder for folder in reversed(needed.parents) if not folder.stat().st_mode & 0o001), None)
        if closed:
            kept, at = shlex.quote(f"{place}/kept/{len(keep)}"), shlex.quote(str(needed))
            keep.append(f"mkdir -p {kept}; mount --bind {at} {kept}")
            cover.append(f"mount -t tmpfs -o mode=755 none {shlex.quote(str(closed))}")
            uncover.append(f"mkdir -p {at}; mount --bind {kept} {at}; umount {kept}")
    return "\n".join([*keep, *dict.fromkeys(cover), *uncover])


@contextlib.contextmanager
def running_hub() -> Iterator[Hub]:
    """Start a hub, and take everything away at the end."""
    place = Path(tempfile.mkdtemp(prefix="hub-", dir="/tmp"))  # a path that everybody may go
    place.chmod(0o755)
    try:
        hub = Hub(place)
        try:
            yield hub
        finally:
            hub.end()
    finally:
        subprocess.run(as_root("rm", "-rf", place, PATH=os.environ["PATH"]), check=True)
