"""The card: sound HTML, nothing of a learner's taken for markup, nothing told by colour alone, no hidden numbers."""

import re
from html.parser import HTMLParser

import pytest
import torch
from learners.answers import in_style

from tutor.checking import bank, card, grids, run, writing
from tutor.checking.report import Example

VOID = {"br", "col", "img", "hr", "input", "meta"}
SOME = [(name, identity) for name in bank.names("01_activations") for identity in list(bank.get(name).twins)[::4]]


class Reader(HTMLParser):
    """Hold that every tag is closed in its turn, and keep the tags, the texts and the attributes."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.texts, self.attributes = [], [], [], []
        self.feed(html)
        self.close()
        assert self.open == [], "left open"

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attrs]
        assert len(attrs) == len({name for name, _ in attrs}), "an attribute twice"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return "".join(self.texts)


def both(report, points=None):
    return card.as_html(report, points), card.as_text(report, points)


def right(name):
    scope: dict = {}
    exec(in_style("01_activations", "vectorised")[name], scope)
    return scope[name]


@pytest.mark.parametrize(("name", "identity"), SOME)
def test_cards_of_wrong_answers_are_sound_and_say_the_same_twice(name, identity):
    for hidden in (False, True):
        report = run(name, bank.twin(name, identity), hidden=hidden)
        html, text = both(report, points=3)
        read = Reader(html)
        assert read.tags[0] == "div" and html == card.as_html(report, 3)
        assert not {"script", "style", "link", "iframe", "img"} & set(read.tags)
        for diagnosis in (*report.diagnoses, *report.notes):
            plain = diagnosis.message.replace("`", "")
            assert plain in read.text and plain in text.replace("`", "")
            assert diagnosis.section in read.text and diagnosis.section in text
        assert "of 3 points" in read.text and "of 3 points" in text
        assert card.headline(report) in read.text and card.headline(report) in text


def test_the_same_answer_gets_the_same_card():
    for name in ("relu", "rrelu", "softmax", "gradient_norms", "log_layer_images"):
        identity = next(iter(bank.get(name).twins))
        first, second = (both(run(name, bank.twin(name, identity)), 2) for _ in range(2))
        assert first == second
        assert not re.search(r"0x[0-9a-f]{6}", first[0]), "an address is another one each time"


NASTY = "<script>alert(1)</script> & \"quotes\" 'and' <b>bold</b> </div> `<i>code</i>` {braces} %s \ud800 \x00"


def test_a_learners_text_stays_text():
    def relu(input):
        print(NASTY)
        raise ValueError(NASTY)

    html, text = both(run("relu", relu), points=1)
    read = Reader(html)
    assert not {"script", "b", "i"} & set(read.tags)
    assert read.text.count("<script>alert(1)</script>") >= 2 and "</div>" in read.text
    assert "{braces} %s" in text
    for made in (html, text):
        made.encode("utf-8")  # half a character, as above, could not be stored


class Nasty:
    def __repr__(self):
        return NASTY * 10_000

    __str__ = __repr__


class Silent:
    def __repr__(self):
        raise RuntimeError("no words")

    __str__ = __repr__


class Named:
    __name__ = 7


ODD = {
    "a long text": lambda x: "<p>" * 100_000,
    "an object that is long to print": lambda x: Nasty(),
    "an object that can't be printed": lambda x: Silent(),
    "an object with a name that is none": lambda x: Named(),
    "a class": lambda x: Nasty,
    "the module": lambda x: torch,
    "a dictionary": lambda x: {"a": x, Silent(): [x, x], "b": {"c": x}},
    "a long list": lambda x: [0.5] * 100_000,
    "nested lists": lambda x: [[1.0, [2.0, (x, "x")]], None],
    "a list that holds itself": lambda x: (lambda items: items.append(items) or items)([]),
    "a whole number without end": lambda x: 10**5000,
    "bytes": lambda x: b"\xff\xfe",
    "a complex tensor": lambda x: torch.complex(x, x),
    "whole numbers": lambda x: x.long(),
    "truth values": lambda x: x > 0,
    "no elements": lambda x: x[:0],
    "one number": lambda x: x.sum(),
    "many dimensions": lambda x: x.expand(2, 1, 2, 1, 2, *x.shape),
    "an endless expanded tensor": lambda x: torch.zeros(()).expand(10**6, 10**6),
    "an endless expanded tensor with a gradient": lambda x: x.sum().expand(10**6, 10**6),
    "a large tensor": lambda x: torch.zeros(3_000_000),
    "sparse": lambda x: x.to_sparse(),
    "compressed": lambda x: x.reshape(-1, 1).to_sparse_csr(),
    "nested": lambda x: torch.nested.nested_tensor([x.detach(), x.detach()[:1]]),
    "quantized": lambda x: torch.quantize_per_tensor(x.detach().float(), 0.1, 0, torch.quint8),
    "no numbers": lambda x: x.to("meta"),
    "half precision": lambda x: x.to(torch.bfloat16),
    "not finite": lambda x: x * float("inf"),
    "a parameter": lambda x: torch.nn.Parameter(x.detach()),
    "a numpy array": lambda x: x.detach().numpy(),
    "a generator": lambda x: (part for part in x),
    "an exception": lambda x: ValueError("<b>"),
    "itself": lambda x: ODD,
}


@pytest.mark.filterwarnings("ignore::UserWarning")  # torch calls several kinds of tensor experimental
@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(
    "name", ["tanh", "relu_backward", "collapse_linear", "count_dead_units", "rrelu", "gradient_norms"]
)
def test_odd_results_are_wrong_and_have_a_card(odd, name):
    def function(*args, **kwargs):
        tensor = next(
            part for arg in args for part in (arg if isinstance(arg, list) else [arg]) if torch.is_tensor(part)
        )
        return ODD[odd](tensor)

    for hidden in (False, True):
        report = run(name, function, hidden=hidden)
        assert not report.passed and report.diagnoses
        html, text = both(report, 2)
        Reader(html)
        assert len(html) < 30_000 and len(text) < 10_000


def test_wrong_cells_carry_a_mark_and_a_legend():
    report = run("leaky_relu", bank.twin("leaky_relu", "slope-on-positives"))
    html = card.as_html(report)
    read = Reader(html)
    assert read.text.count("✗ ") >= 2 and "Cells marked ✗ differ;" in read.text
    without_colour = re.sub(r"#[0-9a-fA-F]{3,6}|var\([^)]*\)", "", html)
    assert Reader(without_colour).text == read.text and "✗ " in without_colour


@pytest.mark.parametrize("verdict", ["passed", "partly right", "not right yet", "not attempted"])
def test_each_verdict_has_a_sign_and_words_of_its_own(verdict):
    answers = {
        "passed": right("elu"),
        "partly right": bank.twin("elu", "alpha-ignored"),
        "not right yet": bank.twin("elu", "negatives-cut"),
        "not attempted": lambda input, alpha=1.0: None,
    }
    report = run("elu", answers[verdict])
    assert report.verdict == verdict
    html, text = both(report)
    headline = text.splitlines()[0]
    assert headline[0] == card.SIGNS[verdict] and card.SIGNS[verdict] in html
    assert headline[2:] == card.headline(report)
    assert len(set(card.SIGNS.values())) == len(set(card.COLOURS.values())) == 4
    assert len({card.phrase(key, name="elu") for key in card.HEADLINES.values()}) == 4
    assert ("role", "group") in [pair[1:] for pair in Reader(html).attributes]


def test_a_partly_right_card_lists_what_holds_in_words():
    report = run("elu", bank.twin("elu", "alpha-ignored"))
    for made in (Reader(card.as_html(report)).text, card.as_text(report)):
        assert "✗ every argument: not yet" in made and "✓ ordinary numbers: works" in made


def numbers(value):
    """Every number that a value's tensors hold, as a card would write it."""
    if torch.is_tensor(value):
        return {writing.number(float(x)) for x in value.flatten().tolist()}
    if isinstance(value, list | tuple):
        return {n for part in value for n in numbers(part)}
    return set()


