"""Harm to others: to the gradebook, the rest of the class, the grader and its machine."""

from __future__ import annotations

from pathlib import Path

from learners.attacks import Attack
from learners.classroom import CHECKOUT
from learners.submitting import NAME, own, place

WRONG_RELU = r"relu: not right yet \(identity\)"

GRADEBOOK = f"""import glob, os, sqlite3
found = [name for place in ("@CLASSROOM@", "{CHECKOUT}", "/", "..", "/root") for name in glob.glob(place + "/gradebook.db*")]
print("gradebooks:", found)
for path in ("@CLASSROOM@/gradebook.db", "../../gradebook.db"):
    try:
        with sqlite3.connect(path) as gradebook:
            gradebook.execute("UPDATE grade SET auto_score = 100")
    except sqlite3.Error as error:
        print("no gradebook:", error)
"""
OTHERS = f"""import glob, os
print("others:", glob.glob("@CLASSROOM@/submitted/*") + glob.glob("../../submitted/*") + glob.glob("../alice*"))
for folder in ("@CLASSROOM@/submitted/alice", "../alice", "{CHECKOUT}/solutions", "/submission/../alice"):
    try:
        with open(folder + "/{NAME}", "w") as file:
            file.write("gone")
        print("written to", folder)
    except OSError as error:
        print("can't write:", error.strerror)
"""
START_UP = """import os
from IPython.paths import get_ipython_dir
folder = os.path.join(get_ipython_dir(), "profile_default", "startup")
os.makedirs(folder, exist_ok=True)
with open(os.path.join(folder, "00-evil.py"), "w") as file:
    file.write("def relu(input): raise SystemExit('evil')")
for path in ("usercustomize.py", "torch.py", "ipykernel_launcher.py", "../ipykernel_launcher.py", "/tmp/evil.pth"):
    with open(path, "w") as file:
        file.write("raise SystemExit('evil')")
"""
PACKAGES = """import os, sys, torch, tutor, IPython
for module in (torch, tutor, IPython):
    try:
        with open(module.__file__, "a") as file:
            file.write("raise SystemExit")
        print("written to", module.__file__)
    except OSError as error:
        print("can't write:", error.strerror)
"""
ENVIRONMENT = f"""import os
print("variables:", sorted(set(os.environ) & {{"SECRET_TOKEN", "PYTEST_CURRENT_TEST", "PYTHONPATH", "SSH_AUTH_SOCK"}}))
print("home:", [name for name in os.listdir(os.environ["HOME"]) if not name.startswith(".")])
places = ("@CLASSROOM@", "@CLASSROOM@/house/secret.txt", "{CHECKOUT}/tests", "/etc/passwd", "/etc/shadow", "/etc/ssh", "/var")
print("there:", [path for path in places if os.path.exists(path)])
"""
NETWORK = """import socket, urllib.request
for address in (("127.0.0.1", 22), ("1.1.1.1", 53), ("10.0.0.1", 80), ("169.254.169.254", 80)):
    try:
        socket.create_connection(address, 1).close()
        print("connected to", address)
    except OSError as error:
        print("no connection:", type(error).__name__)
try:
    urllib.request.urlopen("http://example.com", timeout=1)
    print("read a page")
except OSError as error:
    print("no page")
print("interfaces:", [name for _, name in socket.if_nameindex()])
"""
SCRIPT = """from IPython.display import HTML, display
display(HTML("<script>alert(1)</script><img src=x onerror=alert(1)>"))
class relu_result:
    def __repr__(self): return "<script>alert(2)</script>"
    def _repr_html_(self): return "<script>alert(3)</script>"
def relu(input):
    print("<script>alert(4)</script>")
    raise ValueError("<script>alert(5)</script>")
relu_result()
"""
HIDDEN_TESTS = """import glob, inspect, linecache, sys
def relu(input):
    frame, texts = sys._getframe(), []
    while frame:
        texts += [repr(held)[:10_000] for held in frame.f_locals.values()]
        frame = frame.f_back
    texts += [str(text) for text in get_ipython().user_ns.get("In", [])]
    if any("BEGIN HIDDEN" + " TESTS" in text for text in texts):
        raise ValueError("found")
    print(texts)
    return input
print(In, _ih)
"""
LOCK = f"""import fcntl, os, sqlite3
if os.fork() == 0:
    os.setsid()
    gradebook = sqlite3.connect("gradebook.db")
    gradebook.execute("BEGIN EXCLUSIVE")
    for path in ("{CHECKOUT}/gradebook.db", "gradebook.db"):
        if os.path.exists(path):
            fcntl.flock(open(path), fcntl.LOCK_EX)
    while True:
        os.sched_yield()
"""
SIGNALS = """import os, signal
print("parent:", os.getppid(), "session:", os.getsid(0), "group:", os.getpgrp())
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for process in (0, -1, *range(2, 400)):
    try:
        os.kill(process, signal.SIGTERM)
    except OSError:
        pass
"""


