"""The kernel provisioner ``tutor-warm``: jupyter_client starts kernels through it as it starts its own."""

import asyncio
import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from tutor.grading.warm.errors import WarmError
from tutor.grading.warm.kernel import WarmKernel
from tutor.grading.warm.owner import HOUSEHOLD

LAUNCHER = ["-m", "ipykernel_launcher"]
_SECONDS_TO_DIE = 5.0


class WarmProvisioner(LocalProvisioner):
    """Gets kernels from a warm process; their lives are managed as those of jupyter_client's own local kernels.

    The transport is ipc, whatever the manager was to use: a path of its own for each kernel, in a private folder.
    """

    _warm: WarmKernel | None = None
    _socket_prefix = ""

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Set the transport, and prepare the rest as for a local kernel."""
        if sys.platform != "linux":
            raise WarmError(f"Warm kernels need Linux, and this is {sys.platform}: use the kernel python3 instead.")
        manager = self.parent
        if manager is not None:
            self._socket_prefix = self._socket_prefix or HOUSEHOLD.socket_prefix()  # the same after a restart
            manager.transport = "ipc"
            manager.cache_ports = False
            manager.ip = self._socket_prefix
        return await super().pre_launch(**kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork a kernel. Of the arguments of Popen, ``env``, ``cwd``, ``stdout`` and ``stderr`` count.

        Raises WarmError when that isn't possible, in one sentence that says why.
        """
        if cmd[1:3] != LAUNCHER:
            raise WarmError(f"The kernelspec's command must begin with python {' '.join(LAUNCHER)}, not {cmd[:3]}.")
        if kwargs.get("independent"):
            raise WarmError(
                "A warm kernel can't outlive the program that started it: start it without independent=True."
            )
        environment = dict(kwargs.get("env") or os.environ)
        folder = Path(kwargs.get("cwd") or Path.cwd()).absolute()
        with contextlib.ExitStack() as opened:
            streams = [_descriptor(kwargs.get(name), own, opened) for name, own in (("stdout", 1), ("stderr", 2))]
            self._warm = await asyncio.to_thread(_fork, cmd, environment, str(folder), streams)
        self.process = cast(Any, self._warm)  # has what LocalProvisioner uses of a Popen
        self.pid = self._warm.pid
        self.cwd = folder
        return self.connection_info

    async def poll(self) -> int | None:
        """Return the exit code once the kernel has ended, and say so in the log where something else ended it."""
        code = await super().poll()
        if self._warm is not None and self._warm.why:
            self.log.error("The warm kernel %s ended because %s.", self.kernel_id, self._warm.why)
            self._warm = None
        return code

    async def kill(self, restart: bool = False) -> None:
        """Kill the kernel and wait until it and all its descendants are gone."""
        await super().kill(restart=restart)
        if self._warm is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):  # the manager waits once more, and says so
                await asyncio.to_thread(self._warm.wait, _SECONDS_TO_DIE)


def _fork(command: list[str], environment: dict[str, str], folder: str, streams: list[int]) -> WarmKernel:
    zygote = HOUSEHOLD.zygote(command[0], environment)
    return zygote.fork(command[len(LAUNCHER) + 1 :], environment, folder, streams)


def _descriptor(stream: Any, own: int, opened: contextlib.ExitStack) -> int:
    """Return the descriptor for one of the kernel's streams, given as Popen takes it; None means this process's own."""
    if stream == subprocess.PIPE:
        raise WarmError("A warm kernel's output can't be had through a pipe made for it: give an open file instead.")
    if stream == subprocess.STDOUT:
        raise WarmError("A warm kernel's errors can't be sent to its output: give both the same open file instead.")
    if stream is None:
        with contextlib.suppress(OSError):
            os.fstat(own)
            return own
        stream = subprocess.DEVNULL  # this process's own is closed
    if stream == subprocess.DEVNULL:
        return opened.enter_context(open(os.devnull, "wb")).fileno()
    return stream if isinstance(stream, int) else int(stream.fileno())
