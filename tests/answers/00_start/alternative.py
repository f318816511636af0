"""Chapter 00 by detours: modules, optimizers, einsum, meta tensors, numpy's order of dimensions."""

import torch


def neuron(inputs, weights, bias):
    return torch.nn.functional.linear(inputs, weights[None], bias[None]).squeeze(0)


def read_card():
    return (-1, -0.0, 1.0, " ReLU ")


def predict_shapes():
    images = torch.empty(64, 3, 32, 32, device="meta")
    views = [images[0], images[:, 0], images[:8], images.permute(0, 2, 3, 1), images.mean(dim=(0, 2, 3))]
    return [view.shape for view in views]


def to_nchw(images):
    return torch.einsum("nhwc->nchw", images.to(torch.float32)).mul(1 / 255)


def normalize(images, mean, std):
    channels_last = images.movedim(1, -1)
    return ((channels_last - mean) / std).movedim(-1, 1)


def gradient_step(weights, bias, inputs, target, lr):
    extended = torch.cat([inputs, torch.ones_like(inputs[:1])])
    both = torch.cat([weights, bias.reshape(1)])
    moved = both - 2 * lr * torch.outer(extended, extended) @ both + 2 * lr * target * extended
    return moved[:-1], moved[-1]


def log_first_batch(folder, batches):
    from tutor import board

    with board.writer(folder) as writer:
        writer.add_images("input", next(iter(batches))[0], global_step=0)
        means = [images.double().mean().item() for images, _ in batches]
        for step, mean in reversed(list(enumerate(means))):
            writer.add_scalar("brightness", mean, step, new_style=True)


def mend_descent(weights, bias, inputs, target, lr, steps):
    parameters = [torch.nn.Parameter(tensor.clone()) for tensor in (weights, bias)]
    optimizer = torch.optim.SGD(parameters, lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(inputs @ parameters[0] + parameters[1], target).backward()
        optimizer.step()
    return tuple(parameter.data for parameter in parameters)
