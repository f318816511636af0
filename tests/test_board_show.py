"""TensorBoard inside a notebook, in a real kernel that is told whether somebody watches."""

import http.client
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from tutor import board
from tutor.board import BoardError

LOG = "board.log_layer('{name}', torch.{name}, [torch.rand(4, 3, 8, 8) for _ in range({steps})], folder={folder})"


class Kernel:
    """A kernel with torch and board imported; ``run`` gives a cell's outputs, JupyterLab watching or not."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self.client = client
        self.run("import torch; from tutor import board")

    def run(self, code: str, watched: bool = True) -> dict[str, Any]:
        outputs: dict[str, Any] = {}

        def note(message: dict[str, Any]) -> None:
            content = message["content"]
            if message["msg_type"] == "stream":
                outputs[content["name"]] = outputs.get(content["name"], "") + content["text"]
            elif message["msg_type"] == "error":
                outputs["error"] = f"{content['ename']}: {content['evalue']}"
                outputs["traceback"] = content["traceback"]
            elif "data" in content:
                outputs.update(content["data"])

        self.client.execute_interactive(code, allow_stdin=watched, output_hook=note, timeout=60)
        return outputs


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUTOR_BUILD", str(tmp_path_factory.mktemp("build")))
        manager, client = start_new_kernel(kernel_name="python3")
    yield Kernel(client)
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def address(outputs: dict[str, Any]) -> str:
    """Return the address in a frame, after a look at all that a cell showed."""
    assert set(outputs) == {"text/plain", "text/html"}, outputs
    return str(json.loads(re.findall(r'new URL\(("[^"]*")', outputs["text/html"])[0]))


def images(url: str, run: str, tag: str) -> list[dict[str, Any]]:
    """Ask TensorBoard which images it has."""
    found: list[dict[str, Any]] = ask(url, f"data/plugin/images/images?run={run}&tag={tag}&sample=0") or []
    return found


def status(url: str, path: str) -> int:
    """Return how the server answers, by HTTP's numbers, when it is asked for a path of the port."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    connection.request("GET", path)
    return connection.getresponse().status


