"""Convolutions of both kinds: right answers that few would write, wrong ones that the bank doesn't know, and torch's own."""
# ruff: noqa: F811 -- an answer is called what its exercise is called

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tutor.checking import run

aten = torch.ops.aten
RIGHT = []
WRONG = []


def right(function):
    """Collect a right answer."""
    RIGHT.append(function)
    return function


def wrong(*expected):
    """Collect a wrong answer with what a check should say of it: general faults, or a misconception that it really has."""

    def collect(function):
        WRONG.append(pytest.param(function, list(expected), id=f"{function.__name__}: {function.__doc__.rstrip('.')}"))
        return function

    return collect


def pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def window_sizes(input, weight, stride, padding, dilation):
    sides = zip(input.shape[2:], weight.shape[2:], pair(stride), pair(padding), pair(dilation), strict=True)
    return [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in sides]


def tap_by_tap(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1, *, of=torch.einsum):
    """Every tap of the kernel at once for the whole output: slices of the padded input, multiplied and added up."""
    (sh, sw), (ph, pw), (dh, dw) = pair(stride), pair(padding), pair(dilation)
    oh, ow = window_sizes(input, weight, stride, padding, dilation)
    padded = F.pad(input, (pw, pw, ph, ph))
    parts = []
    for images, kernels in zip(padded.chunk(groups, 1), weight.chunk(groups, 0), strict=True):
        total = 0
        for u in range(weight.shape[2]):
            for v in range(weight.shape[3]):
                rows, columns = (
                    slice(u * dh, u * dh + (oh - 1) * sh + 1, sh),
                    slice(v * dw, v * dw + (ow - 1) * sw + 1, sw),
                )
                total = total + of("nchw,oc->nohw", images[:, :, rows, columns], kernels[:, :, u, v])
        parts.append(total)
    result = torch.cat(parts, 1)
    return result if bias is None else result + bias.view(1, -1, 1, 1)


@right
def conv2d(*args, **options):
    """Tap by tap."""
    return tap_by_tap(*args, **options)


@right
def conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """In numpy, by its sliding windows, wrapped so that autograd sees it."""

    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx, images, kernels):
            ctx.save_for_backward(images, kernels)
            return torch.from_numpy(np.einsum("nchw,oc->nohw", images.numpy(), kernels.numpy()))

        @staticmethod
        def backward(ctx, grad):
            images, kernels = ctx.saved_tensors
            return torch.einsum("nohw,oc->nchw", grad, kernels), torch.einsum("nohw,nchw->oc", grad, images)

    return tap_by_tap(
        input,
        weight,
        bias,
        stride,
        padding,
        dilation,
        groups,
        of=lambda _, images, kernels: Product.apply(images, kernels),
    )


@right
def conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Buffers in torch's default dtype, as nearly everybody makes them."""
    (sh, sw), (ph, pw), (dh, dw) = pair(stride), pair(padding), pair(dilation)
    n, _, height, width = input.shape
    oh, ow = window_sizes(input, weight, stride, padding, dilation)
    padded = torch.zeros(n, input.shape[1], height + 2 * ph, width + 2 * pw)
    padded[:, :, ph : ph + height, pw : pw + width] = input
    rows = []
    for i in range(oh):
        for j in range(ow):
            window = padded[:, :, i * sh :, j * sw :][:, :, ::dh, ::dw][:, :, : weight.shape[2], : weight.shape[3]]
            parts = zip(window.chunk(groups, 1), weight.chunk(groups, 0), strict=True)
            rows.append(torch.cat([(w.unsqueeze(1) * k).sum((2, 3, 4)) for w, k in parts], 1))
    result = torch.stack(rows, -1).reshape(n, -1, oh, ow)
    return result if bias is None else result + bias.view(1, -1, 1, 1)


@right
def conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """A row of the kernel at a time, through conv1d written by hand, with groups by repeating."""
    (sh, sw), (ph, pw), (dh, dw) = pair(stride), pair(padding), pair(dilation)
    out, per_group, kh, kw = weight.shape
    full = weight.new_zeros(out, input.shape[1], kh, kw)  # a kernel over all channels, zero outside its group
    for o in range(out):
        first = o // (out // groups) * per_group
        full[o, first : first + per_group] = weight[o]
    return tap_by_tap(input, full, bias, (sh, sw), (ph, pw), (dh, dw))


