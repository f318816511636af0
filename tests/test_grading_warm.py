"""Warm kernels: they behave as ipykernel's own, and neither they nor what they start outlives those they serve."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import AsyncKernelManager, KernelManager
from jupyter_client.multikernelmanager import MultiKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from tutor.grading.warm import KERNEL_NAME, WarmError, install, manager, search_path
from tutor.grading.warm import owner as owner_side
from tutor.grading.warm.owner import HOUSEHOLD, Household

SECONDS = 60  # for what takes a moment: reached only when something hangs
RELU = "from tutor import check\nimport torch\ndef relu(input):\n    return torch.where(input > 0, input, {otherwise})"
PYTHONPATH = os.pathsep.join(filter(None, sys.path))

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="warm kernels are for Linux")


@pytest.fixture(scope="module", autouse=True)
def household() -> Iterator[Household]:
    yield HOUSEHOLD
    HOUSEHOLD.end()


def managed() -> KernelManager:
    return KernelManager(kernel_name=KERNEL_NAME, kernel_spec_manager=manager())


@contextlib.contextmanager
def kernel(**start: Any) -> Iterator[tuple[KernelManager, BlockingKernelClient]]:
    """Start a warm kernel with a client, and end it."""
    owner = managed()
    owner.start_kernel(**start)
    client = owner.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=SECONDS)
        yield owner, client
    finally:
        client.stop_channels()
        owner.shutdown_kernel(now=True)


def said(client: BlockingKernelClient, code: str) -> str:
    """Run code and return what it printed, or the name of the error that it raised."""
    printed: list[str] = []

    def note(message: dict[str, Any]) -> None:
        printed.append(message["content"].get("text", "") or message["content"].get("ename", ""))

    client.execute_interactive(code, output_hook=note, timeout=SECONDS)
    return "".join(printed).strip()


def run(*cells: str, **start: Any) -> list[Any]:
    """Run a notebook with nbclient in a warm kernel and return the outputs of its cells."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    owner = AsyncKernelManager(kernel_name=KERNEL_NAME, kernel_spec_manager=manager())
    client = NotebookClient(notebook, km=owner, timeout=SECONDS, shutdown_kernel="immediate")
    try:
        client.execute(cleanup_kc=True, **start)
    finally:
        assert owner.provisioner.process is None or owner.provisioner.process.poll() is not None
    return [cell.outputs for cell in notebook.cells]


def gone(*pids: int) -> None:
    """Wait until processes have ended."""
    processes = []
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            processes.append(psutil.Process(pid))
    _, left = psutil.wait_procs(processes, timeout=SECONDS)
    assert not left


def zygote_pid() -> int:
    return HOUSEHOLD.zygote(sys.executable, dict(os.environ)).pid


@pytest.mark.parametrize("threads", [1, 2])
def test_a_notebook_runs_torch_with_the_threads_that_its_environment_asks_for(threads: int) -> None:
    cell = "import torch\ntotal = (torch.ones(512, 512) @ torch.ones(512, 512)).sum().item()"
    outputs = run(cell, "print(torch.get_num_threads(), total)", env={**os.environ, "OMP_NUM_THREADS": str(threads)})
    assert outputs[1][0].text.split() == [str(threads), str(512.0**3)]


def test_without_a_wish_torch_takes_as_many_threads_as_in_a_fresh_process() -> None:
    plain = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    code = "import torch; print(torch.get_num_threads())"
    fresh = subprocess.run([sys.executable, "-c", code], env=plain, capture_output=True, text=True, check=True)
    assert run(code, env=plain)[0][0].text == fresh.stdout


def test_a_notebook_checks_an_answer() -> None:
    right = RELU.format(otherwise="torch.zeros_like(input)")
    (_, (card,)) = run(right, "check(relu)")
    assert "relu" in card.data["text/plain"]
    with pytest.raises(CellExecutionError, match="CheckFailed"):
        run(RELU.format(otherwise="input"), "check(relu)")


