"""What goes wrong between an LMS's files and the course."""


class LmsError(Exception):
    """A file of an LMS's can't be used; the message is one sentence that says what, where, and what to do."""
