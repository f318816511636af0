"""Chapter 03 as somebody writes it who thinks in single numbers: loops, and one small addition at a time."""

import torch


def conv_matrix(weight, input_size):
    kh, kw = weight.shape
    h, w = input_size
    rows = []
    for y in range(h - kh + 1):
        for x in range(w - kw + 1):
            picture = torch.zeros(h, w, dtype=weight.dtype)
            for u in range(kh):
                for v in range(kw):
                    picture[y + u, x + v] = weight[u, v]
            rows.append(picture.flatten())
    return torch.stack(rows)


def conv_transpose2d_matrix(input, weight):
    h, w = input.shape
    kh, kw = weight.shape
    out_h, out_w = h + kh - 1, w + kw - 1
    output = torch.zeros(out_h * out_w, dtype=input.dtype)
    for y in range(h):
        for x in range(w):
            row = torch.zeros(out_h * out_w, dtype=weight.dtype)
            for u in range(kh):
                for v in range(kw):
                    row[(y + u) * out_w + x + v] = weight[u, v]
            output = output + input[y, x] * row
    return output.reshape(out_h, out_w)


def conv_transpose2d_zeros(input, weight, bias=None, stride=1, padding=0, output_padding=0):
    sh, sw = (stride, stride) if isinstance(stride, int) else stride
    ph, pw = (padding, padding) if isinstance(padding, int) else padding
    oh, ow = (output_padding, output_padding) if isinstance(output_padding, int) else output_padding
    batch, in_channels, h, w = input.shape
    _, out_channels, kh, kw = weight.shape
    top, left = kh - 1 - ph, kw - 1 - pw
    out_h, out_w = (h - 1) * sh - 2 * ph + kh + oh, (w - 1) * sw - 2 * pw + kw + ow
    spread = torch.zeros(batch, in_channels, out_h + kh - 1, out_w + kw - 1, dtype=input.dtype)
    for y in range(h):
        for x in range(w):
            row, column = top + y * sh, left + x * sw
            if 0 <= row < out_h + kh - 1 and 0 <= column < out_w + kw - 1:
                spread[:, :, row, column] = input[:, :, y, x]
    output = torch.zeros(batch, out_channels, out_h, out_w, dtype=input.dtype)
    for o in range(out_channels):
        for row in range(out_h):
            for column in range(out_w):
                window = spread[:, :, row : row + kh, column : column + kw]
                turned = torch.flip(weight[:, o], [1, 2])
                output[:, o, row, column] = (window * turned).sum(dim=(1, 2, 3))
                if bias is not None:
                    output[:, o, row, column] += bias[o]
    return output


def conv_transpose_output_size(n, kernel_size, stride=1, padding=0, output_padding=0, dilation=1):
    furthest = 0
    for i in range(n):
        for tap in range(kernel_size):
            furthest = max(furthest, i * stride + tap * dilation)
    size = furthest + 1
    for _ in range(padding):
        size -= 2
    return size + output_padding


def conv_transpose2d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    sh, sw = (stride, stride) if isinstance(stride, int) else stride
    ph, pw = (padding, padding) if isinstance(padding, int) else padding
    oh, ow = (output_padding, output_padding) if isinstance(output_padding, int) else output_padding
    dh, dw = (dilation, dilation) if isinstance(dilation, int) else dilation
    batch, in_channels, h, w = input.shape
    _, per_group, kh, kw = weight.shape
    out_h = (h - 1) * sh - 2 * ph + dh * (kh - 1) + oh + 1
    out_w = (w - 1) * sw - 2 * pw + dw * (kw - 1) + ow + 1
    output = torch.zeros(batch, per_group * groups, out_h, out_w, dtype=input.dtype)
    for i in range(in_channels):
        first = i // (in_channels // groups) * per_group
        for y in range(h):
            for x in range(w):
                for u in range(kh):
                    for v in range(kw):
                        row, column = y * sh + u * dh - ph, x * sw + v * dw - pw
                        if 0 <= row < out_h and 0 <= column < out_w:
                            for o in range(per_group):
                                output[:, first + o, row, column] += input[:, i, y, x] * weight[i, o, u, v]
    if bias is not None:
        for o in range(per_group * groups):
            output[:, o] += bias[o]
    return output


def conv_transpose2d_backward(grad_output, input, weight, stride=1, padding=0):
    sh, sw = (stride, stride) if isinstance(stride, int) else stride
    ph, pw = (padding, padding) if isinstance(padding, int) else padding
    out_h, out_w = grad_output.shape[2:]
    in_channels, out_channels, kh, kw = weight.shape
    grad_input = torch.zeros_like(input)
    for y in range(input.shape[2]):
        for x in range(input.shape[3]):
            for u in range(kh):
                for v in range(kw):
                    row, column = y * sh + u - ph, x * sw + v - pw
                    if 0 <= row < out_h and 0 <= column < out_w:
                        for i in range(in_channels):
                            for o in range(out_channels):
                                grad_input[:, i, y, x] += grad_output[:, o, row, column] * weight[i, o, u, v]
    return (grad_input,)


def predict_round_trip():
    x = [1.0, 2.0, 3.0]
    down = [x[0] + x[1], x[1] + x[2]]
    up = [0.0, 0.0, 0.0]
    for i in range(2):
        up[i] += down[i]
        up[i + 1] += down[i]
    return up


def lost_direction():
    x = [1.0]
    for _ in range(2):
        x.append(-x[-1])
    return torch.tensor(x)


def overlap_count(n, kernel_size, stride):
    counts = [0] * ((n - 1) * stride + kernel_size)
    for i in range(n):
        for tap in range(kernel_size):
            counts[i * stride + tap] += 1
    return torch.tensor(counts)


def resize_convolve(input, weight):
    batch, in_channels, h, w = input.shape
    out_channels, _, kh, kw = weight.shape
    padded = torch.zeros(batch, in_channels, 2 * h + kh - 1, 2 * w + kw - 1, dtype=input.dtype)
    for y in range(2 * h):
        for x in range(2 * w):
            padded[:, :, y + kh // 2, x + kw // 2] = input[:, :, y // 2, x // 2]
    columns = []
    for o in range(out_channels):
        for y in range(2 * h):
            for x in range(2 * w):
                window = padded[:, :, y : y + kh, x : x + kw]
                columns.append(sum((window[:, i] * weight[o, i]).sum(dim=(1, 2)) for i in range(in_channels)))
    return torch.stack(columns, dim=1).reshape(batch, out_channels, 2 * h, 2 * w)


def mend_transpose_size(n, kernel_size, stride=1, padding=0):
    last_start = 0
    for _ in range(n - 1):
        last_start += stride
    return last_start + kernel_size - padding - padding
