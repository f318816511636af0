"""A fork's own world inside the sandbox: namespaces, one small writable folder, nothing else that can be changed.

The warm process forks it as the first of a new process namespace, so that with it ends all that it ever started, and
the fork does the rest. Raises OSError, which says what could not be had, wherever the system doesn't allow it.
"""

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Iterator, Sequence

_C = ctypes.CDLL(None, use_errno=True)
_NEW_MOUNTS, _NEW_UTS, _NEW_IPC = 0x00020000, 0x04000000, 0x08000000
_NEW_USERS, _NEW_PROCESSES, _NEW_NETWORK = 0x10000000, 0x20000000, 0x40000000
_READ_ONLY, _NO_SETUID, _NO_DEVICES, _BIND, _RECURSIVE, _PRIVATE = 1, 2, 4, 4096, 16384, 1 << 18
_SIOCSIFFLAGS, _UP = 0x8914, 1
_MOST_FILES = 20_000  # in the folder; each takes some of the kernel's memory


@contextlib.contextmanager
def process_namespace() -> Iterator[None]:
    """Have what is forked inside be the first process of a new namespace; this process stays in its own."""
    own = os.open("/proc/self/ns/pid", os.O_RDONLY)
    try:
        _check(_C.unshare(_NEW_PROCESSES), "a process namespace")
        yield
        _check(_C.setns(own, _NEW_PROCESSES), "its old process namespace again")
    finally:
        os.close(own)


def other_namespaces() -> None:
    """Enter new user, mount, network, IPC and host name namespaces, as the same user, with a loopback of its own."""
    user, group = os.getuid(), os.getgid()
    flags = _NEW_USERS | _NEW_MOUNTS | _NEW_NETWORK | _NEW_IPC | _NEW_UTS
    _check(_C.unshare(flags), "namespaces")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", _UP))


def mounts(folder: str, disk_mb: int, below_tmp: Sequence[str]) -> None:
    """Put a fresh file system over a folder, which then is also /tmp and /dev/shm, and hide /proc.

    below_tmp: what has to stay visible below /tmp.
    """
    _mount("none", "/", "", _RECURSIVE | _PRIVATE)
    _mount("tmpfs", folder, "tmpfs", _NO_SETUID | _NO_DEVICES, f"size={disk_mb}m,nr_inodes={_MOST_FILES},mode=0700")
    for place in ("tmp", "shm"):
        os.mkdir(f"{folder}/{place}")
    for path in below_tmp:
        within = f"{folder}/tmp/{os.path.relpath(path, '/tmp')}"
        os.makedirs(within)
        _mount(path, within, "", _BIND | _RECURSIVE)
    _mount(f"{folder}/tmp", "/tmp", "", _BIND | _RECURSIVE)
    _mount(f"{folder}/shm", "/dev/shm", "", _BIND)
    _mount("tmpfs", "/proc", "tmpfs", _READ_ONLY | _NO_SETUID | _NO_DEVICES, "size=4k")


def _mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    arguments = (os.fsencode(text) for text in (source, target, kind))
    _check(_C.mount(*arguments, ctypes.c_ulong(flags), os.fsencode(options)), f"a file system at {target}")


def _check(result: int, wish: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{os.strerror(number)}: {wish}")
