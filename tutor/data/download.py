"""The download of one archive that goes on where it broke off; torchvision's own starts again from nothing."""

import errno
import http.client
import os
import queue
import re
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from itertools import chain
from pathlib import Path
from threading import Thread
from typing import Any, Final
from urllib.parse import urlsplit

from tqdm import tqdm

from tutor.data.images import DataError

CHUNK: Final = 1 << 18
PROGRESS: Final = 1 << 20
GZIP: Final = b"\x1f\x8b"
MEANWHILE: Final = 'meanwhile source="sample" gives drawn pictures'


class NoNetworkError(DataError):
    """The server cannot be reached, so nothing was downloaded: the message says which server and why."""


class _BrokenOffError(Exception):
    """This attempt came to nothing, or not to the end; another one may."""


class _UnfitError(Exception):
    """What is kept of an earlier attempt cannot be continued."""


@dataclass(frozen=True)
class Patience:
    """How long to wait for a server.

    ``answer``: seconds until it answers, or sends more; ``attempts``: how many in a row may bring less than 1 MiB;
    ``pause``: seconds before the second attempt, twice as many before the third, and so on.
    """

    answer: float = 6.0
    attempts: int = 5
    pause: float = 1.0


PATIENCE: Final = Patience()


def fetch(url: str, archive: Path, md5: str, *, announce: bool = True, patience: Patience = PATIENCE) -> None:
    """Download ``url`` to ``archive``, which comes to be only when all of it is there with the right MD5 checksum.

    What has arrived is kept in ``<archive>.part``: this call, and the next one, go on from there by HTTP Range
    (RFC 9110, section 14). Raises :class:`NoNetworkError` if the server cannot be reached, and :class:`DataError` if
    it answers with an error or with something else than the archive, if the download breaks off for good, or if it
    cannot be written.
    """
    part = archive.with_name(archive.name + ".part")
    failures, reached, restarted = 0, False, False
    # Not to stderr, since nbgrader gives nothing for a test cell that writes there; and no bar if there is no wait.
    with tqdm(
        desc=archive.name, unit="B", unit_scale=True, disable=not announce, file=sys.stdout, leave=False, delay=0.5
    ) as bar:
        while True:
            before = _size(part)
            try:
                _go_on(url, part, md5, bar, patience)
                os.replace(part, archive)
                return
            except NoNetworkError as error:
                if not reached:
                    raise
                reason: Exception = error
            except _BrokenOffError as error:
                reason = error
            except _UnfitError as error:
                part.unlink(missing_ok=True)
                if restarted or not before:
                    raise DataError(
                        f"{url} did not send the CIFAR-10 archive ({error}), and what it sent was deleted: something "
                        f"on the way changes it, so try from another network; {MEANWHILE}."
                    ) from error
                restarted = True
                continue
            reached = True
            failures = 1 if _size(part) - before >= PROGRESS else failures + 1
            if failures >= patience.attempts:
                raise DataError(_gave_up(url, part, failures, reason)) from reason
            time.sleep(patience.pause * failures)


def _go_on(url: str, part: Path, md5: str, bar: Any, patience: Patience) -> None:
    """Ask for what is missing and store it; return only if all of it is there and right."""
    from torchvision.datasets.utils import check_integrity

    kept = _size(part)
    response = _ask(url, kept, patience)
    if response is not None:
        with response:
            start, total = _extent(response, kept)
            chunks = _chunks(response)
            first = next(chunks, b"")
            if start == 0 and first and not first.startswith(GZIP[: len(first)]):
                raise DataError(
                    f"{urlsplit(url).hostname} answered with a web page or other file in place of CIFAR-10, "
                    f"as a network's login page does: log in with a browser and call again; {MEANWHILE}."
                )
            bar.total, bar.n = total, start
            try:
                _store(first, chunks, part, start, bar)
                if total is not None and _size(part) > total:
                    os.truncate(part, total)
            except OSError as error:
                raise disk_trouble(error, part.parent, "the download of CIFAR-10") from error
        if total is not None and _size(part) < total:
            raise _BrokenOffError("the connection closed early")
    if not check_integrity(part, md5):
        if response is not None and total is None:
            raise _BrokenOffError("the connection closed early, or what came is wrong")
        raise _UnfitError("its MD5 checksum is wrong")


