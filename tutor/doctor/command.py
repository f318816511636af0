"""The command ``tutor doctor``: every probe in turn, a line or two for each finding, and an exit status."""

import argparse
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict

from tutor.doctor import folders, importing, jupyter, packages, pictures, python, sandbox
from tutor.doctor.finding import Finding, install_again, pip_install
from tutor.places import build_folder, checkout

Probe = Callable[[], Iterable[Finding]]
SIGNS = {"ok": "✓", "note": "!", "mend": "✗"}


def probes() -> list[tuple[str, Probe]]:
    """Return (what is looked at, the probe) of this very installation."""
    top, build = checkout(), build_folder()
    chapters = sorted(path.parent for path in top.glob("notebooks/*/*.ipynb")) if top else []
    # What Jupyter, started at the checkout's top, finds first, whatever this command finds.
    path = [str(top), *sys.path] if top else sys.path
    return [
        ("Python", python.version),
        ("course", lambda: packages.course(top, path)),
        ("alembic", python.programs),
        ("packages", lambda: packages.needed(packages.requirements(top), sys.path)),
        ("PyTorch", lambda: importing.imports(importing.own_environment())),
        ("JupyterLab", jupyter.in_pages),
        ("Jupyter server", jupyter.in_server),
        ("kernel", jupyter.kernel),
        ("port", jupyter.port),
        ("folders", lambda: folders.writable([build, *chapters])),
        ("disk", lambda: folders.disk(build)),
        ("pictures", lambda: pictures.pictures(os.environ.get("TUTOR_DATA", ""), os.environ.get("CIFAR10_ROOT", ""))),
        ("grading", sandbox.sandbox),
    ]


def examine(subject: str, probe: Probe) -> Iterator[Finding]:
    """Yield a probe's findings; where it can't look itself, because something is broken or missing, that is the finding."""
    try:
        yield from probe()
    except ModuleNotFoundError as error:
        what = f"This can't be looked at, because a package is missing ({error})."
        name = (error.name or "tutor").partition(".")[
            0
        ]  # of the packages that probes import, their names are those of the modules
        again = install_again() if name == "tutor" else f"Install it: {pip_install(name)}."
        yield Finding(subject, "mend", what, again)
    except Exception as error:  # of whatever kind: a broken package raises what it likes
        what = f"This can't be looked at ({type(error).__name__}: {error})."
        yield Finding(subject, "mend", what, f"Mend what else is named here, and look again. Else: {install_again()}")


def doctor(options: argparse.Namespace, these: list[tuple[str, Probe]] | None = None) -> int:
    """Print what is wrong here and how to mend it; return 0 where all is well, 1 where there is something to mend.

    options.json: print one JSON object instead. these: the probes (default: all there are).
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no such sign has the word beside it
    found: list[Finding] = []
    for subject, probe in these if these is not None else probes():
        if found and found[-1].last:
            break
        if subject == "PyTorch":
            print("Importing PyTorch and TensorBoard takes some seconds ...", file=sys.stderr, flush=True)
        for finding in examine(subject, probe):
            found.append(finding)
            if not options.json:
                print(line(finding), flush=True)
    wrong = sum(finding.state == "mend" for finding in found)
    if options.json:
        print(json.dumps({"well": not wrong, "findings": [told(finding) for finding in found]}, indent=2))
    elif wrong:
        print(f"\n{wrong} to mend; then look again: tutor doctor")
    else:
        opens = "make lab, or jupyter lab, opens" if checkout() else "the README says, under Work, what opens"
        print(f"\nAll is well: {opens} the notebooks.")
    return 1 if wrong else 0


def told(finding: Finding) -> dict[str, str]:
    """Return what ``--json`` says of a finding."""
    return {name: str(value) for name, value in asdict(finding).items() if name != "last"}


def line(finding: Finding) -> str:
    """Return what is printed of a finding: sign, word and sentence, and below it how to mend it."""
    first = f"{SIGNS[finding.state]} {finding.state:4}  {finding.subject}: {finding.what}"
    return f"{first}\n        {finding.how}" if finding.how else first
