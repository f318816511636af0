"""What submissions that attack the grader get, and what the instructor sees; the table goes to ``docs/grading-attacks.md``."""

import importlib
import sys
from pathlib import Path
from typing import Any

from bench import Row
from tutor.grading.den import Den

NAME = "what submissions do to the grader, and what they get"
GOAL = ">= 1x"
SLOW = True  # a hundred submissions, some of which run into their limits
TOP = Path(__file__).parents[1]
TABLE = TOP / "docs" / "grading-attacks.md"
LONGEST = 400  # characters of what the instructor sees
HEAD = """# What submissions do to the grader

Made by `make bench BENCH=attacks`; not edited by hand. Each line is a submission that was really graded, in the sandbox, one
after the other, each followed by an honest one, which got all its points. In most of them the answer to `relu` (2 points) is
wrong, and two more exercises (`sigmoid`, 3 points, and `rrelu`, 4) are answered as they should be. The tests hold all of this.

"""


def attacks() -> Any:
    """Return the module with the list of attacks: it belongs to the tests."""
    tests = str(TOP / "tests")
    if tests not in sys.path:
        sys.path.insert(0, tests)
    return importlib.import_module("learners.attacks")


def line(cells: list[str]) -> str:
    """Return a line of a table in markdown, which takes nothing in its cells for markup of its own."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|').replace('<', '&lt;') for cell in cells)} |\n"


def measure() -> list[Row]:
    """Grade every attack, write the table, and return how many came out as they should."""
    module = attacks()
    text, held, tried = HEAD, 0, 0
    with module.classroom() as top, Den("bubblewrap") as den:
        theirs = module.others(top)
        for paragraph, listed in module.by_paragraph().items():
            print(f"  {paragraph}: {len(listed)}", file=sys.stderr, flush=True)
            text += (
                f"## {paragraph}\n\n" + line(["submission", "points", "what the instructor sees"]) + "|---|---|---|\n"
            )
            for attack in listed:
                result = module.graded(attack, den, top)
                honest = module.graded(module.HONEST_ONE, den, top)
                points = ", ".join(f"`{name}` {earned:g}" for name, earned in result.points().items())
                said = "; ".join(result.told()) or "nothing odd"
                text += line([attack.name, points, said if len(said) <= LONGEST else said[:LONGEST] + " …"])
                tried += 1
                fine = attack.holds(result) and honest.points() == module.WORTH and module.others(top) == theirs
                held += fine
                if not fine:
                    print(f"    not as it should be: {attack.name}", file=sys.stderr, flush=True)
            text += "\n"
    TABLE.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
    return [Row("attacks that came to what they should / tried", held, tried, "submissions", held / tried, GOAL)]