@right
def conv1d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """An image of one row."""
    return tap_by_tap(
        input.unsqueeze(2), weight.unsqueeze(2), bias, (1, stride), (0, padding), (1, dilation), groups
    ).squeeze(2)


@right
def conv1d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """By torch.fft, as a product of spectra."""
    padded = F.pad(input, (padding, padding))
    length = padded.shape[2]
    spread = weight.new_zeros(*weight.shape[:2], dilation * (weight.shape[2] - 1) + 1)
    spread[:, :, ::dilation] = weight
    signal = torch.fft.fft(padded).unflatten(1, (groups, -1)).unsqueeze(2)
    kernel = torch.fft.fft(spread, n=length).conj().unflatten(0, (groups, -1))
    whole = torch.fft.ifft((signal * kernel).sum(3)).real.flatten(1, 2)
    result = whole[:, :, : length - spread.shape[2] + 1 : stride]
    return result if bias is None else result + bias[:, None]


@right
def conv2d_im2col(input, weight, bias=None, stride=1, padding=0, dilation=1):
    """The module instead of the function, the bias as one more row of the columns."""
    columns = nn.Unfold(weight.shape[2:], dilation=dilation, padding=padding, stride=stride)(input)
    size = window_sizes(input, weight, stride, padding, dilation)
    extra = torch.zeros(len(weight), 1, dtype=weight.dtype) if bias is None else bias.unsqueeze(1)
    matrix = torch.cat([weight.flatten(1), extra], 1)
    return (matrix @ F.pad(columns, (0, 0, 0, 1), value=1.0)).unflatten(2, size)


@right
def conv2d_backward(grad_output, input, weight, bias, stride=1, padding=0):
    """Through the transposed matrices of im2col."""
    columns = F.unfold(input, weight.shape[2:], stride=stride, padding=padding)
    rows = grad_output.flatten(2)
    grad_weight = torch.einsum("nop,ncp->oc", rows, columns).view_as(weight)
    back = torch.einsum("oc,nop->ncp", weight.flatten(1), rows)
    grad_input = F.fold(back, input.shape[2:], weight.shape[2:], stride=stride, padding=padding)
    return grad_input, grad_weight, rows.sum((0, 2))


@right
def pad2d(input, padding, mode="zeros"):
    """Index by index, with numpy's idea of the modes."""
    height, width = pair(padding)
    names = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    order = np.pad(np.arange(input[0, 0].numel()).reshape(input.shape[2:]), ((height,) * 2, (width,) * 2), names[mode])
    taken = input.flatten(2)[:, :, torch.from_numpy(order).flatten()].unflatten(2, order.shape)
    if mode == "zeros":
        inside = np.pad(np.ones(input.shape[2:]), ((height,) * 2, (width,) * 2))
        taken = taken * torch.from_numpy(inside).to(input.dtype)
    return taken


@right
def conv_transpose2d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """By index_add, every product with the number of its place."""
    (sh, sw), (ph, pw), (eh, ew), (dh, dw) = map(pair, (stride, padding, output_padding, dilation))
    n, _, h, w = input.shape
    out, kh, kw = weight.shape[1:]
    full_h, full_w = (h - 1) * sh + dh * (kh - 1) + 1 + eh, (w - 1) * sw + dw * (kw - 1) + 1 + ew
    rows = (torch.arange(h) * sh).view(-1, 1, 1, 1) + (torch.arange(kh) * dh).view(1, 1, -1, 1)
    columns = (torch.arange(w) * sw).view(1, -1, 1, 1) + (torch.arange(kw) * dw).view(1, 1, 1, -1)
    places = (rows * full_w + columns).flatten()
    parts = []
    for images, kernels in zip(input.chunk(groups, 1), weight.chunk(groups, 0), strict=True):
        products = torch.einsum("nchw,couv->nohwuv", images, kernels).flatten(2)
        parts.append(torch.zeros(n, out, full_h * full_w, dtype=input.dtype).index_add(2, places, products))
    whole = torch.cat(parts, 1).unflatten(2, (full_h, full_w))
    result = whole[:, :, ph : full_h - ph, pw : full_w - pw]
    return result if bias is None else result + bias.view(1, -1, 1, 1)


@right
def conv_transpose2d_backward(grad_output, input, weight, stride=1, padding=0):
    """By hand, tap by tap."""
    return (tap_by_tap(grad_output, weight, None, stride, padding)[:, :, : input.shape[2], : input.shape[3]],)


