"""Chapter 03 by detours: Fourier transforms, Kronecker products, index arithmetic, unfold and fold, linear algebra."""

import math

import torch


def conv_matrix(weight, input_size):
    (kh, kw), (h, w) = weight.shape, input_size
    rows, columns = h - kh + 1, w - kw + 1
    matrix = 0
    for u in range(kh):
        for v in range(kw):
            down = torch.diag(torch.ones(h, dtype=weight.dtype))[u : u + rows]
            across = torch.diag(torch.ones(w, dtype=weight.dtype))[v : v + columns]
            matrix = matrix + weight[u, v] * torch.kron(down, across)
    return matrix


def conv_transpose2d_matrix(input, weight):
    (h, w), (kh, kw) = input.shape, weight.shape
    size = (h + kh - 1, w + kw - 1)
    numbers = torch.arange(float(math.prod(size))).reshape(1, 1, *size)
    places = torch.nn.functional.unfold(numbers, (kh, kw))[0].T.long()
    matrix = torch.zeros(h * w, math.prod(size), dtype=weight.dtype)
    matrix = matrix.scatter(1, places, weight.flatten().expand(h * w, -1))
    return torch.mv(matrix.t(), input.reshape(-1)).unflatten(0, size)


def conv_transpose2d_zeros(input, weight, bias=None, stride=1, padding=0, output_padding=0):
    (sh, sw), (ph, pw), (oh, ow) = (
        value if isinstance(value, tuple) else (value,) * 2 for value in (stride, padding, output_padding)
    )
    kh, kw = weight.shape[-2:]
    h, w = input.shape[-2:]
    one_and_zeros = torch.zeros(sh, sw, dtype=input.dtype)
    one_and_zeros[0, 0] = 1
    spread = torch.kron(input, one_and_zeros)[:, :, : (h - 1) * sh + 1, : (w - 1) * sw + 1]
    padded = torch.nn.functional.pad(spread, (kw - 1 - pw, kw - 1 - pw + ow, kh - 1 - ph, kh - 1 - ph + oh))
    windows = padded.unfold(2, kh, 1).unfold(3, kw, 1)
    output = torch.tensordot(windows, weight.rot90(2, (2, 3)), dims=([1, 4, 5], [0, 2, 3])).movedim(-1, 1)
    return output if bias is None else output + bias.view(-1, 1, 1)


def conv_transpose_output_size(n, kernel_size, stride=1, padding=0, output_padding=0, dilation=1):
    spread = torch.zeros(n, 1).repeat(1, stride).flatten()[: n * stride - stride + 1]
    kernel = torch.zeros(kernel_size, 1).repeat(1, dilation).flatten()[: kernel_size * dilation - dilation + 1]
    full = len(spread) + len(kernel) - 1
    return torch.tensor(full - 2 * padding + output_padding)


def conv_transpose2d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    (sh, sw), (ph, pw), (oh, ow), (dh, dw) = (
        tuple(torch.tensor(value).expand(2).tolist()) for value in (stride, padding, output_padding, dilation)
    )
    n, c, h, w = input.shape
    o, kh, kw = weight.shape[1:]
    full_h, full_w = (h - 1) * sh + (kh - 1) * dh + 1, (w - 1) * sw + (kw - 1) * dw + 1
    spread = torch.zeros(n, c, full_h, full_w, dtype=input.dtype)
    spread[:, :, : (h - 1) * sh + 1 : sh, : (w - 1) * sw + 1 : sw] = input
    taps = torch.zeros(c, o, full_h, full_w, dtype=weight.dtype)
    taps[:, :, : (kh - 1) * dh + 1 : dh, : (kw - 1) * dw + 1 : dw] = weight
    images = torch.fft.rfft2(spread).unflatten(1, (groups, -1))
    kernels = torch.fft.rfft2(taps).unflatten(0, (groups, -1))
    product = (images.unsqueeze(3) * kernels.unsqueeze(0)).sum(dim=2).flatten(1, 2)
    whole = torch.fft.irfft2(product, s=(full_h, full_w))
    output = torch.nn.functional.pad(whole, (-pw, ow - pw, -ph, oh - ph))
    return output if bias is None else output + bias[:, None, None]


def conv_transpose2d_backward(grad_output, input, weight, stride=1, padding=0):
    into, out, kh, kw = weight.shape
    h, w = input.shape[2:]
    columns = torch.nn.functional.unfold(grad_output, (kh, kw), stride=stride, padding=padding)
    gradient = weight.reshape(into, out * kh * kw) @ columns
    return [gradient.reshape(len(input), into, h, w)]


def predict_round_trip():
    matrix = torch.tensor([[1, 1, 0], [0, 1, 1]])
    return matrix.T @ (matrix @ torch.tensor([1, 2, 3]))


def lost_direction():
    matrix = torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]], dtype=torch.float64)
    return torch.linalg.svd(matrix).Vh[-1]


def overlap_count(n, kernel_size, stride):
    size = (1, (n - 1) * stride + kernel_size)
    blocks = torch.ones(1, kernel_size, n)
    return torch.nn.functional.fold(blocks, size, (1, kernel_size), stride=(1, stride)).flatten()


def resize_convolve(input, weight):
    kh, kw = weight.shape[2:]
    larger = torch.kron(input, torch.ones(2, 2, dtype=input.dtype))
    columns = torch.nn.functional.unfold(larger, (kh, kw), padding=(kh // 2, kw // 2))
    return torch.einsum("ok,nkp->nop", weight.flatten(1), columns).unflatten(2, larger.shape[2:])


def mend_transpose_size(n, kernel_size, stride=1, padding=0):
    covered = {i * stride + tap for i in range(n) for tap in range(kernel_size)}
    return len(range(min(covered), max(covered) + 1)) - 2 * padding
