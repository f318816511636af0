"""The challenge: budgets, tiers, and the graded exercise that is scored by it."""

import copy

import pytest
import torch
from test_training import coloured, net, ticking
from torch import Tensor, nn

from tutor import data, training
from tutor.checking import bank, results, run, words
from tutor.checking.answering import Outcome, call, judged
from tutor.checking.apparatus import challenge
from tutor.checking.bank.cnn import challenge as exercise
from tutor.training import TrainingError, budget


def test_multiplications_are_those_of_the_formulas() -> None:
    images = coloured(10)
    convolution = nn.Conv2d(3, 8, 5, padding=2, stride=2)
    assert training.multiplications(convolution, images) == 16 * 16 * 8 * 3 * 5 * 5
    assert training.multiplications(nn.Sequential(nn.Flatten(), nn.Linear(3072, 10)), images) == 30720
    both = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1, groups=3), nn.ReLU(), nn.Flatten(), nn.Linear(6144, 2))
    assert training.multiplications(both, images) == 32 * 32 * 6 * 9 + 6144 * 2
    assert training.multiplications(nn.Sequential(nn.Flatten()), images) == 0


def test_counting_leaves_the_model_alone_and_refuses_what_cannot_be_applied() -> None:
    model = net().train()
    before = copy.deepcopy(model.state_dict())
    training.multiplications(model, coloured(10))
    assert model.training
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in before.items())
    with pytest.raises(TrainingError, match="can't be applied to a batch of shape"):
        training.multiplications(nn.Linear(5, 10), coloured(10))


def test_a_model_that_costs_twice_as_much_sees_its_images_half_as_often() -> None:
    images = coloured()
    for width, epochs in ((20, 4.0), (40, 2.0)):
        model = nn.Sequential(nn.Flatten(), nn.Linear(3072, width), nn.Linear(width, 10))
        cost = training.multiplications(model, images)
        work = 3 * 200 * 4 * (3072 * 20 + 20 * 10)
        assert cost == 3072 * width + width * 10
        score = training.challenge(model, work=work, images=images, test=images, batch_size=20, lr=0.01, progress=False)
        assert score.epochs == pytest.approx(epochs, abs=0.05)
    assert budget.affordable(nn.Flatten(), images, 1e9) == budget.MOST_EPOCHS


def test_tiers_begin_where_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    images = coloured()
    test = data.Images(images.pixels, images.labels, images.classes, "folder")
    for accuracy, source, tier in (
        (0.05, test, 0),
        (0.4, test, 1),
        (0.7999, test, 5),
        (0.8, test, 6),
        (0.75, images, 2),
    ):
        found = training.Result(accuracy, 1.0, torch.eye(10, dtype=torch.int64))
        monkeypatch.setattr(budget, "evaluate", lambda *_, found=found, **__: found)
        score = training.challenge(net(), seconds=0.1, images=images, test=source, progress=False)
        assert (score.tier, score.accuracy) == (tier, accuracy)
        assert f"tier {tier} of {len(score.tiers)}" in repr(score)
        assert ("begins at" in repr(score)) == (tier < len(score.tiers))


def test_the_budget_of_time_is_kept_and_settings_are_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    images = coloured()
    ticking(monkeypatch)
    score = training.challenge(net(), seconds=0.5, images=images, test=images, batch_size=20, lr=0.1, progress=False)
    assert 0.3 < score.seconds < 0.6
    with pytest.raises(TrainingError, match="lr=0 makes no sense"):
        training.challenge(net(), seconds=0.5, images=images, test=images, lr=0)
    with pytest.raises(TrainingError, match="work=-1 makes no sense"):
        training.challenge(net(), work=-1, images=images, test=images)


def challenge_net() -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.ReLU()),
        *(nn.Conv2d(8, 24, 3, padding=1), nn.MaxPool2d(2), nn.BatchNorm2d(24), nn.ReLU()),
        *(nn.Conv2d(24, 32, 3, padding=1), nn.MaxPool2d(2), nn.BatchNorm2d(32), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(512, 10)),
    )


def test_a_good_net_reaches_the_last_tier_and_is_trained_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted(model: nn.Module) -> training.History:
        calls.append(model)
        return small_training(model)

    small_training = training.small_training
    monkeypatch.setattr(training, "small_training", counted)
    report = run("challenge_net", challenge_net)
    assert report.passed and report.score == 1 and report.diagnoses == ()
    assert run("challenge_net", challenge_net, hidden=True).passed
    assert len(calls) == 1


def test_what_the_check_counts_is_what_the_small_challenge_says(monkeypatch: pytest.MonkeyPatch) -> None:
    trained = training.train
    monkeypatch.setattr(budget, "train", lambda *given, **settings: trained(*given, **{**settings, "epochs": 0.5}))
    monkeypatch.setattr(challenge, "_learned", {})
    monkeypatch.setattr(challenge, "_answers", {})
    torch.manual_seed(0)
    model = challenge_net()
    score = training.small_challenge(copy.deepcopy(model))
    test = data.cifar10(False, source="sample", announce=False)
    case = bank.get("challenge_net").draw()[1]
    assert case.observe is not None
    said = case.observe(model, ())["classes"]
    assert said.dtype == torch.int64 and 0.2 < score.accuracy < 0.95
    assert float((said == test.labels).double().mean()) == score.accuracy


