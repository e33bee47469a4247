"""Search on a cluster: scikit-learn tries settings, joblib hands the fits to Dask's workers.

    python examples/dask_search.py                        two worker processes on this machine
    python examples/dask_search.py tcp://SCHEDULER:8786   a cluster, of `dask scheduler` and `dask worker`

It needs  pip install "deltarule-nn[sklearn]" "dask[distributed]",  here and on every worker.
"""

import sys

import joblib
from dask.distributed import Client
from sklearn.model_selection import RandomizedSearchCV

import deltarule as dr

SETTINGS = {
    "hidden_layer_sizes": [(16,), (32,), (64,), (32, 32)],
    "learning_rate_init": [0.0003, 0.001, 0.003, 0.01],
    "alpha": [1e-5, 1e-4, 1e-3],
}


def main():
    digits = dr.load_data("digits")
    X, X_test = digits.train.inputs / 255.0, digits.test.inputs / 255.0
    network = dr.MLPClassifier(early_stopping=True, n_iter_no_change=3, random_state=0)
    search = RandomizedSearchCV(network, SETTINGS, n_iter=6, cv=2, random_state=0)
    local = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with Client(sys.argv[1]) if len(sys.argv) > 1 else Client(**local) as client:
        with joblib.parallel_config("dask"):
            search.fit(X, digits.train.targets)
        tasks = client.run(lambda dask_worker: dask_worker.state.executed_count)
    print(f"{len(search.cv_results_['params'])} settings, tried by {sum(map(bool, tasks.values()))} worker processes")
    print(f"best: {search.best_params_}")
    print(f"accuracy on images that no network has seen: {search.score(X_test, digits.test.targets):.3f}")


if __name__ == "__main__":
    main()
