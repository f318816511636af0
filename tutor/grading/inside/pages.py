"""Memory in large pages, which makes forks cheap: what takes time in a fork, and at its end, is its table of pages."""

import ctypes

_C = ctypes.CDLL(None, use_errno=True)
_MADV_COLLAPSE = 25
_LARGE = 2 << 20  # bytes


def use_large_pages() -> None:
    """Have the system put this process's own memory into large pages as far as it can; before Linux 6.1 it can't.

    With torch imported that takes half a second, and a fork and its end afterwards a third of the time.
    """
    _C.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    with open("/proc/self/maps", encoding="utf-8") as file:
        lines = [line.split() for line in file]
    for span, rights, _, _, inode, *_ in lines:
        if rights == "rw-p" and inode == "0":
            first, last = (int(address, 16) for address in span.split("-"))
            for start in range(-(-first // _LARGE) * _LARGE, last - _LARGE + 1, _LARGE):
                _C.madvise(start, _LARGE, _MADV_COLLAPSE)  # a wish: refused where nothing is in memory
