"""The widgets: controls on the left, the formula with their numbers and the picture on the right."""

import base64
import html
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import ipywidgets as widgets

from tutor.explorers.frame import Control, Exploring, Frame, Question, judge, numbers
from tutor.plots import Picture, PlotError

PIXELS_AN_INCH = 100
SMALLEST = 0.65  # of its size, where a picture stops to shrink in a narrow window and can be scrolled instead
STEP = "step"  # the control that changes the picture alone, not what is to be predicted


class Explorer:
    """Controls for every argument of a layer, and what a setting of them comes to; displays itself in a notebook.

    What can't be drawn is explained in words, and the last picture stays. With *predict first* on, the picture and the
    numbers are hidden until something was predicted, anew for each setting.
    """

    def __init__(self, title: str, controls: Sequence[Control], exploring: Exploring) -> None:
        self.title = title
        self.controls = {control.name: _widget(control) for control in controls}
        self._exploring = exploring
        self._about = {control.name: control.about for control in controls}
        self.predict = widgets.Checkbox(
            description="predict first", indent=False, tooltip="Hide the answer until you have typed a prediction."
        )
        self.question = widgets.HTML()
        self.prediction = widgets.Text(
            description="Your prediction",
            placeholder="such as 3",
            continuous_update=False,
            tooltip="Type what you expect and press Enter.",
            style={"description_width": "initial"},
            layout={"width": "100%"},
        )
        self.check = widgets.Button(description="Check", tooltip="Compare your prediction with what comes out.")
        self.formula = widgets.HTMLMath()
        self.message = widgets.HTML()
        self.picture = widgets.HTML()
        self.table = widgets.HTML()
        self._frame: Frame | None = None  # what is shown
        self._drawn: tuple[Picture, dict[str, Any]] | None = None  # the last picture, and the setting it shows
        self._asked: dict[str, Any] = {}  # the setting of which something is predicted
        self._verdict = ""
        self._room = (0.0, 0.0)  # the widest and highest picture so far: smaller ones move nothing
        self._updating = False
        for widget in [*self.controls.values(), self.predict]:
            widget.observe(self._changed, "value")
        self.prediction.observe(self._predicted, "value")
        self.check.on_click(self._predicted)
        self.widget = self._laid_out()
        self._update()

    def __repr__(self) -> str:
        """Say what the explorer shows now."""
        words = [self._frame.words, self._frame.problem or self._frame.says] if self._frame else []
        return " ".join([f"{self.title}.", *filter(None, words), self._drawn[0].alt if self._drawn else ""]).strip()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """Give Jupyter the widgets, and for where there are none the picture and its words."""
        bundle: dict[str, Any] = dict(self.widget._repr_mimebundle_())
        if self._drawn:
            bundle["text/html"] = _image(self._drawn[0], self._room)
        return {**bundle, "text/plain": repr(self)}

    def values(self) -> dict[str, Any]:
        """Return the setting: the value of each control."""
        return {name: widget.value for name, widget in self.controls.items()}

    def _laid_out(self) -> widgets.VBox:
        """Put the widgets side by side, or one below the other where the window is narrow."""
        for widget, name in (
            *((self.question, "question"), (self.formula, "formula"), (self.message, "message")),
            *((self.picture, "picture"), (self.table, "table")),
        ):
            widget.add_class(f"explorer-{name}")
        asking = widgets.VBox([self.question, self.prediction, self.check])
        asking.add_class("explorer-asking")
        self._asking = asking
        left = widgets.VBox([*self.controls.values(), self.predict, asking])
        right = widgets.VBox([self.formula, self.message, self.picture, self.table])
        left.add_class("explorer-controls")
        right.add_class("explorer-shown")
        both = widgets.Box([left, right])
        both.add_class("explorer-both")
        head = widgets.HTML(f"<style>{_read('explorer.css')}</style><strong>{html.escape(self.title)}</strong>")
        script = {"application/javascript": _read("explorer.js")}
        naming = widgets.Output(outputs=({"output_type": "display_data", "data": script, "metadata": {}},))
        naming.add_class("explorer-naming")
        whole = widgets.VBox([head, both, naming])
        whole.add_class("explorer")
        return whole

    def _changed(self, change: Mapping[str, Any]) -> None:
        """Follow a control; what this makes other controls do is not followed again."""
        if not self._updating:
            self._update()

    def _predicted(self, _: object) -> None:
        """Judge what was typed; Enter, Tab and Check all come here."""
        question = self._frame.question if self._frame else None
        if self._updating or not self.predict.value or question is None:
            return
        given = numbers(self.prediction.value)
        if given:
            right, sentence = judge(question, given)
            self._verdict = _note("right" if right else "wrong", sentence)
            self._update()
        elif self.prediction.value.strip():
            self.message.value = _note("wrong", "Type your prediction in digits, such as 3.")

    def _update(self) -> None:
        """Show what the controls are set to."""
        self._updating = True
        try:
            values = self.values()
            asked = {name: value for name, value in values.items() if name != STEP}
            if asked != self._asked or not self.predict.value:
                self._asked, self._verdict, self.prediction.value = asked, "", ""
            self._frame = self._exploring(values)
            if STEP in self.controls and not self._frame.problem:
                self._set_steps(self._frame.steps)
            self._show(self._frame)
        finally:
            self._updating = False

    def _set_steps(self, steps: int) -> None:
        """Let the slider reach the last step; one that can't be moved has to have room all the same."""
        slider = self.controls[STEP]
        slider.max = max(1, steps - 1)
        slider.disabled = steps == 1
        slider.value = min(slider.value, steps - 1)

    def _show(self, frame: Frame) -> None:
        """Write the formula, the sentence and the picture, or the question in their place."""
        asking = self.predict.value and frame.question is not None and not frame.problem
        hidden = asking and not self._verdict
        problem = f"Not possible: {frame.problem}" if frame.problem else ""
        if not problem and not hidden:
            try:
                self._drawn = (frame.picture(), self.values())
            except PlotError as error:
                problem = f"No picture: {error}"
        self._asking.layout.display = "" if self.predict.value else "none"
        self.question.value = _asks(frame.question) if asking else ""
        self.formula.value = _formula(frame, hidden)
        self.table.value = "" if hidden or problem else _table(frame.rows)
        if problem:
            self.message.value = _note("wrong", problem)
        else:
            self.message.value = self._verdict or ("" if hidden else _note("", frame.says))
        if self._drawn:
            picture, shown = self._drawn
            old = _differing(shown, self.values()) if problem else ""
            width, height = picture.get_size_inches()
            self._room = (max(self._room[0], width), max(self._room[1], height))
            self.picture.value = _image(picture, self._room, hidden=hidden, old=old)


