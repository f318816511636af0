"""Points by tampering with what runs beside the answer: the watch, the messages, the things that look at a result.

Whatever is done to these, the judge sits elsewhere: it takes nothing but results, and has drawn the inputs itself. Points can be
had for a result that is right on them, whoever computed it; then the text tells on its author.
"""

from learners.attacks import Attack

WRONG_RELU = r"relu: not right yet \(.+\)"
PARTLY = 6 / 7  # right values on ordinary numbers and at zero, but for one thing
HIDES = r"relu: its text (calls torch's relu|names)"
TORCHS = "def relu(input):\n    return torch.relu(input)\n"
BLIND = """import contextlib
import tutor.checking.answering as answering
from tutor.checking.watching import Seen

@contextlib.contextmanager
def blind():
    yield Seen()

answering.watch = blind
"""


def forged(change: str) -> str:
    """Return a cell that has every outcome of ``relu`` changed on its way to the judge."""
    return f"""import torch
import tutor.grading.inside.serving as serving
from tutor.checking.answering import Outcome

encode, attempt = serving.encode_outcome, serving._attempt
NAME = ""

def forge(outcome, parts):
    held = encode(outcome, parts) if NAME != "relu" else None
    if NAME == "relu":
{change}
    return held

def noting(shell, message, parts, sent):
    global NAME
    NAME = message["name"]
    return attempt(shell, message, parts, sent)

serving.encode_outcome, serving._attempt = forge, noting
"""


FORGED_FRAMES = """import json, os, socket, stat, struct
for number in range(3, 256):
    try:
        is_socket = stat.S_ISSOCK(os.fstat(number).st_mode)
    except OSError:
        continue
    if is_socket:
        text = json.dumps({"outcomes": [], "again": [], "unwritten": "", "points": 2.0, "passed": True}).encode()
        os.write(number, struct.pack("!II", len(text), 0) + text)
        print("sent to", number)
"""
OTHER_PROCESSES = """import ctypes, os
for what in ("/proc/self/mem", "/proc/1/mem", "/proc/1/environ"):
    print(what, os.path.exists(what))
libc = ctypes.CDLL(None, use_errno=True)
parent = os.getppid()
print("parent:", parent)
for name, call in (("ptrace", lambda: libc.ptrace(16, 1, 0, 0)), ("unshare", lambda: libc.unshare(0x10000000)),
                   ("mount", lambda: libc.mount(b"none", b"/tmp", b"tmpfs", 0, b""))):
    print(name, call(), ctypes.get_errno())
"""
OPERATOR_OFF = """from torch.utils._python_dispatch import _disable_current_modes
def relu(input):
    with _disable_current_modes():
        return torch.relu(input)
"""
IN_A_THREAD = """from concurrent.futures import ThreadPoolExecutor
def relu(input):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(torch.relu, input).result()
"""
IN_A_CHILD = """import os, pickle
def relu(input):
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.write(writing, pickle.dumps(torch.relu(input).detach()))
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:
        return input.clamp(0) * 0 + pickle.loads(pipe.read())
"""
FORGETFUL = """import sys
def relu(input):
    out = torch.relu(input)
    frame = sys._getframe(1)
    while frame:
        for held in list(frame.f_locals.values()):
            if type(held).__name__ == "Seen":
                held.operators.clear()
        frame = frame.f_back
    return out
"""
TRACER = """import sys
def tracer(frame, event, argument):
    outcome = frame.f_locals.get("outcome")
    if type(outcome).__name__ == "Outcome":
        outcome.error, outcome.changed, outcome.detached = None, (), False
    return tracer
def relu(input):
    frame = sys._getframe(1)
    while frame:
        frame.f_trace = tracer
        frame = frame.f_back
    sys.settrace(tracer)
    return input.clamp_(0)
"""
DETACHED = "def relu(input):\n    return torch.where(input > 0, input, 0).detach()\n"
OBSERVERS = """import tutor.checking.answering as answering
import tutor.checking.apparatus.activations as apparatus

RIGHT = {"a tensor of the input's shape": True, "of the input's dtype": True,
         "positive numbers and 0 stay as they are": True, "number of slopes": "many",
         "every slope is between lower and upper": True, "lowest slope": 0.2, "highest slope": 0.8, "mean slope": 0.5,
         "the whole range is used": True, "evenly spread, each element its own": True}
def all_is_well(case, used, outcome):
    outcome.value = RIGHT
answering._observe = all_is_well
for name in [name for name in vars(apparatus) if not name.startswith("_")] + ["slopes"]:
    setattr(apparatus, name, lambda *args: RIGHT)
"""
NEVER_RANDOM = """def rrelu(input, lower=1 / 8, upper=1 / 3, training=False):
    return torch.where(input > 0, input, (lower + upper) / 2 * input)
"""

