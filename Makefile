# Everything runs in .venv, which the first target that needs it makes (tools/environment.py says how).
# Works with GNU make 3.81 and newer, in a folder with spaces too.

# The first Python that is new enough; where none is, python3, which tools/environment.py then refuses in words.
ifndef PYTHON
PYTHON := $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
    "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && exec echo "$$p"; done; echo python3)
endif

# nbgrader calls programs by name (alembic), so the environment's own come first on PATH.
in_venv = PATH="$$PWD/.venv/bin:$$PATH"
python = $(in_venv) .venv/bin/python

LAB_ARGS ?=
TEST_ARGS ?=
BENCH ?=
DEMO_ARGS ?=
BUNDLE_ARGS ?=
BOOK_ARGS ?=
HUB_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help lab test pictures build grade-demo student-bundle book hub bench bench-install lint format constraints environment

help:  ## List what can be done
	@echo "Layer by Layer: make <target>"
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/  \1|\2/p' Makefile | awk -F'|' '{ printf "%-16s %s\n", $$1, $$2 }'

lab: environment  ## Open JupyterLab on the notebooks (options: make lab LAB_ARGS="--no-browser --port 8899")
	@echo "Opening JupyterLab on notebooks/; Ctrl-C twice here ends it. No browser opens? Then open the address" \
	    "http://127.0.0.1:.../lab?token=... that it prints."
	@$(python) -m jupyterlab --ServerApp.root_dir=notebooks --LabApp.news_url=None \
	    $(if $(filter 0,$(shell id -u)),--allow-root) $(LAB_ARGS)

test: environment  ## Run all tests (options: make test TEST_ARGS="-k relu")
	@$(python) -m pytest -n auto --maxprocesses 4 --dist loadscope $(TEST_ARGS)

pictures: environment  ## Make the pictures of the README and of docs/pictures.md anew
	@$(python) -m pytest tests/test_browser.py
	@mkdir -p docs/pictures && cp build/screenshots/card-wrong.png build/screenshots/card-right.png \
	    build/screenshots/tensorboard.png docs/pictures/
	@$(python) -m tools.pictures

build: environment  ## Build the solution notebooks and the student notebooks from solutions/*/*.py
	@$(python) -m tutor.cli build

grade-demo: environment  ## Grade a made-up class and open formgrader (options: make grade-demo DEMO_ARGS="--no-browser", or --no-lab)
	@$(python) -m tutor.grading.demo $(DEMO_ARGS)

student-bundle: environment  ## Pack what learners get, into build/student-bundle.zip (options: make student-bundle BUNDLE_ARGS="--branch students")
	@$(python) -m tutor.cli bundle $(BUNDLE_ARGS)

book: environment  ## Make a website of all chapters, in build/book (options: make book BOOK_ARGS="--repository OWNER/NAME")
	@$(python) -m tutor.cli book $(BOOK_ARGS)

hub: environment  ## Run a JupyterHub for a class on this machine, as root (options: make hub HUB_ARGS="--folder /srv/course")
	@$(python) deploy/jupyterhub/start.py $(HUB_ARGS)

bench: environment  ## Measure against peers (options: make bench BENCH="import_check")
	@$(python) -m bench $(BENCH)

bench-install: environment  ## Time this installation against a bare pip install (slow; some 12 GB of disk meanwhile)
	@$(python) -m bench install

lint: environment  ## Check style and types
	@$(python) -m ruff check .
	@$(python) -m ruff format --check .
	@$(python) -m mypy

format: environment  ## Put the code into the common format
	@$(python) -m ruff format .
	@$(python) -m ruff check --fix .

constraints:  ## Resolve pyproject.toml anew to the newest versions and write constraints.txt
	@"$(PYTHON)" tools/constraints.py

environment:  ## Make .venv, or mend it; the targets above do so by themselves
	@command -v "$(PYTHON)" >/dev/null || { echo "There is no $(PYTHON) here: install Python 3.11 or newer, or name one," \
	    "as in 'make $(or $(firstword $(MAKECMDGOALS)),lab) PYTHON=/path/to/python3.12'." >&2; exit 1; }
	@COURSE_GOAL="$(or $(firstword $(MAKECMDGOALS)),lab)" "$(PYTHON)" tools/environment.py