def launcher(folder: Path) -> None:
    """Put programs beside the notebook that a careless grader would run or import."""
    for name in ("ipykernel_launcher.py", "torch.py", "sitecustomize.py", "nbgrader_config.py", "kernel.json"):
        (folder / name).write_text("raise SystemExit('evil')", encoding="utf-8")


def link_to_a_system_file(folder: Path) -> None:
    (folder / "notes.txt").symlink_to("/etc/passwd")
    (folder / "others").symlink_to(folder.parent)


def tomorrow(folder: Path) -> None:
    (folder / "timestamp.txt").write_text("2099-01-01 00:00:00 UTC", encoding="utf-8")


def in_prose(content: dict) -> None:
    """Put a script into text, and into the outputs and the metadata of the file that is handed in."""
    script = "<script>alert(6)</script>"
    content["cells"].insert(place(content, "relu"), own(script, "markdown"))
    cells = [each for each in content["cells"] if each["cell_type"] == "code"]
    cells[-1]["outputs"] = [{"output_type": "display_data", "data": {"text/html": script}, "metadata": {}}]
    content["metadata"]["title"] = script


ATTACKS = [
    Attack(
        "SQL on the gradebook",
        WRONG_RELU,
        before=GRADEBOOK,
        shows=r"gradebooks: \[\]\nno gradebook: .+\nno gradebook: ",
    ),
    Attack(
        "writing into another learner's folder",
        WRONG_RELU,
        before=OTHERS,
        shows=r"others: \[\]\n(can't write: .+\n){4}",
    ),
    Attack(
        "a file in IPython's start-up folder, modules of known names in the working folder", WRONG_RELU, before=START_UP
    ),
    Attack(
        "writing into torch, IPython and the course's package",
        WRONG_RELU,
        before=PACKAGES,
        shows="(can't write: .+\n){3}",
    ),
    Attack(
        "an `ipykernel_launcher.py` handed in beside the notebook",
        "files beside the notebook are left out: .*ipykernel_launcher.py",
        around=launcher,
    ),
    Attack(
        "a symlink to a system file beside the notebook",
        "links are not followed: .*notes.txt",
        around=link_to_a_system_file,
    ),
    Attack("a timestamp from the future", "2099", around=tomorrow),
    Attack("a `<script>` in displays, results, prints and errors", r"relu: not right yet \(raised\)", answer=SCRIPT),
    Attack("a `<script>` in text cells, outputs and metadata", WRONG_RELU, edit=in_prose),
    Attack("hidden tests looked for, to be shown in the feedback", WRONG_RELU, answer=HIDDEN_TESTS),
    Attack(
        "reading environment variables and home files",
        WRONG_RELU,
        before=ENVIRONMENT,
        shows=r"variables: \[\]\nhome: \[\]\nthere: \[\]",
    ),
    Attack("network calls", WRONG_RELU, before=NETWORK, shows=r"(no connection: .+\n){4}no page\ninterfaces: \['lo'\]"),
    Attack("a detached process that holds the database's lock", WRONG_RELU, before=LOCK),
    Attack("signals to the parent and to every process", WRONG_RELU, before=SIGNALS, shows="parent: 0"),
]
