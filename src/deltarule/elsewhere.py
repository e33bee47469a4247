"""What other libraries call things: names that do not exist here, and the line that does the same."""

_CLASSES = 'dr.Network((784, 100, 10), hidden="relu", output="softmax", loss="cross_entropy", dropout=0.0)'
_TRAIN = 'dr.fit({net}, X, y, epochs=10, optimizer="adam", learning_rate=0.001)'
_GRADIENT = "loss, grads = dr.loss_and_gradient({net}, X, y)"
_SAVE = 'dr.save({it}, "network.safetensors")'
_ASSIGN = "network.weights[0][:] = W, and network.biases[0][:] = b"
_PICTURE = 'dr.plot("curves", history), or matplotlib'
# Whose: names: the line. "()", "[]" and "in" stand for a call, an index, and a loop or unpacking; {it} is a network or
# a model, {net} its network. "=" is what is assigned to a network. A row holds for derived classes, too.
_LINES: dict[str, dict[str, str]] = {
    "deltarule": {
        "Sequential Dense Linear Layer MLP Net NeuralNetwork layers models Dropout Module Input keras": _CLASSES,
        "activations losses cross_entropy CrossEntropyLoss NLLLoss": _CLASSES,
        "relu tanh sigmoid softmax": 'hidden="relu" or output="softmax" in dr.Network, or dr.ReLU().value(z)',
        "mse MSE MSELoss mean_squared_error": 'dr.Network((4, 8, 1), output="identity", loss="quadratic")',
        "BCELoss BCEWithLogitsLoss binary_crossentropy": 'dr.Network((4, 8, 1), output="sigmoid", '
        'loss="binary_cross_entropy")',
        "datasets load_mnist load_digits MNIST mnist fetch_openml": 'dr.load_data("mnist")',
        "DataLoader TensorDataset train_test_split random_split": "dr.Dataset(X, y).hold_out(100)",
        "CosineAnnealingLR StepLR LearningRateScheduler lr_scheduler": "learning_rate=dr.Cosine(0.1, 1000) in dr.fit",
        "ReduceLROnPlateau": "learning_rate=dr.ReduceOnPlateau(0.001) in dr.fit",
        "manual_seed seed set_seed set_random_seed random": "rng=0 in dr.Network, and seed=0 in dr.fit",
        "tensor Tensor array from_numpy Variable": "NumPy's arrays, np.array(X)",
        "no_grad": "network.predict(X), which computes no gradients",
        "read_csv load_csv": 'dr.read_table("houses.csv", "price")',
        "__version__": 'importlib.metadata.version("deltarule")',
        "one_hot utils to_categorical OneHotEncoder LabelEncoder": "y = np.unique(y, return_inverse=True)[1]",
        "StandardScaler scaler normalize": "(X - X.mean(axis=0)) / X.std(axis=0)",
        "CSVLog CSVLogger": 'dr.fit(network, X, y).save("history.csv")',
    },
    "Network": {
        "fit train compile partial_fit optim optimizers optimizer learn fit_generator train_on_batch": _TRAIN,
        "lr learning_rate epochs batch_size": _TRAIN,
        "SGD update_mini_batch train_step": 'dr.fit({net}, X, y, epochs=30, batch_size=10, optimizer="sgd", '
        "learning_rate=0.1)",
        "history": 'history = dr.fit({net}, X, y), and history["train_loss"]',
        "evaluate score accuracy accuracy_score metrics test": "loss, accuracy = dr.evaluate({it}, X, y)",
        "save save_weights save_model to_json export": _SAVE,
        "load load_model load_weights load_state_dict from_file from_pretrained": 'dr.load("network.safetensors")',
        "predict classify predict_classes predict_on_batch": "network.predict(X)",
        "summary print get_config": "print({net})",
        "predict_proba": "{it}.probabilities(X)",
        "forward () feedforward feed_forward call decision_function transform": "{it}.outputs(X)",
        "backward backprop zero_grad grad gradients cost_derivative back_propagation": _GRADIENT,
        "layers get_weights coefs_ state_dict kernel bias W b intercepts_ W1 b1": "{net}.weights and {net}.biases",
        "trainable_variables trainable_weights named_parameters": "{net}.parameters.vector",
        "set_weights": _ASSIGN,
        "count_params n_params n_parameters num_parameters": "{net}.parameters.size",
        "to cuda cpu eval requires_grad_": "{it} as it is: it computes on the CPU, and dropout acts in training alone",
        "double float half": "network.astype(np.float64)",
        "add append add_module add_layer": _CLASSES,
        "sizes num_layers n_layers input_shape output_shape n_features_in_ shape": "{net}.layer_sizes",
        "classes_ n_classes": "{net}.class_names",
        "in [] len": "zip({net}.weights, {net}.biases)",
        "clone copy": "copy.deepcopy({net})",
        "predict_log_proba": "np.log({it}.probabilities(X))",
        "get_params set_params": "{net}.parameters, or the arguments of dr.Network",
        "reset initialize init_weights reset_parameters": "dr.Network((784, 100, 10), rng=0), a new one",
        "hidden output": "{net}.activations",
        "plot confusion_matrix": 'dr.plot("confusion", {it}, dr.Dataset(X, y))',
        "weights biases parameters activations loss dropout layer_sizes dtype": "model.network, which has it",
        "task pixels image_shape class_names input_range": (
            "dr.load(path) after dr.save({it}, path) in the older deltarule that pickled it"
        ),
    },
    "=": {
        "weights biases": _ASSIGN,
        "dtype": "network = network.astype(np.float64)",
        "layer_sizes activations hidden output": _CLASSES,
        "lr learning_rate optimizer epochs batch_size penalty": _TRAIN,
        "stop_training": 'state.stop_reason = "enough" in a callback',
    },
    "Trainer": {
        "train run start learn": "trainer.fit(dr.Dataset(X, y))",
        "history loss losses": 'history = trainer.fit(dr.Dataset(X, y)), and history["train_loss"]',
        "evaluate test score accuracy": "loss, accuracy = dr.evaluate(trainer.network, X, y)",
        "predict () outputs": "trainer.network.predict(X)",
        "save": 'dr.save(trainer.network, "network.safetensors")',
        "model net": "trainer.network",
        "lr learning_rate": "dr.Trainer(network=network, schedule=0.01)",
    },
    "Optimizer": {
        "zero_grad": "dr.fit(network, X, y), where each step has its own gradient",
        "lr learning_rate param_groups ()": "dr.fit(network, X, y, optimizer=dr.Adam(), learning_rate=0.01)",
        "minimize apply_gradients apply": "optimizer.step(network.parameters, grads, 0.01)",
        "state_dict get_config": "optimizer.state()",
        "load_state_dict": "optimizer.load_state(state)",
    },
    "Loss": {
        "backward grad item": _GRADIENT,
        "() forward call": "loss.value(network.outputs(X), y)",
        "smoothing": "loss.label_smoothing",
    },
    "Activation": {
        "() call": "activation.value(z)",
        "prime deriv grad gradient": "activation.derivative(z, activation.value(z))",
    },
    "Picture": {"savefig show": 'picture.save("picture.png")'},
    "Page": {"savefig write to_file export": 'page.save("network.html")'},
    "Parameters": {
        "() in": "network.parameters, without the brackets, or its vector, network.parameters.vector",
        "[] W b": "parameters.weights[0] and parameters.biases[0]",
    },
    "History": {
        "history keys columns loss losses train_loss": 'history["train_loss"], or history.rows',
        "accuracy acc train_accuracy score": 'history["train_accuracy"]',
        "val_loss validation_loss val_accuracy": 'history["validation_loss"], with a validation set in fit',
        "epoch epochs": 'history["epoch"], or len(history) - 1',
        "to_csv DataFrame frame head": "pandas.DataFrame(history.rows)",
        "model network": "the network that fit was given",
        "best_loss best_score": "history.best_epoch",
    },
    "TrainingState": {
        "stop_training stop should_stop": 'state.stop_reason = "enough"',
        "model net": "state.network",
        "lr": "state.learning_rate",
        "loss": "state.batch_loss",
        "logs metrics train_loss accuracy val_loss validation_loss": 'state.history["train_loss"][-1]',
    },
    "Dataset": {
        "X x data features images shape [] values": "data.inputs",
        "y labels target classes": "data.targets",
        "in": "X, y = data.inputs, data.targets",
        "train test split train_test_split random_split": "parts = data.hold_out(100), and parts.train and parts.test",
        "n_classes num_classes": "data.n_outputs",
        "batch shuffle map repeat prefetch": "dr.fit(network, data, batch_size=32), which shuffles",
        "from_tensor_slices from_arrays load": "dr.Dataset(X, y)",
        "read_csv from_csv from_dataframe": 'dr.read_table("houses.csv", "price")',
    },
    "Splits": {
        "X x data inputs images x_train X_train y targets labels y_train": "data.train.inputs and data.train.targets",
        "x_test X_test y_test [] in len": "X, y = data.test.inputs, data.test.targets, and likewise data.train",
        "validation val valid": "parts = splits.train.hold_out(100), and parts.test",
    },
    "Penalty": {"() backward": "penalty.value(network.parameters)"},
    "Views": {"() +": "network.weights[0], an array for each layer, as in network.weights[0] += 1"},
    "GradientCheck": {"passed success is_ok": "check.ok", "error max_error": "check.max_relative_error"},
    "Checkpoints": {"restore load latest latest_checkpoint": "dr.fit(..., resume=checkpoints.newest())"},
    "Standardization": {
        "fit fit_transform": "Standardization.of(X)",
        "transform": "standardization.apply(X)",
        "inverse_transform": "standardization.undo(X)",
    },
    "Evaluation": {"accuracy score r2 acc metrics": "loss, accuracy = dr.evaluate(network, X, y)"},
    "Perceptron": {
        "save dump": 'dr.save(estimator.model_, "network.safetensors")',
        "load": 'dr.load("network.safetensors")',
        "evaluate accuracy test": "estimator.score(X, y)",
        "train compile": "estimator.fit(X, y)",
        "history history_": "estimator.loss_curve_",
        "weights layers": "estimator.coefs_",
        "biases": "estimator.intercepts_",
        "network model net": "estimator.model_.network",
        "summary": "print(estimator.model_.network)",
        "outputs probabilities": "estimator.predict_proba(X), or estimator.model_.outputs(X)",
        "model_ classes_ loss_ loss_curve_ best_loss_ n_iter_ n_layers_ n_outputs_ t_ out_activation_ "
        "validation_scores_ best_validation_score_ n_features_in_": "estimator.fit(X, y) first",
    },
}

