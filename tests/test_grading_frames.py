"""Messages between the trusted side and a learner's process, whatever the other end sends."""

import json
import os
import socket
import struct
import threading
import time
import tracemalloc
from collections.abc import Iterator

import pytest

from tutor.grading.frames import MOST_PARTS, Frames, Gone, Late, Malformed, TooMuch

MOST = 1_000_000
LONG_AGO = 0.0


@pytest.fixture
def ends() -> Iterator[tuple[Frames, socket.socket]]:
    """A trusted end, and the socket of somebody who may send anything."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Frames(ours), theirs


def announce(text: int, *parts: int) -> bytes:
    return struct.pack(f"!II{len(parts)}Q", text, len(parts), *parts)


def test_a_message_arrives_with_its_parts(ends) -> None:
    ours, theirs = ends
    message = {"text": "ü\x00\ud800", "number": 1.5, "list": [None, True, {}]}
    parts = [b"", b"abc", memoryview(bytearray(range(256))), memoryview(b"")]
    Frames(theirs).send(message, parts)
    Frames(theirs).send({"next": 2})
    assert ours.receive(most=MOST) == (message, [bytes(part) for part in parts])
    assert ours.receive(most=MOST, deadline=LONG_AGO) == ({"next": 2}, [])


def test_a_big_message_arrives_in_both_directions_at_once(ends) -> None:
    ours, theirs = ends
    big = os.urandom(5_000_000)
    answer: list[object] = []
    other = threading.Thread(target=lambda: answer.append(Frames(theirs).receive(most=10**7)))
    other.start()
    ours.send({"big": True}, [big], deadline=time.monotonic() + 60)
    other.join()
    assert answer == [({"big": True}, [big])]


@pytest.mark.parametrize(
    ("sent", "error", "words"),
    [
        (announce(MOST + 1), TooMuch, "1,000,001 bytes"),
        (announce(2**32 - 1, 2**64 - 1), TooMuch, "at most 1,000,000"),
        (announce(2, MOST - 1), TooMuch, "1,000,001 bytes"),
        (announce(2, 2**63, 2**63), TooMuch, "bytes"),  # their sum in 64 bits is 0
        (announce(2)[:4] + struct.pack("!I", MOST_PARTS + 1), Malformed, "4097 parts"),
        (announce(2) + b"[]", Malformed, "object"),
        (announce(4) + b"null", Malformed, "object"),
        (announce(3) + b"{'}", Malformed, "no JSON"),
        (announce(3) + b'{"\xff', Malformed, "no JSON"),
        (announce(0), Malformed, "no JSON"),
        (announce(200_000) + b"[" * 200_000, Malformed, "in one another"),
        (announce(130) + b'{"":' + b"[" * 63 + b"]" * 63, Malformed, "no JSON"),
        (announce(5_006) + b'{"":' + b"9" * 5_001 + b"}", Malformed, "digits"),
        (b"", Gone, "closed"),
        (announce(2, 10) + b"{}12345", Gone, "closed"),
    ],
)
def test_what_is_no_message_is_refused_in_a_sentence(ends, sent: bytes, error: type[Exception], words: str) -> None:
    ours, theirs = ends
    sender = threading.Thread(target=lambda: (theirs.sendall(sent), theirs.close()))
    sender.start()
    with pytest.raises(error, match=words) as caught:
        ours.receive(most=MOST, deadline=time.monotonic() + 60)
    ours.close()
    sender.join()
    assert str(caught.value).endswith(".")


def test_brackets_in_strings_are_not_depth(ends) -> None:
    ours, theirs = ends
    message = {"text": '"[' * 1000 + "\\", "list": [[]] * 1000}
    Frames(theirs).send(message)
    assert ours.receive(most=MOST)[0] == message


def test_no_memory_is_taken_for_what_is_only_announced(ends) -> None:
    ours, theirs = ends
    theirs.sendall(announce(2, 2**40) + b"{}")
    tracemalloc.start()
    try:
        with pytest.raises(Late):
            ours.receive(most=2**41, deadline=LONG_AGO)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_after_a_deadline_one_can_go_on_waiting(ends) -> None:
    ours, theirs = ends
    whole = announce(9, 3) + b'{"a": 12}' + b"xyz"
    for sent in range(len(whole)):
        with pytest.raises(Late, match="in time"):
            ours.receive(most=MOST, deadline=LONG_AGO)
        theirs.sendall(whole[sent : sent + 1])
    assert ours.receive(most=MOST, deadline=LONG_AGO) == ({"a": 12}, [b"xyz"])


def test_somebody_who_does_not_read_is_not_waited_for(ends) -> None:
    ours, _ = ends
    with pytest.raises(Late):
        ours.send({}, [bytes(10**8)], deadline=LONG_AGO)
    with pytest.raises(Gone):
        ours.send({})


def test_descriptors_sent_along_are_not_taken(ends) -> None:
    ours, theirs = ends
    body = announce(2) + b"{}"
    before = os.listdir("/proc/self/fd")
    socket.send_fds(theirs, [body], [0, 1, 2])
    assert ours.receive(most=MOST) == ({}, [])
    assert os.listdir("/proc/self/fd") == before


def test_a_closed_end_is_gone(ends) -> None:
    ours, theirs = ends
    theirs.close()
    with pytest.raises(Gone):
        for _ in range(2):
            ours.send({})
    ours.close()
    ours.close()
    with pytest.raises(Gone):
        ours.receive(most=MOST)


def test_only_json_is_sent(ends) -> None:
    ours, theirs = ends
    with pytest.raises(TypeError):
        ours.send({"code": json})
    with pytest.raises(ValueError, match="4096 parts"):
        ours.send({}, [b""] * (MOST_PARTS + 1))
    ours.send({})
    assert Frames(theirs).receive(most=MOST) == ({}, [])
