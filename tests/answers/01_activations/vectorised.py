"""Chapter 01 as somebody writes it who thinks in whole tensors: one formula a function."""

import torch
from torch.utils.tensorboard import SummaryWriter


def relu(input):
    return torch.where(input > 0, input, 0)


def sigmoid(input):
    return 1 / (1 + torch.exp(-input))


def tanh(input):
    return 2 / (1 + torch.exp(-2 * input)) - 1


def leaky_relu(input, negative_slope=0.01):
    return torch.where(input > 0, input, negative_slope * input)


def prelu(input, weight):
    slopes = weight.reshape(1, -1, *[1] * (input.dim() - 2))
    return torch.where(input > 0, input, slopes * input)


def rrelu(input, lower=1 / 8, upper=1 / 3, training=False):
    where = torch.rand_like(input) if training else torch.full_like(input, 0.5)
    slopes = lower + (upper - lower) * where
    return torch.where(input > 0, input, slopes * input)


def elu(input, alpha=1.0):
    below = torch.clamp(input, max=0)
    return torch.where(input > 0, input, alpha * (torch.exp(below) - 1))


def softmax(input, dim=None):
    powers = torch.exp(input - input.amax(dim, keepdim=True))
    return powers / powers.sum(dim, keepdim=True)


def log_softmax(input, dim=None):
    shifted = input - input.amax(dim, keepdim=True)
    return shifted - torch.log(torch.exp(shifted).sum(dim, keepdim=True))


def relu_backward(grad_output, input):
    return (grad_output * (input > 0),)


def sigmoid_backward(grad_output, input):
    y = torch.sigmoid(input)
    return (grad_output * y * (1 - y),)


def tanh_backward(grad_output, input):
    y = torch.tanh(input)
    return (grad_output * (1 - y**2),)


def softmax_backward(grad_output, input, dim=None):
    powers = torch.exp(input - input.amax(dim, keepdim=True))
    s = powers / powers.sum(dim, keepdim=True)
    return (s * (grad_output - (grad_output * s).sum(dim, keepdim=True)),)


def mend_tanh(input):
    return 2 / (1 + torch.exp(-2 * input)) - 1


def collapse_linear(weights, biases):
    first, second, third = weights
    weight = third @ second @ first
    bias = third @ (second @ biases[0] + biases[1]) + biases[2]
    return weight, bias


def count_dead_units(activations):
    return int((activations == 0).all(dim=0).sum())


def gradient_norms(activation, input, weights):
    leaves = [weight.clone().requires_grad_() for weight in weights]
    hidden = input
    for leaf in leaves:
        hidden = activation(hidden @ leaf.T)
    gradients = torch.autograd.grad(hidden.sum(), leaves)
    return [gradient.norm().item() for gradient in gradients]


def predict_inplace():
    return [0.0, 2.0], [0.0, 2.0], [0.0, 4.0]


def log_layer_images(folder, name, layer, batches):
    with SummaryWriter(folder) as writer:
        for step, (images, _) in enumerate(batches):
            writer.add_images(f"{name}/input", images, step)
            writer.add_images(f"{name}/output", layer(images), step)
