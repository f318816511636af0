"""Chapter 02 as somebody writes it who thinks in single positions: loops over images, filters, rows and columns."""

import torch
from torch.utils.tensorboard import SummaryWriter


def conv_output_size(n, kernel_size, stride=1, padding=0, dilation=1):
    count = 0
    start = 0
    while start + dilation * (kernel_size - 1) < n + 2 * padding:
        count += 1
        start += stride
    return count


def pad2d(input, padding, mode="zeros"):
    if isinstance(padding, int):
        padding = (padding, padding)
    height, width = input.shape[2:]
    rows = []
    for y in range(-padding[0], height + padding[0]):
        row = []
        for x in range(-padding[1], width + padding[1]):
            inside = 0 <= y < height and 0 <= x < width
            if mode == "zeros" and not inside:
                row.append(torch.zeros_like(input[:, :, 0, 0]))
                continue
            sy, sx = y, x
            if mode == "reflect":
                sy = -sy if sy < 0 else sy
                sx = -sx if sx < 0 else sx
                sy = 2 * (height - 1) - sy if sy >= height else sy
                sx = 2 * (width - 1) - sx if sx >= width else sx
            elif mode == "replicate":
                sy, sx = min(max(sy, 0), height - 1), min(max(sx, 0), width - 1)
            elif mode == "circular":
                sy, sx = sy % height, sx % width
            row.append(input[:, :, sy, sx])
        rows.append(torch.stack(row, dim=-1))
    return torch.stack(rows, dim=-2)


def same_padding(kernel_size, dilation=1):
    before = after = 0
    for extra in range(dilation * (kernel_size - 1)):
        if extra % 2 == 0:
            after += 1
        else:
            before += 1
    return [before, after]


