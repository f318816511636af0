"""Chapter 03 as somebody writes it who thinks in whole tensors: slices with a step, and einsum."""

import torch


def conv_matrix(weight, input_size):
    height, width = input_size
    down, across = weight.shape
    rows, columns = height - down + 1, width - across + 1
    matrix = weight.new_zeros(rows, columns, height, width)
    for row in range(rows):
        for column in range(columns):
            matrix[row, column, row : row + down, column : column + across] = weight
    return matrix.reshape(rows * columns, height * width)


def conv_transpose2d_matrix(input, weight):
    size = input.shape[0] + weight.shape[0] - 1, input.shape[1] + weight.shape[1] - 1
    matrix = weight.new_zeros(*input.shape, *size)
    for row in range(input.shape[0]):
        for column in range(input.shape[1]):
            matrix[row, column, row : row + weight.shape[0], column : column + weight.shape[1]] = weight
    matrix = matrix.reshape(input.numel(), -1)
    return (matrix.T @ input.flatten()).reshape(size)


def conv_transpose2d_zeros(input, weight, bias=None, stride=1, padding=0, output_padding=0):
    (sh, sw), (ph, pw), (oh, ow) = [
        (value, value) if isinstance(value, int) else value for value in (stride, padding, output_padding)
    ]
    batch, channels, height, width = input.shape
    down, across = weight.shape[2:]
    spread = input.new_zeros(batch, channels, (height - 1) * sh + 1, (width - 1) * sw + 1)
    spread[:, :, ::sh, ::sw] = input
    top, left = down - 1 - ph, across - 1 - pw
    padded = torch.nn.functional.pad(spread, (left, left + ow, top, top + oh))
    return torch.nn.functional.conv2d(padded, weight.flip(2, 3).transpose(0, 1), bias)


def conv_transpose_output_size(n, kernel_size, stride=1, padding=0, output_padding=0, dilation=1):
    return (n - 1) * stride - 2 * padding + dilation * (kernel_size - 1) + output_padding + 1


def conv_transpose2d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    (sh, sw), (ph, pw), (oh, ow), (dh, dw) = [
        (value, value) if isinstance(value, int) else value for value in (stride, padding, output_padding, dilation)
    ]
    batch, channels, height, width = input.shape
    out, down, across = weight.shape[1:]
    reach_h, reach_w = (height - 1) * sh + 1, (width - 1) * sw + 1
    images = input.reshape(batch, groups, channels // groups, height, width)
    kernels = weight.reshape(groups, channels // groups, out, down, across)
    whole = input.new_zeros(batch, groups, out, reach_h + dh * (down - 1) + oh, reach_w + dw * (across - 1) + ow)
    for row in range(down):
        for column in range(across):
            part = torch.einsum("ngihw,gio->ngohw", images, kernels[..., row, column])
            top, left = row * dh, column * dw
            whole[..., top : top + reach_h : sh, left : left + reach_w : sw] += part
    whole = whole.flatten(1, 2)[:, :, ph : whole.shape[3] - ph, pw : whole.shape[4] - pw]
    return whole if bias is None else whole + bias.reshape(1, -1, 1, 1)


def conv_transpose2d_backward(grad_output, input, weight, stride=1, padding=0):
    return (torch.nn.functional.conv2d(grad_output, weight, stride=stride, padding=padding),)


def predict_round_trip():
    return [3.0, 8.0, 5.0]


def lost_direction():
    return torch.tensor([1.0, -1.0, 1.0])


def overlap_count(n, kernel_size, stride):
    starts = torch.arange(n).unsqueeze(1) * stride
    places = torch.arange((n - 1) * stride + kernel_size)
    return ((places >= starts) & (places < starts + kernel_size)).sum(dim=0)


def resize_convolve(input, weight):
    larger = torch.nn.functional.interpolate(input, scale_factor=2, mode="nearest")
    return torch.nn.functional.conv2d(larger, weight, padding=(weight.shape[2] // 2, weight.shape[3] // 2))


def mend_transpose_size(n, kernel_size, stride=1, padding=0):
    return (n - 1) * stride + kernel_size - 2 * padding
