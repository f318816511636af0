"""Messages over a Unix socket: JSON objects, one a line, with open files beside them."""

import array
import json
import socket
from collections.abc import Sequence
from typing import Any

Message = dict[str, Any]
_CHUNK = 65536
_MOST_FILES = 8


class Wire:
    """One end of a connection.

    ``closed`` is true once the other end is gone; ``files`` are the descriptors that came along, in order, which
    belong to the receiver.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._unread = b""
        self.files: list[int] = []
        self.closed = False

    def fileno(self) -> int:
        """Return the descriptor, to wait for messages with."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close this end."""
        self._socket.close()

    def send(self, message: Message, files: Sequence[int] = ()) -> None:
        """Send one message; raises OSError when the other end is gone."""
        line = json.dumps(message).encode() + b"\n"  # ASCII: environments may hold bytes that are no text
        sent = socket.send_fds(self._socket, [line], files) if files else 0
        self._socket.sendall(line[sent:])

    def receive(self) -> Message | None:
        """Wait for one message and return it; None when the other end is gone without one."""
        while not (b"\n" in self._unread or self.closed):
            self._read(0)
        return self._next()

    def waiting(self) -> list[Message]:
        """Return the messages that are there, without waiting."""
        while not self.closed:
            try:
                self._read(socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
        found = []
        while (message := self._next()) is not None:
            found.append(message)
        return found

    def _read(self, flags: int) -> None:
        """Add what has come to what is unread, and note the end."""
        size = socket.CMSG_SPACE(_MOST_FILES * array.array("i").itemsize)
        try:
            data, extra, *_ = self._socket.recvmsg(_CHUNK, size, flags | socket.MSG_CMSG_CLOEXEC)
        except ConnectionResetError:  # it ended with something of ours unread
            data, extra = b"", []
        for _level, _kind, packed in extra:
            files = array.array("i")
            files.frombytes(packed[: len(packed) - len(packed) % files.itemsize])
            self.files += files
        self._unread += data
        self.closed = self.closed or not data

    def _next(self) -> Message | None:
        """Take the first whole message off what is unread."""
        line, end, rest = self._unread.partition(b"\n")
        if not end:
            return None
        self._unread = rest
        message: Message = json.loads(line)
        return message
