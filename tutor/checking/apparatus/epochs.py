"""Chapter 06: the net and the optimizer that an epoch of training is given, and what has become of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

Batch = tuple[Tensor, Tensor]  # images and labels


class SmallNet(nn.Sequential):
    """A small net for images of 2 by 2 pixels and three classes, with known numbers in it; it computes in float64.

    Its normalisation behaves in one way while training and in another while it is judged. ``trace`` is told when
    something comes back through it.
    """

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        """Take what the layers have learned, in the order of the layers: six tensors, or four without a normalisation."""
        inner = nn.BatchNorm1d(5) if len(parameters) == 6 else nn.Identity()
        super().__init__(nn.Flatten(), nn.Linear(parameters[0].shape[1], 5), inner, nn.Tanh(), nn.Linear(5, 3))
        self.trace: list[str] = []
        self.double()
        with torch.no_grad():
            for own, given in zip(self.parameters(), parameters, strict=True):
                own.copy_(given)

    def forward(self, input: Tensor) -> Tensor:
        """Return logits (N, 3) for images (N, C, 2, 2)."""
        logits: Tensor = super().forward(input)  # type: ignore[no-untyped-call]
        if logits.requires_grad:
            logits.register_hook(self._back)  # type: ignore[no-untyped-call]
        return logits

    def _back(self, gradient: Tensor) -> None:
        self.trace.append("backward")


class TracedSGD(torch.optim.SGD):
    """SGD that tells the net's ``trace`` of each step, and whether there was a gradient to go by."""

    def __init__(self, model: SmallNet, lr: float, momentum: float) -> None:
        super().__init__(model.parameters(), lr=lr, momentum=momentum)
        self.trace = model.trace

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "trace": self.trace}  # for an answer that copies it

    def step(self, closure: Any = None) -> Any:
        """Take a step, as SGD does, and note it."""
        loss = super().step(closure)  # a closure makes the gradients only now
        found = any(parameter.grad is not None for parameter in self.param_groups[0]["params"])
        self.trace.append("step" if found else "step without gradients")
        return loss


def epoch(
    parameters: Sequence[Tensor], training: bool, lr: float, momentum: float, batches: Sequence[Batch], once: bool
) -> tuple[SmallNet, TracedSGD, Iterable[Batch]]:
    """Return a net in either mode, its optimizer, and the batches, as an iterator where they are to come only once."""
    model = SmallNet(parameters)
    model.train(training)
    return model, TracedSGD(model, lr, momentum), iter(batches) if once else batches


def trained(value: Any, args: tuple[Any, ...]) -> dict[str, Any]:
    """Say what an epoch told and what it did: the parameters, and the averages that were gathered on the way, by their names."""
    model = args[0]
    return {
        "told": value,
        "trace": model.trace,
        "parameters": [parameter.detach() for parameter in model.parameters()],
        "last bias": model[-1].bias.detach(),
        "averages": [
            (name.split(".")[-1], tensor) for name, tensor in model.named_buffers() if tensor.is_floating_point()
        ],
    }