@right
def conv_matrix(weight, input_size):
    """The convolution of every image that has a single one."""
    ones = torch.eye(input_size[0] * input_size[1], dtype=weight.dtype).view(-1, 1, *input_size)
    return F.unfold(ones, weight.shape).transpose(1, 2).matmul(weight.flatten()).T


@right
def resize_convolve(input, weight):
    """Each pixel twice, twice over."""
    larger = input.repeat_interleave(2, 2).repeat_interleave(2, 3)
    return F.conv2d(larger, weight, padding="same")


@right
def overlap_count(n, kernel_size, stride):
    """By torch's own layer on ones."""
    return F.conv_transpose1d(torch.ones(1, 1, n), torch.ones(1, 1, kernel_size), stride=stride).flatten().long()


@pytest.mark.parametrize("function", RIGHT, ids=lambda f: f"{f.__name__}: {f.__doc__.rstrip('.')}")
def test_unusual_right_answers_pass(function):
    for seed, hidden in ((0, False), (1, False), (0, True), (1, True)):
        report = run(function.__name__, function, seed=seed, hidden=hidden)
        assert report.verdict == "passed" and report.score == 1.0, (report.diagnoses, report.example)


def test_numbers_that_went_through_float32_are_mentioned():
    noted = [run("conv2d", function, seed=0).notes for function in RIGHT if function.__name__ == "conv2d"]
    assert [[note.id for note in notes] for notes in noted] == [[], [], ["imprecise"], []]


@wrong("wrong-values")
def conv2d(input, weight, bias=None, **options):
    """Absolute values of the weights."""
    return tap_by_tap(input, weight.abs(), bias, **options)


@wrong("wrong-values")
def conv2d(input, weight, bias=None, **options):
    """A ReLU at the end."""
    return tap_by_tap(input, weight, bias, **options).clamp(min=0)


@wrong("wrong-values")
def conv2d(input, weight, bias=None, **options):
    """The last filter's kernel for the first."""
    return tap_by_tap(input, torch.cat([weight[-1:], weight[1:]]), bias, **options)


@wrong("wrong-values")
def conv2d(input, weight, bias=None, **options):
    """Subtracts the bias."""
    return tap_by_tap(input, weight, None if bias is None else -bias, **options)


@wrong("wrong-values")
def conv2d(input, weight, bias=None, **options):
    """Forgets the bottom row of the kernel."""
    cut = weight.clone()
    cut[:, :, -1] = 0
    return tap_by_tap(input, cut, bias, **options)


@wrong("wrong-values")
def conv2d(input, weight, bias=None, **options):
    """Batch turned round."""
    return tap_by_tap(input, weight, bias, **options).flip(0)


@wrong("wrong-shape")
def conv2d(input, weight, bias=None, **options):
    """Channels last."""
    return tap_by_tap(input, weight, bias, **options).permute(0, 2, 3, 1)


@wrong("weight-detached")
def conv2d(input, weight, bias=None, **options):
    """Right numbers, the weight cut off from autograd."""
    return tap_by_tap(input, weight.detach(), bias, **options)


