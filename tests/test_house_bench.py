"""The runner of the measurements, with measurements that take no time."""

from pathlib import Path
from types import ModuleType

import pytest

from bench import Row, __main__, import_check
from tutor.checking import bank


def measurement(*rows: Row, error: Exception | None = None, slow: bool = False) -> ModuleType:
    """Return a module such as bench/ holds."""
    module = ModuleType("measurement")

    def measure() -> list[Row]:
        if error:
            raise error
        return list(rows)

    vars(module).update(NAME="a thing against its peer", GOAL=">= 2x", measure=measure, SLOW=slow)
    return module


@pytest.mark.parametrize(
    ("ratio", "goal", "met"),
    [
        (1.1, "<= 1.15x", True),
        (1.2, "<= 1.15x", False),
        (50.0, ">= 50x", True),
        (49.0, ">= 50x", False),
        (None, ">= 50x", None),
        (3.0, "", None),
    ],
)
def test_a_goal_is_met_or_not(ratio: float | None, goal: str, met: bool | None) -> None:
    assert Row("what", 1, 2, "s", ratio, goal).met() is met


def test_a_goal_that_can_not_be_read_is_refused() -> None:
    with pytest.raises(ValueError, match="has the goal 'fast', which should read like"):
        Row("what", 1, 2, "s", 3, "fast").met()


def test_the_table_is_markdown_with_figures_ratio_and_goal() -> None:
    rows = [Row("ours", 1234.5, 12.34, "images/s", 100.04, ">= 50x"), Row("one check", 0.01234, None, "s", None, "")]
    assert __main__.table(rows).splitlines() == [
        "| what      | ours   | peer | unit     | ratio | goal   | met |",
        "| --------- | ------ | ---- | -------- | ----- | ------ | --- |",
        "| ours      | 1,234  | 12.3 | images/s | 100x  | >= 50x | yes |",
        "| one check | 0.0123 | -    | s        | -     | -      | -   |",
    ]


@pytest.mark.parametrize(
    ("value", "shown"), [(0.9978, "0.998"), (12.34, "12.3"), (0.00123, "0.00123"), (98765.0, "98,765"), (0.0, "0")]
)
def test_a_figure_has_three_digits_that_count(value: float, shown: str) -> None:
    assert __main__.figure(value) == shown


def test_one_that_fails_is_reported_and_the_others_still_run(monkeypatch, capsys) -> None:
    row = Row("works", 2, 1, "s", 2, ">= 2x")
    broken = measurement(error=RuntimeError("out of order"))
    monkeypatch.setattr(__main__, "load", lambda: {"broken": broken, "works": measurement(row)})
    assert __main__.main([]) == 1
    printed = capsys.readouterr()
    assert "| works" in printed.out
    assert "[1/2]" in printed.err and "[2/2]" in printed.err
    assert "out of order" in printed.err and "Failed: broken" in printed.err


def test_a_slow_one_runs_only_when_named(monkeypatch, capsys) -> None:
    slow = measurement(Row("slow", 2, 1, "s", 2, ">= 2x"), slow=True)
    quick = measurement(Row("quick", 2, 1, "s", 2, ">= 2x"))
    monkeypatch.setattr(__main__, "load", lambda: {"slow": slow, "quick": quick})
    assert __main__.main([]) == 0
    assert "| slow" not in capsys.readouterr().out
    assert __main__.main(["slow"]) == 0
    assert "| slow" in capsys.readouterr().out


def test_an_unknown_name_is_refused_with_those_there_are(monkeypatch, capsys) -> None:
    monkeypatch.setattr(__main__, "load", lambda: {"quick": measurement()})
    with pytest.raises(SystemExit):
        __main__.main(["quik"])
    assert "no measurement 'quik': there are quick" in capsys.readouterr().err


def test_every_measurement_says_its_name_and_a_goal_that_can_be_read(capsys) -> None:
    for name, module in __main__.load().items():
        assert module.NAME and callable(module.measure), name
        Row(name, 1, 1, "s", 1, module.GOAL).met()
    assert __main__.main(["--list"]) == 0
    assert "import_check" in capsys.readouterr().out


def test_the_import_ratio_is_the_median_over_pairs(monkeypatch) -> None:
    pairs = [(99.0, 1.0)] + [(1.1, 1.0), (2.2, 2.0), (9.0, 3.0)] * 3  # the first pair only warms the disk cache
    times = iter([seconds for pair in pairs for seconds in pair])
    monkeypatch.setattr(import_check, "seconds", lambda statement: next(times))
    (row,) = import_check.measure()
    assert row.ratio == pytest.approx(1.1)


def test_the_table_of_what_the_checks_catch_knows_every_exercise_as_it_is() -> None:
    lines = (Path(__file__).parents[1] / "docs" / "checks.md").read_text(encoding="utf-8").splitlines()
    cells = {
        line.split("`")[1]: [cell.strip() for cell in line.split("|")]
        for line in lines
        if "`" in line and line[0] == "|"
    }
    assert list(cells) == bank.names(), "run: make bench BENCH=checks"
    for name, row in cells.items():
        misconceptions, pairs = len(bank.get(name).twins), len(list(bank.get(name).pairs()))
        assert row[2:8] == [str(misconceptions)] * 3 + [str(pairs)] * 3, f"{name}: run make bench BENCH=checks"
        assert row[8] == row[9]
