"""docs/scikit-learn.md: its programs run, and the differences that it lists are there."""

import re
import runpy
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason='needs scikit-learn: pip install "deltarule-nn[sklearn]"')

from sklearn import neural_network as theirs

from deltarule import MLPClassifier, MLPRegressor
from deltarule.estimators.fitting import PLANNED, SOLVERS
from deltarule.estimators.perceptron import ACTIVATIONS

PAGE = (Path(__file__).parents[2] / "docs" / "scikit-learn.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_its_programs_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("page.py").write_text("\n".join(PROGRAMS), encoding="utf-8")
    with np.errstate(divide="warn", over="warn", invalid="warn"):
        runpy.run_path("page.py")
    said = capsys.readouterr().out
    assert len(PROGRAMS) == 4
    assert re.search(r"^9\d\.\d% of the wines are told apart$", said, re.MULTILINE)
    assert "BP1" in said


@pytest.mark.parametrize(
    ("ours", "other"), [(MLPClassifier, theirs.MLPClassifier), (MLPRegressor, theirs.MLPRegressor)]
)
def test_every_parameter_of_scikit_learn_is_there_with_its_default(ours: type, other: type) -> None:
    wanted, found = other().get_params(), ours().get_params()
    assert wanted == {name: found.get(name, "absent") for name in wanted}
    for name in found.keys() - wanted.keys():
        assert f"`{name}=" in PAGE or f"`{name}`" in PAGE or f"{name}=" in PAGE, f"{name} is not on the page"


def test_every_name_beyond_is_on_the_page() -> None:
    names = {*ACTIVATIONS, *SOLVERS, *PLANNED}
    known = {"identity", "logistic", "tanh", "relu", "sgd", "adam", "constant", "invscaling", "adaptive"}
    assert {name for name in names - known if f'"{name}"' not in PAGE} == set()


def test_inputs_count_at_their_value_and_model_agrees() -> None:
    X = np.random.default_rng(0).integers(0, 5, (60, 4)).astype(np.uint8)
    fitted = MLPClassifier(solver="lbfgs", random_state=0).fit(X, X[:, 0] > 1)
    np.testing.assert_allclose(fitted.model_.probabilities(X)[:, 0], fitted.predict_proba(X)[:, 1], 1e-6)
    assert fitted.score(X, X[:, 0] > 1) == 1.0
