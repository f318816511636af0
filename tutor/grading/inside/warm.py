"""The warm process: imports everything once, with one thread, and forks for each submission.

It runs inside bubblewrap (or without, where it is told so) and is asked over a socket, one submission after the other:
``{"run": limits, "folder": …}`` with the connection that the fork is to serve; ``{"end": true}``; ``{"goodbye": true}``. It
answers ``{"ready": true}``, ``{"started": true}``, ``{"error": why}`` and ``{"ended": wait status}``. It ends, with all that
it forked, when its owner does. All its descendants belong to the one submission that runs.
"""

import gc
import importlib
import os
import select
import shutil
import socket
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from tutor.grading.frames import Frames
from tutor.grading.inside.isolation import process_namespace
from tutor.grading.inside.pages import use_large_pages
from tutor.grading.inside.place import memory, take_place
from tutor.grading.warm.processes import Doorbell, adopt_orphans, end_descendants
from tutor.grading.warm.wire import Message, Wire

BOOT = (
    "import json, sys; settings = json.loads(sys.argv[1]); sys.path[:] = settings['path'];"
    " from tutor.grading.inside.warm import main; main(settings)"
)
Serve = Callable[[Frames], object]


def main(settings: dict[str, Any]) -> None:
    """Warm up, say so, and serve until there is nobody left to serve.

    settings: control and owner, descriptors; path, of modules; serve, as ``module:function``; isolated; folder, where an
    isolated fork works; below_tmp, what has to stay visible below /tmp; place, what to remove where the owner has died.
    """
    wire = Wire(socket.socket(fileno=settings["control"]))
    warm = Warm(wire, settings["owner"], warm_up(settings["serve"]), settings)
    error = warm.fork(None, {}) if settings["isolated"] else ""
    warm.end()
    if error:
        wire.send({"error": error})
        return
    wire.send({"ready": True})
    if not warm.serve() and settings["place"]:
        shutil.rmtree(settings["place"], ignore_errors=True)  # what the owner can't do any more


def warm_up(serve: str) -> Serve:
    """Import everything, with one thread by the environment, and return the function that forks are to serve with.

    Its module's ``prepare``, where it has one, makes ready here what every fork would make ready for itself.
    """
    name, function = serve.split(":")
    module = importlib.import_module(name)
    getattr(module, "prepare", lambda: None)()
    found: Serve = getattr(module, function)
    os.chdir("/")
    gc.collect()
    gc.freeze()  # or each fork's collector would copy every page
    use_large_pages()
    return found


class Warm:
    """What the warm process holds while it serves."""

    def __init__(self, wire: Wire, owner: int, function: Serve, settings: dict[str, Any]) -> None:
        adopt_orphans()
        self._wire = wire
        self._owner = owner
        self._function = function
        self._settings = settings
        self._memory = memory()
        self._doorbell = Doorbell()
        self._running = 0  # process id
        self._goodbye = False

    def serve(self) -> bool:
        """Do what is asked until the owner has ended or let go; return whether it said goodbye."""
        events = select.poll()
        for event in (self._wire, self._owner, self._doorbell):
            events.register(event, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in events.poll()}
            self._doorbell.silence()
            for message in self._wire.waiting():
                self._answer(message)
            if self._wire.closed or self._owner in ready or self._doorbell.told_to_end:
                end_descendants(self._doorbell)
                return self._goodbye
            if self._running and (ended := os.waitpid(self._running, os.WNOHANG))[0]:
                self._wire.send({"ended": self.end(ended[1])})

    def _answer(self, message: Message) -> None:
        if "run" in message:
            connection = self._wire.files.pop()
            error = self.fork(connection, message)
            os.close(connection)
            if error:
                self.end()
            self._wire.send({"error": error} if error else {"started": True})
        elif "goodbye" in message:
            self._goodbye = True
        elif self._running:  # to end what has ended already is nothing to do
            self._wire.send({"ended": self.end()})

    def end(self, status: int | None = None) -> int | None:
        """Kill what there is of a submission and wait for it; return the first process's wait status."""
        left = end_descendants(self._doorbell)
        running, self._running = self._running, 0
        return left.get(running, 0) if status is None else status

    def fork(self, connection: int | None, request: Message) -> str:
        """Fork a process that takes its place and serves a connection; return why it could not, else "".

        Without a connection it takes its place and ends.
        """
        threads = len(os.listdir("/proc/self/task"))
        if threads != 1:
            return f"the warm process runs {threads} threads, so it can't be forked"
        reading, writing = os.pipe()
        try:
            with process_namespace() if self._settings["isolated"] else nullcontext():
                child = os.fork()
                if child == 0:
                    self._become(connection, request, writing)
        except OSError as error:
            child, failure = 0, str(error)
        self._running = child
        os.close(writing)
        with open(reading, "rb") as placed:
            told = placed.read().decode()
        return told if child else failure

    def _become(self, connection: int | None, request: Message, placed: int) -> None:
        """Take its place in the world, serve, and end: never returns."""
        code = 1
        try:
            try:
                self._doorbell.close()
                kept = [placed] if connection is None else [placed, connection]
                take_place(self._settings, request, kept, self._memory)
            except Exception as error:
                os.write(placed, f"{type(error).__name__}: {error}".encode())
                raise
            os.close(placed)
            if connection is not None:
                self._function(Frames(socket.socket(fileno=connection)))
            code = 0
        finally:
            os._exit(code)
