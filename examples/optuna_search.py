"""Search with Optuna: processes, or machines that share a disk, share their trials, and end those that lag behind."""

from collections import Counter
from multiprocessing import get_context

import optuna
from optuna.storages.journal import JournalFileBackend

import deltarule as dr


def search(process):
    parts = dr.load_data("digits").train.hold_out(300)  # the test set is for afterwards
    (X, y), held_out = ((part.inputs.reshape(-1, 28, 28), part.targets) for part in (parts.train, parts.test))

    def objective(trial):
        class Curve(dr.Callback):
            def epoch_end(self, state):
                trial.report(state.history["validation_loss"][-1], state.epoch)
                state.stop_reason = "others were better by then" if trial.should_prune() else None

        trial.set_user_attr("process", process)
        rate = trial.suggest_float("learning_rate", 1e-5, 0.1, log=True)
        network = dr.Network((784, trial.suggest_int("width", 8, 128), 10))
        history = dr.fit(network, X, y, epochs=6, learning_rate=rate, validation=held_out, callbacks=[Curve()])
        if history.stop_reason:
            raise optuna.TrialPruned
        return min(history["validation_loss"])

    storage = optuna.storages.JournalStorage(JournalFileBackend("trials.log"))
    study = optuna.create_study(storage=storage, study_name="digits", load_if_exists=True)
    study.optimize(objective, n_trials=10)
    return study


if __name__ == "__main__":
    with get_context("spawn").Pool(2) as pool:
        study = pool.map(search, ["first", "second"], chunksize=1)[0]
    print(Counter((trial.user_attrs["process"], trial.state.name) for trial in study.trials))
    print(f"validation loss {study.best_value:.3f} with {study.best_params}")
