"""What a process gives up for good before a learner's code runs in it: capabilities, and system calls nobody needs."""

import ctypes
import errno
import os
import platform
import socket
import struct

_C = ctypes.CDLL(None, use_errno=True)
_PR_SET_DUMPABLE = 4
_PR_SET_SECCOMP = 22
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_SECCOMP_MODE_FILTER = 2
_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522

# Ways to more privileges, to memory that no limit counts, into other processes, or to wide and young parts of the kernel.
# Name → numbers on x86-64 and on 64-bit ARM.
REFUSED = {
    "add_key": (248, 217),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "io_uring_setup": (425, 425),
    "keyctl": (250, 219),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "mq_open": (240, 180),
    "msgget": (68, 186),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "request_key": (249, 218),
    "semget": (64, 190),
    "setns": (308, 268),
    "shmget": (29, 194),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
}
_CLONE, _CLONE3, _MMAP, _SOCKET = (56, 220), 435, (9, 222), (41, 198)
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # place above, AUDIT_ARCH
_NEW_NAMESPACES = 0x7E020000  # every CLONE_NEW… flag
_SHARED_ANONYMOUS = 0x21  # memory that outlives its mapping uncounted; files in the working folder are counted
# The rest is the same in every network namespace (AF_VSOCK, a way out of a virtual machine), or rare.
_FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK)
_X32 = 0x40000000

# Classic BPF over struct seccomp_data: number at 0, architecture at 4, the arguments, 8 bytes each, from 16 on.
_ARGUMENTS = 16
_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
_KILL, _ERROR, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000


def become(user: int) -> None:
    """Become an ordinary user and group for good; only root can."""
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    _check(_C.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0))  # or its own /proc/self would stay root's


def give_up_capabilities() -> None:
    """Drop all capabilities, those that a program could get by being run included."""
    _check(_C.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    _check(_C.prctl(_PR_CAP_AMBIENT, _CLEAR_ALL, 0, 0, 0))
    capability = 0
    while _C.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) == 0:
        capability += 1
    if ctypes.get_errno() != errno.EINVAL or not capability:  # EINVAL: there are no more
        _check(-1)
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    _check(_C.capset(header, bytes(24)))


def refuse_system_calls() -> None:
    """Have the system refuse, to this process and all that it starts, what is of no use to honest code.

    Needs ``give_up_capabilities`` before it. Raises OSError on a processor other than x86-64 and 64-bit ARM.
    """
    if platform.machine() not in _MACHINES:
        raise OSError(errno.ENOSYS, f"no list of system calls for {platform.machine()} processors")
    place, architecture = _MACHINES[platform.machine()]
    program = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    if platform.machine() == "x86_64":  # whose third way to number the calls nobody uses
        program += [(_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _KILL)]
    refuse = (_RETURN, 0, 0, _ERROR | errno.EPERM)
    for numbers in REFUSED.values():
        program += [(_EQUAL, 0, 1, numbers[place]), refuse]
    # The flags of clone3 lie in memory, where no filter sees them; without it the C library takes clone.
    program += [(_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, _ERROR | errno.ENOSYS)]
    program += [
        *((_EQUAL, 0, 5, _CLONE[place]), (_LOAD, 0, 0, _ARGUMENTS), (_AND, 0, 0, _NEW_NAMESPACES)),
        *((_EQUAL, 1, 0, 0), refuse, (_RETURN, 0, 0, _ALLOW)),
        *((_EQUAL, 0, 5, _MMAP[place]), (_LOAD, 0, 0, _ARGUMENTS + 3 * 8), (_AND, 0, 0, _SHARED_ANONYMOUS)),
        *((_EQUAL, 0, 1, _SHARED_ANONYMOUS), refuse, (_RETURN, 0, 0, _ALLOW)),
        *((_EQUAL, 0, 2 + len(_FAMILIES), _SOCKET[place]), (_LOAD, 0, 0, _ARGUMENTS)),
        *((_EQUAL, left, 0, family) for left, family in zip(range(len(_FAMILIES), 0, -1), _FAMILIES, strict=True)),
        *((_RETURN, 0, 0, _ERROR | errno.EAFNOSUPPORT), (_RETURN, 0, 0, _ALLOW)),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in program))
    filters = _Program(len(program), ctypes.addressof(code))
    _check(_C.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(filters), 0, 0))


class _Program(ctypes.Structure):
    """The kernel's struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("lines", ctypes.c_void_p))


def _check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
