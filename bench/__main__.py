"""Run the measurements and print one table of ratios, in markdown."""

import argparse
import importlib
import math
import pkgutil
import sys
import traceback
from collections.abc import Sequence
from types import ModuleType

import bench
from bench import Row

HEAD = ("what", "ours", "peer", "unit", "ratio", "goal", "met")
EXAMPLE = """example:
  python -m bench                  every measurement but the slow ones
  python -m bench import_check     only that one
  make bench BENCH=import_check    the same, in the course's environment
"""


def load() -> dict[str, ModuleType]:
    """Return file name → module for every measurement in this folder."""
    names = sorted(info.name for info in pkgutil.iter_modules(bench.__path__))
    modules = {name: importlib.import_module(f"bench.{name}") for name in names if name != "__main__"}
    return {name: module for name, module in modules.items() if hasattr(module, "measure")}


def figure(value: float | None) -> str:
    """Return a number with three significant digits, without an exponent; "-" for none."""
    if value is None:
        return "-"
    decimals = max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{value:,.{decimals}f}"


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a markdown table with aligned columns."""
    words = {True: "yes", False: "NO", None: "-"}
    lines: list[tuple[str, ...]] = [HEAD]
    lines += [
        (
            row.what,
            figure(row.ours),
            figure(row.peer),
            row.unit,
            "-" if row.ratio is None else f"{figure(row.ratio)}x",
            row.goal or "-",
            words[row.met()],
        )
        for row in rows
    ]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    lines.insert(1, tuple("-" * width for width in widths))
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in padded)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is named (or all that is quick); return 1 when one of them failed, else 0."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure the course against its peers and print a table of ratios.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="name", help="what to measure (default: all but the slow)")
    parser.add_argument("--list", action="store_true", help="say which there are, and stop")
    options = parser.parse_args(arguments)
    modules = load()
    if options.list:
        for name, module in modules.items():
            slow = ", slow: only when named" if getattr(module, "SLOW", False) else ""
            print(f"{name:16} {module.NAME} (goal {module.GOAL or 'none'}{slow})")
        return 0
    unknown = [name for name in options.names if name not in modules]
    if unknown:
        parser.error(f"no measurement {unknown[0]!r}: there are {', '.join(modules)}")
    chosen = options.names or [name for name, module in modules.items() if not getattr(module, "SLOW", False)]

    rows: list[Row] = []
    failed: list[str] = []
    for number, name in enumerate(chosen, 1):
        print(f"[{number}/{len(chosen)}] {modules[name].NAME} ...", file=sys.stderr, flush=True)
        try:
            measured = modules[name].measure()
            for row in measured:
                row.met()
        except Exception:  # the others still run; this one is told of now and in the exit status
            traceback.print_exc()
            failed.append(name)
        else:
            rows += measured
    if rows:
        print(table(rows))
    if failed:
        print(f"Failed: {', '.join(failed)} (each error is printed above).", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
