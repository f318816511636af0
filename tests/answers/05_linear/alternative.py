"""Chapter 05 by detours: einsum, homogeneous coordinates, views of memory, modules, functional transforms."""

import torch


def linear(input, weight, bias=None):
    output = torch.einsum("...i,oi->...o", input, weight)
    return output if bias is None else torch.add(output, bias)


def flatten(input, start_dim=0, end_dim=-1):
    if not input.shape:
        return input[None]
    shape = list(input.shape)
    end_dim = end_dim if end_dim >= 0 else len(shape) + end_dim
    start_dim = start_dim if start_dim >= 0 else len(shape) + start_dim
    shape[start_dim : end_dim + 1] = [torch.Size(shape[start_dim : end_dim + 1]).numel()]
    return torch.reshape(input, shape)


def linear_backward(grad_output, input, weight, bias):
    extended = torch.cat([input, torch.ones_like(input[:, :1])], dim=1)
    both = torch.einsum("no,ni->oi", grad_output, extended)
    return [torch.mm(grad_output, weight), both[:, :-1], both[:, -1]]


def flatten_backward(grad_output, input, start_dim=0, end_dim=-1):
    start = start_dim % input.dim()
    end = end_dim % input.dim()
    return (grad_output.unflatten(start, input.shape[start : end + 1]),)


def affine_stack(input, weights, biases):
    matrix = torch.eye(input.shape[1] + 1, dtype=input.dtype)
    for weight, bias in zip(weights, biases, strict=True):
        bottom = torch.zeros(1, weight.shape[1] + 1, dtype=weight.dtype)
        bottom[0, -1] = 1
        matrix = torch.cat([torch.cat([weight, bias[:, None]], dim=1), bottom]) @ matrix
    return input @ matrix[:-1, :-1].T + matrix[:-1, -1]


def mixed_rows(layer, images):
    steps = torch.eye(len(images), dtype=images.dtype)
    before = layer(images)
    differences = [layer(images + step.reshape(-1, *[1] * (images.dim() - 1))) - before for step in steps]
    return torch.stack(differences).abs().reshape(len(images), len(before), -1).sum(-1) > 0


def count_batches(samples, batch_size, drop_last=False):
    loader = torch.utils.data.DataLoader(range(samples), batch_size=batch_size, drop_last=drop_last)
    last = (samples - 1) % batch_size + 1
    if drop_last:
        last = batch_size * (len(loader) > 0)
    return torch.tensor([len(loader), last])


def parameter_counts(in_channels, height, width, out_channels, kernel_size):
    convolution = torch.nn.Conv2d(in_channels, out_channels, kernel_size, device="meta")
    into, out = (channels * height * width for channels in (in_channels, out_channels))
    fully_connected = torch.nn.Linear(into, out, device="meta")
    return tuple(sum(p.numel() for p in layer.parameters()) for layer in (convolution, fully_connected))


def log_weights(folder, name, snapshots):
    from tutor import board

    with board.writer(folder) as writer:
        for step, (weight, bias) in enumerate(snapshots):
            writer.add_histogram(f"{name}/bias", bias, global_step=step, bins=4)
            writer.add_histogram(f"{name}/weight", torch.nn.Parameter(weight), global_step=step)


def mend_flatten(images, weight, bias):
    return torch.einsum("nchw,ochw->no", images, weight.unflatten(1, images.shape[1:])) + bias