def test_twenty_in_a_row_come_from_one_process_and_share_nothing() -> None:
    first = zygote_pid()
    cell = """
        import numpy, os, random, torch
        assert "mine" not in globals()
        mine = 1
        print(os.getpid(), numpy.random.rand(), torch.rand(()).item(), random.random())
        """
    drawn: set[str] = set()
    for _ in range(20):
        pid, *numbers = run(textwrap.dedent(cell))[0][0].text.split()
        drawn.update(numbers)
        gone(int(pid))
    assert len(drawn) == 60
    assert zygote_pid() == first


def test_the_kernel_has_the_environment_folder_and_streams_that_it_is_given(tmp_path: Path) -> None:
    given = {"IPYTHONDIR": str(tmp_path / "ipython"), "TZ": "UTC-3", "ODD": "\udce9"}
    environment = {**owner_side.fixed_at_start(dict(os.environ)), **given}
    code = """
        import os, sys, time
        print(os.environb[b"ODD"], "HOME" in os.environ, os.getcwd(), time.timezone, repr(sys.stdin.read(1)))
        os.write(sys.__stderr__.fileno(), b"low")
        """
    with (
        (tmp_path / "errors").open("wb") as errors,
        kernel(env=environment, cwd=tmp_path, stderr=errors) as (_, client),
    ):
        answer = said(client, textwrap.dedent(code.replace("sys.stdin.read", "os.read").replace("(1)", "(0, 1)")))
        assert f"b'\\xe9' False {tmp_path} -10800 b''" in answer
        assert said(client, "import os; print(os.readlink('/proc/self/fd/0'))") == os.devnull


def test_the_sockets_are_the_kernels_own_in_a_folder_for_nobody_else() -> None:
    with kernel() as (one, _), kernel() as (other, _):
        assert one.transport == other.transport == "ipc"
        assert one.ip != other.ip
        folder = Path(one.ip).parent
        assert folder.is_absolute()
        assert folder.stat().st_mode & 0o777 == 0o700
        assert list(folder.glob(f"{Path(one.ip).name}-*"))
    assert not list(folder.glob(f"{Path(one.ip).name}-*"))


def test_an_interrupt_stops_the_cell_and_not_the_kernel() -> None:
    with kernel() as (owner, client):
        # An error that stops what waits would abort the next request, were it there already.
        message = client.execute("print('begun')\nwhile True:\n    pass", stop_on_error=False)
        while client.get_iopub_msg(timeout=SECONDS)["msg_type"] != "stream":
            pass
        owner.interrupt_kernel()
        while (reply := client.get_shell_msg(timeout=SECONDS))["parent_header"]["msg_id"] != message:
            pass
        assert reply["content"]["ename"] == "KeyboardInterrupt"
        assert said(client, "print(6 * 7)") == "42"


def test_a_restart_gives_a_fresh_kernel_to_the_same_client() -> None:
    with kernel() as (owner, client):
        before = int(said(client, "kept = 1\nimport os\nprint(os.getpid())"))
        owner.restart_kernel(now=True)
        client.wait_for_ready(timeout=SECONDS)
        gone(before)
        assert said(client, "print(kept)") == "NameError"


def test_a_kernel_asked_to_end_ends_by_itself() -> None:
    with kernel() as (owner, client):
        marks = "import atexit, os, sys\natexit.register(lambda: os.write(sys.__stdout__.fileno(), b''))\nprint(os.getpid())"
        pid = int(said(client, marks))
        provisioner = owner.provisioner
        warm = provisioner.process
        owner.shutdown_kernel()
        assert warm.returncode == 0
        gone(pid)


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [("import os; os._exit(7)", 7), ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL)],
)
def test_the_exit_code_is_told(code: str, exit_code: int) -> None:
    with kernel() as (owner, client):
        client.execute(code)
        assert owner.provisioner.process.wait(SECONDS) == exit_code
        assert not owner.is_alive()