# The arguments of public functions: of which kinds they are, and what may stand for one in a line.
ARGUMENTS = {
    "network": "Network: network",
    "thing": "Network|Model: network",
    "net_or_model": "Network|Model: network",
    "examples": "Dataset: dr.Dataset(X, y)",
    "dataset": "Dataset: dr.Dataset(X, y)",
    "train": "Dataset: dr.Dataset(X, y)",
    "ws": "Workspace: network.workspace(len(X))",
    "grads": "Parameters: network.parameters.zeros_like()",
    "params": "Parameters: network.parameters",
    "parameters": "Parameters: network.parameters.copy()",
    "learning_rate": "number: 0.01",
    "capacity": "whole number: len(X)",
    "Optimizer.state": "dict: state",
    "path": 'path: "network.safetensors"',
    "save_onnx.path": 'path: "network.onnx"',
    "save_npz.path": 'path: "network.npz"',
    "CSVLog.path": 'path: "history.csv"',
    "folder": 'path: "kept"',
    "read_table.source": 'path|DataFrame: "houses.csv"',
    "read_table.target": 'text: "price"',
    "load_data.name": 'path: "digits"',
    "History.name": 'text: "train_loss"',
    "plot.kind": 'text: "curves"',
    "Dataset.rng": ": rng=0",
    "Picture.path": 'path: "picture.png"',
    "Page.path": 'path: "network.html"',
    "History.plot": ': history.plot().save("history.png")',
    "layer": "whole number: 0",
    "neuron": "whole number: 0",
    "z": "ndarray: z",
    "rng": "Generator|RandomState: np.random.default_rng(0)",
    "fan_in": "whole number: 784",
    "fan_out": "whole number: 10",
    "n_train": ": 100",
    "n_test": ": 100",
    "most": "whole number: 100",
    "indices": ": [0, 1, 2]",
    "layer_sizes": ": (784, 100, 10)",
    "inputs": ": X",
    "targets": ": y",
    "raw": ": X",
    "mean": ": X.mean(axis=0)",
    "scale": ": X.std(axis=0)",
    "Column.name": 'text: "size"',
    "WarmUp.schedule": ": Constant(0.001)",
    "example": ": X[0]",
    "estimator": ": estimator",
    "dtype": ": np.float64",
}

