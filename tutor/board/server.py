"""TensorBoard's server: one in this process, on one port, and under it a TensorBoard of its own for each shown folder.

TensorBoard can't be told to show one run among many: of the others it keeps the tags, as empty groups before the run's own,
and its projector and its graphs begin with whichever run comes first. So each folder that is shown gets a TensorBoard that
holds nothing else, at a path of its own, and ``build/runs`` gets one with every run. The path can't be guessed
(``http://127.0.0.1:40123/GYxNk2p8Qm3_Zt1w/``): where several people share a machine, as under a hub, that is what keeps one
from looking at another's.

TensorBoard reads the embeddings of a run once, and what is logged later is not there in its projector. So a folder whose
embeddings have changed since gets a new TensorBoard when it is shown again.

The server is a thread of the kernel, which is why it can't outlive it, however the kernel ends. Two open notebooks are two
kernels and have a server each: one shared by both would have to be handed on when its kernel ends.
"""

import http.client
import json
import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from tutor.board.embeddings import CONFIG
from tutor.board.errors import BoardError
from tutor.board.events import logged
from tutor.board.folders import runs_folder, usable

HOST = "127.0.0.1"
FONTS = "/font-roboto"
RELOAD_SECONDS = 1.0
KEPT_IMAGES = 200  # steps a tag; TensorBoard's default of 10 would show a random tenth of the batches
PATIENCE = 30.0  # seconds; after that TensorBoard shows what it has, and its reload button the rest


Embeddings = frozenset[tuple[str, int]]  # the list of each run's embeddings, and when it was written (ns)


class Site:
    """What listens at one port: the TensorBoard of each folder, under a path of its own."""

    def __init__(self, port: int | None) -> None:
        """Listen at the port, or at one that the system finds free, from the first folder on."""
        self.port = port or 0
        self.boards: dict[tuple[Path, Embeddings], str] = {}  # log folder as it was then → address of its TensorBoard
        self._applications: dict[str, Callable[..., Iterable[bytes]]] = {}
        self._server: Any = None

    def add(self, folder: Path, embeddings: Embeddings) -> str:
        """Return the address of the folder's TensorBoard that has read these embeddings, started if need be."""
        if (folder, embeddings) in self.boards:
            return self.boards[folder, embeddings]
        from tensorboard import program  # type: ignore[import-untyped]  # a second's import, for those who look only

        _log_to_file()
        board = program.TensorBoard(server_class=self._mount)
        board.configure(
            logdir=str(folder),
            path_prefix=f"/{secrets.token_urlsafe(12)}",
            host=HOST,
            port=self.port,
            load_fast="false",  # the data server is a program of its own, which writes to stderr
            reload_interval=RELOAD_SECONDS,
            # Else it reads a run's files in the order of their names and never goes back. The names hold the second and
            # then a count, so that of two writers in one second the tenth comes before the ninth and would be lost.
            reload_multifile=True,
            samples_per_plugin={"images": KEPT_IMAGES},
        )
        try:
            board.launch()
        except program.TensorBoardServerException as error:
            raise BoardError(f"TensorBoard could not be started: {error.msg}.") from error
        self.boards[folder, embeddings] = f"http://{HOST}:{self.port}{board.flags.path_prefix}/"
        return self.boards[folder, embeddings]

    def _mount(self, application: Callable[..., Iterable[bytes]], flags: Any) -> Any:
        """Give TensorBoard, which asks for a server, the one that is already running, or the first."""
        from tensorboard import program

        self._applications[flags.path_prefix] = application
        if self._server is not None:
            return _Running()
        self._server = program.WerkzeugServer(self, flags)
        self.port = self._server.server_port
        return self._server

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Pass a request on to the TensorBoard under whose path it is (WSGI); fonts are asked for under no path."""
        prefix = "/" + environ["PATH_INFO"].lstrip("/").partition("/")[0]
        if prefix == FONTS:
            prefix = next(iter(self._applications))
            environ["PATH_INFO"] = prefix + environ["PATH_INFO"]
        elif prefix not in self._applications:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"There is no TensorBoard at this path."]
        return self._applications[prefix](environ, start_response)


class _Running:
    """Stands for a server that has been started before."""

    def serve_forever(self) -> None:
        """Do nothing: the server is at it."""

    def get_url(self) -> str:
        """Return no address: the site knows it."""
        return ""


_sites: list[Site] = []


def board(folder: Path, shown: Path, port: int | None) -> str:
    """Return the address of the TensorBoard for a log folder, started if need be.

    shown: the run in it, or the folder itself when all of it is shown. port: of the server; without one it is the one that
    was used last. Raises BoardError for a port that is not free, unless it is our own server that listens there.
    """
    site = next((site for site in reversed(_sites) if port in (None, site.port)), None)
    if site is None:
        if port is not None:
            _check_port(port)
        site = Site(port)
    address = site.add(folder, _embeddings(shown))
    _sites[:] = [*(one for one in _sites if one is not site), site]
    return address


def wait_until_forgotten(folder: Path) -> None:
    """Wait until the running TensorBoards have noticed that a run's folder was removed, and those in it.

    A run that is logged anew before that would be shown together with the old one.
    """
    folder = folder.resolve()
    for site in _sites:
        for (root, _), url in site.boards.items():
            if root in folder.parents:
                _wait_until(partial(_lacks, url, folder.relative_to(root).as_posix()))
            elif (root / folder.name).resolve() == folder:  # it is shown alone
                _wait_until(partial(_lacks, url, folder.name))


def wait_until_loaded(url: str, root: Path, folders: Iterable[Path]) -> None:
    """Wait until TensorBoard has the newest image of each tag, for its page does not look again by itself.

    url: of the TensorBoard for the log folder ``root``; folders: those below with event files.
    """
    newest: dict[str, dict[str, float]] = {}  # run → tag → time
    for folder in folders:
        images = newest.setdefault(folder.relative_to(root).as_posix(), {})
        for value, _, wall_time in logged(folder, partial=True):
            if value.HasField("image"):
                images[value.tag] = wall_time
    _wait_until(lambda: all(_has(url, run, images) for run, images in newest.items()))


def _has(url: str, run: str, newest: dict[str, float]) -> bool:
    """Tell whether TensorBoard knows the run, and of each tag the image that was logged at that time."""
    if run not in (_ask(url, "data/runs") or []):
        return False
    for tag, wall_time in newest.items():
        steps = _ask(url, f"data/plugin/images/images?{urlencode({'run': run, 'tag': tag, 'sample': 0})}")
        if not isinstance(steps, list) or not steps or steps[-1]["wall_time"] < wall_time:
            return False
    return True


def _lacks(url: str, run: str) -> bool:
    """Tell whether TensorBoard's list of runs is without the run and all below it."""
    return not [one for one in _ask(url, "data/runs") or [] if f"{one}/".startswith(f"{run}/")]


