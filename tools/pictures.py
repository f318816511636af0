"""Draw the pictures of docs/pictures.md and the README anew: python -m tools.pictures."""

from pathlib import Path

import torch

from tutor import plots

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"


def main() -> None:
    """Write the three files."""
    numbers = torch.tensor([[3.0, 1, 2, 0, 4], [0, 5, 1, 3, 2], [2, 4, 6, 1, 0], [1, 0, 3, 7, 2], [4, 2, 0, 1, 8]])
    kernel, small = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]]), torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    pictures = {
        "convolution-step": plots.convolution(numbers, kernel, stride=2, padding=1, step=4),
        "transpose-film": plots.conv_transpose_steps(small, torch.arange(1.0, 10).view(3, 3), stride=2),
        "ceil-pooling": plots.pooling(numbers, 2, ceil_mode=True, step=8),
    }
    for name, picture in pictures.items():
        (FOLDER / f"{name}.png").write_bytes(picture.png())


if __name__ == "__main__":
    main()
