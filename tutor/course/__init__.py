"""Chapters on disk: one hand-edited ``.py`` → an executed solution notebook → the student's notebook."""
