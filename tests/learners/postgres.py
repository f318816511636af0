"""A PostgreSQL server of one's own, in a temporary folder, on a socket that nobody else has."""

import glob
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DATABASE = "gradebook"


def program(name: str) -> str | None:
    """Return the path of one of the server's programs, which some systems keep off PATH; the newest version's."""
    beside = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), key=lambda path: float(path.split("/")[4]))
    return next(reversed(beside), None) or shutil.which(name)


class Server:
    """A running server. url: of an empty database in it, for nbgrader's ``db_url``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # The server refuses to run as root, as which tests run in many containers.
        users = {user.pw_name: user for user in pwd.getpwall()}
        user = users.get("postgres") or users["nobody"]
        self._other = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
        if self._other:
            os.chown(folder, user.pw_uid, user.pw_gid)
        self.url = f"postgresql+psycopg2://grader@/{DATABASE}?host={folder}"
        self._run("initdb", "--username=grader", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C")
        self.start()
        self._run("createdb", f"--host={folder}", "--username=grader", DATABASE, data=False)

    def start(self) -> None:
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off"
        self._run("pg_ctl", "start", "--wait", f"--log={self.folder / 'log'}", f"--options={options}")

    def stop(self) -> None:
        """End it as a power cut does."""
        self._run("pg_ctl", "stop", "--wait", "--mode=immediate")

    def _run(self, name: str, *arguments: str, data: bool = True) -> None:
        where = [f"--pgdata={self.folder / 'data'}"] if data else []
        command = [program(name), *arguments, *where]
        env = {**os.environ, "LC_ALL": "C", "HOME": str(self.folder)}
        with (self.folder / "said").open("w+") as said:  # no pipe: the server would keep it open
            done = subprocess.run(command, cwd=self.folder, env=env, stdout=said, stderr=said, **self._other)
            said.seek(0)
            assert done.returncode == 0, said.read()


@contextmanager
def server() -> Iterator[Server]:
    """Start a server and stop it at the end."""
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as folder:  # a socket's path may not be long
        running = Server(Path(folder))
        try:
            yield running
        finally:
            running.stop()
