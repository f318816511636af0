"""A web server on loopback that answers each request as a test says, and notes what it was asked for."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeAlias

Reply: TypeAlias = "Callable[[BaseHTTPRequestHandler, bytes], None]"


def send(
    handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes, length: int | None = None
) -> None:
    """Answer; ``length`` is what the header promises if that isn't what is sent, -1 for no promise at all."""
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    if length != -1:
        handler.send_header("Content-Length", str(len(body) if length is None else length))
    handler.end_headers()
    handler.wfile.write(body)


def wanted(handler: BaseHTTPRequestHandler) -> int:
    """Return the first byte that the request's Range asks for."""
    return int(handler.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))


def ranged(stop: int | None = None) -> Reply:
    """Answer as a good server does; with ``stop`` the connection breaks off after so many bytes."""

    def reply(handler: BaseHTTPRequestHandler, content: bytes) -> None:
        start = wanted(handler)
        if start >= len(content):
            send(handler, 416, {"Content-Range": f"bytes */{len(content)}"}, b"")
            return
        headers = {"Content-Type": "application/x-gzip"}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        rest = content[start:]
        send(handler, 206 if start else 200, headers, rest[:stop], len(rest))

    return reply


def without_range(stop: int | None = None, *, length: bool = True) -> Reply:
    """Answer with all of it, whatever the request's Range."""

    def reply(handler: BaseHTTPRequestHandler, content: bytes) -> None:
        send(handler, 200, {}, content[:stop], len(content) if length else -1)

    return reply


def status(code: int) -> Reply:
    """Answer with an error."""
    return lambda handler, content: send(handler, code, {}, b"no")


def page(kind: str = "text/html; charset=utf-8") -> Reply:
    """Answer as a network's login page does."""
    return lambda handler, content: send(handler, 200, {"Content-Type": kind}, b"<html>Welcome! Log in.</html>")


class Server:
    """What is served, how each request is answered in turn (the last way for all others), and the Ranges asked for."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.replies: list[Reply] = [ranged()]
        self.asked: list[str | None] = []
        self.released = threading.Event()
        self.url = ""

    def hang(self, handler: BaseHTTPRequestHandler, content: bytes) -> None:
        """Answer nothing until the test is over."""
        self.released.wait(30)

    def trickle(self, handler: BaseHTTPRequestHandler, content: bytes) -> None:
        """Send a header that never ends, a byte at a time, until the test is over."""
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not self.released.wait(0.05):
            handler.wfile.write(b"x")

    def hang_after(self, count: int) -> Reply:
        """Send some bytes and then nothing until the test is over."""

        def reply(handler: BaseHTTPRequestHandler, content: bytes) -> None:
            send(handler, 200, {}, content[:count], len(content))
            self.released.wait(30)

        return reply


@contextmanager
def serving(content: bytes) -> Iterator[Server]:
    """Serve on a free port of loopback."""
    server = Server(content)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append(self.headers.get("Range"))
            reply = server.replies.pop(0) if len(server.replies) > 1 else server.replies[0]
            reply(self, server.content)

        def log_message(self, format: str, *args: object) -> None:
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        listener.daemon_threads = True
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        server.url = f"http://127.0.0.1:{listener.server_port}/cifar-10-python.tar.gz"
        try:
            yield server
        finally:
            server.released.set()
            listener.shutdown()
            thread.join()
