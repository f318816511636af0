"""What a model costs: the multiplications in its convolutions and matrix products."""

import torch
from torch import nn

from tutor.data.images import Images
from tutor.training.fitting import apply, check_model, home_of, visiting


def multiplications(model: nn.Module, images: Images) -> int:
    """Return how many numbers the model multiplies for one image: those in convolutions and matrix products.

    Training costs three times as many: one part forward, and two backward, for the gradients of what goes in and of
    the weights. Activations, normalization and pooling are not counted: they multiply little, though they take time.
    Raises TrainingError for a model that can't be applied to an image.
    """
    # Not at the top: nobody else needs it.
    from torch.utils.flop_counter import FlopCounterMode

    check_model(model)
    with (
        visiting(model, home_of(model), training=False),
        torch.no_grad(),
        FlopCounterMode(display=False) as counter,
    ):
        batch = images.pixels[:1].to(home_of(model)).float() / 255
        apply(model, batch)
    return int(counter.get_total_flops()) // 2  # a multiplication and an addition count as two there
