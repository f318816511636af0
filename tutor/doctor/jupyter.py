"""JupyterLab: its extensions, the kernel that runs the notebooks, and the port."""

import os
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tutor.doctor.finding import Finding, command, pip_install

PORT = 8888
# Extension → the package that it comes with, for JupyterLab's pages and for its server.
IN_PAGES = {"@jupyter/nbgrader": "nbgrader", "@jupyter-widgets/jupyterlab-manager": "jupyterlab_widgets"}
IN_SERVER = {
    "jupyterlab": "jupyterlab",
    "nbgrader.server_extensions.assignment_list": "nbgrader",
    "nbgrader.server_extensions.validate_assignment": "nbgrader",
}
FOR_INSTRUCTORS = ("nbgrader.server_extensions.course_list", "nbgrader.server_extensions.formgrader")


def _jupyter(*words: str) -> str:
    return command(sys.executable, "-m", "jupyter", *words)


def in_pages(folders: Sequence[str] | None = None) -> Iterator[Finding]:
    """Look at the extensions of JupyterLab's pages; folders: where they lie (default: where JupyterLab looks)."""
    from jupyter_core.paths import jupyter_path
    from jupyterlab_server.config import get_page_config

    page = get_page_config(list(folders) if folders is not None else jupyter_path("labextensions"))
    there = {extension["name"] for extension in page["federated_extensions"]}
    off = sorted(page["disabledExtensions"])
    fine = True
    for name, package in IN_PAGES.items():
        parts = [part for part in off if part.startswith(f"{name}:")]
        if name not in there:
            what = f"JupyterLab's extension {name} is missing."
            how = f"Install it: {pip_install('--force-reinstall', '--no-deps', package)}."
        elif name in off:
            what = f"JupyterLab's extension {name} is switched off."
            how = f"Switch it on: {_jupyter('labextension', 'enable', name)}."
        elif parts:
            what = f"Parts of JupyterLab's extension {name} are switched off ({', '.join(parts)})."
            how = f"If that isn't meant so, switch them on: {_jupyter('labextension', 'enable', *parts)}."
        else:
            continue
        fine = False
        yield Finding("JupyterLab", "mend" if name in off or name not in there else "note", what, how)
    if fine:
        yield Finding("JupyterLab", "ok", "The extensions of JupyterLab's pages, nbgrader's and the widgets', are on.")


def in_server(folders: Sequence[str] | None = None) -> Iterator[Finding]:
    """Look at the extensions of Jupyter's server; folders: of its settings (default: where Jupyter looks)."""
    from jupyter_core.paths import jupyter_config_path
    from jupyter_server.services.config.manager import ConfigManager

    settings: Any = ConfigManager(read_config_path=list(folders) if folders is not None else jupyter_config_path())
    on = settings.get("jupyter_server_config").get("ServerApp", {}).get("jpserver_extensions", {})
    fine = True
    for name in (*IN_SERVER, *FOR_INSTRUCTORS):
        if on.get(name):
            continue
        fine = False
        switched_on = _jupyter("server", "extension", "enable", name)
        if name in FOR_INSTRUCTORS:
            what, how = (
                f"The server's extension {name} is off; only instructors need it.",
                f"To have it: {switched_on}.",
            )
            yield Finding("Jupyter server", "note", what, how)
        elif name in on:
            what = f"The server's extension {name} is switched off."
            yield Finding("Jupyter server", "mend", what, f"Switch it on: {switched_on}.")
        else:
            how = f"Install it: {pip_install('--force-reinstall', '--no-deps', IN_SERVER[name])}."
            yield Finding("Jupyter server", "mend", f"The server's extension {name} is missing.", how)
    if fine:
        yield Finding("Jupyter server", "ok", "The server's extensions, JupyterLab and nbgrader's four, are on.")


def kernel(folders: Sequence[str] | None = None, executable: str = sys.executable) -> Iterator[Finding]:
    """Look at the kernel that notebooks run in; folders: of kernels (default: where Jupyter looks)."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    manager = KernelSpecManager() if folders is None else KernelSpecManager(kernel_dirs=list(folders))
    try:
        spec: Any = manager.get_kernel_spec("python3")
    except NoSuchKernel:
        again = pip_install("--force-reinstall", "--no-deps", "ipykernel")
        yield Finding(
            "kernel", "mend", "There is no kernel python3, in which the notebooks run.", f"Install it: {again}."
        )
        return
    program = Path(spec.argv[0])
    # jupyter_client starts the Python that it runs in itself where a kernel says just that.
    own = {"python", "python{}".format(*sys.version_info), "python{}.{}".format(*sys.version_info)}
    # In one environment there are several names for one Python; in one folder there may be several Pythons.
    beside = program.parent == Path(executable).parent and program.exists() and program.samefile(executable)
    if spec.argv[0] in own or beside:
        yield Finding("kernel", "ok", "The notebooks' kernel python3 is this Python.")
        return
    where = f"another Python's ({program})" if program.exists() else f"that of a Python that is gone ({program})"
    yield Finding(
        "kernel",
        "mend",
        f"The notebooks' kernel python3 is {where}: what is installed here isn't found in notebooks.",
        f"Take away {spec.resource_dir}, and this Python's own is used: {_jupyter('kernelspec', 'remove', 'python3')}.",
    )


def port(number: int = PORT, host: str = "127.0.0.1") -> Iterator[Finding]:
    """Look whether JupyterLab's port is free."""
    with socket.socket() as attempt:
        if os.name == "posix":  # as servers do; elsewhere the option would hide a port in use
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((host, number))
        except OSError as error:
            what = f"Port {number} is taken ({error.strerror}), perhaps by a JupyterLab that runs already."
            how = (
                f"JupyterLab then takes the next free one by itself; {_jupyter('server', 'list')} shows what runs, and "
                '`--port 8899`, or `make lab LAB_ARGS="--port 8899"`, asks for another one.'
            )
            yield Finding("port", "note", what, how)
            return
    yield Finding("port", "ok", f"Port {number}, JupyterLab's, is free.")
