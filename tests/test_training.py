"""Training a model and measuring it."""

import copy
from itertools import count
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tutor import board, training
from tutor.data import CLASSES, Images
from tutor.training import TrainingError, arithmetic, schedule, showing
from tutor.training.feed import Feed


def coloured(count: int = 200, seed: int = 0) -> Images:
    """Return pictures of ten classes that differ in brightness and in colour: learnt in a second."""
    made = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 10
    level = torch.stack([labels % 2 * 150, labels // 2 * 40, 200 - labels * 20], dim=1)[:, :, None, None] + 20
    pixels = (level + torch.randint(-15, 15, (count, 3, 32, 32), generator=made)).clamp(0, 255)
    return Images(pixels.to(torch.uint8), labels, CLASSES, "sample")


def net(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(
        *(nn.Conv2d(3, 8, 4, stride=4), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.1)),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10)),
    )


def numbers(model: nn.Module) -> list[Tensor]:
    return [value.clone() for value in model.state_dict().values()]


def test_a_model_learns_and_evaluate_says_so() -> None:
    model, images, test = net(), coloured(), coloured(100, seed=1)
    before = training.evaluate(model, test)
    history = training.train(model, images, epochs=12, batch_size=20, lr=0.1, flip=False)
    after = training.evaluate(model, test)
    assert before.accuracy < 0.3
    assert after.accuracy > 0.8 and after.loss < before.loss
    assert history.steps == len(history.losses) == len(history.rates) == 120
    assert history.epochs == 12
    assert history.loss < history.losses[:10].mean()
    assert repr(history) == f"History(120 steps, 12.0 epochs, loss {history.loss:.2f})"


def test_the_same_seed_gives_the_same_numbers_and_another_others() -> None:
    images = coloured()
    runs = []
    for seed in (3, 3, 4):
        model = net()
        torch.manual_seed(len(runs))  # what was drawn before makes no difference
        history = training.train(model, images, epochs=1.5, batch_size=20, seed=seed)
        runs.append([history.losses, history.rates, *numbers(model)])
    assert all(torch.equal(one, other) for one, other in zip(runs[0], runs[1], strict=True))
    assert not torch.equal(runs[0][0], runs[2][0])


def test_nothing_but_the_parameters_is_changed() -> None:
    model, images = net(), coloured()
    model.train()
    model[1].eval()
    state, threads, pixels = torch.get_rng_state(), torch.get_num_threads(), images.pixels.clone()
    training.train(model, images, seconds=0.2, batch_size=20)
    training.evaluate(model, images)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads
    assert torch.equal(images.pixels, pixels)
    assert model.training and model[0].training and not model[1].training
    assert all(p.grad is None and p.is_contiguous() and p.device.type == "cpu" for p in model.parameters())


def test_the_number_of_threads_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    monkeypatch.setattr(arithmetic.Race, "next", lambda self, now: setattr(self, "_now", 1) or 1)
    try:
        torch.set_num_threads(2)
        seen = []
        model = net()
        model.register_forward_hook(lambda *_: seen.append(torch.get_num_threads()))
        training.train(model, coloured(), seconds=0.3, batch_size=20)
        assert seen[-1] == 1 and torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_the_steps_are_those_of_a_loop_in_plain_torch() -> None:
    images = coloured()
    history = training.train(net(), images, epochs=1, batch_size=20, lr=0.1, weight_decay=0.01, label_smoothing=0.2)
    model = net().train()
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": 0.01},
        {"params": [p for p in parameters if p.dim() == 1]},
    ]
    optimizer = torch.optim.SGD(groups, lr=0.1, momentum=0.9, nesterov=True)
    torch.manual_seed(0)  # for dropout
    batches = Feed(images, 20, crop=2, flip=True, seed=0, device=torch.device("cpu")).epoch(0)
    for step, (pictures, labels) in enumerate(batches):
        rate = 0.1 * schedule.one_cycle(step / 10)
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = F.cross_entropy(model(pictures), labels, label_smoothing=0.2)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        assert float(history.rates[step]) == pytest.approx(rate)
        assert float(history.losses[step]) == pytest.approx(loss.item(), rel=1e-4)


def test_the_learning_rate_goes_up_and_down_in_straight_lines() -> None:
    seen = [schedule.one_cycle(place / 8) for place in range(9)]
    assert seen == pytest.approx([0.05, 0.525, 1, 0.835, 0.67, 0.505, 0.34, 0.175, 0.01])


