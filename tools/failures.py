"""Say in a sentence why an installation failed, from what pip wrote. Read by Python 3.6 too, as environment.py is."""

import re
import sys

GIGABYTES = 9  # with the GPU libraries that torch brings on Linux: 6 installed, and 3 of downloads meanwhile

# A pattern in what pip wrote, and the sentence for it. The first that matches is said.
CAUSES = (
    (
        r"No space left on device|Errno 28\b|Disk quota exceeded",
        "The disk is full: free some, or clone to another one; {gigabytes} GB are needed in {top} while pip works.",
    ),
    (
        r"NewConnectionError|[Nn]ame ?[Rr]esolution|Timeout(Error| ?out)|ProxyError|SSLError|Connection(Reset)?Error"
        r"|Connection (aborted|broken|refused)|IncompleteRead|Network is unreachable",
        "The package index can't be reached: check the network (behind a proxy, HTTPS_PROXY).",
    ),
    (
        r"No matching distribution found for (?P<what>\S+)",
        "There is no {what} for Python {python} on this machine: name another Python, as in"
        " `make {goal} PYTHON=python3.12`, or correct constraints.txt.",
    ),
    (
        r"ResolutionImpossible",
        "The versions in constraints.txt don't fit together under Python {python}: name another Python, as in"
        " `make {goal} PYTHON=python3.12`, or resolve them anew with `make constraints`.",
    ),
    (
        r"Permission denied(: '(?P<what>[^']*)')?",
        "{what} may not be written to by you: get the right to it, or clone elsewhere.",
    ),
)


def explain(text, top, goal):
    """Return why the installation failed and what to do.

    ``text`` is pip's log or an error's text, ``top`` the checkout, ``goal`` the make target to name.
    """
    end = "\n".join(text.splitlines()[-200:])  # what came earlier, pip got over
    for pattern, sentence in CAUSES:
        found = re.search(pattern, end)
        if found:
            what = found.groupdict().get("what") or str(top)
            python = "%d.%d.%d" % sys.version_info[:3]
            cause = sentence.format(what=what, top=top, goal=goal, python=python, gigabytes=GIGABYTES)
            return "{} Then `make {}` again.".format(cause, goal)
    lines = text.strip().splitlines() or ["see above"]
    last = ([line for line in lines if "ERROR" in line] or lines)[-1].strip()[:200]
    return "The installation failed ({}); all of it is in build/install.log. Then `make {}` again.".format(last, goal)
