"""Chapter 04 as somebody writes it who thinks in single numbers: one window at a time, cut where the image ends."""

import math

import torch


def predict_pooling():
    grid = [[1, 3, 2, 4], [5, 6, 1, 2], [7, 2, 8, 3], [4, 5, 9, 0]]
    largest, means = [], []
    for i in (0, 2):
        blocks = [[grid[i][j], grid[i][j + 1], grid[i + 1][j], grid[i + 1][j + 1]] for j in (0, 2)]
        largest.append([max(block) for block in blocks])
        means.append([sum(block) / 4 for block in blocks])
    return largest, means


def pool_output_size(n, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    if stride is None:
        stride = kernel_size
    last_tap = dilation * (kernel_size - 1)
    count, start = 0, -padding
    while start + last_tap < n + padding:  # the whole window fits
        count += 1
        start += stride
    left_over = start - stride + last_tap < n + padding - 1
    if ceil_mode and left_over and start < n:
        count += 1
    return count


def max_pool2d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    if stride is None:
        stride = kernel_size
    kh, kw = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    sh, sw = (stride, stride) if isinstance(stride, int) else stride
    ph, pw = (padding, padding) if isinstance(padding, int) else padding
    dh, dw = (dilation, dilation) if isinstance(dilation, int) else dilation
    batch, channels, height, width = input.shape
    starts = []
    for n, k, s, p, d in ((height, kh, sh, ph, dh), (width, kw, sw, pw, dw)):
        count = (n + 2 * p - d * (k - 1) - 1) / s
        count = (math.ceil(count) if ceil_mode else math.floor(count)) + 1
        starts.append([i * s - p for i in range(count) if not ceil_mode or i * s - p < n])
    output = input.new_zeros(batch, channels, len(starts[0]), len(starts[1]))
    indices = torch.zeros(output.shape, dtype=torch.int64)
    for i, top in enumerate(starts[0]):
        for j, left in enumerate(starts[1]):
            rows = [r for r in range(top, top + kh * dh, dh) if 0 <= r < height]
            columns = [c for c in range(left, left + kw * dw, dw) if 0 <= c < width]
            best = torch.full((batch, channels), -math.inf, dtype=input.dtype)
            where = torch.zeros((batch, channels), dtype=torch.int64)
            for r in rows:
                for c in columns:
                    larger = input[:, :, r, c] > best
                    best = torch.where(larger, input[:, :, r, c], best)
                    where = torch.where(larger, r * width + c, where)
            output[:, :, i, j] = best
            indices[:, :, i, j] = where
    return (output, indices) if return_indices else output


def avg_pool2d(
    input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
):
    if stride is None:
        stride = kernel_size
    kh, kw = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    sh, sw = (stride, stride) if isinstance(stride, int) else stride
    ph, pw = (padding, padding) if isinstance(padding, int) else padding
    batch, channels, height, width = input.shape
    starts = []
    for n, k, s, p in ((height, kh, sh, ph), (width, kw, sw, pw)):
        count = (n + 2 * p - k) / s
        count = (math.ceil(count) if ceil_mode else math.floor(count)) + 1
        starts.append([i * s - p for i in range(count) if not ceil_mode or i * s - p < n])
    output = input.new_zeros(batch, channels, len(starts[0]), len(starts[1]))
    for i, top in enumerate(starts[0]):
        for j, left in enumerate(starts[1]):
            total, valid, counted = 0, 0, 0
            for r in range(top, top + kh):
                for c in range(left, left + kw):
                    if 0 <= r < height and 0 <= c < width:
                        total = total + input[:, :, r, c]
                        valid += 1
                    if r < height + ph and c < width + pw:
                        counted += 1
            divisor = counted if count_include_pad else valid
            output[:, :, i, j] = total / (divisor if divisor_override is None else divisor_override)
    return output


def adaptive_avg_pool2d(input, output_size):
    oh, ow = (output_size, output_size) if isinstance(output_size, int) else output_size
    height, width = input.shape[2:]
    oh = height if oh is None else oh
    ow = width if ow is None else ow
    output = input.new_zeros(*input.shape[:2], oh, ow)
    for i in range(oh):
        for j in range(ow):
            rows = slice(math.floor(i * height / oh), math.ceil((i + 1) * height / oh))
            columns = slice(math.floor(j * width / ow), math.ceil((j + 1) * width / ow))
            output[:, :, i, j] = input[:, :, rows, columns].mean(dim=(2, 3))
    return output


def global_average_pool(input):
    batch, channels, height, width = input.shape
    output = input.new_zeros(batch, channels)
    for i in range(height):
        for j in range(width):
            output = output + input[:, :, i, j]
    return output / (height * width)


def max_pool2d_backward(grad_output, input, kernel_size, stride=None, padding=0):
    if stride is None:
        stride = kernel_size
    kh, kw = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    sh, sw = (stride, stride) if isinstance(stride, int) else stride
    ph, pw = (padding, padding) if isinstance(padding, int) else padding
    batch, channels, height, width = input.shape
    grad_input = torch.zeros_like(input)
    for i in range(grad_output.shape[2]):
        for j in range(grad_output.shape[3]):
            for n in range(batch):
                for c in range(channels):
                    best, where = -math.inf, None
                    for r in range(max(0, i * sh - ph), min(height, i * sh - ph + kh)):
                        for q in range(max(0, j * sw - pw), min(width, j * sw - pw + kw)):
                            if input[n, c, r, q].item() > best:
                                best, where = input[n, c, r, q].item(), (n, c, r, q)
                    grad_input[where] += grad_output[n, c, i, j]
    return (grad_input,)


def avg_pool2d_backward(grad_output, input, kernel_size, stride=None, padding=0):
    if stride is None:
        stride = kernel_size
    kh, kw = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    sh, sw = (stride, stride) if isinstance(stride, int) else stride
    ph, pw = (padding, padding) if isinstance(padding, int) else padding
    grad_input = torch.zeros_like(input)
    for i in range(grad_output.shape[2]):
        for j in range(grad_output.shape[3]):
            for r in range(max(0, i * sh - ph), min(input.shape[2], i * sh - ph + kh)):
                for q in range(max(0, j * sw - pw), min(input.shape[3], j * sw - pw + kw)):
                    grad_input[:, :, r, q] += grad_output[:, :, i, j] / (kh * kw)
    return (grad_input,)


def max_unpool2d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    if stride is None:
        stride = kernel_size
    kh, kw = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    sh, sw = (stride, stride) if isinstance(stride, int) else stride
    ph, pw = (padding, padding) if isinstance(padding, int) else padding
    batch, channels, h, w = input.shape
    height, width = (h - 1) * sh + kh - 2 * ph, (w - 1) * sw + kw - 2 * pw
    if output_size is not None:
        height, width = output_size[len(output_size) - 2], output_size[len(output_size) - 1]
    output = torch.zeros(batch, channels, height, width, dtype=input.dtype)
    for n in range(batch):
        for c in range(channels):
            for i in range(h):
                for j in range(w):
                    row, column = divmod(int(indices[n, c, i, j]), width)
                    output[n, c, row, column] = input[n, c, i, j]
    return output


def shift_change(layer, images, shift):
    width = images.shape[3]
    moved = torch.zeros_like(images)
    for x in range(width):
        moved[:, :, :, (x + shift) % width] = images[:, :, :, x]
    before, after = layer(images).flatten(), layer(moved).flatten()
    change = sum(abs(float(a) - float(b)) for a, b in zip(after, before, strict=True))
    return change / sum(abs(float(b)) for b in before)


def log_pooling(folder, name, layer, batches):
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(folder)
    for step in range(len(batches)):
        images, _labels = batches[step]
        output = layer(images)
        writer.add_images(name + "/input", images, global_step=step)
        writer.add_images(name + "/output", output, global_step=step)
    writer.close()


def mend_pool_stride(image, kernel_size, stride):
    height, width = image.shape
    rows = (height - kernel_size) // stride + 1
    columns = (width - kernel_size) // stride + 1
    output = image.new_zeros(rows, columns)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            output[i, j] = image[top : top + kernel_size, left : left + kernel_size].max()
    return output
