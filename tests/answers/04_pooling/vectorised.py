"""Chapter 04 as somebody writes it who thinks in whole tensors: padding, then windows as a view, then one reduction."""

import torch


def predict_pooling():
    grid = torch.tensor([[1.0, 3.0, 2.0, 4.0], [5.0, 6.0, 1.0, 2.0], [7.0, 2.0, 8.0, 3.0], [4.0, 5.0, 9.0, 0.0]])
    blocks = grid.unfold(0, 2, 2).unfold(1, 2, 2)
    return blocks.amax((2, 3)), blocks.mean((2, 3))


def pool_output_size(n, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    stride = stride or kernel_size
    room = n + 2 * padding - dilation * (kernel_size - 1) - 1
    size = (room + (stride - 1 if ceil_mode else 0)) // stride + 1
    return size - 1 if ceil_mode and (size - 1) * stride >= n + padding else size


def max_pool2d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    stride = kernel_size if stride is None else stride
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = [
        (value, value) if isinstance(value, int) else value for value in (kernel_size, stride, padding, dilation)
    ]
    height, width = input.shape[2:]
    sizes = []
    for n, k, s, p, d in ((height, kh, sh, ph, dh), (width, kw, sw, pw, dw)):
        room = n + 2 * p - d * (k - 1) - 1
        size = -(-room // s) + 1 if ceil_mode else room // s + 1
        sizes.append(size - 1 if ceil_mode and (size - 1) * s >= n + p else size)
    rows = (torch.arange(sizes[0]) * sh - ph).reshape(-1, 1, 1, 1) + (torch.arange(kh) * dh).reshape(-1, 1)
    columns = (torch.arange(sizes[1]) * sw - pw).reshape(-1, 1, 1) + torch.arange(kw) * dw
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    numbers = input[:, :, rows.clamp(0, height - 1), columns.clamp(0, width - 1)]
    numbers = torch.where(inside, numbers, float("-inf")).flatten(4)
    best, which = numbers.max(dim=4)
    if not return_indices:
        return best
    places = (rows * width + columns).flatten(2).expand_as(numbers)
    return best, places.gather(4, which.unsqueeze(4)).squeeze(4)


def avg_pool2d(
    input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
):
    stride = kernel_size if stride is None else stride
    (kh, kw), (sh, sw), (ph, pw) = [
        (value, value) if isinstance(value, int) else value for value in (kernel_size, stride, padding)
    ]
    height, width = input.shape[2:]
    matrices, counts = [], []
    for n, k, s, p in ((height, kh, sh, ph), (width, kw, sw, pw)):
        room = n + 2 * p - k
        size = -(-room // s) + 1 if ceil_mode else room // s + 1
        if ceil_mode and (size - 1) * s >= n + p:
            size -= 1
        starts = torch.arange(size).unsqueeze(1) * s - p
        places = torch.arange(n)
        matrices.append(((places >= starts) & (places < starts + k)).to(input.dtype))
        ends = (starts + k).clamp(max=n + p)
        counts.append(ends - starts if count_include_pad else ends.clamp(max=n) - starts.clamp(min=0))
    total = matrices[0] @ input @ matrices[1].T
    return total / (counts[0] * counts[1].T if divisor_override is None else divisor_override)


def adaptive_avg_pool2d(input, output_size):
    sides = (output_size, output_size) if isinstance(output_size, int) else output_size
    matrices = []
    for n, side in zip(input.shape[2:], sides, strict=True):
        size = n if side is None else side
        places, bins = torch.arange(n), torch.arange(size).unsqueeze(1)
        covered = (places >= bins * n // size) & (places < ((bins + 1) * n + size - 1) // size)
        matrices.append(covered.to(input.dtype) / covered.sum(dim=1, keepdim=True))
    return matrices[0] @ input @ matrices[1].T


def global_average_pool(input):
    return input.mean(dim=(2, 3))


def max_pool2d_backward(grad_output, input, kernel_size, stride=None, padding=0):
    _, where = torch.nn.functional.max_pool2d(input, kernel_size, stride, padding, return_indices=True)
    plane = torch.zeros_like(input).flatten(2)
    plane = plane.scatter_add(2, where.flatten(2), grad_output.flatten(2))
    return (plane.reshape(input.shape),)


def avg_pool2d_backward(grad_output, input, kernel_size, stride=None, padding=0):
    stride = kernel_size if stride is None else stride
    (kh, kw), (sh, sw), (ph, pw) = [
        (value, value) if isinstance(value, int) else value for value in (kernel_size, stride, padding)
    ]
    (height, width), (rows, columns) = input.shape[2:], grad_output.shape[2:]
    matrices = []
    for n, size, k, s, p in ((height, rows, kh, sh, ph), (width, columns, kw, sw, pw)):
        starts = torch.arange(size).unsqueeze(1) * s - p
        places = torch.arange(n)
        matrices.append(((places >= starts) & (places < starts + k)).to(input.dtype))
    return (matrices[0].T @ grad_output @ matrices[1] / (kh * kw),)


def max_unpool2d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    stride = kernel_size if stride is None else stride
    (kh, kw), (sh, sw), (ph, pw) = [
        (value, value) if isinstance(value, int) else value for value in (kernel_size, stride, padding)
    ]
    height, width = (input.shape[2] - 1) * sh - 2 * ph + kh, (input.shape[3] - 1) * sw - 2 * pw + kw
    if output_size is not None:
        height, width = output_size[-2:]
    plane = input.new_zeros(*input.shape[:2], height * width)
    return plane.scatter(2, indices.flatten(2), input.flatten(2)).reshape(*input.shape[:2], height, width)


def shift_change(layer, images, shift):
    before = layer(images)
    after = layer(torch.roll(images, shift, dims=3))
    return ((after - before).abs().mean() / before.abs().mean()).item()


def log_pooling(folder, name, layer, batches):
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(folder) as writer:
        for step, (images, _) in enumerate(batches):
            writer.add_images(f"{name}/input", images, step)
            writer.add_images(f"{name}/output", layer(images), step)


def mend_pool_stride(image, kernel_size, stride):
    windows = image.unfold(0, kernel_size, stride).unfold(1, kernel_size, stride)
    return windows.amax((2, 3))
