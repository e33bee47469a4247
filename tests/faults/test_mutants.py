"""The changes that tests/faults/mutants.py makes: each is one, in code, and the same for a seed."""

import ast
import random

import mutants


def test_the_changes_of_a_seed_are_the_same_and_can_be_read() -> None:
    found = mutants.drawn(0)
    assert found == mutants.drawn(0) != mutants.drawn(1)
    assert (
        len(found) == mutants.N_PYTHON + 2 * mutants.N_C == len({(each.file, each.line, each.start) for each in found})
    )
    for each in random.Random(0).sample(found[: mutants.N_PYTHON], 60):
        before = (mutants.PACKAGE / each.file).read_text(encoding="utf-8")
        assert ast.unparse(ast.parse(each.text())) != ast.unparse(ast.parse(before)), str(each)