def _ask(url: str, kept: int, patience: Patience) -> Any:
    """Return the server's answer, or None if it says that nothing is missing.

    It is waited for in a thread, since a name server that does not answer blocks for longer than any timeout.
    """
    request = urllib.request.Request(url, headers={"User-Agent": "layer-by-layer"})
    if kept:
        request.add_header("Range", f"bytes={kept}-")
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(urllib.request.urlopen(request, timeout=patience.answer))
        except Exception as error:
            answers.put(error)  # dealt with below, in the thread that waits for it

    Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=patience.answer)
    except queue.Empty:
        answer = TimeoutError(errno.ETIMEDOUT, f"no answer within {patience.answer:g} seconds")
    if isinstance(answer, urllib.error.HTTPError):
        return _refused(answer, url, kept)
    if isinstance(answer, OSError | http.client.HTTPException):
        cause = getattr(answer, "reason", answer)
        server = urlsplit(url).hostname
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise DataError(
                f"{server} could not prove who it is ({cause.verify_message}): log in to the network with a browser, "
                f"or on macOS run Python's 'Install Certificates.command', and call again; {MEANWHILE}."
            ) from answer
        raise NoNetworkError(f"{server} cannot be reached ({_in_words(cause)})") from answer
    if isinstance(answer, Exception):
        raise answer  # a mistake of ours, such as an address that is none
    return answer


def _refused(error: urllib.error.HTTPError, url: str, kept: int) -> None:
    """Sort an HTTP error: return if it means that all is there, and raise what fits if not."""
    with error:
        if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and kept:
            if _numbers(error.headers.get("Content-Range")) == [kept]:
                return
            raise _UnfitError("it has less than was kept") from error
        if error.code in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS) or error.code >= 500:
            raise _BrokenOffError(f"HTTP {error.code} {error.reason}") from error
        name = Path(urlsplit(url).path).name
        raise DataError(
            f"{url} was refused with HTTP {error.code} {error.reason}: get {name} elsewhere and put it into the data "
            f"folder, or try from another network; {MEANWHILE}."
        ) from error


def _extent(response: Any, kept: int) -> tuple[int, int | None]:
    """Return where in the archive the answer begins, and the archive's length if the server says it."""
    if response.status != HTTPStatus.PARTIAL_CONTENT:
        return 0, response.length  # all of it again: this server does without Range
    numbers = _numbers(response.headers.get("Content-Range"))
    if numbers[:1] != [kept]:
        raise _UnfitError("it sent another part than it was asked for")
    return kept, numbers[2] if len(numbers) == 3 else None


def _chunks(response: Any) -> Iterator[bytes]:
    """Yield what arrives, when it arrives."""
    try:
        while chunk := response.read1(CHUNK):
            yield chunk
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenOffError(_in_words(error)) from error


def _store(first: bytes, chunks: Iterator[bytes], part: Path, start: int, bar: Any) -> None:
    """Write each chunk at its own place: nothing kept is lost, nor harmed by another process that does the same."""
    part.parent.mkdir(parents=True, exist_ok=True)
    part.touch()
    with part.open("r+b") as file:
        file.seek(start)
        for chunk in chain([first], chunks):
            file.write(chunk)
            bar.update(len(chunk))


def disk_trouble(error: OSError, where: Path, what: str) -> DataError:
    """Return the sentence for a disk that is full or a folder that cannot be written to."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DataError(
            f"The disk that {where} lies on is full, and {what} needs about 350 MB: make room, or set CIFAR10_ROOT to "
            f"a folder on another disk, and call again; {MEANWHILE}."
        )
    return DataError(
        f"{where} cannot be written to ({_in_words(error)}), which {what} needs: set CIFAR10_ROOT to a folder of your "
        f"own and call again; {MEANWHILE}."
    )


def _gave_up(url: str, part: Path, failures: int, reason: Exception) -> str:
    size = tqdm.format_sizeof(_size(part), "B", 1000)
    rest = f"{size} are kept in {part}, and the next call goes on from there" if _size(part) else "call again later"
    return f"The download of {url} broke off {failures} times in a row ({reason}): {rest}; {MEANWHILE}."


def _in_words(error: object) -> str:
    return str(getattr(error, "strerror", None) or error or type(error).__name__)


def _numbers(content_range: str | None) -> list[int]:
    """Return the numbers of a Content-Range: first, last, length, or the length alone."""
    return [int(number) for number in re.findall(r"\d+", content_range or "")]


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
