"""Submissions and grades as files: what Moodle and Canvas let people download, and what they take back."""
