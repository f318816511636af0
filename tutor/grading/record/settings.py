"""The course's settings, read as nbgrader's own commands read them."""

import sys
from pathlib import Path

from nbgrader.apps import NbGrader
from nbgrader.coursedir import CourseDirectory

from tutor.course.release import nbgrader_config
from tutor.grading.record.errors import RecordError
from tutor.places import CHECKOUT_MARK


def read_settings(top: Path, db_url: str | None) -> CourseDirectory:
    """Return nbgrader's description of a course, with all settings in its ``config``.

    top: the folder of ``nbgrader_config.py``, which has more say than the settings in a person's own Jupyter folders.
    db_url: of another gradebook than the one in the settings.

    Raises RecordError when the file can't be read.
    """
    if str(top) not in sys.path:
        sys.path.append(str(top))  # where a course keeps a plugin of its own
    app = NbGrader(log_level="CRITICAL")  # it would warn when there are no settings elsewhere
    app.load_cwd_config = False
    app.load_config_file()
    try:
        app.update_config(nbgrader_config(top))
    except Exception as error:  # it is Python, and may raise anything
        raise RecordError(f"{top / CHECKOUT_MARK} can't be read ({type(error).__name__}: {error}): mend it") from error
    chosen = {"db_url": db_url} if db_url else {}
    coursedir = CourseDirectory(config=app.config, root=str(top), **chosen)
    coursedir.config.CourseDirectory.root = coursedir.root
    coursedir.config.CourseDirectory.db_url = coursedir.db_url
    return coursedir