@wrong("wrong-values")
def conv1d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Every second output only, whatever the stride, each written twice."""
    found = F.pad(input, (padding, padding)).unfold(2, dilation * (weight.shape[2] - 1) + 1, stride)[..., ::dilation]
    images = found.unflatten(1, (groups, -1))
    result = torch.einsum("ngclk,gock->ngol", images, weight.unflatten(0, (groups, -1))).flatten(1, 2)
    result = result if bias is None else result + bias[:, None]
    return result[:, :, ::2].repeat_interleave(2, 2)[:, :, : result.shape[2]]


@wrong("wrong-facts")
def conv_output_size(n, kernel_size, stride=1, padding=0, dilation=1):
    """One too many wherever there is padding."""
    return (n + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1 + (padding > 0)


@wrong("wrong-values")
def pad2d(input, padding, mode="zeros"):
    """Pads with the mean where zeros are asked for."""
    height, width = pair(padding)
    if mode != "zeros":
        return next(f for f in RIGHT if f.__name__ == "pad2d")(input, padding, mode)
    result = input.new_full(
        (*input.shape[:2], input.shape[2] + 2 * height, input.shape[3] + 2 * width), float(input.mean())
    )
    result[:, :, height : height + input.shape[2], width : width + input.shape[3]] = input
    return result


@wrong("wrong-values")
def conv_transpose2d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The largest stamp wins where several overlap."""
    (sh, sw), (ph, pw), (eh, ew), (dh, dw) = map(pair, (stride, padding, output_padding, dilation))
    n, _, h, w = input.shape
    out, kh, kw = weight.shape[1:]
    full_h, full_w = (h - 1) * sh + dh * (kh - 1) + 1 + eh, (w - 1) * sw + dw * (kw - 1) + 1 + ew
    parts = []
    for images, kernels in zip(input.chunk(groups, 1), weight.chunk(groups, 0), strict=True):
        whole = torch.full((n, out, full_h, full_w), -1e9, dtype=input.dtype)
        for y in range(h):
            for x in range(w):
                stamp = torch.einsum("nc,couv->nouv", images[:, :, y, x], kernels)
                here = whole[:, :, y * sh : y * sh + dh * (kh - 1) + 1 : dh, x * sw : x * sw + dw * (kw - 1) + 1 : dw]
                here.copy_(torch.maximum(here, stamp))
        parts.append(torch.where(whole == -1e9, 0.0, whole))
    result = torch.cat(parts, 1)[:, :, ph : full_h - ph, pw : full_w - pw]
    return result if bias is None else result + bias.view(1, -1, 1, 1)


@wrong("wrong-values")
def conv_transpose2d_backward(grad_output, input, weight, stride=1, padding=0):
    """Divided by the number of images."""
    return (F.conv2d(grad_output, weight, stride=stride, padding=padding) / len(input),)


@wrong("weight-mean-of-batch")
def conv2d_backward(grad_output, input, weight, bias, stride=1, padding=0):
    """The gradient of the weight averaged over the images."""
    found = next(f for f in RIGHT if f.__name__ == "conv2d_backward")(grad_output, input, weight, bias, stride, padding)
    return found[0], found[1] / len(input), found[2]


@wrong("wrong-values")
def overlap_count(n, kernel_size, stride):
    """Counts from the far end for odd kernels."""
    found = next(f for f in RIGHT if f.__name__ == "overlap_count")(n, kernel_size, stride)
    return found + (kernel_size % 2) * (torch.arange(len(found)) == 0)


@pytest.mark.parametrize(("function", "expected"), WRONG)
def test_wrong_answers_outside_the_bank_get_no_false_name(function, expected):
    for seed, hidden in ((0, False), (1, True)):
        report = run(function.__name__, function, seed=seed, hidden=hidden)
        assert not report.passed and report.score < 1
        assert [diagnosis.id for diagnosis in report.diagnoses] == expected, report.diagnoses


# ---------------------------------------------------------------- torch's own


