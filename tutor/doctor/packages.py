"""What is installed: the course itself, and what it needs in the versions that it needs."""

import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from tutor.doctor.finding import Finding, activation, command, install_again, pip_install

NAME = "layer-by-layer"


def course(top: Path | None, path: Sequence[str]) -> Iterator[Finding]:
    """Look at what Python knows of the course: whether it is installed, and with the programs that pyproject.toml lists.

    top: the checkout, if there is one. path: the folders that Python imports from. Where Python runs in the checkout,
    that comes first among them, and an egg-info that an old installation has left there hides what is installed now.
    """
    known = list(metadata.distributions(name=NAME, path=list(dict.fromkeys(path))))
    if not known:
        what = f"The course isn't installed in this Python ({sys.executable})."
        environment = top / ".venv" if top else None
        if environment and environment.is_dir() and environment != Path(sys.prefix):
            yield Finding(
                "course", "mend", what, f"It is in {environment}, so activate that: {activation(environment)}.", True
            )
        elif sys.prefix == sys.base_prefix and not Path(sys.prefix, "conda-meta").is_dir():
            made = f"`make environment`, or {command(sys.executable, '-m', 'venv', str(environment or '.venv'))}"
            yield Finding(
                "course", "mend", what, f"Make an environment for it ({made}), activate it, and look again.", True
            )
        else:
            yield Finding("course", "mend", what, install_again())
        return
    fine = True
    for distribution in known if top else []:
        lacking = sorted(_entry_points(top) - {(point.group, point.name) for point in distribution.entry_points})
        if lacking:
            fine = False
            names = ", ".join(name for _, name in lacking)
            where = distribution.locate_file("")
            what = f"What is noted of the installed course in {where} is out of date: it lacks {names}"
            what += ", and hides what is installed now." if str(where) == str(top) else "."
            again = pip_install("--no-deps", "--editable", str(top))
            yield Finding("course", "mend", what, f"Have it written anew: {again}.")
    if fine:
        yield Finding("course", "ok", f"The course is installed (version {known[0].version}).")


def _entry_points(top: Path | None) -> set[tuple[str, str]]:
    """Return the group and name of every entry point in the checkout's pyproject.toml."""
    project = _project(top)
    groups = {"console_scripts": project.get("scripts", {}), **project.get("entry-points", {})}
    return {(group, name) for group, points in groups.items() for name in points}


def requirements(top: Path | None) -> list[str]:
    """Return what the course needs: by the checkout's pyproject.toml, else by what was noted when it was installed.

    The latter has what the extras need too, marked so. Raises PackageNotFoundError where the course isn't installed.
    """
    if top:
        return list(_project(top).get("dependencies", []))
    return metadata.requires(NAME) or []


def _project(top: Path | None) -> dict[str, Any]:
    file = top / "pyproject.toml" if top else None
    if file is None or not file.is_file():
        return {}
    project: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
    return project


def _version(known: metadata.Distribution) -> str | None:
    """Return a package's version; None where its metadata is gone, which the backport importlib_metadata raises."""
    try:
        return known.metadata["Version"]
    except FileNotFoundError:
        return None


def needed(wanted: Iterable[str], path: Sequence[str]) -> Iterator[Finding]:
    """Look for packages in the folders that Python imports from; wanted: such as "torch>=2.6"."""
    from packaging.requirements import Requirement

    fine = 0
    for requirement in map(Requirement, wanted):
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        found = [_version(known) for known in metadata.distributions(name=requirement.name, path=list(path))]
        bounds = requirement.specifier
        if not found:
            what = f"The package {requirement.name} is missing."
        elif found[0] is None:
            what = f"The package {requirement.name} is only half installed."
        elif not bounds.contains(found[0], prereleases=True):
            what = f"The package {requirement.name} is {found[0]} here, and the course needs {bounds}."
        else:
            fine += 1
            continue
        plain = f"{requirement.name}{bounds}"
        again = ["--force-reinstall", plain] if found and found[0] is None else ["--upgrade", plain]
        yield Finding("packages", "mend", what, f"Install it: {pip_install(*again)}.")
    if fine:
        yield Finding("packages", "ok", f"{fine} packages that the course needs are there, and new enough.")
