"""Chapter 00 as somebody writes it who thinks in whole tensors."""

import torch


def neuron(inputs, weights, bias):
    return (inputs * weights).sum() + bias


def read_card():
    return -1.0, 0.0, 1.0, "ReLU"


def predict_shapes():
    return [(3, 32, 32), (64, 32, 32), (8, 3, 32, 32), (64, 32, 32, 3), (3,)]


def to_nchw(images):
    return images.permute(0, 3, 1, 2).float() / 255


def normalize(images, mean, std):
    return (images - mean.view(-1, 1, 1)) / std.view(-1, 1, 1)


def gradient_step(weights, bias, inputs, target, lr):
    error = (inputs * weights).sum() + bias - target
    return weights - lr * 2 * error * inputs, bias - lr * 2 * error


def log_first_batch(folder, batches):
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(folder) as writer:
        for step, (images, _) in enumerate(batches):
            if step == 0:
                writer.add_images("input", images, step)
            writer.add_scalar("brightness", images.mean(), step)


def mend_descent(weights, bias, inputs, target, lr, steps):
    weights, bias = weights.clone().requires_grad_(), bias.clone().requires_grad_()
    for _ in range(steps):
        loss = ((inputs * weights).sum() + bias - target) ** 2
        loss.backward()
        with torch.no_grad():
            for parameter in (weights, bias):
                parameter -= lr * parameter.grad
                parameter.grad = None
    return weights.detach(), bias.detach()