ATTACKS = [
    Attack("the watch over torch's operators replaced", HIDES, answer=TORCHS, before=BLIND, earns={}),
    Attack(
        "the watch replaced, and the operator's name put together at run time",
        HIDES,
        answer='def relu(input):\n    return getattr(torch, "re" + "lu")(input)\n',
        before=BLIND,
        earns={},
    ),
    Attack("the watch switched off by torch's own means", HIDES, answer=OPERATOR_OFF, earns={}),
    Attack("torch's operator called in a thread, which nobody watches", HIDES, answer=IN_A_THREAD, earns={}),
    Attack("torch's operator called in a child process", HIDES, answer=IN_A_CHILD, earns={"relu": PARTLY}),
    Attack("what was seen erased by way of the callers' frames", HIDES, answer=FORGETFUL, earns={}),
    Attack(
        "all of it behind a line that only IPython reads",
        HIDES,
        answer="%matplotlib inline\n" + FORGETFUL,
        earns={},
    ),
    Attack(
        "all of it inside a cell magic",
        HIDES,
        answer="%%capture\n" + FORGETFUL,
        earns={},
    ),
    Attack(
        "a trace function that changes the caller's variables: the input changed in place, which isn't to be seen",
        "relu: its text names .*settrace",  # only inside can be seen what became of the input
        answer=TRACER,
        earns={},
    ),
    Attack(
        "outcomes forged: no error, nothing changed, zeros",
        "relu: not right yet",
        before=forged(
            "        outcome = Outcome(value=torch.zeros_like(outcome.value), grads=outcome.grads)\n"
            "        held = encode(outcome, parts)"
        ),
    ),
    Attack(
        "outcomes forged: gradients left out, and said to be in order",
        r"relu: partly right \(detached\)",
        answer=DETACHED,
        before=forged("        outcome.detached, outcome.grads = False, None\n        held = encode(outcome, parts)"),
        earns={"relu": PARTLY},
    ),
    Attack(
        "outcomes forged: a gradient of 10¹² elements, to fill the judge's memory",
        "what it sent back is no result .*gradient",
        before=forged(
            "        held = encode(outcome, parts)\n"
            "        held['grads'] = {'tuple': [{'large': ['float64', [1000000, 1000000]]}]}"
        ),
    ),
    Attack(
        "outcomes forged: the same megabyte named ten thousand times",
        "what it sent back is no result .*bytes",
        before=forged(
            "        from tutor.grading import values\n"
            "        one = values.encode(torch.zeros(1_000_000, dtype=torch.uint8), parts)\n"
            "        held = encode(outcome, parts)\n"
            "        held['value'] = {'list': [one] * 10_000}"
        ),
    ),
    Attack(
        "outcomes forged: 40 MB of text, which takes many times as much memory to read",
        "it sent more than",
        before=forged("        held = {**encode(outcome, parts), 'printed': 'x' * 2_000_000}"),
    ),
    Attack(
        "outcomes forged: words of the learner's own, with a script, everywhere",
        "relu: not right yet",
        before=forged(
            "        evil = '<script>alert(1)</script>\\n' * 3\n"
            "        from tutor.checking.failures import Failure\n"
            "        outcome = Outcome(error=Failure(evil, evil, evil, '', True, False), printed=evil, named=evil)\n"
            "        held = encode(outcome, parts)"
        ),
    ),
    Attack(
        "outcomes forged: the fault a script of many lines",
        r"relu: not run \(Not checked: <script>x\\n",
        before="""import tutor.grading.inside.serving as serving
attempt = serving._attempt
def lie(shell, message, parts, sent):
    if message["name"] == "relu":
        return {"fault": "<script>x\\n\\x00\\ud800" * 1000}
    return attempt(shell, message, parts, sent)
serving._attempt = lie""",
    ),
    Attack(
        "what looks at results beside the answer replaced, to say that all is well",
        r"rrelu: partly right \(never-random\)",
        before=OBSERVERS,
        answers={"rrelu": NEVER_RANDOM},
        earns={"relu": 0.0, "rrelu": 0.75},
    ),
    Attack(
        "messages forged on the connection to the judge",
        r"relu: not right yet \(identity\)",
        before=FORGED_FRAMES,
        shows=r"sent to \d",
    ),
    Attack(
        "the connection to the judge closed",
        "the cell own-001 ended the process that it ran in",
        before="import os\nos.closerange(3, 256)",
    ),
    Attack(
        "the memory of other processes, and system calls that lead out",
        WRONG_RELU,
        before=OTHER_PROCESSES,
        shows=r"mem False\n/proc/1/mem False\n/proc/1/environ False\nparent: 0\nptrace -1 1\nunshare -1 1\nmount -1 1",
    ),
]
