"""The IPython that a learner's cells run in: what they show is kept, up to a limit, and goes nowhere else."""

from __future__ import annotations

import ast
import io
import subprocess
import sys
import time
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from tutor.checking.limiting import TooSlow, within

Output = dict[str, Any]
CUT = "\n[What comes after this was left out: a cell may show only so much.]\n"
PROMPTS = (">>>", "...", "In [")  # of Python and IPython


class Shown:
    """The outputs of one cell as nbformat has them, up to ``room`` characters in all."""

    def __init__(self, room: int) -> None:
        self.outputs: list[Output] = []
        self._room = room
        self._full = False

    def add(self, output: Output, size: int) -> None:
        """Keep an output of about ``size`` characters, if there is still room for it."""
        if size <= self._room:
            self._room -= size
            self.outputs.append(output)
        else:
            self._close()

    def write(self, name: str, text: str) -> None:
        """Keep what is printed; one stream's text stays together."""
        if self._full or not text:
            return
        kept = text[: self._room]
        self._room -= len(kept)
        self._append(name, kept)
        if len(kept) < len(text):
            self._close()

    def clear(self) -> None:
        """Forget what was shown, as ``clear_output`` asks."""
        self.outputs = []

    def _append(self, name: str, text: str) -> None:
        last = self.outputs[-1] if self.outputs else {}
        if last.get("name") == name:
            last["text"] += text
        else:
            self.outputs.append({"output_type": "stream", "name": name, "text": text})

    def _close(self) -> None:
        if not self._full:
            self._full, self._room = True, 0
            self._append("stdout", CUT)


class _Stream(io.TextIOBase):
    """Standard output or error of a cell."""

    encoding = "utf-8"

    def __init__(self, shell: Shell, name: str) -> None:
        super().__init__()
        self._shell, self.name = shell, name

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._shell.shown.write(self.name, text)
        return len(text)


class _Publisher(DisplayPublisher):
    def publish(self, data: Any, metadata: Any = None, source: Any = None, **more: Any) -> None:
        output = {"output_type": "display_data", "data": dict(data), "metadata": dict(metadata or {})}
        _shell(self).shown.add(output, _size(data))

    def clear_output(self, wait: bool = False) -> None:
        _shell(self).shown.clear()


class _Hook(DisplayHook):
    def write_output_prompt(self) -> None:
        """Print nothing: a notebook shows the number of a result beside it."""

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        output = {
            "output_type": "execute_result",
            "data": dict(format_dict),
            "metadata": dict(md_dict or {}),
            "execution_count": self.prompt_count,
        }
        _shell(self).shown.add(output, _size(format_dict))

    def finish_displayhook(self) -> None:
        """Print nothing."""


def _shell(part: Any) -> Shell:
    shell: Shell = part.shell
    return shell


def _size(data: Any) -> int:
    return sum(len(held) for held in dict(data).values() if isinstance(held, str | bytes))


class Shell(InteractiveShell):
    """An IPython without a terminal, a kernel, a history or a profile."""

    displayhook_class = Type(_Hook)
    display_pub_class = Type(_Publisher)

    def __init__(self, **options: Any) -> None:
        self.shown = Shown(0)
        config = Config()
        config.HistoryManager.enabled = False
        super().__init__(config=config, **options)  # type: ignore[no-untyped-call]
        self.colors = "nocolor"
        self._transformers = list(self.input_transformers_cleanup)

    def run(self, text: str, seconds: float, room: int) -> list[Output]:
        """Run one cell and return its outputs; one that takes longer than ``seconds`` is stopped.

        room: the characters of output that are kept.
        """
        self.shown = shown = Shown(room)
        streams, began = (sys.stdout, sys.stderr), time.monotonic()
        sys.stdout, sys.stderr = _Stream(self, "stdout"), _Stream(self, "stderr")
        try:
            within(seconds, self.run_cell, text, True)
        except TooSlow:
            pass  # told below: struck in the middle of IPython's own work, it may not have come this far
        except BaseException as error:  # IPython shows whatever a cell raises; this is somebody breaking IPython
            said = type(error).__name__
            shown.add({"output_type": "error", "ename": said, "evalue": "", "traceback": [said]}, 0)
        finally:
            sys.stdout, sys.stderr = streams
        if time.monotonic() - began >= seconds:
            said = f"This cell was stopped after {seconds:g} seconds."
            shown.outputs.append(
                {"output_type": "error", "ename": "TooSlow", "evalue": said, "traceback": [f"TooSlow: {said}"]}
            )
        return shown.outputs

    def transform_cell(self, raw_cell: str) -> str:
        """Make Python of a cell; one that is Python is left as it is, in a tenth of the time that IPython takes to see that.

        But for what IPython takes off all the same: empty lines in front, and prompts, of which ``In [1]: x`` is Python too.
        """
        own = self.input_transformers_post or self.input_transformers_cleanup != self._transformers
        if own or raw_cell[:1].isspace() or any(prompt in raw_cell for prompt in PROMPTS):
            return str(super().transform_cell(raw_cell))  # type: ignore[no-untyped-call]
        try:
            ast.parse(raw_cell)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return str(super().transform_cell(raw_cell))  # type: ignore[no-untyped-call]
        return raw_cell if raw_cell.endswith("\n") else f"{raw_cell}\n"

    def should_run_async(self, raw_cell: str, **more: Any) -> bool:
        """Tell whether a cell awaits something; without such a word in it, it isn't compiled to find out."""
        awaits = "await" in raw_cell or "async" in raw_cell
        return awaits and bool(super().should_run_async(raw_cell, **more))

    def enable_gui(self, gui: Any = None) -> None:
        """Do nothing: ``%matplotlib inline`` asks for no window, and there are none."""

    def system(self, cmd: str) -> None:
        """Run what follows a ``!``, as a notebook does: IPython's own way needs a terminal, which isn't here."""
        done = subprocess.run(
            self.var_expand(cmd, depth=1),  # type: ignore[no-untyped-call]
            shell=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        print(done.stdout, end="")
        self.user_ns["_exit_code"] = done.returncode

    def ask_exit(self) -> None:
        """Go on: ``exit()`` in a cell ends nothing here."""

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        if etype is TooSlow:
            return  # ``run`` says so
        lines = [str(line) for line in stb]
        try:
            said = str(evalue)
        except Exception:  # an exception class of the learner's own may not be printable
            said = ""
        output = {"output_type": "error", "ename": etype.__name__, "evalue": said, "traceback": lines}
        self.shown.add(output, len(said) + sum(map(len, lines)))