def test_evaluate_counts_as_one_would_by_hand() -> None:
    images = coloured(90)
    model = net().train()
    before = numbers(model)
    result = training.evaluate(model, images, batch_size=40)
    model.eval()
    with torch.no_grad():
        output = model(images.pixels / 255)
    choice = output.argmax(1)
    assert result.accuracy == pytest.approx(float((choice == images.labels).double().mean()))
    assert result.loss == pytest.approx(float(F.cross_entropy(output, images.labels)), rel=1e-5)
    for true, chosen in ((0, int(choice[0])), (7, int(choice[7]))):
        assert result.confusion[true, chosen] == int(((images.labels == true) & (choice == chosen)).sum())
    assert result.confusion.sum() == 90 and result.confusion.sum(1).tolist() == [9] * 10
    assert all(torch.equal(one, other) for one, other in zip(before, numbers(model), strict=True))
    assert repr(result).startswith("Result(") and "of 90 images right" in repr(result)


def test_the_images_that_cannot_fill_a_batch_are_left_out_and_few_images_make_one_batch() -> None:
    assert training.train(net(), coloured(50), epochs=2, batch_size=20).steps == 4
    assert training.train(net(), coloured(12), epochs=2, batch_size=20).steps == 2


def ticking(monkeypatch: pytest.MonkeyPatch, step: float = 0.01) -> None:
    """Put a clock in place that moves on by ``step`` seconds each time somebody looks at it."""
    ticks = count()
    monkeypatch.setattr(schedule.time, "perf_counter", lambda: step * next(ticks))


def test_seconds_are_kept_and_the_schedule_ends_in_them(monkeypatch: pytest.MonkeyPatch) -> None:
    ticking(monkeypatch)
    history = training.train(net(), coloured(), seconds=2.0, batch_size=20)
    assert 1.8 < history.seconds < 2.1
    assert history.steps > 20
    assert history.rates.argmax() not in (0, history.steps - 1)
    assert history.rates[-1] < 0.1 * history.rates.max()


def test_of_epochs_and_seconds_the_first_to_end_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    images = coloured()
    assert training.train(net(), images, epochs=1, seconds=60, batch_size=20).steps == 10
    ticking(monkeypatch)
    assert training.train(net(), images, epochs=10**6, seconds=1.0, batch_size=20).steps < 100


def test_a_time_limit_that_is_not_reached_changes_no_number() -> None:
    images = coloured()
    plain = training.train(net(), images, epochs=2, batch_size=20)
    limited = training.train(net(), images, epochs=2, seconds=60, batch_size=20)
    assert torch.equal(plain.rates, limited.rates) and torch.equal(plain.losses, limited.losses)


