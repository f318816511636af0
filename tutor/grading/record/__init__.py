"""Put what was judged into nbgrader's gradebook and folders: each submission whole, once, or not at all."""

from tutor.grading.record.errors import RecordError, Refused
from tutor.grading.record.journal import Entry
from tutor.grading.record.recorder import Record

__all__ = ["Entry", "Record", "RecordError", "Refused"]
