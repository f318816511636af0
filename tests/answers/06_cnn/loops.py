"""Chapter 06 as somebody writes it who thinks in loops."""

import math

import torch
from torch import nn


def cross_entropy(logits, target):
    total = 0
    for row, place in zip(logits, target, strict=True):
        highest = row.max()
        powers = 0
        for value in row:
            powers = powers + torch.exp(value - highest)
        total = total - (row[place] - highest - torch.log(powers))
    return total / len(target)


def loss_of_guessing(classes):
    chance = 1 / classes
    total = 0.0
    for _ in range(classes):
        total -= math.log(chance)
    return total / classes


def cross_entropy_backward(logits, target):
    gradient = torch.zeros_like(logits)
    for n in range(logits.shape[0]):
        highest = max(logits[n].tolist())
        powers = [math.exp(value - highest) for value in logits[n].tolist()]
        for c, power in enumerate(powers):
            one = 1.0 if c == int(target[n]) else 0.0
            gradient[n, c] = (power / sum(powers) - one) / logits.shape[0]
    return (gradient,)


def sgd_step(parameters, gradients, lr):
    stepped = []
    for index in range(len(parameters)):
        new = parameters[index].clone()
        new -= lr * gradients[index]
        stepped.append(new)
    return tuple(stepped)


def build_cnn():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.last = nn.Linear(64, 10)  # the order in the class doesn't matter
            self.first = nn.Conv2d(3, 16, kernel_size=3, stride=1, padding=1)
            self.second = nn.Conv2d(16, 32, kernel_size=(3, 3), padding="same")
            self.hidden = nn.Linear(32 * 8 * 8, 64)
            self.pool = nn.MaxPool2d(kernel_size=2, stride=2)

        def forward(self, images):
            images = self.pool(torch.relu(self.first(images)))
            images = torch.relu(self.pool(self.second(images)))
            return self.last(torch.relu(self.hidden(torch.flatten(images, 1))))

    return Net()


def cnn_gradients(input, target, conv_weight, conv_bias, linear_weight, linear_bias):
    batch, _, height, width = input.shape
    maps, _, down, across = conv_weight.shape
    tall, wide = height - down + 1, width - across + 1
    grads = [torch.zeros_like(p) for p in (conv_weight, conv_bias, linear_weight, linear_bias)]
    for n in range(batch):
        sums = torch.zeros(maps, tall, wide, dtype=input.dtype)
        for i in range(tall):
            for j in range(wide):
                window = input[n, :, i : i + down, j : j + across]
                sums[:, i, j] = (conv_weight * window).sum((1, 2, 3)) + conv_bias
        features, where = [], []
        for m in range(maps):
            for i in range(0, tall - 1, 2):
                for j in range(0, wide - 1, 2):
                    block = sums[m, i : i + 2, j : j + 2]
                    best = int(block.argmax())
                    features.append(max(float(block.max()), 0.0))
                    where.append((m, i + best // 2, j + best % 2))
        features = torch.tensor(features, dtype=input.dtype)
        logits = linear_weight @ features + linear_bias
        powers = torch.exp(logits - logits.max())
        grad = powers / powers.sum()
        grad[target[n]] -= 1
        grad /= batch
        grads[2] += torch.outer(grad, features)
        grads[3] += grad
        for k, (m, i, j) in enumerate(where):
            if sums[m, i, j] > 0:
                back = grad @ linear_weight[:, k]
                grads[0][m] += back * input[n, :, i : i + down, j : j + across]
                grads[1][m] += back
    return tuple(grads)


def train_one_epoch(model, optimizer, batches):
    model.train(True)
    losses = []
    for images, labels in batches:
        loss = nn.CrossEntropyLoss(reduction="none")(model(images), labels)
        for parameter in model.parameters():
            parameter.grad = None
        loss.mean().backward()
        optimizer.step()
        for one in loss:
            losses.append(one.item())
    return sum(losses) / len(losses)


def accuracy(logits, target):
    right = 0
    for row, true in zip(logits.tolist(), target.tolist(), strict=True):
        if row.index(max(row)) == true:
            right += 1
    return right / len(target)


def confusion(logits, target, classes=10):
    counts = [[0] * classes for _ in range(classes)]
    for row, true in zip(logits.tolist(), target.tolist(), strict=True):
        counts[true][row.index(max(row))] += 1
    return counts


def log_training(folder, losses, accuracies):
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(log_dir=folder)
    for epoch in range(len(losses)):
        writer.add_scalar("loss/train", losses[epoch], global_step=epoch + 1)
    for epoch in range(len(accuracies)):
        writer.add_scalar("accuracy/test", accuracies[epoch], global_step=epoch + 1)
    writer.close()


def challenge_net():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.convolutions, self.norms = nn.ModuleList(), nn.ModuleList()
            for before, after in ((3, 12), (12, 24), (24, 32)):
                self.convolutions.append(nn.Conv2d(before, after, 3, padding=1, stride=2 if before == 3 else 1))
                self.norms.append(nn.BatchNorm2d(after))
            self.last = nn.Linear(32 * 4 * 4, 10)

        def forward(self, images):
            for number in range(3):
                images = torch.relu(self.norms[number](self.convolutions[number](images)))
                if number < 2:
                    images = torch.max_pool2d(images, 2)
            return self.last(torch.flatten(images, 1))

    return Net()


def mend_softmax_loss(features, weight, bias, target):
    scores = features @ weight.T + bias
    total = 0
    for row, true in zip(scores, target, strict=True):
        total = total + torch.logsumexp(row, 0) - row[true]
    return total / len(target)
