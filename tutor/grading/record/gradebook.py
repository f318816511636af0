"""nbgrader's gradebook, with everything that belongs to one submission in one transaction."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from logging import LogRecord
from typing import Any, TypeVar

from alembic.script import ScriptDirectory
from nbgrader.api import Base, Gradebook, InvalidEntry
from nbgrader.dbutil import ALEMBIC_DIR
from sqlalchemy import Connection, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.orm import scoped_session, sessionmaker
from tornado.log import app_log

from tutor.grading.record.errors import RecordError, database_said, is_locked

SOON = 1.0  # seconds that a lock lasts when a grader saves a score
CONNECT = 10  # seconds until a server that doesn't answer isn't there

Result = TypeVar("Result")


class OneTransaction(Gradebook):  # type: ignore[misc]  # nbgrader has no types
    """nbgrader's own gradebook inside a transaction that somebody else ends: what its methods commit waits for that."""

    def __init__(self, connection: Connection, course_id: str) -> None:
        # Not the base class's: that one connects by itself and commits what it makes at once.
        self.engine = connection.engine
        self.db = scoped_session(sessionmaker(bind=connection, join_transaction_mode="rollback_only"))
        self.course_id = course_id
        self.authenticator = None


class Database:
    """The database that a course's gradebook is in.

    url: as nbgrader's ``db_url``. patience: seconds to wait for somebody else's lock. say: is told so before that.

    Raises RecordError when there is no such database and none can be made.
    """

    def __init__(self, url: str, course_id: str, *, patience: float, say: Callable[[str], object]) -> None:
        self.course_id, self.patience, self.say = course_id, patience, say
        try:
            self.url = make_url(url)
            options = {"connect_timeout": CONNECT} if self.url.get_backend_name() == "postgresql" else {}
            self.engine = create_engine(self.url, connect_args=options, pool_pre_ping=True)
        except (ArgumentError, NoSuchModuleError) as error:
            raise RecordError(f"db_url names no database that nbgrader knows: {error}") from error
        except ModuleNotFoundError as error:
            raise RecordError(
                f"db_url names a database whose driver isn't here ({error}); for PostgreSQL: pip install psycopg2-binary, and "
                "begin db_url with postgresql+psycopg2://"
            ) from error
        self._lite = self.url.get_backend_name() == "sqlite"
        self._wait, self._begin = SOON, ""
        if self._lite:
            event.listen(self.engine, "connect", _no_transactions_of_its_own)
        event.listen(self.engine, "begin", self._start)
        app_log.addFilter(_is_news)
        try:
            self.write(self._prepare)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the connection back."""
        app_log.removeFilter(_is_news)
        self.engine.dispose()

    def write(self, work: Callable[[OneTransaction], Result]) -> Result:
        """Do ``work`` in one transaction and return what it returns: all of it is recorded, or nothing.

        It may be done twice: when somebody else holds a lock, the transaction is begun anew, with patience.

        Raises RecordError when the database can't be written. When it is lost while it commits, nobody knows whether it
        did; the same work again is right in both cases.
        """
        return self._patiently(work, "BEGIN IMMEDIATE")  # the lock at once: later, two could wait for each other

    def read(self, work: Callable[[OneTransaction], Result]) -> Result:
        """Do ``work``, which changes nothing, and return what it returns (RecordError as above)."""
        return self._patiently(work, "BEGIN")

    def _patiently(self, work: Callable[[OneTransaction], Result], begin: str) -> Result:
        """Do it; where a lock is in the way, say so and wait."""
        self._begin = begin
        try:
            try:
                self._wait = min(SOON, self.patience)
                return self._once(work)
            except DBAPIError as error:
                if not is_locked(error):
                    raise
            self.say(f"The gradebook is in use by another program; waiting up to {self.patience:g} s for it.")
            self._wait = self.patience
            return self._once(work)
        except DBAPIError as error:
            raise database_said(error, self.url) from error

    def _once(self, work: Callable[[OneTransaction], Result]) -> Result:
        """Do it in one transaction."""
        with self.engine.begin() as connection, _session(connection, self.course_id) as gradebook:
            try:
                result = work(gradebook)
                gradebook.db.flush()
            except InvalidEntry as error:
                if isinstance(error.__context__, DBAPIError):  # as nbgrader calls whatever fails when it commits
                    raise error.__context__ from error
                raise
            return result

    def _start(self, connection: Connection) -> None:
        """Begin a transaction, and say how long to wait for a lock in it."""
        wait = int(self._wait * 1000)
        if self._lite:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {wait}")
            connection.exec_driver_sql(self._begin)
        elif self.url.get_backend_name() == "postgresql":
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {wait}")

    def _prepare(self, gradebook: OneTransaction) -> None:
        """Make nbgrader's tables where there are none, with the version that ``nbgrader db upgrade`` looks for."""
        connection = gradebook.db.connection()
        is_new = not inspect(connection).get_table_names()
        Base.metadata.create_all(bind=connection)
        if is_new:
            version = ScriptDirectory(ALEMBIC_DIR).get_current_head()
            connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
            connection.execute(
                text("INSERT INTO alembic_version (version_num) VALUES (:version)"), {"version": version}
            )
        gradebook.check_course(self.course_id)


def _is_news(record: LogRecord) -> bool:
    """Tell whether a log record is more than nbgrader's traceback of what becomes one sentence here."""
    return not str(record.msg).startswith("Rolling back session due to database error")


@contextmanager
def _session(connection: Connection, course_id: str) -> Iterator[OneTransaction]:
    """Open a gradebook in a transaction, and forget all that it has read at the end."""
    gradebook = OneTransaction(connection, course_id)
    try:
        yield gradebook
    finally:
        gradebook.db.remove()


def _no_transactions_of_its_own(connection: Any, _: object) -> None:
    """Keep Python's sqlite3 from beginning transactions by itself, which it does late and not before reading."""
    connection.isolation_level = None
