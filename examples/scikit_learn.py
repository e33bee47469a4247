"""From scikit-learn's MLPClassifier to deltarule's: one import changes, and there is more to ask."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import deltarule as dr
from deltarule import MLPClassifier  # was: from sklearn.neural_network import MLPClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

network = MLPClassifier(hidden_layer_sizes=(50,), solver="lbfgs", max_iter=60, tol=0.01, random_state=0)
search = GridSearchCV(make_pipeline(StandardScaler(), network), {"mlpclassifier__alpha": [0.1, 10.0]}, cv=3)
search.fit(X_train, y_train)
print(f"alpha {search.best_params_['mlpclassifier__alpha']}: {search.score(X_test, y_test):.1%} of new digits read")

scaler, best = search.best_estimator_
x = scaler.transform(X_test[:1])
print(f"the first lights up {np.count_nonzero(best.hidden_activations(x)[0])} of 50 hidden neurons")
walk = dr.explain(best.model_, x[0], int(y_test[0]))
print(*str(walk).splitlines()[:3], sep="\n")
dr.save(best.model_, "digits.safetensors")

beyond = MLPClassifier(
    hidden_layer_sizes=(100, 50),
    activation=["silu", "tanh"],
    solver="adamw",
    learning_rate="one_cycle",
    learning_rate_init=0.01,
    dropout=[0.2, 0.0],
    label_smoothing=0.05,
    max_iter=25,
    random_state=0,
)
X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)
beyond.fit(X_train, y_train, validation_data=(X_test[:200], y_test[:200]))
print(f"beyond scikit-learn: {beyond.score(X_test[200:], y_test[200:]):.1%}, validated every epoch")
