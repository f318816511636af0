"""Chapter 02 by detours: Fourier transforms, shifting and adding, scattering, matrices of one's own."""

import math

import torch
from torch.utils.tensorboard import SummaryWriter


def conv_output_size(n, kernel_size, stride=1, padding=0, dilation=1):
    return len(range(-padding, n + padding - dilation * (kernel_size - 1), stride))


def pad2d(input, padding, mode="zeros"):
    result = input
    for axis, amount in enumerate([padding] * 2 if isinstance(padding, int) else padding, start=2):
        size = input.shape[axis]
        if amount == 0:
            continue
        if mode == "zeros":
            before = after = torch.zeros_like(result.narrow(axis, 0, 1)).repeat_interleave(amount, axis)
        elif mode == "reflect":
            before = result.narrow(axis, 1, amount).flip(axis)
            after = result.narrow(axis, size - 1 - amount, amount).flip(axis)
        elif mode == "replicate":
            before = result.narrow(axis, 0, 1).repeat_interleave(amount, axis)
            after = result.narrow(axis, size - 1, 1).repeat_interleave(amount, axis)
        else:
            before = result.narrow(axis, size - amount, amount)
            after = result.narrow(axis, 0, amount)
        result = torch.cat([before, result, after], axis)
    return result


def same_padding(kernel_size, dilation=1):
    before, odd = divmod(dilation * (kernel_size - 1), 2)
    return torch.tensor([before, before + odd]).tolist()


def conv1d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    # Every filter as a row of a band matrix, with zeros wherever it doesn't look.
    n, channels, _ = input.shape
    kernel = weight.shape[2]
    padded = torch.cat([input.new_zeros(n, channels, padding), input, input.new_zeros(n, channels, padding)], dim=2)
    reach = padded.shape[2] - dilation * (kernel - 1)
    size = math.ceil(reach / stride)
    band = torch.zeros(kernel, size, padded.shape[2], dtype=input.dtype)
    for tap in range(kernel):
        band[tap, torch.arange(size), torch.arange(size) * stride + tap * dilation] = 1
    parts = []
    for one, filters in zip(padded.chunk(groups, 1), weight.chunk(groups, 0), strict=True):
        parts.append(torch.tensordot(torch.tensordot(one, band, ([2], [2])), filters, ([1, 2], [1, 2])))
    result = torch.cat(parts, dim=2).transpose(1, 2)
    return result if bias is None else torch.add(result, bias.unsqueeze(-1))


def conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    # A product of spectra is a circular convolution; the conjugate turns it into the cross-correlation.
    sh, sw = [stride] * 2 if isinstance(stride, int) else stride
    ph, pw = [padding] * 2 if isinstance(padding, int) else padding
    dh, dw = [dilation] * 2 if isinstance(dilation, int) else dilation
    out, per_group, kh, kw = weight.shape
    spread = weight.new_zeros(out, per_group, dh * (kh - 1) + 1, dw * (kw - 1) + 1)
    spread[:, :, ::dh, ::dw] = weight
    height, width = input.shape[2] + 2 * ph, input.shape[3] + 2 * pw
    padded = torch.nn.functional.pad(input, (pw, pw, ph, ph))
    signal = torch.fft.rfft2(padded, s=(height, width)).unflatten(1, (groups, per_group))
    kernel = torch.fft.rfft2(spread, s=(height, width)).conj().unflatten(0, (groups, out // groups))
    spectrum = (signal.unsqueeze(2) * kernel).sum(dim=3).flatten(1, 2)
    whole = torch.fft.irfft2(spectrum, s=(height, width))
    result = whole[:, :, : height - spread.shape[2] + 1 : sh, : width - spread.shape[3] + 1 : sw]
    return result if bias is None else result + bias[:, None, None]


def conv2d_im2col(input, weight, bias=None, stride=1, padding=0, dilation=1):
    # The indices of every tap of every window, looked up in the flattened image.
    sh, sw = [stride] * 2 if isinstance(stride, int) else stride
    ph, pw = [padding] * 2 if isinstance(padding, int) else padding
    dh, dw = [dilation] * 2 if isinstance(dilation, int) else dilation
    out, channels, kh, kw = weight.shape
    padded = torch.nn.functional.pad(input, (pw, pw, ph, ph))
    height, width = padded.shape[2:]
    tops = torch.arange(0, height - dh * (kh - 1), sh)
    lefts = torch.arange(0, width - dw * (kw - 1), sw)
    corners = (tops[:, None] * width + lefts).flatten()
    taps = (torch.arange(kh)[:, None] * dh * width + torch.arange(kw) * dw).flatten()
    columns = padded.flatten(2)[:, :, taps[:, None] + corners].transpose(0, 1)
    matrix = columns.permute(0, 2, 1, 3).reshape(channels * kh * kw, -1)
    start = 0 if bias is None else bias[:, None]
    product = weight.view(out, -1).mm(matrix) + start
    return product.unflatten(1, (len(input), len(tops), len(lefts))).movedim(1, 0)


def conv2d_backward(grad_output, input, weight, bias, stride=1, padding=0):
    # One tap of the kernel at a time: the whole output gradient is shifted, scaled and added.
    sh, sw = [stride] * 2 if isinstance(stride, int) else stride
    ph, pw = [padding] * 2 if isinstance(padding, int) else padding
    oh, ow = grad_output.shape[2:]
    padded = torch.nn.functional.pad(input, (pw, pw, ph, ph))
    grad_padded, taps = torch.zeros_like(padded), []
    for u in range(weight.shape[2]):
        for v in range(weight.shape[3]):
            here = (..., slice(u, u + (oh - 1) * sh + 1, sh), slice(v, v + (ow - 1) * sw + 1, sw))
            grad_padded[here] += torch.tensordot(grad_output, weight[:, :, u, v], ([1], [0])).movedim(-1, 1)
            taps.append(torch.tensordot(grad_output, padded[here], ([0, 2, 3], [0, 2, 3])))
    grad_weight = torch.stack(taps, dim=-1).view_as(weight)
    grad_input = grad_padded.narrow(2, ph, input.shape[2]).narrow(3, pw, input.shape[3])
    return [grad_input, grad_weight, grad_output.flatten(2).sum(2).sum(0)]


def predict_conv_shapes():
    found = []
    for layer, shape in (
        (torch.nn.Conv1d(2, 4, kernel_size=3), (8, 2, 10)),
        (torch.nn.Conv2d(3, 6, kernel_size=3), (64, 3, 32, 32)),
        (torch.nn.Conv3d(3, 6, kernel_size=3), (1, 3, 16, 32, 32)),
    ):
        found.append((layer.weight.shape, layer(torch.zeros(shape)).shape))
    return found


def separable_parameters(in_channels, out_channels, kernel_size):
    def count(*layers):
        return sum(parameter.numel() for layer in layers for parameter in layer.parameters())

    ordinary = torch.nn.Conv2d(in_channels, out_channels, kernel_size, bias=False)
    depthwise = torch.nn.Conv2d(in_channels, in_channels, kernel_size, groups=in_channels, bias=False)
    pointwise = torch.nn.Conv2d(in_channels, out_channels, 1, bias=False)
    return count(ordinary), count(depthwise, pointwise)


def receptive_field(kernel_sizes, strides, dilations):
    # Follow one output back to the input, layer by layer, and see which positions it saw.
    seen = {0}
    for kernel_size, stride, dilation in zip(kernel_sizes[::-1], strides[::-1], dilations[::-1], strict=True):
        seen = {place * stride + tap * dilation for place in seen for tap in range(kernel_size)}
    return max(seen) - min(seen) + 1


def edges(images):
    # Sobel is a smoothing along one axis and a difference along the other.
    grey = torch.nn.functional.pad(images.sum(1) / 3, (1, 1, 1, 1))
    smooth_down = grey[:, :-2] + 2 * grey[:, 1:-1] + grey[:, 2:]
    smooth_across = grey[:, :, :-2] + 2 * grey[:, :, 1:-1] + grey[:, :, 2:]
    x = smooth_down[:, :, 2:] - smooth_down[:, :, :-2]
    y = smooth_across[:, 2:] - smooth_across[:, :-2]
    return torch.stack([x, y], dim=1)


def tile_maps(maps):
    return torch.cat(maps.split(1, dim=1), dim=3)


def log_feature_maps(folder, name, layer, batches):
    from tutor import board

    writer = SummaryWriter(log_dir=folder, flush_secs=1)
    try:
        for step, batch in enumerate(batches):
            writer.add_images(f"{name}/input", batch[0].movedim(1, -1), step, dataformats="NHWC")
            writer.add_image(f"{name}/maps", board.feature_maps(layer(batch[0])), step)
    finally:
        writer.close()


def mend_reshape(maps):
    return maps.flatten(0, 1).unsqueeze(1)
