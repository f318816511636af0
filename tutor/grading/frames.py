"""Messages between the trusted side and a learner's process: a JSON object and binary parts, with lengths before them.

On the wire, in network byte order: the length of the JSON text (4 bytes), the number of parts (4 bytes), the length of
each part (8 bytes each), the JSON text, the parts. The other end may be anybody's code, so a length is believed only up to
what the receiver takes, memory grows only with what has really come, and there is no pickle.
"""

import json
import socket
import struct
import time
from collections.abc import Sequence
from typing import Any

Message = dict[str, Any]
MOST_PARTS = 4096
_FIRST = struct.Struct("!II")
_CHUNK = 1 << 20


class FramesError(Exception):
    """What can be wrong with a connection; the message is one sentence."""


class Gone(FramesError):
    """The other end has closed the connection, or this one has."""


class TooMuch(FramesError):
    """The other end is sending more than is taken."""


class Malformed(FramesError):
    """What the other end sent is no message."""


class Late(FramesError):
    """The deadline came first."""


class Frames:
    """One end of a connection, for one thread at a time."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._come = bytearray()  # of the message that is on its way

    def fileno(self) -> int:
        """Return the descriptor, to wait for messages with; -1 once closed."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close this end; again does nothing."""
        self._socket.close()

    def send(
        self, message: Message, parts: Sequence[bytes | memoryview] = (), *, deadline: float | None = None
    ) -> None:
        """Send a message, waiting while the other end doesn't read.

        parts: at most ``MOST_PARTS``. deadline: in ``time.monotonic()``'s seconds. Raises Gone, Late (which
        closes the connection, as half a message may be on its way), and TypeError or ValueError where the message is no JSON.
        """
        if len(parts) > MOST_PARTS:
            raise ValueError(f"A message has at most {MOST_PARTS} parts, and this one has {len(parts)}.")
        views = [memoryview(part).cast("B") if memoryview(part).nbytes else memoryview(b"") for part in parts]
        text = json.dumps(message).encode()
        lengths = struct.pack(f"!{len(views)}Q", *(view.nbytes for view in views))
        pieces: list[bytes | memoryview] = [_FIRST.pack(len(text), len(views)) + lengths + text, *views]
        small = sum(view.nbytes for view in views) <= _CHUNK
        try:
            for piece in [b"".join(pieces)] if small else pieces:  # each piece sent would wake the other end
                self._wait_until(deadline)
                self._socket.sendall(piece)
        except (TimeoutError, BlockingIOError):
            self.close()
            raise Late("The other end has not read a message in time.") from None
        except OSError as error:
            raise Gone(f"The connection was closed ({error.strerror or error}).") from None

    def receive(
        self, *, most: int, most_text: int | None = None, deadline: float | None = None
    ) -> tuple[Message, list[bytes]]:
        """Wait for a message and return it with its parts.

        most: bytes taken, text and parts together. most_text: of the text alone, where that is less. deadline: in
        ``time.monotonic()``'s seconds; one that has passed takes only what has come already. Raises Gone, TooMuch,
        Malformed and Late; after Late one can go on waiting.
        Strings may hold anything that JSON can say, surrogates without partner included.
        """
        self._fill(_FIRST.size, deadline)
        text_length, count = _FIRST.unpack_from(self._come)
        if count > MOST_PARTS:
            raise Malformed(f"A message of {count} parts was announced, and at most {MOST_PARTS} are taken.")
        start = _FIRST.size + 8 * count
        if text_length > (most_text or most):
            raise _too_much(text_length, most_text or most)
        self._fill(start, deadline)
        lengths = struct.unpack_from(f"!{count}Q", self._come, _FIRST.size)
        total = text_length + sum(lengths)
        if total > most:
            raise _too_much(total, most)
        self._fill(start + total, deadline)
        come, self._come = memoryview(self._come), bytearray()
        message = parse(bytes(come[start : start + text_length]))
        parts = []
        start += text_length
        for length in lengths:
            parts.append(bytes(come[start : start + length]))
            start += length
        return message, parts

    def _fill(self, size: int, deadline: float | None) -> None:
        """Read until ``size`` bytes of the message have come, and none of what follows it."""
        while (missing := size - len(self._come)) > 0:
            try:
                self._wait_until(deadline)
                # Without room for ancillary data, so that descriptors sent along are closed by the system.
                chunk = self._socket.recv(min(missing, _CHUNK))
            except (TimeoutError, BlockingIOError):
                raise Late("The other end has not sent a whole message in time.") from None
            except OSError as error:
                raise Gone(f"The connection was closed ({error.strerror or error}).") from None
            if not chunk:
                raise Gone("The other end closed the connection.")
            self._come += chunk

    def _wait_until(self, deadline: float | None) -> None:
        """Have the socket's next operation wait no longer than to the deadline; 0 s is not to wait at all."""
        self._socket.settimeout(None if deadline is None else max(0.0, deadline - time.monotonic()))


def parse(text: bytes) -> Message:
    """Return the JSON object in a text from somebody who isn't trusted; raises Malformed."""
    try:
        message = json.loads(text.decode())
    except ValueError as error:  # no UTF-8, no JSON, or an integer of thousands of digits
        raise Malformed(f"A message is no JSON text ({error}).") from None
    except RecursionError:  # json counts how deep it is, and stops well before the stack ends
        raise Malformed("A message has too many lists and objects in one another.") from None
    if not isinstance(message, dict):
        raise Malformed(f"A message has to be a JSON object, and a {type(message).__name__} came.")
    return message


def _too_much(size: int, most: int) -> TooMuch:
    return TooMuch(f"A message of {size:,} bytes was announced, and at most {most:,} are taken.")
