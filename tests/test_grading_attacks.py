"""What submissions do to graders: each gets what its code earns, the next one all its points, and the page tells of all."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from learners.attacks import KEPT, Attack, by_paragraph
from learners.attacks.holding import SANDBOX, Room, room

PAGE = Path(__file__).parents[1] / "docs" / "grading-attacks.md"
AGAIN = "run: make bench BENCH=attacks"


ATTACKS = [
    pytest.param(attack, id=f"{paragraph}-{attack.name}")
    for paragraph, attacks in by_paragraph().items()
    for attack in attacks
]


@pytest.fixture(scope="module")
def here() -> Iterator[Room]:
    with room() as found:
        yield found


@SANDBOX
@pytest.mark.parametrize("attack", ATTACKS)
def test_it_gets_what_its_code_earns_and_the_next_one_all_its_points(here: Room, attack: Attack) -> None:
    here.hold(attack)
    here.hold_next()


# ---------------------------------------------------------------- the page


def rows(text: str) -> list[tuple[str, str, str]]:
    lines = [line.strip("| ") for line in text.splitlines() if line.startswith("| ") and "| points |" not in line]
    cells = [re.split(r" \| ", line.replace("&lt;", "<")) for line in lines]
    return [(name.replace("\\|", "|"), points, said.replace("\\|", "|")) for name, points, said in cells]


def test_the_page_has_every_attack_under_its_heading() -> None:
    sections = re.split(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    found = {
        heading: [row[0] for row in rows(text)] for heading, text in zip(sections[::2], sections[1::2], strict=True)
    }
    assert found == {heading: [attack.name for attack in listed] for heading, listed in by_paragraph().items()}, AGAIN


def test_the_page_says_what_the_tests_hold() -> None:
    attacks = {attack.name: attack for listed in by_paragraph().values() for attack in listed}
    assert len(attacks) == sum(map(len, by_paragraph().values())), "two attacks have one name"
    for name, points, said in rows(PAGE.read_text(encoding="utf-8")):
        attack = attacks[name]
        assert points == ", ".join(f"`{kept}` {attack.points()[kept]:g}" for kept in KEPT), f"{name}: {AGAIN}"
        told = "" if said == "nothing odd" else said
        assert said.endswith(" …") or re.search(attack.sees, told), f"{name}: {AGAIN}"
