"""Submissions in the sandbox: points without an answer."""

from collections.abc import Iterator

import pytest
from learners.attacks import Attack
from learners.attacks.holding import SANDBOX, Room, room
from learners.attacks.points import ATTACKS

pytestmark = SANDBOX


@pytest.fixture(scope="module")
def here() -> Iterator[Room]:
    with room() as found:
        yield found


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.name for attack in ATTACKS])
def test_it_gets_what_its_code_earns_and_the_next_one_all_its_points(here: Room, attack: Attack) -> None:
    here.hold(attack)
    here.hold_next()
