"""TensorBoard inside a notebook: one server in this process for all runs, and a frame that shows one of them."""

import html
import http.client
import json
import logging
import os
import re
import socket
import time
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from tutor.board.errors import BoardError
from tutor.board.events import logged
from tutor.board.folders import runs_folder, usable
from tutor.board.records import MARK
from tutor.frontend import someone_watches

HOST = "127.0.0.1"
TABS = ("images", "scalars", "histograms", "distributions", "graphs", "projector")
RELOAD_SECONDS = 1.0
KEPT_IMAGES = 200  # steps a tag; TensorBoard's default of 10 would show a random tenth of the batches
PATIENCE = 10.0  # seconds; after that TensorBoard shows what it has, and its reload button the rest
PROXY = "TENSORBOARD_PROXY_URL"  # the variable that TensorBoard's own notebook extension reads

# A page at localhost and a frame at 127.0.0.1 are strangers to a browser, which then denies the frame the storage that
# TensorBoard can't do without; so the frame takes the page's own name for this machine.
FRAME = Template("""\
<iframe id="$id" title="$title" width="100%" height="$height" style="border: 1px solid #888"></iframe>
<script>
(() => {
  const url = new URL($url, window.location);
  if (url.hostname === "127.0.0.1" && window.location.hostname === "localhost") url.hostname = "localhost";
  document.getElementById("$id").src = url;
})();
</script>""")

_running: dict[Path, str] = {}  # log folder → address of the server that shows it


class View:
    """A TensorBoard frame in a notebook; ``url`` is its address, None when nobody is there to see it."""

    def __init__(self, what: str, url: str | None, height: int) -> None:
        """Keep what is shown (in words), where, and how high (in CSS pixels)."""
        self.what = what
        self.url = url
        self.height = height

    def __repr__(self) -> str:
        """Say what is shown; the address differs each time and is left out."""
        return self.what

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Give Jupyter the frame, and the words for where there is no frame."""
        bundle = {"text/plain": self.what}
        if self.url is not None:
            bundle["text/html"] = FRAME.substitute(
                id=f"tensorboard-{uuid.uuid4().hex}",
                title=html.escape(self.what),
                height=self.height,
                url=json.dumps(self.url),
            )
        return bundle


def show(folder: Path | str | None = None, *, tab: str = "images", height: int = 640, port: int | None = None) -> View:
    """Return TensorBoard on a run as a frame in the notebook; make it the last line of a cell.

    folder: the run to select; without one, every run in ``build/runs``. tab: ``images``, ``scalars``, ``histograms``,
    ``distributions``, ``graphs`` or ``projector`` (embeddings). height: of the frame, in CSS pixels. port: for
    TensorBoard, on this machine only; without one, a free port.

    TensorBoard is started in this process at the first call, used again by later ones, and ends with the kernel. When a
    program runs the notebook instead of a person, nothing is started and the words are all that is shown. Where the
    browser can't reach this machine's ports (JupyterHub, say), set ``TENSORBOARD_PROXY_URL`` to the address at which it
    can, with ``%PORT%`` for the port, as for TensorBoard's own notebook extension.

    Raises BoardError when nothing was logged in the folder, for an unknown tab, and for a port in use.
    """
    if tab not in TABS:
        raise BoardError(f"TensorBoard has no tab {tab!r} here; choose one of {', '.join(TABS)}.")
    shown = Path(folder) if folder is not None else runs_folder()
    if not any(shown.rglob(f"*{MARK}*")):
        raise BoardError(f"Nothing has been logged in {shown} yet, so TensorBoard would be empty; log something first.")
    shown = shown.resolve()
    root = runs_folder().resolve()
    if root not in (shown, *shown.parents):
        root = shown
    name = shown.relative_to(root).as_posix()
    what = f"TensorBoard: {tab} of {'all runs' if shown == runs_folder().resolve() else f'run {shown.name!r}'}"
    if not someone_watches():
        return View(what, None, height)
    url = _server(root, port)
    if name != ".":
        _wait_until_loaded(url, shown, name)
    selected = {"regexInput": f"^{re.escape(name)}$"} if name != "." else {}
    return View(
        what, f"{_reachable(url)}#{'&'.join(filter(None, (tab, urlencode(selected, quote_via=quote))))}", height
    )


def wait_until_forgotten(folder: Path) -> None:
    """Wait until a running TensorBoard has noticed that a run's folder was removed.

    A run that is logged anew before that would be shown together with the old one.
    """
    folder = folder.resolve()
    for root, url in _running.items():
        if root in folder.parents:
            _wait_until(partial(_lacks, url, folder.relative_to(root).as_posix()))


def _lacks(url: str, name: str) -> bool:
    """Tell whether TensorBoard's list of runs is without the run."""
    return name not in (_ask(url, "/data/runs") or [])


def _server(root: Path, port: int | None) -> str:
    """Return the address of the TensorBoard for the log folder, started if need be."""
    if root in _running and port in (None, urlsplit(_running[root]).port):
        return _running[root]
    if port is not None:
        _check_port(port)
    from tensorboard import program  # type: ignore[import-untyped]  # a second's import, for those who look only

    _log_to_file()
    board = program.TensorBoard()
    board.configure(
        logdir=str(root),
        host=HOST,
        port=port or 0,  # 0: the system picks a free one
        load_fast="false",  # the data server is a program of its own, which writes to stderr
        reload_interval=RELOAD_SECONDS,
        samples_per_plugin={"images": KEPT_IMAGES},
    )
    try:
        _running[root] = str(board.launch())
    except program.TensorBoardServerException as error:
        raise BoardError(f"TensorBoard could not be started: {error.msg}.") from error
    return _running[root]


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


def _wait_until_loaded(url: str, folder: Path, name: str) -> None:
    """Wait until TensorBoard has the newest image of each tag, for its page does not look again by itself."""
    newest: dict[str, float] = {}
    for value, _, wall_time in logged(folder, partial=True):
        if value.HasField("image"):
            newest[value.tag] = wall_time

    def loaded() -> bool:
        """Ask for the time of each tag's last image."""
        if _lacks(url, name):
            return False
        for tag, wall_time in newest.items():
            query = urlencode({"run": name, "tag": tag, "sample": 0})
            steps = _ask(url, f"/data/plugin/images/images?{query}")
            if not isinstance(steps, list) or not steps or steps[-1]["wall_time"] < wall_time:
                return False
        return True

    _wait_until(loaded)


def _wait_until(happened: Callable[[], bool]) -> None:
    """Ask again and again, for as long as patience lasts."""
    end = time.monotonic() + PATIENCE
    while not happened() and time.monotonic() < end:
        time.sleep(0.05)


def _ask(url: str, path: str) -> Any:
    """Return TensorBoard's answer, decoded; None when it is not there (yet). No proxy comes between."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        return json.loads(body) if answer.status == http.client.OK else None
    finally:
        connection.close()


def _reachable(url: str) -> str:
    """Return the address at which the browser reaches the server."""
    proxy = os.environ.get(PROXY)
    return url if proxy is None else proxy.replace("%PORT%", str(urlsplit(url).port))