def ask(url: str, path: str) -> Any:
    """Return TensorBoard's answer to a question, None where it has none."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    connection.request("GET", parts.path + path)
    answer = connection.getresponse()
    return json.loads(answer.read()) if answer.status == 200 else None


def test_a_program_gets_words_and_no_server(kernel: Kernel) -> None:
    shown = kernel.run(
        "folder = board.run('words');" + LOG.format(name="relu", steps=1, folder="folder"), watched=False
    )
    assert set(shown) == {"text/plain"}
    assert kernel.run("board.show(folder)", watched=False) == {"text/plain": "TensorBoard: images of run 'words'"}
    assert kernel.run("board.show(folder, tab='scalars')", False)["text/plain"] == "TensorBoard: scalars of run 'words'"
    assert kernel.run(
        "import threading; [t.name for t in threading.enumerate() if t.name == 'TensorBoard']", False
    ) == {"text/plain": "[]"}


def test_only_a_person_sees_a_progress_bar(kernel: Kernel) -> None:
    kernel.run("from tutor.board import layers; layers.LONG = 0.0")
    log = LOG.format(name="relu", steps=3, folder="None")
    assert set(kernel.run(log, watched=False)) == {"text/plain"}
    assert set(kernel.run(log, watched=True)) == {"text/plain", "stdout"}
    kernel.run("layers.LONG = 2.0")


def test_a_person_gets_a_frame_with_everything_that_was_logged(kernel: Kernel) -> None:
    kernel.run("folder = board.run('full');" + LOG.format(name="sigmoid", steps=25, folder="folder"))
    shown = kernel.run("board.show(folder, height=500)")
    url = address(shown)
    assert shown["text/plain"] == "TensorBoard: images of run 'full'"
    assert 'height="500"' in shown["text/html"] and 'title="TensorBoard: images of run' in shown["text/html"]
    parts = urlsplit(url)
    assert parts.hostname == "127.0.0.1"
    assert parts.fragment == "images"
    assert [image["step"] for image in images(url, "full", "sigmoid/output")] == list(range(25))
    again = address(kernel.run("board.show(folder)"))
    assert again == url, "a second call should use the same server"


def test_one_server_shows_each_run_alone_and_all_of_them_together(kernel: Kernel) -> None:
    for name in ("first", "second"):
        kernel.run(f"{name} = board.run('{name}');" + LOG.format(name="relu", steps=2, folder=name))
        kernel.run(f"with board.writer({name} / 'train') as writer: writer.add_scalar('loss', 1.0, 0)")
    first, second, every = (address(kernel.run(f"board.show({name})")) for name in ("first", "second", ""))
    assert len({urlsplit(url).port for url in (first, second, every)}) == 1, "once for all chapters"
    assert ask(first, "data/runs") == ["first", "first/train"], "the runs below a run belong to it"
    assert ask(second, "data/runs") == ["second", "second/train"]
    assert {"first", "first/train", "second", "second/train"} <= set(ask(every, "data/runs"))
    assert len(images(every, "second", "relu/input")) == 2


def test_what_is_logged_after_a_look_is_seen_at_the_next_look(kernel: Kernel) -> None:
    """Writers are quick: many files of one second, whose names count 9, 10, so that the next one sorts before the last."""
    kernel.run("folder = board.run('quick')")
    kernel.run("with board.writer(folder) as writer: writer.add_image('first', torch.rand(3, 4, 4), 0)")
    address(kernel.run("board.show(folder)"))
    for number in range(3):  # shown in between, so that TensorBoard has read some when the next are written
        kernel.run(
            "for file in range(8):\n"
            "    with board.writer(folder) as writer:\n"
            f"        writer.add_image(f'{number}-{{file}}', torch.rand(3, 4, 4), 0)"
        )
        url = address(kernel.run("board.show(folder)"))
        tags = set(ask(url, "data/plugin/images/tags")["quick"])
        assert {f"{number}-{file}" for file in range(8)} <= tags


def test_embeddings_logged_after_a_look_are_seen_at_the_next_look(kernel: Kernel) -> None:
    """A notebook goes on: scalars are looked at, then an embedding is logged, then another."""
    kernel.run("folder = board.run('late')")
    kernel.run("with board.writer(folder) as writer: writer.add_scalar('loss', 1.0, 0)")
    before = address(kernel.run("board.show(folder, tab='scalars')"))
    assert ask(before, "data/plugin/projector/runs") == []
    assert address(kernel.run("board.show(folder, tab='scalars')")) == before
    for step in (1, 2):
        log = f"writer.add_embedding(torch.rand(4, 3), list('abcd'), global_step={step})"
        kernel.run(f"with board.writer(folder) as writer: {log}")
        for url in (address(kernel.run(f"board.show({run}tab='projector')")) for run in ("folder, ", "")):
            assert "late" in ask(url, "data/plugin/projector/runs")
            embeddings = ask(url, "data/plugin/projector/info?run=late")["embeddings"]
            assert [one["tensorName"] for one in embeddings] == [f"default:{step:05}"]
    assert address(kernel.run("board.show(folder, tab='projector')")) != before


def test_who_does_not_know_the_path_sees_nothing(kernel: Kernel) -> None:
    """Others on the same machine reach the port, as under a hub."""
    kernel.run("folder = board.run('mine');" + LOG.format(name="relu", steps=1, folder="folder"))
    url = address(kernel.run("board.show(folder)"))
    parts = urlsplit(url)
    assert re.fullmatch(r"/[\w-]{16}/", parts.path)
    for path in ("/", "/1/", "/data/runs", "/1/data/runs", parts.path[:-2] + "/data/runs"):
        assert status(url, path) == 404, path
    assert status(url, parts.path + "data/runs") == 200
    assert status(url, "/font-roboto/-L14Jk06m6pUHB-5mXQQnYX0hVgzZQUfRDuZrPvH3D8.woff2") == 200


def test_a_run_that_is_logged_anew_is_shown_without_the_old_one(kernel: Kernel) -> None:
    kernel.run("folder = board.run('again');" + LOG.format(name="relu", steps=5, folder="folder"))
    url = address(kernel.run("board.show(folder)"))
    every = address(kernel.run("board.show()"))
    assert len(images(url, "again", "relu/input")) == len(images(every, "again", "relu/input")) == 5
    shown = kernel.run("folder = board.run('again');" + LOG.format(name="tanh", steps=2, folder="folder"))
    assert set(shown) == {"text/plain"}, "nothing may reach stderr"
    for shown_before, call in ((url, "board.show(folder)"), (every, "board.show()")):
        assert address(kernel.run(call)) == shown_before
        assert len(images(shown_before, "again", "tanh/input")) == 2
        assert images(shown_before, "again", "relu/input") == []


def test_where_no_links_can_be_made(kernel: Kernel) -> None:
    kernel.run("folder = board.run('unlinked');" + LOG.format(name="relu", steps=2, folder="folder"))
    kernel.run(
        "import pathlib\nlink = pathlib.Path.symlink_to\n"
        "def refused(*_, **__): raise OSError(1314, 'A required privilege is not held by the client')\n"
        "pathlib.Path.symlink_to = refused"
    )
    shown = kernel.run("board.show(folder)")
    kernel.run("pathlib.Path.symlink_to = link")
    url = address(shown)
    assert ask(url, "data/runs") == ["."]
    assert len(images(url, ".", "relu/input")) == 2


def test_a_port_in_use_and_one_that_is_free(kernel: Kernel) -> None:
    kernel.run("folder = board.run('ports');" + LOG.format(name="relu", steps=1, folder="folder"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = kernel.run(f"board.show(folder, port={port})")
    sentence = f"BoardError: Port {port} is in use; choose another, or leave port out and a free one is picked."
    assert refused["error"] == sentence
    assert refused["traceback"] == [sentence], "the sentence alone, no wall of code"
    assert urlsplit(address(kernel.run(f"board.show(folder, port={port})"))).port == port
    assert "There is no port 70000" in kernel.run("board.show(folder, port=70000)")["error"]


def test_a_folder_of_ones_own(kernel: Kernel, tmp_path: Path) -> None:
    kernel.run(f"with board.writer({str(tmp_path / 'mine')!r}) as writer: writer.add_scalar('loss', 1.0, 0)")
    shown = kernel.run(f"board.show({str(tmp_path / 'mine')!r}, tab='scalars')")
    assert urlsplit(address(shown)).fragment == "scalars"
    assert shown["text/plain"] == "TensorBoard: scalars of run 'mine'"


@pytest.mark.parametrize(
    ("variables", "reached"),
    [
        ({"TENSORBOARD_PROXY_URL": "/mine/%PORT%/"}, "/mine/{port}{path}#images"),
        ({"JUPYTERHUB_SERVICE_PREFIX": "/user/ada/"}, "/user/ada/proxy/{port}{path}#images"),
        (
            {"TENSORBOARD_PROXY_URL": "/mine/%PORT%", "JUPYTERHUB_SERVICE_PREFIX": "/user/ada/"},
            "/mine/{port}{path}#images",
        ),
    ],
    ids=["a proxy of one's own", "a JupyterHub", "both"],
)
def test_where_the_browser_needs_another_address(kernel: Kernel, variables: dict[str, str], reached: str) -> None:
    kernel.run("folder = board.run('hub');" + LOG.format(name="relu", steps=1, folder="folder"))
    parts = urlsplit(address(kernel.run("board.show(folder)")))
    kernel.run(f"import os; os.environ.update({variables})")
    shown = kernel.run("board.show(folder)")
    kernel.run(f"for name in {list(variables)}: del os.environ[name]")
    assert address(shown) == reached.format(port=parts.port, path=parts.path)


@pytest.mark.parametrize("end", ["shut down", "killed"])
def test_the_server_ends_with_the_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    monkeypatch.setenv("TUTOR_BUILD", str(tmp_path))
    manager, client = start_new_kernel(kernel_name="python3")
    kernel = Kernel(client)
    kernel.run("folder = board.run('end');" + LOG.format(name="relu", steps=1, folder="folder"))
    url = address(kernel.run("board.show(folder)"))
    assert images(url, "end", "relu/input")
    client.stop_channels()
    manager.shutdown_kernel(now=end == "killed")
    with pytest.raises(ConnectionRefusedError):
        images(url, "end", "relu/input")


def test_nothing_to_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTOR_BUILD", str(tmp_path))
    for folder in (None, tmp_path, tmp_path / "none"):
        with pytest.raises(BoardError, match=r"Nothing has been logged in .* yet, so TensorBoard would be empty; log"):
            board.show(folder)
    with pytest.raises(BoardError, match="TensorBoard has no tab 'pictures' here; choose one of images, scalars"):
        board.show(tmp_path, tab="pictures")