@pytest.mark.parametrize("hidden", [False, True])
def test_points_by_tier(hidden: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = bank.get("challenge_net").draw(hidden=hidden)[1].judge.args[0]  # type: ignore[union-attr]
    really = challenge._said
    spared = 40 if hidden else 0  # of a thousand pictures
    for right, tier, score in ((950, 4, 1.0), (949, 3, 7 / 8), (600, 1, 5 / 8), (599, 0, 0.5), (150, None, 0.0)):
        said = torch.where(torch.arange(1000) < right - spared, labels, (labels + 1) % 10)
        monkeypatch.setattr(
            challenge, "_said", lambda net, pictures, said=said: said if len(net) > 5 else really(net, pictures)
        )
        report = run("challenge_net", challenge_net, hidden=hidden)
        assert report.score == pytest.approx(score)
        if tier in range(4):
            assert [d.id for d in report.diagnoses] == [f"below-{exercise.PERCENT[tier]}-percent"]


def test_hidden_pictures_are_others_each_time_and_their_classes_stay_with_the_judge() -> None:
    def shown(seed: int, hidden: bool) -> Tensor:
        observe = bank.get("challenge_net").draw(seed=seed, hidden=hidden)[1].observe
        return torch.cat(observe.args[1])  # type: ignore[union-attr]

    test = data.cifar10(False, source="sample", announce=False)
    assert torch.equal(shown(0, False), test.pixels) and torch.equal(shown(1, False), test.pixels)
    assert not torch.equal(shown(0, True), test.pixels) and not torch.equal(shown(0, True), shown(1, True))
    for case in bank.get("challenge_net").draw(hidden=True):
        given = results.tensors(case.observe.args)  # type: ignore[union-attr]
        assert {tensor.dtype for tensor in given} <= {torch.float32, torch.uint8}
        assert all(tensor.numel() <= results.LARGEST for tensor in given)


@pytest.mark.parametrize(
    "forged", [exercise.Reached.__name__, 4, {"tiers": 4}, torch.zeros(999, dtype=torch.int64), torch.ones(1000), [4]]
)
def test_nothing_but_right_classes_counts(forged: object) -> None:
    outputs = {name: torch.randn(64, 10) for name in ("all", "some", "again", "between")}
    outputs |= {"some": outputs["all"][:10], "again": outputs["all"]}
    for case in bank.get("challenge_net").draw(hidden=True)[1:]:
        for value in (forged, {"outputs": outputs, "classes": forged}, {"outputs": outputs, "classes": None}):
            told = judged(case, Outcome(value=value)).value
            assert "or more" not in str(told) and told not in ({"learns": "yes"}, exercise.SOUND)


def test_what_stands_for_a_net_is_of_no_use_where_the_bank_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "STANDING", [])
    monkeypatch.setattr(challenge, "STANDING", [])
    exercised = bank.get("challenge_net")
    facts = [call(exercised.oracle, case).value for case in exercised.draw()]
    assert facts[0]["what came back"] == "a Reached"
    assert "or more" not in str(facts)


def test_the_exercise_has_the_tiers_of_the_small_challenge() -> None:
    assert tuple(percent / 100 for percent in exercise.PERCENT) == budget.SAMPLE_TIERS


@pytest.mark.parametrize("identity", bank.get("challenge_net").twins)
def test_each_misconception_is_named_exactly_without_training(identity: str, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = training.train

    def quick(model: nn.Module, images: data.Images, **settings: object) -> training.History:
        return trained(model, images, **{**settings, "epochs": 0.01})  # type: ignore[arg-type]

    monkeypatch.setattr(budget, "train", quick)
    for seed, hidden in ((0, False), (0, True), (1, False), (2, True)):
        report = run("challenge_net", bank.twin("challenge_net", identity), seed=seed, hidden=hidden)
        assert [diagnosis.id for diagnosis in report.diagnoses] == [identity]
        assert not report.passed


def test_pairs_are_named_as_both_or_as_the_one_that_covers_the_other() -> None:
    whole = 0
    for pair, function in bank.get("challenge_net").pairs():
        named = {diagnosis.id for diagnosis in run("challenge_net", function).diagnoses}
        assert named and named <= set(pair)
        whole += named == set(pair)
    assert whole >= 4


def test_there_are_words_for_each() -> None:
    spoken = words.load(bank.words_file("challenge_net"))["challenge_net"]
    assert set(spoken["wrong"]) == set(bank.get("challenge_net").twins)
    assert len(spoken["hints"]) == 3


class Odd(nn.Module):
    """A sound net in another style: functions in the forward, log-probabilities, global averages, dropout by the mode."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.last = nn.Conv2d(3, 8, 3, stride=2), nn.LazyLinear(10)

    def forward(self, images: Tensor) -> Tensor:
        x = torch.tanh(self.conv(images - 0.5)).mean((2, 3))
        return self.last(nn.functional.dropout(x, 0.2, training=self.training)).log_softmax(1)


def deep() -> nn.Module:
    """Return a net without normalization in which little is left of the differences between images."""
    blocks = [layer for _ in range(4) for layer in (nn.Conv2d(8, 8, 3), nn.ReLU())]
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.ReLU(), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10)
    )


@pytest.mark.parametrize(
    "sound",
    [
        challenge_net,
        Odd,
        lambda: nn.Sequential(nn.Flatten(), nn.Linear(3072, 50), nn.Sigmoid(), nn.Linear(50, 10)),
        deep,
        lambda: nn.Sequential(nn.Conv2d(3, 4, 2, stride=2), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 10)),
    ],
)
def test_sound_nets_in_any_style_are_not_refused(sound: type[nn.Module]) -> None:
    for seed in range(5):
        torch.manual_seed(seed)
        images = 0.7 * torch.rand(challenge.IMAGES, 3, 1, 1) + 0.3 * torch.rand(challenge.IMAGES, 3, 32, 32)
        assert challenge.looks(challenge._outputs(sound(), images)) == ({}, {})
