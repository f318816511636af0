"""Fan submissions out to worker processes, here or on many machines, and bring the results back as they come."""

from __future__ import annotations

import logging
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Self

import dask
from distributed import Client, Future, KilledWorker, LocalCluster, Security

from tutor.grading import ahead
from tutor.grading.job import Graded, Job, Sandbox
from tutor.grading.station import Broken, FleetError, Grade, Station, grade_warm, versions, work
from tutor.grading.unrun import unrun

__all__ = ["Fleet", "FleetError", "Tls"]

AHEAD = 2  # submissions sent for each of the workers' threads: one runs, one waits
LOOK_AGAIN = 2.0  # seconds between looks at which workers there are
PATIENCE = 60.0  # seconds without any worker
CONNECT = 10.0  # seconds until a scheduler has answered
SETTINGS = {
    "distributed.scheduler.allowed-failures": 0,  # a lost worker's jobs come back here, and run once more
    "distributed.worker.profile.enabled": False,
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.admin.low-level-log-length": 10,  # messages kept for debugging, submissions in them and all
    "distributed.admin.large-graph-warning-threshold": "1GB",  # a submission is as large as it is
}


@dataclass(frozen=True)
class Tls:
    """The files that prove to a scheduler who is asking: the authority's certificate, one's own, and its key."""

    authority: Path
    certificate: Path
    key: Path


@dataclass(frozen=True)
class _Sent:
    """A job under way; ended: how many workers were lost while they had it, before this attempt."""

    job: Job
    ended: int = 0
    alone: bool = False


