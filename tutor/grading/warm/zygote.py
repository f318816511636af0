"""The warm process: imports everything once, with one thread, and forks at each request.

It runs as ``python -c BOOT <descriptor of the listening socket> <process id of the owner> <its private folder>``. A
connection is a request for one kernel and is served by a keeper, a fork of its own (``keeper.py``). The zygote ends,
with every kernel, when its owner dies or at SIGTERM; when only nobody holds its standard input any more, as soon as the
last kernel has ended. What a dead owner can't do any more it does: it removes the folder with the sockets.
"""

import gc
import importlib
import os
import select
import shutil
import signal
import socket
import sys

from tutor.grading.warm.forked import Warmth, become_kernel
from tutor.grading.warm.keeper import Request, keep
from tutor.grading.warm.processes import Doorbell, adopt_orphans, end_descendants

# The working folder is off the path while modules are imported: what lies there may be anybody's.
BOOT = "import sys; sys.path[:] = [p for p in sys.path if p]; from tutor.grading.warm.zygote import main; main()"
# What every kernel imports until it answers, and ``check``; the rest of what notebooks import is rehearsed.
IMPORTS = (
    "sqlite3",
    "tornado.platform.asyncio",
    "tornado.queues",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "ipykernel.debugger",
    "matplotlib_inline.backend_inline",
    "tutor.checking.notebook",
)
_SECONDS_TO_DIE = 1.0  # for an owner whose files are closed already


def main() -> None:
    """Warm up, serve, and in a fork that is to be a kernel become one."""
    listener = socket.socket(fileno=int(sys.argv[1]))
    owner = os.pidfd_open(int(sys.argv[2]))
    warmth = warm_up()
    request = serve(listener, owner)
    if request is not None:
        become_kernel(request, warmth)
    elif select.select([owner], [], [], 0)[0]:
        shutil.rmtree(sys.argv[3], ignore_errors=True)  # another zygote of the same owner does it too


def warm_up() -> Warmth:
    """Import everything with one thread.

    A fork of a process that has run an operation in several threads hangs at its first own one, so the number of
    threads that torch would take is noted, and taken in the forks only.
    """
    torch = importlib.import_module("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for name in IMPORTS:
        importlib.import_module(name)
    importlib.import_module("tutor.checking.bank").names()  # imports the exercises of every chapter
    importlib.import_module("tutor.grading.warm.rehearsal").rehearse()
    os.chdir("/")
    gc.collect()
    gc.freeze()  # or each fork's collector would copy every page
    return Warmth(threads)


def serve(listener: socket.socket, owner: int) -> Request | None:
    """Fork a keeper for each connection until there is nobody left to serve; return a request in its kernel.

    Raises RuntimeError when a thread is running, which a fork would lose.
    """
    adopt_orphans()
    doorbell = Doorbell()
    events = select.poll()
    for event in (listener, owner, 0, doorbell):
        events.register(event, select.POLLIN)
    zygote = os.getpid()
    keepers: set[int] = set()
    let_go = False
    while keepers or not let_go:
        ready = {descriptor for descriptor, _ in events.poll()}
        doorbell.silence()
        keepers -= reaped()
        if owner in ready or doorbell.told_to_end:
            end_keepers(keepers, doorbell)
            return None
        if 0 in ready:  # nobody writes to it: it is at its end
            events.unregister(0)
            let_go = True
        if listener.fileno() not in ready:
            continue
        connection, _ = listener.accept()
        running = len(os.listdir("/proc/self/task"))
        if running != 1:
            raise RuntimeError(f"the warm process runs {running} threads, so it can't be forked")
        keeper = os.fork()
        if keeper:
            connection.close()
            keepers.add(keeper)
            continue
        doorbell.close()
        listener.close()
        os.close(owner)
        request = keep(connection, zygote)
        if request is None:
            os._exit(0)
        return request
    select.select([owner], [], [], _SECONDS_TO_DIE)
    return None


def reaped() -> set[int]:
    """Return the children that have ended since the last time."""
    found: set[int] = set()
    try:
        while (child := os.waitpid(-1, os.WNOHANG)[0]) != 0:
            found.add(child)
    except ChildProcessError:
        pass
    return found


def end_keepers(keepers: set[int], doorbell: Doorbell) -> None:
    """Have every keeper end its kernel and say so; what then is still there is killed."""
    for keeper in keepers:
        os.kill(keeper, signal.SIGTERM)
    for keeper in keepers:
        os.waitpid(keeper, 0)
    end_descendants(doorbell)