# Arguments that are not numbers, and what other libraries call them.
SYNONYMS = {
    **dict.fromkeys(("layers", "sizes", "units"), "layer_sizes hidden_layer_sizes"), "activation": "hidden",
    "activations": "hidden", "criterion": "loss", "loss_fn": "loss", "optim": "optimizer", "solver": "optimizer",
    "callback": "callbacks", "validation_data": "validation", "val_data": "validation", "regularization": "penalty",
    "regularizer": "penalty", "weight_decay": "penalty", "augmentation": "augment", "weights": "sample_weight",
    "backend": "engine", "labels": "targets class_names", "classes": "class_names", "filename": "path",
    "rng": "seed", "model": "network", "net": "network", "x": "inputs", "y": "targets", "features": "inputs",
    "max_lr": "rate", "initial_lr": "rate", "base_lr": "rate", "kernel_initializer": "initializer",
    **dict.fromkeys(("validation_split", "val_split", "test_size"), "validation_fraction validation_split"),
    **dict.fromkeys(("stop_early", "early_stop"), "early_stopping"), "overwrite": "force", "optimizer": "solver",
    **dict.fromkeys(("lr_scheduler", "lr_decay", "decay"), "learning_rate"), "log_interval": "verbose",
    **dict.fromkeys(("l2_reg", "l1_reg", "reg", "l2_regularization"), "penalty"), "weight": "class_weight",
    **dict.fromkeys(("test_data", "eval_set", "val", "valid"), "validation"),
    "n_iter": "epochs", "iterations": "epochs",
    **dict.fromkeys(
        ("input_shape", "input_dim", "input_size", "hidden_size", "output_size", "num_classes", "n_inputs", "n_hidden",
         "n_outputs", "in_features", "out_features", "hidden_layer_sizes", "neurons", "n_classes"), "layer_sizes"
    ),
    "random_seed": "rng", "random_state": "rng", "learning_rate": "schedule", "hidden": "hidden_layer_sizes",
    "layer_sizes": "hidden_layer_sizes", "clip": "limit", "directory": "folder", "seed": "rng",
}  # fmt: skip
# What is an argument, but of something else; and how to give it.
FOUND_AT = {
    "optimizer": ("an argument of fit", 'fit(network, X, y, optimizer="adam")'),
    "penalty": ("an argument of fit", "fit(network, X, y, penalty=L2(0.0001))"),
    "clip": ("an argument of fit", "fit(network, X, y, clip=1.0)"),
    "average": ("an argument of fit", "fit(network, X, y, average=0.999)"),
    "schedule": ("the learning_rate of fit", "fit(network, X, y, learning_rate=Cosine(0.1, 1000))"),
    "callbacks": ("an argument of fit", "fit(network, X, y, callbacks=[Progress()])"),
    "validation": ("an argument of its fit", "trainer.fit(train, validation)"),
    "hidden": ("an argument of Network", 'Network((784, 100, 10), hidden="relu")'),
    "output": ("an argument of Network", 'Network((784, 100, 10), output="softmax")'),
    "loss": ("an argument of Network", 'Network((784, 100, 10), loss="cross_entropy")'),
    "dropout": ("an argument of Network", "Network((784, 100, 10), dropout=0.1)"),
    "learning_rate": ("an argument of fit", "fit(network, X, y, learning_rate=0.01)"),
    "epochs": ("an argument of fit", "fit(network, X, y, epochs=10)"),
    "batch_size": ("an argument of fit", "fit(network, X, y, batch_size=128)"),
    "momentum": ("a setting of Momentum", "optimizer=Momentum(momentum=0.9)"),
    "strength": ("that of a penalty", "fit(network, X, y, penalty=L2(0.0001))"),
    "restore_best_weights": ("what fit does with a validation set", "fit(network, X, y, validation=(X_val, y_val))"),
    "from_logits": ("not needed, since a loss knows the output before it", 'loss="cross_entropy"'),
    "initializer": ("a setting of the activation", 'hidden=ReLU(initializer="he_normal")'),
    "alpha": ("a setting of the activation", "hidden=LeakyReLU(slope=0.1), or ELU(alpha=1.0)"),
    "slope": ("a setting of the activation", "hidden=LeakyReLU(slope=0.1)"),
    "betas": ("given as two numbers", "Adam(beta_1=0.9, beta_2=0.999)"),
    "device": ("not needed, since all is computed on the CPU", 'fit(network, X, y, engine="auto")'),
    "n_jobs": ("not needed, since it takes all cores", 'fit(network, X, y, engine="auto")'),
    "verbose": ("a callback, Progress()", "callbacks=[Progress()]"),
    "patience": ("a callback, EarlyStopping(patience=5)", "callbacks=[EarlyStopping(patience=5)]"),
    "shuffle": ("what fit does before each epoch", "fit(network, X, y)"),
    "metrics": ("not needed, since the history holds loss and accuracy", "fit(network, X, y)"),
    "monitor": ("an argument of EarlyStopping", 'callbacks=[EarlyStopping(monitor="validation_loss")]'),
    "class_weight": ("given as a weight for each sample", "sample_weight=1 / np.bincount(y)[y]"),
    "validation_split": ("given as data", "fit(network, X[:-99], y[:-99], validation=(X[-99:], y[-99:]))"),
    "early_stopping": ("a callback, EarlyStopping()", "callbacks=[EarlyStopping()]"),
}


_LIKE_A_NETWORK: dict[str, str | None] = {"Model": "Network", "deltarule": "Network"}
_ELSEWHERE: dict[tuple[str | None, str], str] = {
    (whose, name): line for whose, rows in _LINES.items() for names, line in rows.items() for name in names.split()
}
ACTS = {
    "()": ("__call__", "is not callable"),
    "[]": ("__getitem__", "is not subscriptable"),
    "in": ("__iter__", "is not iterable"),
    "len": ("__len__", "has no len()"),
    "+": ("__iadd__", "cannot be added to"),
}


def line_for(whose: str, name: str) -> str | None:
    """The line that does what `name` does elsewhere; None where there is none."""
    found = _ELSEWHERE.get((whose, name)) or _ELSEWHERE.get((_LIKE_A_NETWORK.get(whose), name))
    it, net = ("model", "model.network") if whose == "Model" else ("network", "network")
    return found and found.format(it=it, net=net)
