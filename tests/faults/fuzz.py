#!/usr/bin/env python3
"""Mutates sound files and messages for a while, target by target, and prints how many were read or refused.

    python tests/faults/fuzz.py
    python tests/faults/fuzz.py --seconds 600 --only picture,CSV --seed 7

The exit code is 1 where one did harm: anything but an error of deltarule's, 256 MB of memory, 2 s.
"""

import argparse
import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import hostility
import mutations


def main() -> None:
    """Fuzz what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="A,B", help=f"{', '.join(mutations.TARGETS)} (all)")
    parser.add_argument("--seconds", type=float, default=120.0, metavar="S", help="for each target (120)")
    parser.add_argument("--seed", type=int, default=int(time.time()), metavar="N", help="of the mutations (the time)")
    given = parser.parse_args()
    warnings.simplefilter("error")
    harm = 0
    for target in given.only.split(",") if given.only else mutations.TARGETS:
        count = hostility.fuzzed(target, given.seconds, given.seed)
        print(f"{count!s:>24}  {target}, seed {given.seed}", flush=True)
        for each in count.harm[:5]:
            print(f"{'':26}{each}")
        harm += len(count.harm)
    sys.exit(harm > 0)


if __name__ == "__main__":
    main()
