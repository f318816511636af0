"""Resources: what takes all the time, memory, disk or room that there is, or ends the process."""

from dataclasses import replace

from learners.attacks import LIMITS, Attack
from learners.submitting import cell

NOT_RIGHT = r"relu: not right yet \(identity\)"
ENDED = "the cell own-001 ended the process that it ran in: it ended its own process"
SHORT = replace(LIMITS, cell_seconds=0.5)


def fifty_megabytes(content: dict) -> None:
    cell(content, "relu")["source"] += "# " + "x" * 50_000_000


def in_relu(body: str) -> str:
    """Return an answer that does something before it gives a wrong result."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return f"def relu(input):\n{lines}\n    return input\n"


ATTACKS = [
    Attack("`os._exit` in a cell", ENDED + r" \(with exit code 0\)", before="import os\nos._exit(0)"),
    Attack(
        "`os._exit` in an answer",
        r"relu: not run \(Not checked: when relu was called, it ended its own process \(with exit code 3\)",
        answer=in_relu("import os\nos._exit(3)"),
    ),
    Attack("`exit()` and `quit()` in a cell", NOT_RIGHT, before="exit()\nquit()\nraise SystemExit"),
    Attack("`exit()` in an answer", NOT_RIGHT, answer=in_relu("exit()")),
    Attack("`sys.exit()` in an answer", r"relu: not right yet \(raised\)", answer=in_relu("import sys\nsys.exit()")),
    Attack(
        "a crash of the interpreter",
        ENDED + r" \(with the signal SIGSEGV\)",
        before="import ctypes\nctypes.string_at(0)",
    ),
    Attack(
        "an endless loop in a cell",
        "the cell own-001 was stopped after 0.5 s",
        before="while True:\n    pass",
        limits=SHORT,
        shows="This cell was stopped after",
    ),
    Attack(
        "an endless loop in an answer, which catches everything",
        r"relu: not right yet \(too-slow\)|relu: not run",
        answer=in_relu("while True:\n    try:\n        while True: pass\n    except BaseException: pass"),
        limits=SHORT,
    ),
    Attack(
        "SIGINT, SIGTERM and SIGALRM blocked, in an endless loop",
        "ran longer than 0.1 s and could only be stopped by ending its process",
        before="import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nwhile True: pass",
        limits=replace(LIMITS, cell_seconds=0.1),
    ),
    Attack(
        "an endless print",
        "the cell own-001 was stopped after 0.5 s",
        before="while True:\n    print('x' * 1000)",
        limits=SHORT,
        shows="was left out: a cell may show",
    ),
    Attack(
        "200 MB of output",
        NOT_RIGHT,
        before="from IPython.display import display, HTML\nprint('x' * 200_000_000)\ndisplay(HTML('x' * 200_000_000))",
        shows="was left out: a cell may show",
    ),
    Attack(
        "a memory bomb in Python",
        NOT_RIGHT,
        before="held = []\nwhile True:\n    held.append(bytearray(10_000_000))",
        shows="",
    ),
    Attack("a memory bomb in torch", r"relu: not right yet \(raised\)", answer=in_relu("torch.ones(2_000_000_000)")),
    Attack(
        "a memory bomb of many processes",
        "took .+ MB of memory",
        before="""import os, time
for _ in range(30):
    if os.fork() == 0:
        held = bytearray(b"x") * 100_000_000
        while True: time.sleep(1)
while True: time.sleep(0.01)""",
        limits=replace(LIMITS, cell_seconds=10.0),
    ),
    Attack(
        "a fork bomb, of which every process goes on with the submission",
        NOT_RIGHT,
        before="import os\nfor _ in range(20):\n    os.fork()",
        shows="Resource temporarily unavailable",
        limits=replace(LIMITS, processes=12, cell_seconds=10.0),
    ),
    Attack(
        "disk fill",
        NOT_RIGHT,
        before="""import os
try:
    for number in range(1000):
        with open(f"{number}", "wb") as file:
            file.write(bytes(5_000_000))
except OSError as error:
    print("full:", error.strerror, number)
try:
    for number in range(100_000):
        open(f"/tmp/{number}", "w").close()
except OSError as error:
    print("full:", error.strerror)""",
        shows=r"full: No space left on device \d\nfull: No space left",
    ),
    Attack("a cell of 50 MB", "50", edit=fifty_megabytes),
    Attack(
        "deep recursion in Python",
        r"relu: not right yet \(raised\)",
        answer="def relu(input):\n    return relu(input)\n",
    ),
    Attack(
        "deep recursion without the interpreter's limit",
        "relu: not right yet|when relu was called, it (ended its own process|ran longer)",
        answer="import sys\nsys.setrecursionlimit(10**9)\ndef relu(input):\n    return relu(input)\n",
        limits=SHORT,
    ),
    Attack(
        "a result nested ten thousand deep",
        "relu: not right yet|relu: not run",
        answer=in_relu("found = input\nfor _ in range(10_000):\n    found = [found]\nreturn found"),
    ),
    Attack(
        "a thread that never ends",
        NOT_RIGHT,
        before="import threading, time\nthreading.Thread(target=lambda: [time.sleep(0.01) for _ in iter(int, 1)]).start()",
    ),
    Attack(
        "a `setsid` child that outlives the run",
        NOT_RIGHT,
        before="""import os, signal, time
if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.fork() == 0:
        while True: time.sleep(1)
    os._exit(0)""",
    ),
    Attack("`input()`", NOT_RIGHT, before="input('name? ')", shows="EOF"),
    Attack("`input()` in an answer", r"relu: not right yet \(raised\)", answer=in_relu("input()")),
]