def _embeddings(shown: Path) -> Embeddings:
    """Return which embeddings are there, and when the last one was logged."""
    return frozenset((str(path), path.stat().st_mtime_ns) for path in shown.rglob(CONFIG))


def _check_port(port: int) -> None:
    """Raise BoardError unless a server could listen at the port."""
    advice = "choose another, or leave port out and a free one is picked"
    if not 0 < port < 65536:
        raise BoardError(f"There is no port {port}, they go from 1 to 65535; {advice}.")
    with socket.socket() as attempt:
        if os.name == "posix":  # as Python's own servers do; elsewhere the option would hide a port in use
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((HOST, port))
        except PermissionError as error:
            raise BoardError(f"Port {port} is kept for the system; {advice}.") from error
        except OSError as error:
            raise BoardError(f"Port {port} is in use; {advice}.") from error


def _log_to_file() -> None:
    """Send what TensorBoard logs to ``build/tensorboard.log``: on stderr it would land in the learner's cells."""
    handler = logging.FileHandler(usable(runs_folder().parent) / "tensorboard.log", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    for name in ("tensorboard", "werkzeug"):
        logger = logging.getLogger(name)
        if logger.propagate:
            logger.addHandler(handler)
            logger.propagate = False


def _wait_until(happened: Callable[[], bool]) -> None:
    """Ask again and again, for as long as patience lasts."""
    end = time.monotonic() + PATIENCE
    while not happened() and time.monotonic() < end:
        time.sleep(0.05)


def _ask(url: str, path: str) -> Any:
    """Return TensorBoard's answer, decoded; None when it is not there (yet). No proxy comes between."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE)
    try:
        connection.request("GET", parts.path + path)
        answer = connection.getresponse()
        body = answer.read()
        return json.loads(body) if answer.status == http.client.OK else None
    finally:
        connection.close()
