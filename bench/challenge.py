"""The accuracy that ``tutor.training`` reaches on CIFAR-10 in the time that PyTorch's beginner tutorial takes, in one run.

The peer is the net of "Training a Classifier" as its text describes it: two convolutions of 5x5 with 6 and 16
channels, each with ReLU and 2x2 max pooling, then linear layers of 120, 84 and 10; batches of 4 images, decoded to PIL, made
tensors and normalized in two worker processes; SGD with learning rate 0.001 and momentum 0.9; two epochs. Then ours
gets exactly that time. Both are measured on the 10,000 test images, after their time is up. CIFAR-10 is taken from where
``data.cifar10()`` finds it (``CIFAR10_ROOT``).
"""

import sys
import time

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from bench import Row
from tutor import training
from tutor.data import Images, cifar10

NAME = "accuracy in the time of PyTorch's beginner tutorial (some three minutes)"
GOAL = ">= 1x"
SLOW = True


class Decoded(Dataset[tuple[Tensor, int]]):
    """The images as torchvision's ``CIFAR10`` hands them out: from an array by way of PIL and the transform."""

    def __init__(self, images: Images) -> None:
        self.arrays = np.ascontiguousarray(images.pixels.permute(0, 2, 3, 1).numpy())
        self.labels = images.labels.tolist()
        half = (0.5, 0.5, 0.5)
        self.transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize(half, half)])

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Return an image, float32 (3, 32, 32) in [-1, 1], and its label."""
        return self.transform(Image.fromarray(self.arrays[index])), self.labels[index]


def tutorial_net() -> nn.Module:
    """Return the tutorial's net."""
    return nn.Sequential(
        *(nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(16 * 5 * 5, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


def tutorial(train: Images, test: Images) -> tuple[float, float]:
    """Train as the tutorial does, and return the seconds that it took and the accuracy in percent."""
    torch.manual_seed(0)
    net, criterion = tutorial_net(), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.001, momentum=0.9)
    dataset = Decoded(train)
    start = time.perf_counter()
    loader = DataLoader(dataset, batch_size=4, shuffle=True, num_workers=2)
    for _ in range(2):
        running = 0.0
        for pictures, labels in loader:
            optimizer.zero_grad()
            loss = criterion(net(pictures), labels)
            loss.backward()
            optimizer.step()
            running += loss.item()
    seconds = time.perf_counter() - start
    right = 0
    with torch.no_grad():
        for pictures, labels in DataLoader(Decoded(test), batch_size=500):
            right += int((net(pictures).argmax(1) == labels).sum())
    return seconds, 100 * right / len(test)


class Mirrored(nn.Module):
    """A net that in evaluation looks at each image a second time, in the mirror, and returns the mean of its logits."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, (N, 10)."""
        logits: Tensor = self.net(images)
        return logits if self.training else (logits + self.net(images.flip(3))) / 2


def block(into: int, out: int) -> list[nn.Module]:
    """Return a convolution, pooled before it is normalized and bent: a quarter of the work for the same result."""
    return [nn.Conv2d(into, out, 3, padding=1, bias=False), nn.MaxPool2d(2), nn.BatchNorm2d(out), nn.SiLU()]


def our_net() -> nn.Module:
    """Return a net of four convolutions, for images of any size; at 32 x 32, ten million multiplications an image."""
    return Mirrored(
        nn.Sequential(
            *(nn.Conv2d(3, 32, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(32), nn.SiLU()),
            *block(32, 32),
            *block(32, 128),
            *(nn.Conv2d(128, 256, 3, padding=1, bias=False), nn.BatchNorm2d(256), nn.SiLU()),
            *(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(256, 10)),
        )
    )


def ours(train: Images, test: Images, seconds: float) -> tuple[float, float]:
    """Train our net within the time, and return the seconds that it took and the accuracy in percent."""
    torch.manual_seed(0)
    net = our_net()
    start = time.perf_counter()
    history = training.train(net, train, seconds=seconds, lr=0.3, grow_from=24, progress=False)
    taken = time.perf_counter() - start
    print(f"    ours: {history!r}, {history.device}, {history.precision}", file=sys.stderr, flush=True)
    return taken, 100 * training.evaluate(net, test).accuracy


def measure() -> list[Row]:
    """Run the tutorial, then ours in the same time."""
    train, test = cifar10(True, announce=False), cifar10(False, announce=False)
    if train.source == "sample":
        raise RuntimeError("CIFAR-10 itself is needed for this; name the folder that it lies in as CIFAR10_ROOT.")
    seconds, accuracy = tutorial(train, test)
    print(f"    tutorial: {seconds:.1f} s, {accuracy:.1f} %", file=sys.stderr, flush=True)
    our_seconds, our_accuracy = ours(train, test, seconds)
    print(f"    ours: {our_seconds:.1f} s, {our_accuracy:.1f} %", file=sys.stderr, flush=True)
    rows = [
        Row("test accuracy / tutorial's, CIFAR-10", our_accuracy, accuracy, "%", our_accuracy / accuracy, ""),
        Row("its training time / tutorial's", our_seconds, seconds, "s", our_seconds / seconds, "<= 1.01x"),
        Row("test accuracy / 80 %", our_accuracy, 80.0, "%", our_accuracy / 80, ">= 1x"),
    ]
    return rows
