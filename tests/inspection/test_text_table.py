"""Numbers in columns: they can be added up by eye, and none loses its digits."""

from deltarule.inspection.explain.text_table import aligned, number, table, wrapped


def test_a_number() -> None:
    assert [number(value) for value in (0.123456, -1234.56, 1.5e-7, -0.0, 3)] == [
        "0.12346",
        "-1234.6",
        "1.5e-07",
        "0",
        "3",
    ]
    assert [number(value, "+") for value in (1.0, -1.0)] == ["+1", "-1"]


def test_the_decimals_are_those_of_the_largest() -> None:
    assert aligned([12.34567, 0.001, 4.0]) == ["12.346", "0.001", "4.000"]
    assert aligned([-0.5, 0.25]) == ["-0.50000", "+0.25000"]
    assert aligned([-0.000001, 1.0]) == ["+0.0000", "+1.0000"]
    assert aligned([3e-9, -1e-9]) == ["+3.0000e-09", "-1.0000e-09"]
    assert aligned([0.0, 0.0]) == ["0.0", "0.0"]
    assert aligned([123456.7]) == ["123457"]
    assert aligned([]) == []


def test_a_table() -> None:
    assert table(["from", "a"], [["x", "1"], ["longer", "-10"]]) == [
        "    from      a",
        "    x         1",
        "    longer  -10",
    ]


def test_a_sentence() -> None:
    lines = wrapped("word " * 40)
    assert max(map(len, lines)) <= 78
    assert all(line.startswith("  word") for line in lines)