def conv1d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    length = input.shape[2]
    out_channels, per_group, kernel = weight.shape
    size = (length + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
    images = []
    for image in input:
        filters = []
        for o in range(out_channels):
            first = o // (out_channels // groups) * per_group
            numbers = []
            for i in range(size):
                total = torch.zeros((), dtype=input.dtype)
                for k in range(kernel):
                    place = i * stride + k * dilation - padding
                    if 0 <= place < length:
                        for c in range(per_group):
                            total = total + image[first + c, place] * weight[o, c, k]
                numbers.append(total if bias is None else total + bias[o])
            filters.append(torch.stack(numbers))
        images.append(torch.stack(filters))
    return torch.stack(images)


def conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    sh, sw = (stride, stride) if isinstance(stride, int) else stride
    ph, pw = (padding, padding) if isinstance(padding, int) else padding
    dh, dw = (dilation, dilation) if isinstance(dilation, int) else dilation
    out_channels, per_group, kh, kw = weight.shape
    padded = input.new_zeros(input.shape[0], input.shape[1], input.shape[2] + 2 * ph, input.shape[3] + 2 * pw)
    padded[:, :, ph : ph + input.shape[2], pw : pw + input.shape[3]] = input
    oh = (padded.shape[2] - (dh * (kh - 1) + 1)) // sh + 1
    ow = (padded.shape[3] - (dw * (kw - 1) + 1)) // sw + 1
    result = input.new_zeros(input.shape[0], out_channels, oh, ow)
    for n in range(input.shape[0]):
        for o in range(out_channels):
            group = o // (out_channels // groups)
            channels = padded[n, group * per_group : (group + 1) * per_group]
            for i in range(oh):
                for j in range(ow):
                    top, left = i * sh, j * sw
                    window = channels[:, top : top + dh * (kh - 1) + 1 : dh, left : left + dw * (kw - 1) + 1 : dw]
                    value = (window * weight[o]).sum()
                    result[n, o, i, j] = value if bias is None else value + bias[o]
    return result


def conv2d_im2col(input, weight, bias=None, stride=1, padding=0, dilation=1):
    sh, sw = (stride, stride) if isinstance(stride, int) else stride
    ph, pw = (padding, padding) if isinstance(padding, int) else padding
    dh, dw = (dilation, dilation) if isinstance(dilation, int) else dilation
    out_channels, _, kh, kw = weight.shape
    padded = torch.nn.functional.pad(input, [pw, pw, ph, ph])
    oh = (padded.shape[2] - dh * (kh - 1) - 1) // sh + 1
    ow = (padded.shape[3] - dw * (kw - 1) - 1) // sw + 1
    rows = []
    for n in range(input.shape[0]):
        for i in range(oh):
            for j in range(ow):
                window = padded[n, :, i * sh : i * sh + dh * kh : dh, j * sw : j * sw + dw * kw : dw]
                rows.append(window[:, :kh, :kw].flatten())
    product = torch.stack(rows) @ weight.flatten(1).T
    if bias is not None:
        product = product + bias
    return product.reshape(input.shape[0], oh, ow, out_channels).permute(0, 3, 1, 2)


def conv2d_backward(grad_output, input, weight, bias, stride=1, padding=0):
    sh, sw = (stride, stride) if isinstance(stride, int) else stride
    ph, pw = (padding, padding) if isinstance(padding, int) else padding
    kh, kw = weight.shape[2:]
    padded = torch.nn.functional.pad(input, (pw, pw, ph, ph))
    grad_padded, grad_weight, grad_bias = torch.zeros_like(padded), torch.zeros_like(weight), torch.zeros_like(bias)
    for n in range(grad_output.shape[0]):
        for o in range(grad_output.shape[1]):
            for i in range(grad_output.shape[2]):
                for j in range(grad_output.shape[3]):
                    g = grad_output[n, o, i, j]
                    rows, columns = slice(i * sh, i * sh + kh), slice(j * sw, j * sw + kw)
                    grad_padded[n, :, rows, columns] += g * weight[o]
                    grad_weight[o] += g * padded[n, :, rows, columns]
                    grad_bias[o] += g
    grad_input = grad_padded[:, :, ph : ph + input.shape[2], pw : pw + input.shape[3]]
    return grad_input, grad_weight, grad_bias


def predict_conv_shapes():
    shapes = []
    for channels, size, out, batch in ((2, [10], 4, 8), (3, [32, 32], 6, 64), (3, [16, 32, 32], 6, 1)):
        weight = [out, channels] + [3 for _ in size]
        output = [batch, out] + [n - 2 for n in size]
        shapes.append([weight, output])
    return shapes


def separable_parameters(in_channels, out_channels, kernel_size):
    ordinary = separable = 0
    for _ in range(in_channels):
        separable += kernel_size * kernel_size
        for _ in range(out_channels):
            ordinary += kernel_size * kernel_size
            separable += 1
    return ordinary, separable


def receptive_field(kernel_sizes, strides, dilations):
    field = 1
    for layer in reversed(range(len(kernel_sizes))):
        field = (field - 1) * strides[layer] + dilations[layer] * (kernel_sizes[layer] - 1) + 1
    return field


def edges(images):
    n, _, height, width = images.shape
    grey = torch.zeros(n, height + 2, width + 2, dtype=images.dtype)
    grey[:, 1:-1, 1:-1] = (images[:, 0] + images[:, 1] + images[:, 2]) / 3
    result = torch.zeros(n, 2, height, width, dtype=images.dtype)
    for y in range(height):
        for x in range(width):
            for step, strength in ((0, 1), (1, 2), (2, 1)):
                result[:, 0, y, x] += strength * (grey[:, y + step, x + 2] - grey[:, y + step, x])
                result[:, 1, y, x] += strength * (grey[:, y + 2, x + step] - grey[:, y, x + step])
    return result


def tile_maps(maps):
    pictures = []
    for image in maps:
        pictures.append(torch.cat([image[c] for c in range(len(image))], dim=1)[None])
    return torch.stack(pictures)


def log_feature_maps(folder, name, layer, batches):
    writer = SummaryWriter(str(folder))
    for step, (images, labels) in enumerate(batches):
        rows = []
        for maps in layer(images):
            rows.append(torch.cat(list(maps), dim=1))
        writer.add_image(name + "/input", torch.cat([images[i] for i in range(len(labels))], dim=1), step)
        writer.add_image(name + "/maps", torch.cat(rows, dim=0), step, dataformats="HW")
    writer.close()


def mend_reshape(maps):
    pictures = []
    for image in maps:
        for one in image:
            pictures.append(one.unsqueeze(0))
    return torch.stack(pictures)