def test_a_kernel_that_refuses_to_end_is_ended_with_all_its_descendants() -> None:
    code = """
        import os, signal, subprocess, sys
        for signum in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, signal.SIG_IGN)
        sleeper = [sys.executable, "-c", "import signal; signal.pause()"]
        print(os.getpid(), *(subprocess.Popen(sleeper, start_new_session=new).pid for new in (True, False)))
        """
    with kernel() as (owner, client):
        pids = [int(pid) for pid in said(client, textwrap.dedent(code)).split()]
        assert all(map(psutil.pid_exists, pids))
        owner.shutdown_kernel(now=True)
        assert not any(map(psutil.pid_exists, pids))  # at once: the end is told when all are gone


def test_a_detached_child_ends_with_a_kernel_that_exits() -> None:
    code = "import subprocess, sys\nprint(subprocess.Popen(['sleep', '1000'], start_new_session=True).pid)"
    with kernel() as (owner, client):
        child = int(said(client, code))
        client.execute("import os; os._exit(0)")
        assert owner.provisioner.process.wait(SECONDS) == 0
        assert not psutil.pid_exists(child)


def test_a_kernel_killed_in_the_middle_is_told_of_and_the_next_one_runs() -> None:
    with pytest.raises(DeadKernelError):
        run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "print(1)")
    assert run("print(1)")[0][0].text == "1\n"


def test_the_zygote_killed_in_the_middle_ends_its_kernels_with_the_reason_and_a_new_one_serves(caplog) -> None:
    with kernel() as (owner, client):
        zygote = zygote_pid()
        pid = int(said(client, "import os; print(os.getpid())"))
        os.kill(zygote, signal.SIGKILL)
        assert owner.provisioner.process.wait(SECONDS) == -signal.SIGKILL
        owner.log.propagate = True
        assert not owner.is_alive()
        assert "ended because the warm process that it was forked from has ended" in caplog.text
        gone(pid)
    assert run("print(1)")[0][0].text == "1\n"
    assert zygote_pid() != zygote


def test_a_zygote_that_ends_before_the_fork_is_told_of_in_a_sentence(tmp_path: Path) -> None:
    household = Household()
    zygote = household.zygote(sys.executable, dict(os.environ))
    try:
        os.kill(zygote.pid, signal.SIGKILL)
        with pytest.raises(WarmError, match=r"ended \(exit code -9\) before it had forked the kernel"):
            zygote.fork([], {}, str(tmp_path), [1, 2])
    finally:
        household.end()


def test_a_zygote_that_hangs_is_told_of_in_a_sentence(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(owner_side, "SECONDS_TO_FORK", 0.01)
    household = Household()
    zygote = household.zygote(sys.executable, dict(os.environ))
    try:
        os.kill(zygote.pid, signal.SIGSTOP)
        with pytest.raises(WarmError, match=r"has not forked the kernel within 0\.01 s"):
            zygote.fork([], {}, str(tmp_path), [1, 2])
    finally:
        os.kill(zygote.pid, signal.SIGCONT)
        household.end()


def test_a_zygote_that_can_not_import_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('no torch today')")
    owner = managed()
    path = os.pathsep.join([str(tmp_path), PYTHONPATH])
    with pytest.raises(WarmError, match="its last words were: ImportError: no torch today"):
        owner.start_kernel(env={**os.environ, "PYTHONPATH": path})
    owner.cleanup_resources()


def test_kernels_whose_python_starts_otherwise_come_from_another_zygote() -> None:
    code = "import sys; print(hash('the same') , sys.flags.hash_randomization)"
    fixed = {**os.environ, "PYTHONHASHSEED": "0"}
    fresh = subprocess.run([sys.executable, "-c", code], env=fixed, capture_output=True, text=True, check=True)
    assert run(code, env=fixed)[0][0].text == fresh.stdout


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"cwd": "/no/such/folder"}, "can't be started in /no/such/folder: .*No such file"),
        ({"independent": True}, "can't outlive the program"),
        ({"stdout": subprocess.PIPE}, "give an open file instead"),
        ({"stderr": subprocess.STDOUT}, "give both the same open file instead"),
    ],
)
def test_what_a_warm_kernel_can_not_do_is_refused_in_a_sentence(wish: dict[str, Any], words: str) -> None:
    owner = managed()
    with pytest.raises(WarmError, match=words):
        owner.start_kernel(**wish)
    owner.cleanup_resources()


