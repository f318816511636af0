"""Whether PyTorch and what comes with it can be imported, tried in a Python of its own: it may end that Python."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata

from tutor.doctor.finding import Finding, pip_install

TRIED = ("torch", "torchvision", "matplotlib.pyplot", "tensorboard.program", "torch.utils.tensorboard")
_SECONDS = 300  # from a slow disk; reached only when an import hangs
_TRY = """
import importlib, json, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
        error = None
    except BaseException as raised:
        lines = str(raised).strip().splitlines() or [""]
        error = f"{type(raised).__name__}: {lines[0][:200]}"
    print(json.dumps([name, error]), file=sys.__stdout__, flush=True)
    if error and name == "torch":
        break  # the others fail with it
"""


def imports(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Import what is heavy; environment: of the Python that does. Takes seconds."""
    errors = _tried(environment)
    wrong = {name: error for name, error in errors.items() if error}
    if "tensorboard.program" in wrong:
        wrong.pop("torch.utils.tensorboard", None)  # for the same reason
    for name, error in wrong.items():
        yield _torch(name, error) if name in ("torch", "torchvision") else _other(name, error)
    if not wrong:
        yield Finding("PyTorch", "ok", "torch, torchvision, matplotlib and TensorBoard can be imported.")


def _tried(environment: Mapping[str, str]) -> dict[str, str | None]:
    """Return why each module can't be imported; None where it can. Nothing comes after torch where that fails."""
    errors: dict[str, str | None] = {}
    while len(errors) < len(TRIED):
        left = TRIED[len(errors) :]
        command = [sys.executable, "-c", _TRY, *left]
        try:
            done = subprocess.run(command, env=dict(environment), capture_output=True, timeout=_SECONDS)
        except subprocess.TimeoutExpired as late:
            output, ended = late.stdout or b"", f"it had not ended after {_SECONDS} s"
        else:
            output, ended = done.stdout, _end(done.returncode)
        told = [json.loads(line) for line in output.decode(errors="replace").splitlines() if line.startswith("[")]
        errors.update({name: error for name, error in told})
        if errors.get("torch"):
            break
        if len(told) < len(left):
            errors[left[len(told)]] = ended
            if left[len(told)] == "torch":
                break
    return errors


def _end(status: int) -> str:
    """Say how a Python ended that said nothing any more."""
    if status < 0:
        return f"Python itself ended with the signal {signal.Signals(-status).name}"
    return f"Python itself ended with the status {status}"


def _version(name: str) -> str:
    try:
        return f"{name} {metadata.version(name)}"
    except metadata.PackageNotFoundError:
        return name


def _torch(name: str, error: str) -> Finding:
    """Say what is wrong with torch or torchvision, which have to be of one build."""
    if error.startswith("ModuleNotFoundError") and f"'{name}'" in error:
        return Finding("PyTorch", "mend", f"{name} is missing.", f"Install it: {pip_install('torch', 'torchvision')}.")
    again = f"Install both again, in one go: {pip_install('--force-reinstall', 'torch', 'torchvision')}."
    if name == "torchvision":
        what = f"{_version('torch')} and {_version('torchvision')} don't fit together ({error})."
        return Finding("PyTorch", "mend", what, again)
    return Finding("PyTorch", "mend", f"{_version('torch')} is there but can't be imported ({error}).", again)


def _other(name: str, error: str) -> Finding:
    """Say what is wrong with matplotlib or TensorBoard."""
    package = "matplotlib" if name.startswith("matplotlib") else "tensorboard"
    subject, lost = (
        ("TensorBoard", "its views stay empty") if package == "tensorboard" else ("plots", "there are no plots")
    )
    if error.startswith("ModuleNotFoundError") and f"'{package}" in error:
        what, how = f"{package} is missing, so {lost}.", pip_install(package)
    else:
        what, how = (
            f"{_version(package)} can't be imported ({error}), so {lost}.",
            pip_install("--force-reinstall", package),
        )
    return Finding(subject, "mend", what, f"Install it: {how}.")


def own_environment() -> dict[str, str]:
    """Return this process's environment, for a Python that finds the same modules."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