@pytest.mark.parametrize("steps", [None, 1000])
def test_the_schedule_goes_by_the_clock_where_steps_do_not_end_in_time(
    steps: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(schedule.time, "perf_counter", lambda: now)
    pace = schedule.Pace(steps, 50.0, began=0.0)
    seen = []
    while not pace.over():
        seen.append(pace.progress())
        now += 1.0 if pace.taken < 30 else 2.0  # others come to use the processor too
        pace.step()
    assert pace.taken == 40 and now == 50
    assert seen[0] == 0 and seen[-1] > 0.95 and seen == sorted(seen)


def test_images_grow_after_two_thirds_of_the_training() -> None:
    class Noting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = net()
            self.sides: list[int] = []

        def forward(self, images: Tensor) -> Tensor:
            if self.training:
                self.sides.append(images.shape[-1])
            return self.inner(images)

    model = Noting()
    training.train(model, coloured(), epochs=2, batch_size=20, grow_from=24)
    assert model.sides == [24] * 13 + [32] * 7


def test_without_epochs_or_seconds_it_is_one_epoch() -> None:
    assert training.train(net(), coloured(), batch_size=50).epochs == 1


def test_accuracies_on_test_images_after_each_epoch() -> None:
    model, images, test = net(), coloured(), coloured(50, seed=1)
    history = training.train(model, images, epochs=2.5, batch_size=20, test=test)
    assert len(history.accuracies) == 3
    assert history.accuracies[-1] == training.evaluate(model, test).accuracy
    plain = training.train(net(), images, epochs=2.5, batch_size=20)
    assert torch.equal(plain.losses, history.losses)  # looking changes nothing


def test_scalars_for_tensorboard(tmp_path: Path) -> None:
    images = coloured()
    history = training.train(net(), images, epochs=2, batch_size=20, folder=tmp_path / "run", test=images)
    scalars = board.read(tmp_path / "run").scalars
    assert list(scalars["train/loss"]) == list(range(1, 21))
    assert scalars["train/loss"][20] == pytest.approx(float(history.losses[-1]))
    assert scalars["train/lr"][1] == pytest.approx(float(history.rates[0]))
    assert scalars["test/accuracy"] == pytest.approx(dict(zip((10, 20), history.accuracies, strict=True)))


def test_a_bar_for_people_only(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    training.train(net(), coloured(), epochs=1, batch_size=20)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(showing, "someone_watches", lambda: True)
    training.train(net(), coloured(), epochs=1, batch_size=20, progress=False)
    assert capsys.readouterr() == ("", "")
    training.train(net(), coloured(), epochs=1, batch_size=20)
    printed = capsys.readouterr()
    assert "Training" in printed.out and printed.err == ""


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_with_fewer_bits_the_weights_stay_in_float32_and_are_learnt(precision: str) -> None:
    model = net()
    history = training.train(
        model, coloured(), epochs=6, batch_size=20, lr=0.1, flip=False, precision=precision, device="cpu"
    )
    assert history.precision == precision
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert training.evaluate(model, coloured(100, seed=1)).accuracy > 0.5


def test_a_model_that_can_only_take_contiguous_images() -> None:
    class Viewing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.linear = nn.Conv2d(3, 4, 4, stride=4), nn.Linear(256, 10)

        def forward(self, images: Tensor) -> Tensor:
            return self.linear(self.conv(images).view(len(images), -1))

    assert training.train(Viewing(), coloured(), epochs=1, batch_size=20, lr=0.01).steps == 10


def test_a_lazy_model_and_frozen_parameters() -> None:
    model = nn.Sequential(nn.Flatten(), nn.LazyLinear(5), nn.LazyBatchNorm1d(), nn.Linear(5, 10))
    model[3].weight.requires_grad_(False)
    frozen = model[3].weight.clone()
    training.train(model, coloured(), epochs=1, batch_size=20)
    assert torch.equal(model[3].weight, frozen)
    assert training.evaluate(model, coloured()).accuracy > 0.1


def test_the_faster_numbers_win_after_their_turns() -> None:
    turns = arithmetic.Turns(["slow", "fast"])
    while not turns.over():
        turns.took({"slow": 2.0, "fast": 1.0}[turns.next()] if len(turns.times["fast"]) else 50.0)
    assert turns.fastest() == "fast"
    assert len(turns.times["slow"]) == len(turns.times["fast"]) == 3


def test_threads_that_come_to_wait_for_each_other_are_left_for_one_and_taken_up_again() -> None:
    now, taken = 0.0, []
    race = arithmetic.Race([1, 2])
    for _ in range(4000):
        busy = 20 < now < 60
        threads = race.next(now)
        seconds = 0.1 if threads == 1 else 3.0 if busy else 0.05
        now += seconds
        race.took(seconds, now)
        taken.append((threads, busy, now))
    quiet = [threads for threads, _, at in taken if at < 20 or at > 140]
    crowded = [threads for threads, busy, _ in taken if busy]
    assert quiet.count(2) > 0.9 * len(quiet)
    assert crowded.count(2) <= 3 and crowded.count(1) > 300
    assert now > 140, "the run was too short to see the return"


def refusal(model: object, images: object = None, **arguments: object) -> str:
    with pytest.raises(TrainingError) as caught:
        training.train(model, coloured(40) if images is None else images, **arguments)  # type: ignore[arg-type]
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert caught.value._render_traceback_() == [f"TrainingError: {sentence}"]
    return sentence


class Detached(nn.Linear):
    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input).detach()


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (nn.Sequential(nn.Flatten(), nn.Linear(3072, 100)), "into shape (2, 100); it should be (2, 10)"),
        (nn.Sequential(nn.Flatten(0), nn.Linear(6144, 10)), "into shape (10,); it should be (2, 10)"),
        (nn.Sequential(nn.AdaptiveAvgPool2d((1, 10)), nn.Flatten(2), nn.Flatten(0, 1)), "into shape (6, 10)"),
        (nn.Sequential(nn.AdaptiveAvgPool3d((1, 1, 10)), nn.Flatten()), "no parameters to train"),
        (nn.Sequential(nn.Flatten(), nn.Linear(3072, 10)).requires_grad_(False), "no parameters to train"),
        (nn.Sequential(nn.Flatten(), Detached(3072, 10)), "cut off from its parameters"),
        (nn.Linear(5, 10), "can't be applied to a batch of shape (2, 3, 32, 32): RuntimeError"),
        (nn.Linear, "is the class Linear itself; make one of it: Linear()"),
        (F.relu, "of type function; give an nn.Module"),
    ],
)
def test_a_model_that_cannot_be_trained_is_refused_in_a_sentence(model: object, words: str) -> None:
    assert words in refusal(model)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"epochs": 0}, "epochs=0 makes no sense"),
        ({"seconds": float("nan")}, "seconds=nan makes no sense"),
        ({"lr": -0.1}, "lr=-0.1 makes no sense"),
        ({"batch_size": 2.5}, "batch_size=2.5 makes no sense; give a whole number of images"),
        ({"crop": -1}, "crop=-1 makes no sense; give a whole number of pixels"),
        ({"crop": 32}, "crop=32 moves images of 32 pixels out of sight; give 31 at most"),
        ({"seed": -1}, "seed=-1 makes no sense; give a whole number of any kind, 0 or more"),
        ({"weight_decay": -1.0}, "weight_decay=-1.0 makes no sense"),
        ({"grow_from": 0}, "grow_from=0 makes no sense; give a whole number of pixels, 1 or more"),
        ({"grow_from": 3}, "can't be applied to a batch of shape (2, 3, 3, 3): RuntimeError: Calculated padded input"),
        ({"label_smoothing": 1.0}, "label_smoothing=1.0 makes no sense"),
        ({"precision": "half"}, "precision='half' is unknown: choose one of auto, float32"),
        ({"device": "warp"}, "no device 'warp' here"),
        ({"images": [1, 2]}, "images is of type list; give what data.cifar10() returns"),
        (
            {"images": Images(torch.zeros(0, 3, 32, 32, dtype=torch.uint8), torch.zeros(0), CLASSES, "sample")},
            "no pict",
        ),
        ({"test": (1, 2)}, "test is of type tuple"),
    ],
)
def test_arguments_that_make_no_sense_are_refused_in_a_sentence(arguments: dict[str, object], words: str) -> None:
    model = net()
    before = copy.deepcopy(model.state_dict())
    assert words in refusal(model, **arguments)
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in before.items())


