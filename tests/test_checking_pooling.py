"""Chapter 04's checks: the sizes are torch's, and answers that the bank doesn't know are judged as they deserve."""
# ruff: noqa: F811 -- an answer is called what its exercise is called

import itertools

import pytest
import torch
import torch.nn.functional as F

from tutor.checking import bank, run

WRONG, RIGHT = [], []
LEFT_OUT = {"dilation-ignored", "ceil-ignored", "indices-not-returned"}  # which some of the answers really do


def wrong(function):
    """Collect a wrong answer that is none of the bank's misconceptions."""
    WRONG.append(function)
    return function


def right(function):
    """Collect a right answer that few would write."""
    RIGHT.append(function)
    return function


def pair(value):
    return (value, value) if isinstance(value, int) else value


def test_sizes_are_those_of_torchs_own_pooling():
    size = bank.get("pool_output_size").oracle
    tried = 0
    for n, k, s, d, ceil in itertools.product(range(1, 13), range(1, 5), (None, 1, 2, 3, 5), (1, 2, 3), (False, True)):
        for p in range((d * (k - 1) + 1) // 2 + 1):
            expected = size(n, k, s, p, d, ceil)
            try:
                got = F.max_pool2d(torch.zeros(1, 1, 1, n), (1, k), s and (1, s), (0, p), (1, d), ceil_mode=ceil)
            except RuntimeError:
                continue  # no window fits, or torch wants less padding
            tried += 1
            assert got.shape[-1] == expected, (n, k, s, p, d, ceil)
    assert tried > 2000


@wrong
def pool_output_size(n, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    stride = stride or kernel_size
    return round((n + 2 * padding - dilation * (kernel_size - 1) - 1) / stride) + 1


@wrong
def pool_output_size(n, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    size = (n + 2 * padding - dilation * (kernel_size - 1) - 1) // (stride or kernel_size) + 1
    return size + 1 if ceil_mode else size  # one more even where nothing is left over


@wrong
def max_pool2d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    if padding or dilation != 1 or ceil_mode or return_indices:
        raise ValueError("not written yet")
    (kh, kw), (sh, sw) = pair(kernel_size), pair(stride or kernel_size)
    return input.unfold(2, kh, sh).unfold(3, kw, sw).amax((4, 5))


@wrong
def max_pool2d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    (kh, kw), (sh, sw), (ph, pw) = pair(kernel_size), pair(stride or kernel_size), pair(padding)
    wide = F.pad(input, (pw, pw, ph, ph), mode="reflect") if ph or pw else input
    return wide.unfold(2, kh, sh).unfold(3, kw, sw).amax((4, 5))


@wrong
def max_pool2d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    (kh, kw), (sh, sw), (ph, pw) = pair(kernel_size), pair(stride or kernel_size), pair(padding)
    wide = F.pad(input, (pw, pw, ph, ph), value=-10)  # not low enough
    return wide.unfold(2, kh, sh).unfold(3, kw, sw).amax((4, 5))


@wrong
def avg_pool2d(
    input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
):
    (kh, kw), (sh, sw), (ph, pw) = pair(kernel_size), pair(stride or kernel_size), pair(padding)
    wide = F.pad(input, (pw, pw, ph, ph), mode="reflect") if ph or pw else input
    return wide.unfold(2, kh, sh).unfold(3, kw, sw).mean((4, 5))


@wrong
def avg_pool2d(
    input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
):
    (kh, kw), (sh, sw), (ph, pw) = pair(kernel_size), pair(stride or kernel_size), pair(padding)
    wide = F.pad(input, (pw, pw, ph, ph))
    return (wide.unfold(2, kh, sh).unfold(3, kw, sw) / (divisor_override or kh * kw)).sum((4, 5)).round()


@wrong
def adaptive_avg_pool2d(input, output_size):
    h, w = (side or n for side, n in zip(pair(output_size), input.shape[2:], strict=True))
    return F.interpolate(input, (h, w), mode="bilinear", align_corners=True)


@wrong
def adaptive_avg_pool2d(input, output_size):
    (height, width), (h, w) = input.shape[2:], pair(output_size)
    return input.reshape(*input.shape[:2], h, height // h, w, width // w).mean((3, 5))


@wrong
def global_average_pool(input):
    return input.mean(-1).mean(0)


@wrong
def global_average_pool(input):
    return input.reshape(input.shape[1], input.shape[0], -1).mean(2).T  # mixes images and channels


@wrong
def max_pool2d_backward(grad_output, input, kernel_size, stride=None, padding=0):
    return (F.interpolate(grad_output, input.shape[2:]) * (input > 0),)


@wrong
def max_pool2d_backward(grad_output, input, kernel_size, stride=None, padding=0):
    output = F.max_pool2d(input, kernel_size, stride, padding)
    again = F.interpolate(output, input.shape[2:])  # right for windows side by side
    return (F.interpolate(grad_output, input.shape[2:]) * (again == input),)


@wrong
def avg_pool2d_backward(grad_output, input, kernel_size, stride=None, padding=0):
    kh, kw = pair(kernel_size)
    return (F.interpolate(grad_output, input.shape[2:]) / (kh * kw),)


@wrong
def max_unpool2d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    kh, kw = pair(kernel_size)
    spread = input.new_zeros(*input.shape[:2], input.shape[2] * kh, input.shape[3] * kw)
    spread[:, :, kh - 1 :: kh, kw - 1 :: kw] = input  # always the last corner
    return spread


@wrong
def shift_change(layer, images, shift):
    after, before = layer(torch.roll(images, shift, 3)), layer(images)
    return float((after != before).float().mean())


@wrong
def shift_change(layer, images, shift):
    after, before = layer(torch.roll(images, shift, 3)), layer(images)
    ratios = [(a - b).abs().mean() / b.abs().mean() for a, b in zip(after, before, strict=True)]
    return float(sum(ratios) / len(ratios))  # image by image


@wrong
def mend_pool_stride(image, kernel_size, stride):
    return image[::stride, ::stride]


@wrong
def predict_pooling():
    return [[6, 4], [7, 9]], [[4, 2], [5, 5]]


@right
def max_pool2d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    sides = []
    for n, k, s, p, d in zip(
        input.shape[2:], *map(pair, (kernel_size, stride or kernel_size, padding, dilation)), strict=True
    ):
        last = n + p - 1 if ceil_mode else n + p - d * (k - 1) - 1
        starts = list(range(-p, last + 1, s))
        if ceil_mode:  # only the first window that hangs over
            fits = [start for start in starts if start + d * (k - 1) < n + p]
            over = [start for start in starts if start not in fits and start < n]
            rest = fits[-1] + d * (k - 1) < n + p - 1
            starts = fits + (over[:1] if rest else [])
        sides.append([[t for t in range(start, start + k * d, d) if 0 <= t < n] for start in starts])
    values, places = [], []
    for rows in sides[0]:
        for columns in sides[1]:
            window = input[:, :, rows][..., columns].flatten(2)
            values.append(window.max(2).values)
            flat = torch.tensor([r * input.shape[3] + c for r in rows for c in columns])
            places.append(flat[window.argmax(2)])
    shape = *input.shape[:2], len(sides[0]), len(sides[1])
    result = torch.stack(values, 2).reshape(shape)
    return (result, torch.stack(places, 2).reshape(shape)) if return_indices else result


@right
def avg_pool2d(
    input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
):
    kernel, moves, border = pair(kernel_size), pair(stride or kernel_size), pair(padding)
    sums, counts = input, torch.ones(1, 1, 1, 1, dtype=input.dtype)
    for dim in (0, 1):
        n, k, s, p = input.shape[2 + dim], kernel[dim], moves[dim], border[dim]
        starts = range(-p, n + p - k + (s if ceil_mode else 1), s)
        parts, number = [], []
        for start in (start for start in starts if start < n):
            end = min(start + k, n + p)
            first, last = max(start, 0), min(end, n)
            parts.append(sums.narrow(2 + dim, first, last - first).sum(2 + dim, keepdim=True))
            number.append(end - start if count_include_pad else last - first)
        sums = torch.cat(parts, 2 + dim)
        counts = counts * torch.tensor(number, dtype=input.dtype).view((-1, 1) if dim == 0 else (1, -1))
    return sums / (divisor_override or counts)


@right
def global_average_pool(input):
    return torch.nn.Flatten()(torch.nn.AdaptiveAvgPool2d(1)(input))


@right
def max_unpool2d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    sides = zip(input.shape[2:], *map(pair, (kernel_size, stride or kernel_size, padding)), strict=True)
    h, w = [(n - 1) * s + k - 2 * p for n, k, s, p in sides] if output_size is None else output_size[-2:]
    chosen = indices.flatten(2).unsqueeze(3) == torch.arange(h * w)
    first = chosen & (chosen.cumsum(2) == 1)  # an index may come twice
    return (first * input.flatten(2).unsqueeze(3)).sum(2).view(*input.shape[:2], h, w)


@right
def shift_change(layer, images, shift):
    with torch.no_grad():
        before, after = layer(images), layer(images.roll(shift, -1))
    return (torch.nn.functional.l1_loss(after, before) / before.abs().mean()).numpy()


@right
def predict_pooling():
    return torch.tensor([[6, 4], [7, 9]]), torch.tensor([[3.75, 2.25], [4.5, 5]])


@pytest.mark.parametrize("function", WRONG, ids=lambda function: function.__name__)
def test_wrong_answers_that_nobody_thought_of_are_refused_and_not_given_a_wrong_name(function):
    known = set(bank.get(function.__name__).twins) - LEFT_OUT
    for seed, hidden in ((0, False), (1, True)):
        report = run(function.__name__, function, seed=seed, hidden=hidden)
        assert not report.passed and report.score < 1
        assert report.diagnoses and not known & {diagnosis.id for diagnosis in report.diagnoses}


def test_what_came_back_in_place_of_a_pair_is_called_what_it_is():
    def max_pool2d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
        result = bank.twin("max_pool2d", "indices-not-returned")(
            input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
        )
        return result.round(decimals=3) + (0.5 if return_indices else 0)  # a second fault, so that no name fits

    messages = [diagnosis.message for diagnosis in run("max_pool2d", max_pool2d).diagnoses]
    assert "Your function returned a tensor, where a tuple of 2 tensors is needed." in messages


@pytest.mark.parametrize("function", RIGHT, ids=lambda function: function.__name__)
def test_right_answers_that_few_would_write_pass(function):
    for seed, hidden in ((0, False), (0, True), (1, False)):
        report = run(function.__name__, function, seed=seed, hidden=hidden)
        assert report.passed, (report.diagnoses, report.example)


@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "max_unpool2d"])
def test_torchs_own_layer_in_any_disguise_is_no_answer(name):
    report = run(name, getattr(F, name))
    assert report.score == 0 and [diagnosis.id for diagnosis in report.diagnoses] == ["own-work"]


def test_a_detour_through_another_pooling_is_no_answer_either():
    def avg_pool2d(input, kernel_size, stride=None, padding=0, **options):
        wide = F.avg_pool3d(input, (1, *pair(kernel_size)), (1, *pair(stride or kernel_size)), (0, *pair(padding)))
        return F.avg_pool2d(input, kernel_size, stride, padding, **options) if options else wide

    def max_pool2d(input, kernel_size, *args, **options):
        return F.max_pool2d_with_indices(input, kernel_size, *args, **options)[0]

    for function in (avg_pool2d, max_pool2d):
        assert "own-work" in [diagnosis.id for diagnosis in run(function.__name__, function).diagnoses]


@pytest.mark.parametrize("name", ["max_pool2d_backward", "avg_pool2d_backward"])
def test_gradients_are_by_hand(name):
    oracle = bank.get(name).oracle
    assert run(name, oracle).score == 0