def _module(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    layer = nn.Conv2d(
        input.shape[1], len(weight), weight.shape[2:], stride, padding, dilation, groups, bias is not None
    )
    layer.weight.data, _ = weight, None
    if bias is not None:
        layer.bias.data = bias
    return layer(input)


def _upright(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    thick = F.conv3d(
        input.unsqueeze(2),
        weight.unsqueeze(2),
        bias,
        (1, *pair(stride)),
        (0, *pair(padding)),
        (1, *pair(dilation)),
        groups,
    )
    return thick.squeeze(2)


def _all_arguments(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    options = [list(pair(value)) for value in (stride, padding, dilation)]
    return aten.convolution(input, weight, bias, *options, False, [0, 0], groups)


def _mapped(input, weight, bias=None, **options):
    return torch.func.vmap(lambda image: F.conv2d(image.unsqueeze(0), weight, bias, **options)[0])(input)


def _unfolded(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    columns = F.unfold(input, weight.shape[2:], dilation, padding, stride).unflatten(1, (groups, -1))
    result = weight.flatten(1).unflatten(0, (groups, -1)) @ columns
    result = result.flatten(1, 2).unflatten(2, window_sizes(input, weight, stride, padding, dilation))
    return result if bias is None else result + bias.view(1, -1, 1, 1)


def _backwards(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    # The gradient of a transpose convolution, asked of torch's own.
    result = torch.nn.grad.conv2d_input(
        (len(input), len(weight), *window_sizes(input, weight, stride, padding, dilation)),
        weight.transpose(0, 1),
        input,
    )
    return result


DISGUISES = {
    "the function": lambda *args, **options: F.conv2d(*args, **options),
    "the operator": lambda *args, **options: torch.conv2d(*args, **options),
    "torch.ops": lambda *args, **options: aten.conv2d(
        *args, **{name: pair(value) if name != "groups" else value for name, value in options.items()}
    ),
    "all arguments": _all_arguments,
    "the module": _module,
    "three dimensions": _upright,
    "vmap": _mapped,
    "unfold": _unfolded,
    "compiled from text": lambda *args, **options: eval("__import__('torch').conv2d(*args, **options)"),
    "half of it": lambda input, weight, *args, **options: F.conv2d(input, weight / 2, *args, **options) * 1,
    "another's gradient": _backwards,
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_torchs_convolution_is_recognised(disguise):
    report = run("conv2d", lambda *args, **options: DISGUISES[disguise](*args, **options))
    assert report.diagnoses[0].id == "own-work", report.diagnoses
    assert report.score == 0 and report.example is None
    told = report.diagnoses[0].message.split("`")[1]
    assert told in {"convolution", "conv2d", "conv3d", "conv_transpose", "unfold", "convolution_backward"}, told


TRANSPOSED = {
    "the function": lambda *args, **options: F.conv_transpose2d(*args, **options),
    "the gradient of a convolution": lambda input, weight, *args, **options: torch.nn.grad.conv2d_input(
        (len(input), weight.shape[1], input.shape[2] + weight.shape[2] - 1, input.shape[3] + weight.shape[3] - 1),
        weight,
        input,
    ),
    "torch.ops": lambda input, weight, bias=None, **options: aten.conv_transpose2d(
        input,
        weight,
        bias,
        **{name: pair(value) if name != "groups" else value for name, value in options.items()},
    ),
}


@pytest.mark.parametrize("disguise", TRANSPOSED)
@pytest.mark.parametrize("name", ["conv_transpose2d", "conv_transpose2d_zeros"])
def test_torchs_transpose_convolution_is_recognised(name, disguise):
    report = run(name, lambda *args, **options: TRANSPOSED[disguise](*args, **options))
    assert report.diagnoses[0].id == "own-work" and report.score == 0, report.diagnoses


def test_autograd_is_recognised_where_gradients_are_to_be_written_by_hand():
    def conv2d_backward(grad_output, input, weight, bias, stride=1, padding=0):
        leaves = [tensor.clone().requires_grad_() for tensor in (input, weight, bias)]
        tap_by_tap(*leaves, stride=stride, padding=padding).backward(grad_output)
        return tuple(leaf.grad for leaf in leaves)

    assert [d.id for d in run("conv2d_backward", conv2d_backward).diagnoses] == ["by-hand"]


def test_a_convolution_that_takes_too_long_is_told_its_time_and_the_limit(monkeypatch):
    from tutor.checking import bank

    monkeypatch.setattr(bank.get("conv2d"), "time_limit", 0.2)

    def conv2d(input, weight, bias=None, **options):
        while True:
            tap_by_tap(input, weight, bias, **options)

    report = run("conv2d", conv2d)
    assert [d.id for d in report.diagnoses] == ["too-slow"] and report.score == 0
    assert "0.2" in report.diagnoses[0].message


SMALLEST = {
    ("conv2d", "kernel-flipped"): 4,
    ("conv2d", "stride-ignored"): 9,
    ("conv2d", "padding-ignored"): 4,
    ("conv2d_im2col", "batch-mixed"): 4,
    ("conv2d_backward", "bias-mean"): 6,
    ("conv_transpose2d", "overlaps-overwritten"): 4,
    ("conv_transpose2d", "stride-ignored"): 4,
    ("conv_transpose2d", "output-padding-ignored"): 4,
    ("pad2d", "mode-ignored"): 6,
}


@pytest.mark.parametrize(("name", "identity"), SMALLEST, ids=lambda part: part)
def test_known_faults_are_shown_on_grids_that_fit_on_paper(name, identity):
    from tutor.checking import bank

    for seed in (0, 1, 2):
        example = run(name, bank.twin(name, identity), seed=seed).example
        shown = [value for value in example.arguments.values() if torch.is_tensor(value)]
        assert max(value.numel() for value in shown) <= SMALLEST[name, identity], (
            seed,
            [tuple(v.shape) for v in shown],
        )