def test_a_loss_that_becomes_nan_is_told_with_step_and_advice() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(3072, 50), nn.ReLU(), nn.Linear(50, 50), nn.ReLU(), nn.Linear(50, 10))
    sentence = refusal(model, epochs=20, lr=1e12, batch_size=20)
    assert "became nan or infinite at step" in sentence and "such as lr=" in sentence and "BatchNorm2d" in sentence


def test_a_loss_that_is_nan_from_the_start_blames_the_model() -> None:
    class Divided(nn.Linear):
        def forward(self, input: Tensor) -> Tensor:
            return super().forward(input.flatten(1)) / 0.0

    assert "The loss of the very first step is nan" in refusal(Divided(3072, 10))
    with pytest.raises(TrainingError, match="output is nan or infinite"):
        training.evaluate(Divided(3072, 10), coloured(10))


def test_an_interrupted_run_leaves_the_model_in_order() -> None:
    class Interrupted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.calls = net(), 0

        def forward(self, images: Tensor) -> Tensor:
            self.calls += 1
            if self.calls == 10:
                raise KeyboardInterrupt
            return self.inner(images)

    model = Interrupted().eval()
    with pytest.raises(KeyboardInterrupt):
        training.train(model, coloured(), epochs=5, batch_size=20)
    assert not model.training and not model.inner.training
    assert model.inner[0].weight.is_contiguous()


def test_evaluate_refuses_what_train_does() -> None:
    for model, words in ((nn.Sequential(nn.Flatten(), nn.Linear(3072, 7)), r"\(10, 7\)"), (net, "of type function")):
        with pytest.raises(TrainingError, match=words):
            training.evaluate(model, coloured(10))  # type: ignore[arg-type]
    with pytest.raises(TrainingError, match="images is of type Tensor"):
        training.evaluate(net(), torch.zeros(2, 3, 32, 32))  # type: ignore[arg-type]


def test_tensorboard_is_imported_only_when_asked_for() -> None:
    import subprocess
    import sys

    code = "from tutor import training; import sys; print('tensorboard' in sys.modules, 'torchvision' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False False"
