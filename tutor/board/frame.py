"""TensorBoard inside a notebook: a frame that shows one run, or all."""

import hashlib
import html
import json
import os
import uuid
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from tutor.board import server
from tutor.board.errors import BoardError
from tutor.board.folders import runs_folder, usable
from tutor.board.records import MARK
from tutor.frontend import someone_watches
from tutor.places import build_folder

TABS = ("images", "scalars", "histograms", "distributions", "graphs", "projector")
PROXY = "TENSORBOARD_PROXY_URL"  # the variable that TensorBoard's own notebook extension reads
HUB = "JUPYTERHUB_SERVICE_PREFIX"  # set by JupyterHub for each user's server, such as /user/ada/

# Where the browser runs on another machine (a tunnel, a container, a code space) it reaches the Jupyter server and nothing
# else here. Jupyter's pages say where that is, and jupyter-server-proxy passes requests on from there to any port of this
# machine. Where it is not there (VS Code, say), the frame takes the port itself, by the page's own name for this machine: a
# page at localhost and a frame at 127.0.0.1 are strangers to a browser, which then denies the frame the storage that
# TensorBoard can't do without. Colab has a way of its own, and TensorBoard a mode for it, as its own notebook extension
# (tensorboard/notebook.py) uses them.
# Narrower than 600 pixels TensorBoard leaves no room for the pictures beside its settings, so that there the frame is scrolled.
FRAME = Template("""\
<div style="overflow-x: auto"><iframe id="$id" title="$title" width="100%" height="$height"
 style="border: 1px solid #888; box-sizing: border-box; min-width: 600px; display: block"></iframe></div>
<script>
(async () => {
  const url = new URL($url, window.location);
  const page = document.getElementById("jupyter-config-data");
  const ways = [url];
  if (page && url.hostname === "127.0.0.1") {
    const way = JSON.parse(page.textContent).baseUrl + "proxy/" + url.port + url.pathname;
    ways.unshift(new URL(way + url.hash, window.location));
  }
  if (url.hostname === "127.0.0.1" && window.location.hostname === "localhost") url.hostname = "localhost";
  const answers = (way) => fetch(new URL("data/environment", way), {mode: "no-cors"})
    .then((answer) => answer.ok || answer.type === "opaque", () => false);
  const frame = document.getElementById("$id");
  const colab = window.google && window.google.colab;
  if (colab && url.hostname === "127.0.0.1") {
    const way = new URL(url.pathname + url.hash, await colab.kernel.proxyPort(Number(url.port), {cache: true}));
    way.searchParams.set("tensorboardColab", "true");
    frame.src = way;
    return;
  }
  for (const way of ways) {
    if (page && !await answers(way)) continue;
    if (document.body.dataset.jpThemeLight === "false") way.search = "?darkMode=true";
    frame.src = way;
    return;
  }
  frame.parentElement.textContent = "TensorBoard has ended with its kernel; run the cell again.";
})();
</script>""")


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

    folder: the run to show; without one, every run in ``build/runs``, of all chapters. tab: ``images``, ``scalars``,
    ``histograms``, ``distributions``, ``graphs`` or ``projector`` (embeddings). height: of the frame, in CSS pixels.
    port: for TensorBoard, on this machine only; without one, a free port.

    TensorBoard's server is started in this process at the first call, used again by later ones for whatever run, and ends
    with the kernel. When a program runs the notebook instead of a person, nothing is started and the words are all that is
    shown.

    The browser reaches the server through Jupyter's own where it can (jupyter-server-proxy, under a JupyterHub too), else
    at its port. Where it needs yet another address, set ``TENSORBOARD_PROXY_URL`` to it, with ``%PORT%`` for the port, as
    for TensorBoard's own notebook extension.

    Raises BoardError when nothing was logged in the folder, for an unknown tab, and for a port in use.
    """
    if tab not in TABS:
        raise BoardError(f"TensorBoard has no tab {tab!r} here; choose one of {', '.join(TABS)}.")
    shown = (Path(folder) if folder is not None else runs_folder()).resolve()
    if not any(shown.rglob(f"*{MARK}*")):
        raise BoardError(f"Nothing has been logged in {shown} yet, so TensorBoard would be empty; log something first.")
    everything = shown == runs_folder().resolve()
    what = f"TensorBoard: {tab} of {'all runs' if everything else f'run {shown.name!r}'}"
    if not someone_watches():
        return View(what, None, height)
    root, top = (shown, shown) if everything else _alone(shown)
    url = server.board(root, top, port)
    server.wait_until_loaded(url, root, sorted({path.parent for path in top.rglob(f"*{MARK}*")}))
    return View(what, f"{_reachable(url)}#{tab}", height)


def _alone(run: Path) -> tuple[Path, Path]:
    """Return a log folder that holds nothing but the run, and the run's place in there.

    TensorBoard names runs after the folders below its log folder, so it is a link to the run. Where links can't be made (as
    on Windows, by most) the run is its own log folder, and TensorBoard calls it ``.``.
    """
    root = usable(build_folder() / "shown" / hashlib.sha256(str(run).encode()).hexdigest()[:12])
    link = root / run.name
    try:
        if not link.is_symlink():
            link.symlink_to(run, target_is_directory=True)
    except FileExistsError:  # another kernel shows it too, and was quicker
        return root, link
    except OSError:
        return run, run
    return root, link


def _reachable(url: str) -> str:
    """Return the address at which the browser reaches the server, as far as the kernel can know it."""
    parts = urlsplit(url)
    if PROXY in os.environ:
        return os.environ[PROXY].replace("%PORT%", str(parts.port)).rstrip("/") + parts.path
    if HUB in os.environ:
        return f"{os.environ[HUB].rstrip('/')}/proxy/{parts.port}{parts.path}"
    return url
