"""A process that holds one subject and answers questions about it, a line each: how measuring.Worker works inside.

    python worker.py '{"subject": "module:name", "arguments": {...}}'

The subject is what `name` of `module` makes of the arguments. A line on stdin is the name of a method without
arguments; what it returns goes out as a line of JSON. The end of stdin is the end.
"""

import importlib
import json
import os
import sys


def main() -> None:
    """Make the subject, then answer until nobody asks."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # so that what a library prints is not taken for an answer
    order = json.loads(sys.argv[1])
    module, name = order["subject"].split(":")
    subject = getattr(importlib.import_module(module), name)(**order["arguments"])
    for line in sys.stdin:
        print(json.dumps(getattr(subject, line.strip())()), file=answers, flush=True)


if __name__ == "__main__":
    main()