def tells(input, *args, **kwargs):
    """Try to get the numbers of a case onto the card in every way there is."""
    print(input.tolist())
    raise ValueError(f"{input.tolist()} {args} {kwargs}")


def tells_shape(input, *args, **kwargs):
    return input.reshape(-1)[: input.numel() - 1]


def tells_in_the_backward_pass(input, *args, **kwargs):
    class Tell(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return right("relu")(x)

        @staticmethod
        def backward(ctx, grad):
            raise ValueError(ctx.saved_tensors[0].tolist())

    return Tell.apply(input)


@pytest.mark.parametrize(
    ("name", "function"),
    [("relu", tells), ("relu", tells_in_the_backward_pass), ("relu", tells_shape), ("softmax", tells)]
    + [("relu", lambda input: input.tolist()), ("relu", lambda input: input + 1), ("sigmoid", lambda input: input)]
    + [(name, twin) for name in ("elu", "prelu", "softmax") for twin in bank.get(name).twins.values()],
)
def test_a_hidden_card_holds_no_number_of_its_cases(name, function):
    report = run(name, function, hidden=True)
    assert not report.passed and report.example is None and report.printed == ""
    html, text = both(report, points=4)
    secret = set()
    for case in bank.get(name).draw(hidden=True):
        if case.aspect in ("values", "shapes", "gradient", "arguments"):
            secret |= {n for n in numbers((case.args, list(case.kwargs.values()))) if len(n) > 4}
    assert len(secret) > 20
    said = Reader(html).text + text
    assert not [n for n in secret if n in said]
    if report.score == 0 and "misconception" not in said:
        assert "hidden test are not shown" in said


def test_hidden_words_give_no_counts_and_no_shapes():
    for function in (tells_shape, lambda input: input + 1, lambda input: input.tolist()):
        report = run("relu", function, hidden=True)
        assert not re.search(r"\d", report.diagnoses[0].message), report.diagnoses[0].message
        seen = run("relu", function)
        assert seen.diagnoses[0].id == report.diagnoses[0].id and re.search(r"\d|list", seen.diagnoses[0].message)


def test_two_numbers_that_differ_look_different():
    report = run("sigmoid", lambda input: 1 / (1 + torch.exp(-input)) + 1e-6)
    html, text = both(report)
    yours, expected = (
        next(line for line in text.splitlines() if word in line).split(":")[1] for word in ("yours", "expected")
    )
    assert yours.strip() != expected.strip()
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", html)
    assert cells[-2:] == ["0.268941", "✗ 0.268942"]


def grid_of(example_of, **more):
    return grids.case(Example({}, "result", example_of, **more))


def test_wrong_cells_have_a_border_of_their_own_and_so_has_what_belongs_there():
    html = grid_of(
        torch.tensor([[1.0, 2.0, 30.0], [4.0, 5.0, 6.0]]), got=torch.tensor([[1.0, 2.0, 3.0], [4.0, -5.0, 6.0]])
    )
    cells = re.findall(r'<td style="border: ([^;]*);[^>]*>([^<]*)</td>', html)
    assert [text for border, text in cells if border.startswith("2px solid")] == ["✗ 3", "✗ -5"]
    assert [text for border, text in cells if "dashed" in border] == ["30", "5"]
    assert len(cells) == 12 and len(set(re.findall(r'<col span="3" style="([^"]*)">', html))) == 1, "not of one width"
    assert re.findall(r'<th scope="col"[^>]*>(\d)</th>', html) == ["0", "1", "2"] * 2
    assert re.findall(r'<table aria-label="([^"]*)"', html) == ["expected", "yours"]


def test_what_only_rounding_tells_apart_is_not_marked_and_what_differs_is():
    html = grid_of({"mean": 0.5, "steps": [1, 2]}, got={"mean": 0.5 + 1e-12, "steps": [2, 1], "more": 10**400})
    assert re.findall(r"✗ ([^<]*)<", html)[0] == "[2, 1]" and html.count("✗ ") == 2
    assert re.findall(r'<th scope="row"[^>]*>([^<]*)</th>', html) == ["mean", "steps", "more"]
    assert "✗ 0.50001" in grid_of((0.5, 1), got=(0.50001, 1)) and "✗" not in grid_of((0.5, 1), got=(0.5 + 1e-12, 1))
    assert "✗ [1, 2]" in grid_of((1, 2), got=[1, 2]), "a list is no tuple"


def test_planes_of_images_are_named_and_other_planes_have_their_index():
    zeros = torch.zeros(2, 3, 4, 4)
    images = grid_of(zeros, got=None)
    assert [f"image {i // 3}, channel {i % 3}<" in images for i in range(5)] == [True] * 4 + [False]
    assert ">channel 2<" in grid_of(zeros[:1], got=None) and ">channel 0<" not in grid_of(zeros[:1, :1], got=None)
    weight = grids.case(Example({"weight": zeros, "bytes": zeros[:1].byte()}, "result", 1, None))
    assert ">[0, 2]<" in weight and ">[1, 0]<" in weight and "channel" not in weight
    assert ">[2]<" in grid_of(zeros[0], got=None)


def test_a_tensor_of_another_shape_says_so_and_takes_little_room():
    html = grid_of(torch.zeros(2, 2), got=torch.zeros(3, 5, 20, 20))
    assert html.count("<table") == 2 and "✗ shape (3, 5, 20, 20)" in html and "… and 5968 more" in html
    assert "Cells marked" not in html


def test_wide_grids_can_be_reached_by_keyboard_to_scroll_them():
    assert 'tabindex="0"' in grid_of(torch.rand(8, 8), got=None) and "tabindex" not in grid_of(
        torch.ones(3, 3), got=None
    )


def test_a_section_is_a_link_only_where_it_is_asked_for():
    report = run("leaky_relu", bank.twin("leaky_relu", "slope-on-positives"))
    assert '<a href="#Leaky-ReLU"' in card.as_html(report, 2, links=True) and "<a" not in card.as_html(report, 2)


def test_large_tensors_are_cut_with_a_count():
    text = Reader(card.as_html(run("relu", lambda input: torch.zeros(100, 100)))).text
    assert "… and 9968 more" in text and "shape (100, 100)" in text


def test_what_was_printed_is_shown_only_where_something_is_wrong():
    def relu(input):
        print("\n".join(f"line {i}" for i in range(20)))
        return input

    html, text = both(run("relu", relu))
    for made in (Reader(html).text, text):
        assert "Your function printed" in made and "line 5" in made and "line 6" not in made

    def tanh(input):
        print("hello")
        return right("tanh")(input)

    assert "hello" not in card.as_text(run("tanh", tanh))
