"""One kernel's keeper: forks it, passes signals on to it, says how it ended, and leaves nothing of it behind."""

import contextlib
import os
import select
import signal
import socket
from dataclasses import dataclass

from tutor.grading.warm.processes import Doorbell, adopt_orphans, die_with_parent, end_descendants
from tutor.grading.warm.wire import Message, Wire

ZYGOTE_ENDED = "the warm process that it was forked from has ended"


@dataclass(frozen=True)
class Request:
    """The kernel that is asked for: what follows ``python -m ipykernel_launcher``, its environment and folder."""

    arguments: list[str]
    environment: dict[str, str]
    folder: str


def keep(connection: socket.socket, zygote: int) -> Request | None:
    """Serve a connection, in a fork of the zygote: fork the kernel that it asks for and keep it to its end.

    Returns the request in the kernel itself, which has its place in the system by then (session, working folder, standard
    streams), and None in the keeper, once the kernel and all its descendants are gone.
    """
    die_with_parent(zygote, signal.SIGTERM)
    adopt_orphans()
    wire = Wire(connection)
    message = wire.receive()
    if message is None:
        return None
    request = Request(message["arguments"], message["environment"], message["folder"])
    doorbell = Doorbell()
    keeper = os.getpid()
    reading, writing = os.pipe()
    kernel = os.fork()
    if kernel == 0:
        os.close(reading)
        try:
            _take_place(request.folder, wire.files, keeper)
        except OSError as error:
            os.write(writing, str(error).encode())
            os._exit(1)
        doorbell.close()
        wire.close()
        os.close(writing)
        return request
    for descriptor in (writing, *wire.files):
        os.close(descriptor)
    with open(reading, "rb") as placed:
        failure = placed.read()
    if failure:
        os.waitpid(kernel, 0)
        _tell(wire, {"error": failure.decode(errors="replace")})
        return None
    _tell(wire, {"pid": kernel})
    _tell(wire, _until_it_ends(kernel, wire, doorbell))
    return None


def _tell(wire: Wire, message: Message) -> None:
    """Send a message, unless nobody is there any more to hear it."""
    with contextlib.suppress(OSError):
        wire.send(message)


def _take_place(folder: str, streams: list[int], keeper: int) -> None:
    """Become the leader of a session of its own, in its folder, with its streams, dying with its keeper."""
    os.setsid()
    die_with_parent(keeper, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as ipykernel has it between cells; an early one does no harm
    os.chdir(folder)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)  # in place of the zygote's, which tells it of its owner
    os.close(nothing)
    for number, descriptor in enumerate(streams, start=1):
        os.dup2(descriptor, number)
        os.close(descriptor)


def _until_it_ends(kernel: int, wire: Wire, doorbell: Doorbell) -> Message:
    """Pass signals on until the kernel has ended or has to; end what it left; return the last message about it."""
    events = select.poll()
    events.register(wire, select.POLLIN)
    events.register(doorbell, select.POLLIN)
    status = None
    while status is None and not (doorbell.told_to_end or wire.closed):
        events.poll()
        doorbell.silence()
        for message in wire.waiting():
            with contextlib.suppress(ProcessLookupError):  # just ended
                os.killpg(kernel, message["signal"])
                if message["signal"] == signal.SIGKILL:  # also when it moved to another group
                    os.kill(kernel, signal.SIGKILL)
        ended, code = os.waitpid(kernel, os.WNOHANG)
        status = code if ended else None
    told = doorbell.told_to_end and status is None
    left = end_descendants(doorbell)
    exit_code = os.waitstatus_to_exitcode(left[kernel] if status is None else status)
    return {"exit": exit_code, "why": ZYGOTE_ENDED if told else ""}
