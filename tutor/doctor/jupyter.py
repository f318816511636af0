"""JupyterLab: its extensions, the kernel that runs the notebooks, and the port."""

import os
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tutor.doctor.finding import Finding, command, grading_is_here, pip_install
from tutor.places import checkout

PORT = 8888
# Extension → the package that it comes with, for JupyterLab's pages and for its server. Those of nbgrader are asked for
# only where grading is part of this copy of the course.
IN_PAGES = {"@jupyter/nbgrader": "nbgrader", "@jupyter-widgets/jupyterlab-manager": "jupyterlab_widgets"}
IN_SERVER = {
    "jupyterlab": "jupyterlab",
    "jupyter_server_proxy": "jupyter-server-proxy",  # through which the browser reaches TensorBoard
    "nbgrader.server_extensions.assignment_list": "nbgrader",
    "nbgrader.server_extensions.validate_assignment": "nbgrader",
}
FOR_INSTRUCTORS = ("nbgrader.server_extensions.course_list", "nbgrader.server_extensions.formgrader")


def _asked(extensions: Mapping[str, str]) -> dict[str, str]:
    """Return the extensions that this copy of the course needs."""
    return {name: package for name, package in extensions.items() if package != "nbgrader" or grading_is_here()}


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
    for name, package in _asked(IN_PAGES).items():
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
        these = "nbgrader's and the widgets'" if grading_is_here() else "the widgets'"
        yield Finding("JupyterLab", "ok", f"The extensions of JupyterLab's pages, {these}, are on.")


def in_server(folders: Sequence[str] | None = None) -> Iterator[Finding]:
    """Look at the extensions of Jupyter's server; folders: of its settings (default: where Jupyter looks)."""
    from jupyter_core.paths import jupyter_config_path
    from jupyter_server.services.config.manager import ConfigManager

    settings: Any = ConfigManager(read_config_path=list(folders) if folders is not None else jupyter_config_path())
    on = settings.get("jupyter_server_config").get("ServerApp", {}).get("jpserver_extensions", {})
    fine = True
    for name in (*_asked(IN_SERVER), *(FOR_INSTRUCTORS if grading_is_here() else ())):
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
        these = "JupyterLab, its proxy and nbgrader's four" if grading_is_here() else "JupyterLab and its proxy"
        yield Finding("Jupyter server", "ok", f"The server's extensions, {these}, are on.")


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
            with_make = ', or `make lab LAB_ARGS="--port 8899"`,' if checkout() else ""
            how = (
                f"JupyterLab then takes the next free one by itself; {_jupyter('server', 'list')} shows what runs, and "
                f"`--port 8899`{with_make} asks for another one."
            )
            yield Finding("port", "note", what, how)
            return
    yield Finding("port", "ok", f"Port {number}, JupyterLab's, is free.")
