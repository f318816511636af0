"""nbgrader's settings for this course: sources and releases in the checkout, everything else under build/."""

from pathlib import Path

TOP = Path(__file__).resolve().parent
BUILD = TOP / "build"
BUILD.mkdir(exist_ok=True)  # SQLite makes its file, but not the folder that the file is in

c = get_config()  # type: ignore[name-defined]  # noqa: F821  (traitlets offers it to configuration files)

c.CourseDirectory.course_id = "layer-by-layer"
c.CourseDirectory.root = str(TOP)
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "notebooks"
c.CourseDirectory.source_with_tests_directory = "build/source_with_tests"
c.CourseDirectory.submitted_directory = "build/submitted"
c.CourseDirectory.autograded_directory = "build/autograded"
c.CourseDirectory.feedback_directory = "build/feedback"
c.CourseDirectory.solution_directory = "build/solution"
c.CourseDirectory.db_url = f"sqlite:///{BUILD / 'gradebook.db'}"

# nbgrader releases every file beside a notebook, and takes every file that comes with a submission. The
# hand-edited source holds all solutions and hidden tests; the rest is what editors, runs and nbgrader itself
# leave behind.
c.CourseDirectory.ignore = [
    "*.py", "*.pyc", "__pycache__", ".*", "*~", "*.orig", "*.rej",
    "*.db", "*.csv", "*.pt", "*.pth", "events.out.tfevents.*", "feedback",
]  # fmt: skip

# An exchange on this machine, for one person's use. A class sets one that everybody can write to.
(BUILD / "exchange").mkdir(exist_ok=True)  # or formgrader warns that it isn't there
c.Exchange.root = str(BUILD / "exchange")
c.Exchange.cache = str(BUILD / "cache")

# What Moodle and Canvas let people download: build/downloaded/CHAPTER/archive -> extracted -> build/submitted.
c.ZipCollectApp.downloaded_directory = "build/downloaded"
c.ZipCollectApp.extractor_plugin = "tutor.grading.lms.collect.LmsExtractor"
c.FileNameCollectorPlugin.named_regexp = r".*/(?P<student_id>[^/]+)/(?P<file_id>[^/]+\.ipynb)"

c.ExportPlugin.to = str(BUILD / "grades.csv")

c.ClearSolutions.code_stub = {
    "python": "# Write your answer here and take out the next line.\nraise NotImplementedError()"
}
c.ClearSolutions.text_stub = "*Write your answer here.*"

# A cell's limit, when a submission is graded or validated. The slowest check takes seconds.
c.Execute.timeout = 120

# Without it each kernel that grades starts with a warning about a connection that nobody but this machine can
# see.
c.KernelManager.transport_encryption = "auto"

# As nbgrader has them, with the hidden tests taken out of a page before it is written.
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "tutor.course.feedback.HideHiddenTests",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]

# In the pages of feedback and of formgrader nothing runs that a learner wrote into a markdown cell.
c.HTMLExporter.filters = {"markdown2html": "tutor.course.pages.harmless_markdown"}
