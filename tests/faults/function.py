"""One of the relay's functions in a process of its own, as Lambda has it.

`python -m tests.faults.function NAME` loads `app.py` with the settings of the environment. Standard input
brings an event a line, and standard output takes an answer a line; what else is printed goes to standard
error.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module


def main() -> None:
    """Answer events until standard input ends, or the process does."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    handle = getattr(import_module("app"), sys.argv[1])
    for event in sys.stdin:
        answers.write(json.dumps(handle(json.loads(event), None)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
