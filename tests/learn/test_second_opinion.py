"""Mistakes that only gradcheck's own naming knows."""

from pathlib import Path

from deltarule.learn.check import check_here
from deltarule.learn.report import ProgramCheck
from tests.learn.written_programs import COLUMNS


def test_one_wrong_bias_is_named_by_its_neuron(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    old = "    db1 = np.sum(dZ1, axis=1, keepdims=True) / m\n"
    path.write_text(COLUMNS.replace(old, f"{old}    db1[3] = 0.5\n"), encoding="utf-8")
    found = ProgramCheck.from_json_dict(check_here(str(path), train=False))
    assert found.first is not None, found.to_text()
    assert found.first.id == "one-bias"
    assert "neuron 3" in found.first.says
