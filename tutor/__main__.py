"""``python -m tutor``: the same as the command ``tutor``. Read by older Pythons too, which are refused in a sentence."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - not installed there, but perhaps run in a checkout
    sys.exit(
        "Layer by Layer needs Python 3.11 or newer, and {} is Python {}.{}: install a newer one, then `make lab`"
        " makes the environment with it.".format(sys.executable, *sys.version_info[:2])
    )

from tutor.cli import main

raise SystemExit(main())
