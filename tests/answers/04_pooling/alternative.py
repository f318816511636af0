"""Chapter 04 by detours: unfold and fold, running sums, sorting, transpose convolutions, one-hot matrices."""

import math

import torch


def predict_pooling():
    return {1: [6, 4, 7, 9], 2: [3.75, 2.25, 4.5, 5]}.values()


def pool_output_size(n, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    stride = kernel_size if stride is None else stride
    steps = torch.tensor((n + 2 * padding - 1 - dilation * (kernel_size - 1)) / stride)
    if not ceil_mode:
        return steps.floor() + 1
    return torch.minimum(steps.ceil() + 1, torch.tensor((n + padding) / stride).ceil())


def max_pool2d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    stride = kernel_size if stride is None else stride
    k, s, p, d = (torch.tensor(value).expand(2).tolist() for value in (kernel_size, stride, padding, dilation))
    height, width = input.shape[2:]
    after = [0, 0]
    for dim, n in enumerate((height, width)):
        room = n + 2 * p[dim] - d[dim] * (k[dim] - 1) - 1
        left_over = -room % s[dim]
        if ceil_mode and left_over and (room // s[dim] + 1) * s[dim] < n + p[dim]:
            after[dim] = left_over
    border = (p[1], p[1] + after[1], p[0], p[0] + after[0])
    wide = torch.nn.functional.pad(input, border, value=-math.inf)
    places = torch.arange(height * width).reshape(1, 1, height, width)
    places = torch.nn.functional.pad(places, border, value=-1).expand(*input.shape[:2], -1, -1)
    best = torch.full((), -math.inf, dtype=input.dtype)
    where = torch.zeros((), dtype=torch.int64)
    rows, columns = ((wide.shape[2 + dim] - d[dim] * (k[dim] - 1) - 1) // s[dim] + 1 for dim in range(2))
    for u in range(k[0]):
        for v in range(k[1]):
            cut = (
                slice(None),
                slice(None),
                slice(u * d[0], u * d[0] + (rows - 1) * s[0] + 1, s[0]),
                slice(v * d[1], v * d[1] + (columns - 1) * s[1] + 1, s[1]),
            )
            where = torch.where(wide[cut] > best, places[cut], where)
            best = torch.maximum(wide[cut], best)
    return (best, where) if return_indices else best


def avg_pool2d(
    input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
):
    stride = kernel_size if stride is None else stride
    k, s, p = (torch.tensor(value).expand(2).tolist() for value in (kernel_size, stride, padding))
    padded = torch.nn.functional.pad(input, (p[1], p[1], p[0], p[0]))
    counted = torch.nn.functional.pad(
        torch.ones_like(input), (p[1], p[1], p[0], p[0]), value=1.0 if count_include_pad else 0.0
    )
    corners = []
    for dim in range(2):
        n = input.shape[2 + dim]
        room = n + 2 * p[dim] - k[dim]
        count = (room // s[dim] if not ceil_mode else math.ceil(room / s[dim])) + 1
        starts = [i * s[dim] for i in range(count)]
        starts = [start for start in starts if not ceil_mode or start < n + p[dim]]
        corners.append((starts, [min(start + k[dim], n + 2 * p[dim]) for start in starts]))

    def sums(image):
        running = torch.nn.functional.pad(image.cumsum(2).cumsum(3), (1, 0, 1, 0))
        (top, bottom), (left, right) = corners
        upper, lower = running[:, :, top], running[:, :, bottom]
        return lower[..., right] - lower[..., left] - upper[..., right] + upper[..., left]

    return sums(padded) / (sums(counted) if divisor_override is None else divisor_override)


def adaptive_avg_pool2d(input, output_size):
    sides = list(output_size) if isinstance(output_size, tuple) else [output_size] * 2
    for dim, side in ((2, sides[0]), (3, sides[1])):
        n = input.shape[dim]
        size = n if side is None else side
        pieces = []
        for i in range(size):
            start, end = i * n // size, -(-(i + 1) * n // size)
            pieces.append(input.narrow(dim, start, end - start).mean(dim, keepdim=True))
        input = torch.cat(pieces, dim)
    return input


def global_average_pool(input):
    height, width = input.shape[2:]
    return torch.einsum("nchw->nc", input) / (height * width)


def max_pool2d_backward(grad_output, input, kernel_size, stride=None, padding=0):
    stride = kernel_size if stride is None else stride
    k, s, p = (torch.tensor(value).expand(2).tolist() for value in (kernel_size, stride, padding))
    batch, channels = input.shape[:2]
    images = torch.nn.functional.pad(input, (p[1], p[1], p[0], p[0]), value=-math.inf)
    size = images.shape[2:]
    columns = torch.nn.functional.unfold(images.reshape(batch * channels, 1, *size), k, stride=s)
    chosen = torch.nn.functional.one_hot(columns.argmax(dim=1), columns.shape[1]).movedim(2, 1)
    blocks = chosen * grad_output.reshape(batch * channels, 1, -1)
    wide = torch.nn.functional.fold(blocks, size, k, stride=s).reshape(batch, channels, *size)
    return [torch.nn.functional.pad(wide, (-p[1], -p[1], -p[0], -p[0]))]


def avg_pool2d_backward(grad_output, input, kernel_size, stride=None, padding=0):
    stride = kernel_size if stride is None else stride
    k, s, p = (torch.tensor(value).expand(2).tolist() for value in (kernel_size, stride, padding))
    channels = input.shape[1]
    ones = torch.full((channels, 1, *k), 1 / (k[0] * k[1]), dtype=input.dtype)
    wide = torch.nn.functional.conv_transpose2d(grad_output, ones, stride=s, groups=channels)
    missing = [input.shape[2 + dim] + 2 * p[dim] - wide.shape[2 + dim] for dim in range(2)]
    return (torch.nn.functional.pad(wide, (-p[1], missing[1] - p[1], -p[0], missing[0] - p[0])),)


def max_unpool2d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    stride = kernel_size if stride is None else stride
    k, s, p = (torch.tensor(value).expand(2) for value in (kernel_size, stride, padding))
    small = torch.tensor(input.shape[2:])
    size = ((small - 1) * s + k - 2 * p).tolist() if output_size is None else list(output_size)[-2:]
    plane = torch.zeros(input.shape[0] * input.shape[1], math.prod(size), dtype=input.dtype)
    which = torch.arange(len(plane)).unsqueeze(1)
    plane = plane.index_put((which, indices.reshape(len(plane), -1)), input.reshape(len(plane), -1))
    return plane.reshape(*input.shape[:2], *size)


def shift_change(layer, images, shift):
    cut = images.shape[-1] - shift % images.shape[-1]
    moved = torch.cat([images[..., cut:], images[..., :cut]], dim=-1)
    before = layer(images)
    return torch.dist(layer(moved), before, p=1) / before.norm(p=1)


def log_pooling(folder, name, layer, batches):
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(log_dir=str(folder)) as writer:
        for step in range(len(batches)):
            images = batches[step][0]
            for tag, pictures in {"input": images, "output": layer(images)}.items():
                writer.add_images("/".join([name, tag]), pictures.permute(0, 2, 3, 1), step, dataformats="NHWC")


def mend_pool_stride(image, kernel_size, stride):
    columns = torch.nn.functional.unfold(image[None, None], kernel_size, stride=stride)
    rows = (image.shape[0] - kernel_size) // stride + 1
    return columns[0].sort(dim=0).values[-1].reshape(rows, -1)