class Fleet:
    """Workers that grade submissions, as a context manager.

    workers: how many processes to start here, unless ``scheduler`` names a running Dask scheduler
    (``tcp://host:port``, or ``tls://`` with ``tls``, or with the certificates of Dask's own configuration). grade: what
    a worker does with a job; it can be imported there. sandbox: which one the workers are to make ready at once.

    Raises FleetError when no scheduler answers or no worker is there.
    """

    def __init__(
        self,
        workers: int = 2,
        scheduler: str | None = None,
        *,
        tls: Tls | None = None,
        grade: Grade = grade_warm,
        sandbox: Sandbox | None = None,
    ) -> None:
        self._workers, self._scheduler, self._tls, self._grade, self._sandbox = workers, scheduler, tls, grade, sandbox
        self._events: SimpleQueue[Future[Any] | None] = SimpleQueue()  # a job that is done, or None: stop
        self._flying: dict[Future[Any], _Sent] = {}
        self._stopping = False
        self._folder = ""
        self._threads, self._looked, self._seen = 0, 0.0, 0.0
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Start the workers, or find them."""
        with ExitStack() as opening:
            log = logging.getLogger("distributed")
            opening.callback(log.setLevel, log.level)
            log.setLevel(logging.CRITICAL)  # a lost worker is no news to the reader: its submissions are retried
            opening.enter_context(dask.config.set(SETTINGS))
            self._client = opening.enter_context(self._connected(opening))
            self._station = Station(local=self._scheduler is None, sandbox=self._sandbox)
            try:
                self._client.register_plugin(self._station)
            except Exception as error:  # whatever a worker that lacks the package, or a part of it, answers
                raise FleetError(_unlike(error)) from error
            opening.callback(self._leave)
            self._seen = time.monotonic()
            self._look()
            if not self._threads:
                print(f"Waiting for workers of {self._scheduler}, up to {PATIENCE:.0f} s …", file=sys.stderr)
            self._open = opening.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Cancel what is under way, end the workers that were started here, and their files."""
        self._open.close()

    @property
    def address(self) -> str:
        """Where the scheduler listens."""
        return str(self._client.scheduler_info()["address"])

    def _connected(self, opening: ExitStack) -> Any:
        """Return a client of a cluster of this machine's, or of the scheduler."""
        if self._scheduler is None:
            self._folder = tempfile.mkdtemp(prefix="tutor-grading-")
            opening.callback(shutil.rmtree, self._folder, ignore_errors=True)
            started = {"temporary-directory": self._folder, "distributed.worker.multiprocessing-method": ahead.method()}
            opening.enter_context(dask.config.set(started))
            cluster = LocalCluster(
                n_workers=self._workers,
                threads_per_worker=1,
                processes=True,
                env=dict(os.environ),  # the fork server's is that of its own start
                host="127.0.0.1",
                dashboard_address=None,
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # serves nothing, and yet has a port
                memory_limit=None,  # the sandbox limits each submission
                silence_logs=logging.CRITICAL,
                security=True,  # keys of this run's own: other people on this machine could give orders otherwise
            )
            return Client(opening.enter_context(cluster), set_as_default=False)
        try:
            security = self._security()
            if self._scheduler.startswith("tls:") and not security.get_connection_args("client").get("ssl_context"):
                raise FleetError(
                    f"{self._scheduler} wants certificates: give --tls-ca, --tls-cert and --tls-key, or name them in "
                    "Dask's own configuration (distributed.comm.tls)"
                )
            return Client(self._scheduler, security=security, timeout=CONNECT, set_as_default=False)
        except (OSError, ValueError, TypeError, RuntimeError) as error:
            why = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise FleetError(
                f"no Dask scheduler can be reached at {self._scheduler} ({why}): start one with "
                "`dask scheduler`, and workers with `dask worker`"
            ) from error

    def _security(self) -> Security:
        """Return the certificates that were given, or those of Dask's own configuration."""
        if self._tls is None:
            return Security()
        return Security(
            require_encryption=True,
            tls_ca_file=str(self._tls.authority),
            tls_client_cert=str(self._tls.certificate),
            tls_client_key=str(self._tls.key),
        )

    def _leave(self) -> None:
        """End the sandboxes of workers that go on; their scheduler may have been ended meanwhile."""
        if self._scheduler is not None and self._client.status == "running":
            self._client.unregister_worker_plugin(self._station.name)

    def _look(self) -> None:
        """Count the workers' threads, now and then (FleetError when there has been none for long)."""
        if time.monotonic() - self._looked < LOOK_AGAIN:
            return
        try:
            self._threads = sum(self._client.nthreads().values())
        except OSError:
            self._threads = 0
        self._looked = time.monotonic()
        if self._threads:
            self._seen = self._looked
        elif self._looked - self._seen > PATIENCE:
            where = self._scheduler or "this machine"
            raise FleetError(
                f"there has been no worker on {where} for {PATIENCE:.0f} s: start some, then run the same command again"
            )

    def stop(self) -> None:
        """Make ``results`` give what has arrived and end; may be called in a signal's handler."""
        self._stopping = True
        self._events.put(None)

    def kill(self) -> None:
        """End the processes that were started here at once, and remove their files; nothing can be done with the fleet then."""
        for process in multiprocessing.active_children():
            process.kill()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
        ahead.tidy()

    def results(self, jobs: Iterable[Job]) -> Iterator[Graded]:
        """Yield each job's result, in the order in which they are done.

        jobs: taken one by one, as workers get free: no more than ``AHEAD`` for each of their threads are under way. A job
        during which workers were lost is retried, at last by itself; when that ends its worker too, it gets 0 points.

        Raises FleetError when a worker can't grade at all, when none is left, or when the scheduler is gone.
        """
        try:
            yield from self._results(iter(jobs))
        finally:
            self._client.cancel(list(self._flying), force=True)
            self._flying.clear()

    def _results(self, coming: Iterator[Job]) -> Iterator[Graded]:
        suspects: list[_Sent] = []
        more = True
        while not self._stopping:
            while more and len(self._flying) < AHEAD * max(self._threads, 1) and not self._stopping:
                job = next(coming, None)
                more = job is not None
                if job is not None:
                    self._send(_Sent(job))
            if not self._flying and not more:
                if not suspects:
                    return
                self._send(suspects.pop())
            self._look()
            try:
                future = self._events.get(timeout=LOOK_AGAIN)
            except Empty:
                continue
            if future is not None:
                yield from self._result(future, suspects)
        while True:  # stopped: what has arrived is not lost
            try:
                future = self._events.get_nowait()
            except Empty:
                return
            if future is not None:
                yield from self._result(future, suspects)

    def _send(self, sent: _Sent) -> None:
        """Hand a job to the scheduler; under a key that tells nothing of the learner."""
        future = self._client.submit(work, sent.job, self._grade, versions(), pure=False)
        self._flying[future] = sent
        future.add_done_callback(self._events.put)

    def _result(self, future: Future[Any], suspects: list[_Sent]) -> Iterator[Graded]:
        """Yield the result of a job that is done, unless it is to be looked at by itself."""
        sent = self._flying.pop(future, None)
        if sent is None:  # of an earlier call that wasn't read to its end
            return
        if future.status in ("cancelled", "lost"):
            if self._stopping:
                return
            raise FleetError("the connection to Dask's scheduler was lost: run the same command again to go on")
        error = future.exception()
        if error is None:
            result = future.result()
            if isinstance(result, Broken):
                why = f"grading it raised an error, which is no fault of the learner's: {result.said}"
                yield unrun(sent.job, "grading-failed", why)
            else:
                yield result
        elif isinstance(error, KilledWorker):
            # Jobs that only waited on a lost worker count as well, so each gets a run with nothing else under way.
            ended = sent.ended + error.allowed_failures + 1
            if sent.alone:
                why = f"it ended the grading process {ended} times, by itself too; nothing of it could be graded"
                yield unrun(sent.job, "ended-grading", why)
            else:
                suspects.append(replace(sent, ended=ended, alone=True))
        elif isinstance(error, FleetError):
            raise error
        else:
            raise FleetError(_unlike(error)) from error


def _unlike(error: BaseException) -> str:
    """Say what a worker or scheduler without the course's package, or with another version, answered."""
    first = (str(error).strip() or type(error).__name__).splitlines()[0]
    return (
        f"a worker, or the scheduler, can't run the course's grading ({type(error).__name__}: {first}): install the same "
        "versions on all machines and start both anew"
    )
