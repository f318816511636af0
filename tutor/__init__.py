"""Layer by Layer: write the layers of a convolutional network, and be told in words what is wrong.

``import tutor`` loads nothing heavy; each public name below is imported at its first use.
"""

from importlib import import_module
from typing import Any

_HOME = {
    "check": "tutor.checking.notebook",
    "hint": "tutor.checking.notebook",
    "progress": "tutor.checking.progress",
    "data": "tutor",
    "board": "tutor",
    "explorers": "tutor",
    "plots": "tutor",
    "training": "tutor",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562)."""
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'tutor' has no attribute {name!r}; it offers {', '.join(__all__)}")
    value = import_module(f"tutor.{name}") if home == "tutor" else getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