def _widget(control: Control) -> Any:
    """Return the widget for a control, with its name beside it and its meaning as a tooltip."""
    common = {"description": control.name, "tooltip": control.about, "style": {"description_width": "9.2em"}}
    if isinstance(control.value, bool):
        return widgets.Checkbox(value=control.value, description=control.name, tooltip=control.about, indent=False)
    common["layout"] = {"width": "100%"}
    if control.options:
        return widgets.Dropdown(value=control.value, options=control.options, **common)
    if isinstance(control.value, int):
        return widgets.IntSlider(value=control.value, min=int(control.low), max=int(control.high), **common)
    span = {"min": control.low, "max": control.high, "step": control.apart, "readout_format": ".1f"}
    return widgets.FloatSlider(value=control.value, **span, **common)


def _formula(frame: Frame, hidden: bool) -> str:
    """Return the formula, and below it with the numbers; always two lines, so that nothing moves.

    What stands on both sides of a ``\\qquad`` goes below each other where a line is too long.
    """
    filled = r"\ldots" if hidden else frame.filled
    lines = [[rf"<span>\({part}\)</span>" for part in line.split(r"\qquad")] for line in (frame.formula, filled)]
    return "".join(f"<div>{''.join(line)}</div>" for line in lines)


def _asks(question: Question | None) -> str:
    """Return the question as HTML."""
    return html.escape(question.asks) if question else ""


def _note(kind: str, sentence: str) -> str:
    """Return a sentence as HTML; right and wrong have a sign as well as a colour."""
    sign = {"right": "✓ ", "wrong": "✗ "}.get(kind, "")
    return f'<div class="explorer-note {kind}">{sign}{html.escape(sentence, quote=False)}</div>'


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as an HTML table, the first one its head."""
    if not rows:
        return ""
    head, *body = (["".join(f"<td>{html.escape(cell)}</td>" for cell in row)] for row in rows)
    lines = "".join(f"<tr>{''.join(cells)}</tr>" for cells in body)
    table = f"<table><thead><tr>{''.join(head).replace('td>', 'th>')}</tr></thead><tbody>{lines}</tbody></table>"
    return f'<div class="explorer-scroll" tabindex="0">{table}</div>'


def _image(picture: Picture, room: tuple[float, float], *, hidden: bool = False, old: str = "") -> str:
    """Return the picture as HTML within a box that has room for the largest one; old: the setting that it shows."""
    width, height = room[0] * PIXELS_AN_INCH, room[1] * PIXELS_AN_INCH
    size = f"max-width: {width:.0f}px; min-width: {SMALLEST * width:.0f}px; aspect-ratio: {width:.0f} / {height:.0f}"
    if hidden:
        kind, inside = "hidden", '<div class="explorer-hidden">?<br><small>your prediction first</small></div>'
    else:
        kind = "old" if old else ""
        alt = html.escape(f"The last possible setting, {old}. {picture.alt}" if old else picture.alt)
        source = f"data:image/png;base64,{base64.b64encode(picture.png()).decode()}"
        share = 100 * picture.get_figwidth() / room[0]
        inside = f'<img style="width: {share:.2f}%" decoding="sync" alt="{alt}" src="{source}">'
    box = f'<div class="explorer-box {kind}" style="{size}">{inside}</div>'
    caption = f"The picture is still that of {html.escape(old)}." if old else ""
    return f'<div class="explorer-scroll" tabindex="0">{box}</div><div class="explorer-caption">{caption}</div>'


def _differing(setting: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Return in words what a setting has other than another one has."""
    return ", ".join(f"{name} = {value}" for name, value in setting.items() if value != other[name] and name != STEP)


def _read(name: str) -> str:
    """Return a file that lies beside this module."""
    return files("tutor.explorers").joinpath(name).read_text(encoding="utf-8")
