"""Chapter 00 as somebody writes it who thinks in single numbers: loops, and one small addition at a time."""

import torch


def neuron(inputs, weights, bias):
    total = bias
    for i in range(len(inputs)):
        total = total + inputs[i] * weights[i]
    return total


def read_card():
    return [torch.tensor(-1.0), 0, [[1]], "relu"]


def predict_shapes():
    shapes = []
    for shape in ([3, 32, 32], [64, 32, 32], [8, 3, 32, 32], [64, 32, 32, 3]):
        shapes.append(shape)
    return (*shapes, 3)


def to_nchw(images):
    n, height, width, channels = images.shape
    output = torch.zeros(n, channels, height, width)
    for i in range(n):
        for c in range(channels):
            for y in range(height):
                for x in range(width):
                    output[i, c, y, x] = images[i, y, x, c] / 255
    return output


def normalize(images, mean, std):
    channels = []
    for c in range(images.shape[1]):
        channels.append((images[:, c] - mean[c]) / std[c])
    return torch.stack(channels, dim=1)


def gradient_step(weights, bias, inputs, target, lr):
    output = bias
    for i in range(len(inputs)):
        output = output + inputs[i] * weights[i]
    slope = 2 * (output - target)
    new_weights = torch.zeros_like(weights)
    for i in range(len(inputs)):
        new_weights[i] = weights[i] - lr * slope * inputs[i]
    return [new_weights, bias - lr * slope]


def log_first_batch(folder, batches):
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(folder))
    first = True
    for step in range(len(batches)):
        images = batches[step][0]
        if first:
            writer.add_images("input", images)
            first = False
        total = 0.0
        for image in images:
            total += float(image.mean())
        writer.add_scalar("brightness", total / len(images), global_step=step)
    writer.close()


def mend_descent(weights, bias, inputs, target, lr, steps):
    for _ in range(steps):
        output = bias
        for i in range(len(inputs)):
            output = output + inputs[i] * weights[i]
        slope = 2 * (output - target)
        moved = weights.clone()
        for i in range(len(inputs)):
            moved[i] = weights[i] - lr * slope * inputs[i]
        weights, bias = moved, bias - lr * slope
    return weights, bias
