"""Chapter 02 as somebody writes it who thinks in whole tensors: windows as views, one einsum or matrix product."""

import torch
from torch.utils.tensorboard import SummaryWriter


def conv_output_size(n, kernel_size, stride=1, padding=0, dilation=1):
    return (n + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


def pad2d(input, padding, mode="zeros"):
    height, width = (padding, padding) if isinstance(padding, int) else padding
    rows = torch.arange(-height, input.shape[2] + height)
    columns = torch.arange(-width, input.shape[3] + width)

    def source(index, size):
        if mode == "circular":
            return index % size
        if mode == "reflect":
            return (size - 1) - (index.abs() - (size - 1)).abs()
        return index.clamp(0, size - 1)

    taken = input[:, :, source(rows, input.shape[2])][:, :, :, source(columns, input.shape[3])]
    if mode == "zeros":
        inside = ((rows >= 0) & (rows < input.shape[2]))[:, None] & (columns >= 0) & (columns < input.shape[3])
        taken = taken * inside
    return taken


def same_padding(kernel_size, dilation=1):
    total = dilation * (kernel_size - 1)
    return total // 2, total - total // 2


def conv1d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    n, channels, _ = input.shape
    out, _, kernel = weight.shape
    padded = torch.nn.functional.pad(input, (padding, padding))
    windows = padded.unfold(2, dilation * (kernel - 1) + 1, stride)[..., ::dilation]
    windows = windows.reshape(n, groups, channels // groups, -1, kernel)
    filters = weight.reshape(groups, out // groups, channels // groups, kernel)
    result = torch.einsum("ngclk,gock->ngol", windows, filters).reshape(n, out, -1)
    return result if bias is None else result + bias[:, None]


def conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    sh, sw = (stride, stride) if isinstance(stride, int) else stride
    ph, pw = (padding, padding) if isinstance(padding, int) else padding
    dh, dw = (dilation, dilation) if isinstance(dilation, int) else dilation
    padded = torch.nn.functional.pad(input, (pw, pw, ph, ph)).contiguous()
    n, channels, height, width = padded.shape
    out, per_group, kh, kw = weight.shape
    oh, ow = (height - dh * (kh - 1) - 1) // sh + 1, (width - dw * (kw - 1) - 1) // sw + 1
    a, b, c, d = padded.stride()
    windows = padded.as_strided((n, channels, oh, ow, kh, kw), (a, b, c * sh, d * sw, c * dh, d * dw))
    windows = windows.reshape(n, groups, per_group, oh, ow, kh, kw)
    filters = weight.reshape(groups, out // groups, per_group, kh, kw)
    result = torch.einsum("ngcijuv,gocuv->ngoij", windows, filters).reshape(n, out, oh, ow)
    return result if bias is None else result + bias.view(1, -1, 1, 1)


def conv2d_im2col(input, weight, bias=None, stride=1, padding=0, dilation=1):
    out, _, kh, kw = weight.shape
    sh, sw = (stride, stride) if isinstance(stride, int) else stride
    ph, pw = (padding, padding) if isinstance(padding, int) else padding
    dh, dw = (dilation, dilation) if isinstance(dilation, int) else dilation
    columns = torch.nn.functional.unfold(input, (kh, kw), dilation=dilation, padding=padding, stride=stride)
    oh = (input.shape[2] + 2 * ph - dh * (kh - 1) - 1) // sh + 1
    ow = (input.shape[3] + 2 * pw - dw * (kw - 1) - 1) // sw + 1
    result = weight.reshape(out, -1) @ columns
    if bias is not None:
        result = result + bias[:, None]
    return result.reshape(-1, out, oh, ow)


def conv2d_backward(grad_output, input, weight, bias, stride=1, padding=0):
    sh, sw = (stride, stride) if isinstance(stride, int) else stride
    ph, pw = (padding, padding) if isinstance(padding, int) else padding
    padded = torch.nn.functional.pad(input, (pw, pw, ph, ph)).contiguous()
    n, channels, height, width = padded.shape
    kh, kw = weight.shape[2:]
    oh, ow = grad_output.shape[2:]
    a, b, c, d = padded.stride()
    windows = padded.as_strided((n, channels, oh, ow, kh, kw), (a, b, c * sh, d * sw, c, d))
    grad_weight = torch.einsum("noij,ncijuv->ocuv", grad_output, windows)
    back = torch.einsum("noij,ocuv->ncuvij", grad_output, weight).reshape(n, channels * kh * kw, oh * ow)
    grad_padded = torch.nn.functional.fold(back, (height, width), (kh, kw), stride=(sh, sw))
    grad_input = grad_padded[:, :, ph : height - ph, pw : width - pw]
    return grad_input, grad_weight, grad_output.sum((0, 2, 3))


def predict_conv_shapes():
    return ((4, 2, 3), (8, 4, 8)), ((6, 3, 3, 3), (64, 6, 30, 30)), ((6, 3, 3, 3, 3), (1, 6, 14, 30, 30))


def separable_parameters(in_channels, out_channels, kernel_size):
    ordinary = out_channels * in_channels * kernel_size**2
    return ordinary, in_channels * kernel_size**2 + out_channels * in_channels


def receptive_field(kernel_sizes, strides, dilations):
    spans = torch.tensor(dilations) * (torch.tensor(kernel_sizes) - 1)
    jumps = torch.cumprod(torch.tensor([1, *strides[:-1]]), dim=0)
    return 1 + (spans * jumps).sum()


def edges(images):
    across = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], dtype=images.dtype)
    kernels = torch.stack([across, across.T]).unsqueeze(1)
    return torch.nn.functional.conv2d(images.mean(dim=1, keepdim=True), kernels, padding=1)


def tile_maps(maps):
    n, channels, height, width = maps.shape
    return maps.permute(0, 2, 1, 3).reshape(n, 1, height, channels * width)


def log_feature_maps(folder, name, layer, batches):
    with SummaryWriter(folder) as writer:
        for step, (images, _) in enumerate(batches):
            maps = layer(images)
            n, channels, height, width = maps.shape
            tiles = maps.permute(0, 2, 1, 3).reshape(n, 1, height, channels * width)
            writer.add_images(f"{name}/input", images, step)
            writer.add_images(f"{name}/maps", tiles, step)


def mend_reshape(maps):
    return maps.reshape(-1, 1, *maps.shape[2:])