OWNER = """
    import os, subprocess, sys
    from jupyter_client.manager import KernelManager
    from tutor.grading.warm import KERNEL_NAME, manager
    from tutor.grading.warm.owner import HOUSEHOLD
    owner = KernelManager(kernel_name=KERNEL_NAME, kernel_spec_manager=manager())
    owner.start_kernel()
    client = owner.client()
    client.start_channels()
    client.wait_for_ready()
    code = "import os, subprocess; print(os.getpid(), subprocess.Popen(['sleep', '1000'], start_new_session=True).pid)"
    printed = []
    client.execute_interactive(code, output_hook=lambda m: printed.append(m["content"].get("text", "")))
    zygote = HOUSEHOLD.zygote(sys.executable, dict(os.environ)).pid
    print(zygote, *"".join(printed).split(), os.path.dirname(owner.ip), flush=True)
    """


@pytest.mark.parametrize("end", ["sys.exit()", "sys.stdin.read()", "os.fork() or sys.stdin.read()\nsys.stdin.read()"])
def test_nothing_outlives_the_owner(end: str, tmp_path: Path) -> None:
    """Not when it just ends, not when it is killed, and not when a fork of it still holds all its open files."""
    (tmp_path / "numpy.py").write_text("raise SystemExit('a file in the working folder was imported')")
    script = tmp_path / "scripts" / "owner.py"
    script.parent.mkdir()
    script.write_text(textwrap.dedent(OWNER) + end)
    environment = {**os.environ, "PYTHONPATH": PYTHONPATH}
    with subprocess.Popen(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        line = owner.stdout.readline()
        *pids, folder = line.split()
        if "stdin" in end:
            owner.kill()
            owner.wait()
        gone(*map(int, pids))
    assert len(pids) == 3
    assert not Path(folder).exists()


def test_a_manager_of_many_keeps_several_at_once() -> None:
    """JupyterLab's way: kernels by id, ports cached for TCP."""
    many = MultiKernelManager(kernel_spec_manager=manager(), default_kernel_name=KERNEL_NAME)
    ids = [many.start_kernel() for _ in range(3)]
    try:
        for key in ids:
            client = many.get_kernel(key).client()
            client.start_channels()
            client.wait_for_ready(timeout=SECONDS)
            assert said(client, "print('here')") == "here"
            client.stop_channels()
    finally:
        many.shutdown_all(now=True)
    assert not many.list_kernel_ids()


def test_the_owner_itself_does_not_load_torch() -> None:
    code = "import sys; from tutor.grading.warm import provisioner; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_nbval_runs_a_notebook_in_it_by_name(tmp_path: Path) -> None:
    cell = nbformat.v4.new_code_cell("import torch\nprint(torch.ones(2).sum().item())", execution_count=1)
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text="2.0\n")]
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "short.ipynb")
    options = ["--nbval", f"--nbval-kernel-name={KERNEL_NAME}", "-p", "no:cacheprovider", "-c", os.devnull]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(tmp_path / "short.ipynb")],
        env={**os.environ, "JUPYTER_PATH": str(search_path()), "PYTHONPATH": PYTHONPATH},
        capture_output=True,
        text=True,
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_the_kernelspec_is_installed_where_it_is_told(tmp_path: Path) -> None:
    assert install(tmp_path) == tmp_path / "share" / "jupyter" / "kernels" / KERNEL_NAME
    placed = install(data_folder=tmp_path / "data")
    (placed / "old").write_text("of an earlier version")
    assert install(data_folder=tmp_path / "data") == placed == tmp_path / "data" / "kernels" / KERNEL_NAME
    assert [file.name for file in placed.iterdir()] == ["kernel.json"]
    assert manager().get_kernel_spec(KERNEL_NAME).metadata["kernel_provisioner"]["provisioner_name"] == KERNEL_NAME
    with pytest.raises(ValueError, match="exactly one"):
        install()
