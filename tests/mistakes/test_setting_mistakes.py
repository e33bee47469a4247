"""What beginners get wrong about settings and objects: each row is a mistake, what is said to it, and what works."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deltarule as dr
from deltarule.errors import DataError, DeltaruleError, ShapeError

Row = tuple[str, str, str, str]  # the cause, the code with the mistake, the message's first sentence, the code mended

NUMBER, RATE = "must be a number, 0 or more and finite", "or a schedule such as Cosine(0.1, 1000)"
SHARE, COUNT = "must be at least 0 and less than 1", "must be a whole number, 1 or more"
BATCH, EPOCHS = f"batch_size {COUNT}, or None for all samples at once", "epochs must be a whole number, 0 or more"
SIZES = "layer sizes are two or more whole numbers, inputs first, as in (784, 128, 10): got "
HIDDEN, LOSS = "hidden must be an activation or its name", "loss must be a loss or its name"
OPTIMIZER, PENALTY = "optimizer must be an optimizer or its name", "penalty must be a penalty or its name"
ACTIVATIONS = "Known: elu, identity, leaky_relu, relu, sigmoid, silu, softmax, tanh"
LOSSES = "Known: binary_cross_entropy, cross_entropy, quadratic"
OPTIMIZERS = "Known: adagrad, adam, adamw, momentum, nesterov, rmsprop, sgd"
DTYPE = "dtype must be float32, float64 or complex128: got "
ENGINES = "Known: auto, numba, numpy"

NETWORK: list[Row] = [
    ("sizes apart", "Network(4, 8, 3)", "Network takes layer_sizes alone by position: got 3", "Network((4, 8, 3))"),
    ("one size", "Network(784)", SIZES + "784", "Network((784, 10))"),
    ("one size", "Network([784])", SIZES + "[784]", "Network([784, 10])"),
    ("no size", "Network()", "Network needs layer_sizes", "Network((4, 3))"),
    ("no size", "Network(())", SIZES + "()", "Network((4, 3))"),
    ("size a float", "Network((4.0, 3))", SIZES + "(4.0, 3)", "Network((4, 3))"),
    ("sizes a text", "Network('4-8-3')", SIZES + "'4-8-3'", "Network((4, 8, 3))"),
    ("size a text", "Network((4, '3'))", SIZES + "(4, '3')", "Network((4, 3))"),
    ("size 0", "Network((4, 0, 3))", SIZES + "(4, 0, 3)", "Network((4, 1, 3))"),
    ("size negative", "Network((4, -8, 3))", SIZES + "(4, -8, 3)", "Network((4, 8, 3))"),
    ("size a bool", "Network((4, True, 3))", SIZES + "(4, True, 3)", "Network((4, 1, 3))"),
    ("size nested", "Network((4, (8, 8), 3))", SIZES + "(4, (8, 8), 3)", "Network((4, 8, 8, 3))"),
    ("sizes None", "Network(None)", SIZES + "None", "Network((4, 3))"),
    ("sizes data", "Network(X)", SIZES + "an array of shape (60, 4)", "Network((4, 3))"),
    ("a class", "Network((4, 8, 3), hidden=dr.ReLU)", f"{HIDDEN}: got the class ReLU", "Network((4, 8, 3), hidden=dr.ReLU())"),
    ("a class", "Network((4, 8, 3), output=dr.Softmax)", "output must be an activation or its name: got the class Softmax", "Network((4, 8, 3), output=dr.Softmax())"),
    ("a class", "Network((4, 8, 3), loss=dr.CrossEntropy)", f"{LOSS}: got the class CrossEntropy", "Network((4, 8, 3), loss=dr.CrossEntropy())"),
    ("a class in a list", "Network((4, 8, 3), hidden=[dr.ReLU])", "hidden[0] must be an activation or its name: got the class ReLU", "Network((4, 8, 3), hidden=[dr.ReLU()])"),
    ("a class of another kind", "Network((4, 8, 3), hidden=dr.Adam)", f"{HIDDEN}: got the class Adam", "Network((4, 8, 3), hidden='relu')"),
    ("misspelled", "Network((4, 8, 3), hidden='rleu')", f"no activation is called 'rleu': did you mean 'relu'? {ACTIVATIONS}", "Network((4, 8, 3), hidden='relu')"),
    ("misspelled in a list", "Network((4, 8, 3), hidden=['rleu'])", f"no activation is called 'rleu': did you mean 'relu'? {ACTIVATIONS}", "Network((4, 8, 3), hidden=['relu'])"),
    ("class name as text", "Network((4, 8, 3), hidden='LeakyReLU')", f"no activation is called 'LeakyReLU': did you mean 'leaky_relu'? {ACTIVATIONS}", "Network((4, 8, 3), hidden='leaky_relu')"),
    ("another's name", "Network((4, 8, 3), hidden='logistic')", f"no activation is called 'logistic': did you mean 'sigmoid'? {ACTIVATIONS}", "Network((4, 8, 3), hidden='sigmoid')"),
    ("another's name", "Network((4, 8, 3), hidden='swish')", f"no activation is called 'swish': did you mean 'silu'? {ACTIVATIONS}", "Network((4, 8, 3), hidden='silu')"),
    ("another's name", "Network((4, 8, 3), output='linear', loss='quadratic')", f"no activation is called 'linear': did you mean 'identity'? {ACTIVATIONS}", "Network((4, 8, 3), output='identity', loss='quadratic')"),
    ("another's name", "Network((4, 8, 3), output='identity', loss='mse')", f"no loss is called 'mse': did you mean 'quadratic'? {LOSSES}", "Network((4, 8, 3), output='identity', loss='quadratic')"),
    ("another's name", "Network((4, 8, 3), loss='categorical_crossentropy')", f"no loss is called 'categorical_crossentropy': did you mean 'cross_entropy'? {LOSSES}", "Network((4, 8, 3), loss='cross_entropy')"),
    ("another's name", "Network((4, 8, 3), output='sigmoid', loss='bce')", f"no loss is called 'bce': did you mean 'binary_cross_entropy'? {LOSSES}", "Network((4, 8, 3), output='sigmoid', loss='binary_cross_entropy')"),
    ("sizes as activations", "Network((4, 8, 3), hidden=100)", f"{HIDDEN}: got 100", "Network((4, 8, 3), hidden='relu')"),
    ("sizes as activations", "Network((4, 3), hidden=[8, 8])", "hidden[0] must be an activation or its name: got 8", "Network((4, 8, 8, 3))"),
    ("None for an object", "Network((4, 8, 3), hidden=None)", f"{HIDDEN}: got None", "Network((4, 8, 3))"),
    ("a function", "Network((4, 8, 3), hidden=np.tanh)", f"{HIDDEN}: got the function tanh", "Network((4, 8, 3), hidden='tanh')"),
    ("kinds swapped", "Network((4, 8, 3), loss=dr.Softmax())", f"{LOSS}: got a Softmax", "Network((4, 8, 3), output=dr.Softmax())"),
    ("kinds swapped", "Network((4, 8, 3), output=dr.CrossEntropy())", "output must be an activation or its name: got a CrossEntropy", "Network((4, 8, 3), loss=dr.CrossEntropy())"),
    ("too few in a list", "Network((4, 8, 8, 3), hidden=['relu'])", "hidden is one for all hidden layers or one for each of 2: got 1", "Network((4, 8, 8, 3), hidden=['relu', 'tanh'])"),
    ("unknown setting", "Network((4, 8, 3), hidden={'name': 'elu', 'slope': 1.0})", "activation elu has no setting 'slope': Known: alpha", "Network((4, 8, 3), hidden={'name': 'elu', 'alpha': 1.0})"),
    ("setting a text", "Network((4, 8, 3), hidden={'name': 'elu', 'alpha': '1'})", "alpha of ELU must be a number, finite: got '1'", "Network((4, 8, 3), hidden={'name': 'elu', 'alpha': 1.0})"),
    ("a short dtype", "Network((4, 3), dtype=np.float16)", DTYPE + "float16", "Network((4, 3), dtype=np.float32)"),
    ("a whole dtype", "Network((4, 3), dtype=int)", DTYPE + "int64", "Network((4, 3), dtype=float)"),
    ("a whole dtype", "Network((4, 3), dtype='uint8')", DTYPE + "uint8", "Network((4, 3), dtype='float32')"),
    ("not a dtype", "Network((4, 3), dtype='fast')", DTYPE + "'fast'", "Network((4, 3), dtype='float64')"),
    ("not a dtype", "Network((4, 3), dtype=None)", DTYPE + "None", "Network((4, 3), dtype=np.float64)"),
    ("a dtype later", "Network((4, 3)).astype(np.float16)", DTYPE + "float16", "Network((4, 3)).astype(np.float64)"),
    ("percent", "Network((4, 8, 3), dropout=50)", f"dropout {SHARE}: got 50", "Network((4, 8, 3), dropout=0.5)"),
    ("a share of 1", "Network((4, 8, 3), dropout=1.0)", f"dropout {SHARE}: got 1.0", "Network((4, 8, 3), dropout=0.9)"),
    ("a number as text", "Network((4, 8, 3), dropout='0.5')", "dropout must be a number, at least 0 and less than 1: got '0.5'", "Network((4, 8, 3), dropout=0.5)"),
    ("too few in a list", "Network((4, 8, 8, 3), dropout=[0.1])", "dropout is one for all hidden layers or one for each of 2: got 1", "Network((4, 8, 8, 3), dropout=[0.1, 0.1])"),
    ("None for a number", "Network((4, 8, 3), dropout=None)", "dropout must be a number, at least 0 and less than 1: got None", "Network((4, 8, 3), dropout=0.0)"),
    ("a seed as text", "Network((4, 3), rng='0')", "rng must be a generator or a seed, a whole number, 0 or more: got '0'", "Network((4, 3), rng=0)"),
    ("a negative seed", "Network((4, 3), rng=-1)", "rng must be a generator or a seed, a whole number, 0 or more: got -1", "Network((4, 3), rng=1)"),
    ("a fractional seed", "Network((4, 3), rng=0.5)", "rng must be a generator or a seed, a whole number, 0 or more: got 0.5", "Network((4, 3), rng=5)"),
    ("an unknown task", "Network((4, 3), task='classification')", "no task is called 'classification': did you mean 'classes'? Known: classes, labels, values", "Network((4, 3), task='classes')"),
    ("an unknown task", "Network((4, 1), output='identity', loss='quadratic', task='regression')", "no task is called 'regression': did you mean 'values'? Known: classes, labels, values", "Network((4, 1), output='identity', loss='quadratic', task='values')"),
    ("names in one text", "Network((4, 3), class_names='abc')", "class_names must be a list of names, one for each output: got 'abc'", "Network((4, 3), class_names=['a', 'b', 'c'])"),
    ("too few names", "Network((4, 3), class_names=['a', 'b'])", "a network needs a name for each of its 3 outputs: got 2", "Network((4, 3), class_names=['a', 'b', 'c'])"),
    ("a shape as a number", "Network((784, 10), image_shape=28)", "image_shape must be (height, width): got 28", "Network((784, 10), image_shape=(28, 28))"),
    ("a shape with colors", "Network((12, 10), image_shape=(2, 2, 3))", "image_shape must be (height, width): got (2, 2, 3)", "Network((12, 10), image_shape=(4, 3))"),
    ("a flag as text", "Network((4, 3), pixels='yes')", "pixels must be True or False: got 'yes'", "Network((4, 3), pixels=True)"),
    ("another's argument", "Network((4, 8, 3), activation='relu')", "Network has no argument 'activation': did you mean 'hidden'?", "Network((4, 8, 3), hidden='relu')"),
    ("another's argument", "Network(layers=(4, 3))", "Network has no argument 'layers': did you mean 'layer_sizes'?", "Network(layer_sizes=(4, 3))"),
    ("another's argument", "Network((4, 3), seed=1)", "Network has no argument 'seed': did you mean 'rng'?", "Network((4, 3), rng=1)"),
    ("fit's argument", "Network((4, 3), learning_rate=0.1)", "Network has no argument 'learning_rate': it is an argument of fit", "fit(net, X, y, learning_rate=0.1)"),
    ("fit's argument", "Network((4, 3), optimizer='adam')", "Network has no argument 'optimizer': it is an argument of fit", "fit(net, X, y, optimizer='adam')"),
]  # fmt: skip

FIT: list[Row] = [
    ("another's argument", "fit(net, X, y, lr=0.1)", "fit has no argument 'lr': did you mean 'learning_rate'?", "fit(net, X, y, learning_rate=0.1)"),
    ("another's argument", "fit(net, X, y, n_epochs=2)", "fit has no argument 'n_epochs': did you mean 'epochs'?", "fit(net, X, y, epochs=2)"),
    ("another's argument", "fit(net, X, y, batchsize=8)", "fit has no argument 'batchsize': did you mean 'batch_size'?", "fit(net, X, y, batch_size=8)"),
    ("another's argument", "fit(net, X, y, validation_data=(X, y))", "fit has no argument 'validation_data': did you mean 'validation'?", "fit(net, X, y, validation=(X, y))"),
    ("another's argument", "fit(net, X, y, random_state=1)", "fit has no argument 'random_state': did you mean 'seed'?", "fit(net, X, y, seed=1)"),
    ("another's argument", "fit(net, X, y, regularization=dr.L2(0.1))", "fit has no argument 'regularization': did you mean 'penalty'?", "fit(net, X, y, penalty=dr.L2(0.1))"),
    ("a callback's argument", "fit(net, X, y, verbose=1)", "fit has no argument 'verbose': it is a callback, Progress()", "fit(net, X, y, callbacks=dr.Progress())"),
    ("a callback's argument", "fit(net, X, y, patience=5)", "fit has no argument 'patience': it is a callback, EarlyStopping(patience=5)", "fit(net, X, y, callbacks=[dr.EarlyStopping(5, monitor='train_loss')])"),
    ("Network's argument", "fit(net, X, y, hidden='relu')", "fit has no argument 'hidden': it is an argument of Network", "Network((4, 8, 3), hidden='relu')"),
    ("Network's argument", "fit(net, X, y, dropout=0.1)", "fit has no argument 'dropout': it is an argument of Network", "Network((4, 8, 3), dropout=0.1)"),
    ("an optimizer's argument", "fit(net, X, y, momentum=0.9)", "fit has no argument 'momentum': it is a setting of Momentum", "fit(net, X, y, optimizer=dr.Momentum(momentum=0.9))"),
    ("settings by position", "fit(net, X, y, 5)", "fit takes network, X, y alone by position: got 4", "fit(net, X, y, epochs=5)"),
    ("network last", "fit(X, y, net)", "network must be a Network: got an array of shape (60, 4)", "fit(net, X, y)"),
    ("a class", "fit(dr.Network, X, y)", "network must be a Network: got the class Network", "fit(net, X, y)"),
    ("sizes for a network", "fit((4, 8, 3), X, y)", "network must be a Network: got (4, 8, 3)", "fit(Network((4, 8, 3)), X, y)"),
    ("a fractional count", "fit(net, X, y, epochs=10.0)", f"{EPOCHS}: got 10.0", "fit(net, X, y, epochs=10)"),
    ("a count as text", "fit(net, X, y, epochs='10')", f"{EPOCHS}: got '10'", "fit(net, X, y, epochs=10)"),
    ("a count as bool", "fit(net, X, y, epochs=True)", f"{EPOCHS}: got True", "fit(net, X, y, epochs=1)"),
    ("a negative count", "fit(net, X, y, epochs=-1)", f"{EPOCHS}: got -1", "fit(net, X, y, epochs=1)"),
    ("None for a number", "fit(net, X, y, epochs=None)", f"{EPOCHS}: got None", "fit(net, X, y)"),
    ("a batch of 0", "fit(net, X, y, batch_size=0)", f"{BATCH}: got 0", "fit(net, X, y, batch_size=None)"),
    ("a fractional count", "fit(net, X, y, batch_size=1.5)", f"{BATCH}: got 1.5", "fit(net, X, y, batch_size=2)"),
    ("a word for all", "fit(net, X, y, batch_size='all')", f"{BATCH}: got 'all'", "fit(net, X, y, batch_size=None)"),
    ("a negative count", "fit(net, X, y, batch_size=-1)", f"{BATCH}: got -1", "fit(net, X, y, batch_size=None)"),
    ("a number as text", "fit(net, X, y, learning_rate='0.1')", f"learning_rate {NUMBER}, {RATE}: got '0.1'", "fit(net, X, y, learning_rate=0.1)"),
    ("a negative rate", "fit(net, X, y, learning_rate=-0.1)", f"learning_rate must be 0 or more and finite, {RATE}: got -0.1", "fit(net, X, y, learning_rate=0.1)"),
    ("a rate of nan", "fit(net, X, y, learning_rate=float('nan'))", f"learning_rate must be 0 or more and finite, {RATE}: got nan", "fit(net, X, y, learning_rate=0.1)"),
    ("None for a number", "fit(net, X, y, learning_rate=None)", f"learning_rate {NUMBER}, {RATE}: got None", "fit(net, X, y)"),
    ("a list of rates", "fit(net, X, y, learning_rate=[0.1, 0.01])", f"learning_rate {NUMBER}, {RATE}: got [0.1, 0.01]", "fit(net, X, y, learning_rate=dr.StepDecay(0.1, 5))"),
    ("a schedule's name", "fit(net, X, y, learning_rate='cosine')", f"learning_rate {NUMBER}, {RATE}: got 'cosine'", "fit(net, X, y, learning_rate=dr.Cosine(0.1, 20))"),
    ("a class", "fit(net, X, y, learning_rate=dr.Cosine)", f"learning_rate {NUMBER}, {RATE}: got the class Cosine", "fit(net, X, y, learning_rate=dr.Cosine(0.1, 20))"),
    ("an array for a number", "fit(net, X, y, learning_rate=np.array([0.1]))", f"learning_rate {NUMBER}, {RATE}: got an array of shape (1,)", "fit(net, X, y, learning_rate=np.float32(0.1))"),
    ("a class", "fit(net, X, y, optimizer=dr.Adam)", f"{OPTIMIZER}: got the class Adam", "fit(net, X, y, optimizer=dr.Adam())"),
    ("misspelled", "fit(net, X, y, optimizer='adma')", f"no optimizer is called 'adma': did you mean 'adam'? {OPTIMIZERS}", "fit(net, X, y, optimizer='adam')"),
    ("class name as text", "fit(net, X, y, optimizer='Adam')", f"no optimizer is called 'Adam': did you mean 'adam'? {OPTIMIZERS}", "fit(net, X, y, optimizer='adam')"),
    ("a rate in the optimizer", "fit(net, X, y, optimizer=dr.Adam(lr=0.1))", "Adam has no argument 'lr': the learning rate is an argument of fit", "fit(net, X, y, optimizer=dr.Adam(), learning_rate=0.1)"),
    ("a rate in the optimizer", "fit(net, X, y, optimizer=dr.SGD(0.1))", "SGD takes no arguments: got 1 by position", "fit(net, X, y, optimizer=dr.SGD(), learning_rate=0.1)"),
    ("a rate in the optimizer", "fit(net, X, y, optimizer={'name': 'sgd', 'learning_rate': 0.1})", "optimizer sgd has no setting 'learning_rate': it has none", "fit(net, X, y, optimizer='sgd', learning_rate=0.1)"),
    ("a setting without its name", "fit(net, X, y, optimizer={'beta_1': 0.8})", f"no optimizer is called None: {OPTIMIZERS}", "fit(net, X, y, optimizer={'name': 'adam', 'beta_1': 0.8})"),
    ("kinds swapped", "fit(net, X, y, optimizer=dr.L2(0.1))", f"{OPTIMIZER}: got a L2", "fit(net, X, y, penalty=dr.L2(0.1))"),
    ("a number for an object", "fit(net, X, y, penalty=0.01)", f"{PENALTY}: got 0.01", "fit(net, X, y, penalty=dr.L2(0.01))"),
    ("no strength", "fit(net, X, y, penalty='l2')", "penalty l2 needs strength, a number: got no settings", "fit(net, X, y, penalty={'name': 'l2', 'strength': 0.01})"),
    ("no strength", "fit(net, X, y, penalty=dr.L2())", "L2 needs strength", "fit(net, X, y, penalty=dr.L2(0.01))"),
    ("a class", "fit(net, X, y, penalty=dr.L2)", f"{PENALTY}: got the class L2", "fit(net, X, y, penalty=dr.L2(0.01))"),
    ("misspelled", "fit(net, X, y, penalty='ridge')", "no penalty is called 'ridge': did you mean 'l2'? Known: l1, l2", "fit(net, X, y, penalty={'name': 'l2', 'strength': 0.01})"),
    ("a class", "fit(net, X, y, callbacks=dr.Progress)", "callbacks must be a callback, or a list of them: got the class Progress", "fit(net, X, y, callbacks=dr.Progress())"),
    ("a class in a list", "fit(net, X, y, callbacks=[dr.Progress])", "callbacks[0] must be a callback: got the class Progress", "fit(net, X, y, callbacks=[dr.Progress()])"),
    ("a function", "fit(net, X, y, callbacks=[print])", "callbacks[0] must be a callback: got the function print", "fit(net, X, y, callbacks=[dr.Progress()])"),
    ("a text", "fit(net, X, y, callbacks='progress')", "callbacks must be a callback, or a list of them: got 'progress'", "fit(net, X, y, callbacks=[dr.Progress()])"),
    ("None for a list", "fit(net, X, y, callbacks=None)", "callbacks must be a callback, or a list of them: got None", "fit(net, X, y, callbacks=[])"),
    ("an unknown engine", "fit(net, X, y, engine='gpu')", f"no engine is called 'gpu': {ENGINES}", "fit(net, X, y, engine='auto')"),
    ("an unknown engine", "fit(net, X, y, engine='nunpy')", f"no engine is called 'nunpy': did you mean 'numpy'? {ENGINES}", "fit(net, X, y, engine='numpy')"),
    ("None for a name", "fit(net, X, y, engine=None)", f"no engine is called None: {ENGINES}", "fit(net, X, y)"),
    ("a share of 2", "fit(net, X, y, average=2)", f"average {SHARE}, or None for no average: got 2", "fit(net, X, y, average=0.999)"),
    ("a flag for a number", "fit(net, X, y, average=True)", "average must be a number, at least 0 and less than 1, or None for no average: got True", "fit(net, X, y, average=0.999)"),
    ("a class", "fit(net, X, y, average=dr.MovingAverage)", "average must be a number, at least 0 and less than 1, or None for no average: got the class MovingAverage", "fit(net, X, y, average=dr.MovingAverage())"),
    ("a negative norm", "fit(net, X, y, clip=-1)", "clip must be above 0 and finite, or None for no clipping: got -1", "fit(net, X, y, clip=1.0)"),
    ("a norm of 0", "fit(net, X, y, clip=0)", "clip must be above 0 and finite, or None for no clipping: got 0", "fit(net, X, y, clip=None)"),
    ("a flag for an object", "fit(net, X, y, augment=True)", "augment must be a Deformation, a dict of its amounts, or None: got True", "fit(net28, X28, y, augment=dr.Deformation(rotation=10))"),
    ("an unknown amount", "fit(net28, X28, y, augment={'rotate': 10})", "augment has no setting 'rotate': did you mean 'rotation'? Known: elastic_alpha, elastic_sigma, rotation, scale, shear, shift, stroke", "fit(net28, X28, y, augment={'rotation': 10})"),
    ("a negative seed", "fit(net, X, y, seed=-1)", "seed must be a whole number, 0 or more: got -1", "fit(net, X, y, seed=1)"),
    ("None for a number", "fit(net, X, y, seed=None)", "seed must be a whole number, 0 or more: got None", "fit(net, X, y)"),
    ("a seed as text", "fit(net, X, y, seed='a')", "seed must be a whole number, 0 or more: got 'a'", "fit(net, X, y, seed=7)"),
    ("a path for a snapshot", "fit(net, X, y, resume='checkpoints')", "resume must be a Snapshot: got 'checkpoints'", "fit(net, X, y)"),
]  # fmt: skip

TRAINER: list[Row] = [
    ("settings by position", "Trainer(net)", "Trainer takes its arguments by name: got 1 by position", "Trainer(network=net)"),
    ("no network", "Trainer()", "Trainer needs network", "Trainer(network=net)"),
    ("another's argument", "Trainer(network=net, learning_rate=0.1)", "Trainer has no argument 'learning_rate': did you mean 'schedule'?", "Trainer(network=net, schedule=0.1)"),
    ("another's argument", "Trainer(network=net, validation=(X, y))", "Trainer has no argument 'validation': it is an argument of its fit", "Trainer(network=net)"),
    ("a class", "Trainer(network=net, optimizer=dr.SGD)", f"{OPTIMIZER}: got the class SGD", "Trainer(network=net, optimizer='sgd')"),
    ("a number for an object", "Trainer(network=net, penalty=0.1)", f"{PENALTY}: got 0.1", "Trainer(network=net, penalty=dr.L2(0.1))"),
    ("a number as text", "Trainer(network=net, schedule='0.1')", f"schedule {NUMBER}, {RATE}: got '0.1'", "Trainer(network=net, schedule=0.1)"),
    ("an unknown engine", "Trainer(network=net, engine='cuda')", f"no engine is called 'cuda': {ENGINES}", "Trainer(network=net, engine='numpy')"),
    ("a share of 1", "Trainer(network=net, average=1.0)", f"average {SHARE}, or None for no average: got 1.0", "Trainer(network=net, average=0.99)"),
    ("a norm of 0", "Trainer(network=net, clip=0.0)", "clip must be above 0 and finite, or None for no clipping: got 0.0", "Trainer(network=net, clip=1.0)"),
    ("a fractional count", "Trainer(network=net, epochs=2.5)", f"{EPOCHS}: got 2.5", "Trainer(network=net, epochs=2)"),
    ("a model for a network", "Trainer(network='net')", "network must be a Network: got 'net'", "Trainer(network=net)"),
    ("a column as a number", "Trainer(network=net, monitor=1)", "monitor must be the name of a column, such as 'validation_loss': got 1", "Trainer(network=net, monitor='validation_accuracy')"),
]  # fmt: skip

OBJECTS: list[Row] = [
    ("nan", "LeakyReLU(float('nan'))", "slope of LeakyReLU must be finite: got nan", "LeakyReLU(0.1)"),
    ("infinite", "LeakyReLU(slope=float('inf'))", "slope of LeakyReLU must be finite: got inf", "LeakyReLU(slope=0.1)"),
    ("nan", "ELU(float('nan'))", "alpha of ELU must be finite: got nan", "ELU(1.0)"),
    ("another's argument", "LeakyReLU(negative_slope=0.1)", "LeakyReLU has no argument 'negative_slope': did you mean 'slope'?", "LeakyReLU(slope=0.1)"),
    ("a setting that it lacks", "ReLU(0.1)", "initializer of ReLU must be an initializer or its name: got 0.1", "LeakyReLU(0.1)"),
    ("misspelled", "ReLU(initializer='he')", "no initializer is called 'he': did you mean 'he_normal'? Known: glorot_uniform, he_normal, lecun_normal, standard_normal, uniform, zeros", "ReLU(initializer='he_normal')"),
    ("another's name", "Tanh(initializer='xavier')", "no initializer is called 'xavier': did you mean 'glorot_uniform'? Known: glorot_uniform, he_normal, lecun_normal, standard_normal, uniform, zeros", "Tanh(initializer='glorot_uniform')"),
    ("a share of 1", "CrossEntropy(1.0)", f"label_smoothing of CrossEntropy {SHARE}: got 1.0", "CrossEntropy(0.1)"),
    ("another's argument", "CrossEntropy(smoothing=0.1)", "CrossEntropy has no argument 'smoothing': did you mean 'label_smoothing'?", "CrossEntropy(label_smoothing=0.1)"),
    ("a flag for a number", "CrossEntropy(label_smoothing=True)", "label_smoothing of CrossEntropy must be a number, at least 0 and less than 1: got True", "CrossEntropy(label_smoothing=0.1)"),
    ("settings by position", "Adam(0.9, 0.999)", "Adam takes its arguments by name: got 2 by position", "Adam(beta_1=0.9, beta_2=0.999)"),
    ("another's argument", "Adam(beta1=0.9)", "Adam has no argument 'beta1': did you mean 'beta_1'?", "Adam(beta_1=0.9)"),
    ("another's argument", "Adam(eps=1e-8)", "Adam has no argument 'eps': did you mean 'epsilon'?", "Adam(epsilon=1e-8)"),
    ("a share of 1", "Momentum(momentum=1.0)", f"momentum of Momentum {SHARE}: got 1.0", "Momentum(momentum=0.9)"),
    ("percent", "Momentum(momentum=90)", f"momentum of Momentum {SHARE}: got 90", "Momentum(momentum=0.9)"),
    ("a number as text", "RMSProp(decay='0.9')", "decay of RMSProp must be a number, at least 0 and less than 1: got '0.9'", "RMSProp(decay=0.9)"),
    ("another's setting", "SGD(momentum=0.9)", "SGD has no argument 'momentum': it is a setting of Momentum", "Momentum(momentum=0.9)"),
    ("a negative strength", "L2(-0.1)", "strength of L2 must be 0 or more and finite: got -0.1", "L2(0.1)"),
    ("a number as text", "L1('0.1')", "strength of L1 must be a number, 0 or more and finite: got '0.1'", "L1(0.1)"),
    ("another's argument", "L2(alpha=0.1)", "L2 has no argument 'alpha': did you mean 'strength'?", "L2(strength=0.1)"),
    ("no length", "Cosine(0.1)", "Cosine needs total_steps", "Cosine(0.1, 100)"),
    ("a fractional count", "Cosine(0.1, 10.5)", f"total_steps of Cosine {COUNT}: got 10.5", "Cosine(0.1, 10)"),
    ("a number as text", "Constant('0.1')", f"rate of Constant {NUMBER}: got '0.1'", "Constant(0.1)"),
    ("a list for a number", "Constant([0.1])", f"rate of Constant {NUMBER}: got [0.1]", "Constant(0.1)"),
    ("a number for a schedule", "WarmUp(0.1, 10)", "schedule of WarmUp must be a schedule: got 0.1", "WarmUp(dr.Constant(0.1), 10)"),
    ("a share of 1", "OneCycle(0.1, 100, warm_up=1.0)", f"warm_up of OneCycle {SHARE}: got 1.0", "OneCycle(0.1, 100, warm_up=0.3)"),
    ("a patience of 0", "EarlyStopping(0)", f"patience of EarlyStopping {COUNT}: got 0", "EarlyStopping(1)"),
    ("a fractional count", "EarlyStopping(2.5)", f"patience of EarlyStopping {COUNT}: got 2.5", "EarlyStopping(2)"),
    ("a column as patience", "EarlyStopping('validation_loss')", f"patience of EarlyStopping {COUNT}: got 'validation_loss'", "EarlyStopping(monitor='validation_loss')"),
    ("an unknown mode", "EarlyStopping(mode='minimum')", "no mode is called 'minimum': did you mean 'min'? Known: auto, max, min", "EarlyStopping(mode='min')"),
    ("a number as text", "EarlyStopping(min_delta='0')", f"min_delta of EarlyStopping {NUMBER}: got '0'", "EarlyStopping(min_delta=0.0)"),
    ("a factor of 1", "ReduceOnPlateau(0.1, factor=1.0)", f"factor of ReduceOnPlateau {SHARE}: got 1.0", "ReduceOnPlateau(0.1, factor=0.5)"),
    ("a number as text", "ReduceOnPlateau('0.1')", f"rate of ReduceOnPlateau {NUMBER}, {RATE}: got '0.1'", "ReduceOnPlateau(0.1)"),
    ("a share of 1", "MovingAverage(1.0)", f"decay of MovingAverage {SHARE}: got 1.0", "MovingAverage(0.99)"),
    ("a norm of 0", "ClipNorm(0)", "limit of ClipNorm must be above 0 and finite: got 0", "ClipNorm(1.0)"),
    ("degrees below 0", "Deformation(rotation=-5)", "rotation of Deformation must be 0 degrees or more and finite: got -5", "Deformation(rotation=5)"),
    ("percent", "Deformation(scale=15)", f"scale of Deformation {SHARE}: got 15", "Deformation(scale=0.15)"),
    ("settings by position", "Deformation(12)", "Deformation takes its arguments by name: got 1 by position", "Deformation(rotation=12)"),
    ("another's argument", "Deformation(rotate=12)", "Deformation has no argument 'rotate': did you mean 'rotation'?", "Deformation(rotation=12)"),
    ("a count for seconds", "Checkpoints('runs', every_steps=0)", f"every_steps of Checkpoints {COUNT}, or None: got 0", "Checkpoints('runs', every_steps=10)"),
    ("no folder", "Checkpoints()", "Checkpoints needs folder", "Checkpoints('runs')"),
    ("a network for a file", "Checkpoints(net)", "folder of Checkpoints must be a path: got a Network", "Checkpoints('runs')"),
    ("a network for a file", "ModelCheckpoint(net)", "path of ModelCheckpoint must be a path: got a Network", "ModelCheckpoint('best.safetensors')"),
    ("a long separator", "CSVLog('history.csv', separator=', ')", "a separator is one character, as ',' or '", "CSVLog('history.csv', separator=';')"),
    ("a number for a file", "CSVLog(3)", "path of CSVLog must be a path: got 3", "CSVLog('history.csv')"),
]  # fmt: skip

FILES: list[Row] = [
    ("swapped", "save('net.safetensors', net)", "save takes a network or a model first, then a path: got 'net.safetensors' first", "save(net, 'net.safetensors')"),
    ("no network", "save(X, 'net.safetensors')", "save takes a network or a model first, then a path: got an array of shape (60, 4) first", "save(net, 'net.safetensors')"),
    ("a class", "save(dr.Network, 'net.safetensors')", "save takes a network or a model first, then a path: got the class Network first", "save(net, 'net.safetensors')"),
    ("a number for a file", "save(net, 3)", "save takes a network or a model first, then a path: got 3 as the path", "save(net, 'net.safetensors')"),
    ("no file", "save(net)", "save needs path", "save(net, 'net.safetensors')"),
    ("swapped", "save_onnx('net.onnx', net)", "save_onnx takes a network or a model first, then a path: got 'net.onnx' first", "save_onnx(net, 'net.onnx')"),
    ("swapped", "save_npz('net.npz', net)", "save_npz takes a network or a model first, then a path: got 'net.npz' first", "save_npz(net, 'net.npz')"),
    ("a path for a network", "show('net.safetensors')", "show takes a network or a model: got 'net.safetensors'", "show(net)"),
    ("a network for a file", "load(net)", "load takes the path of a model file: got a Network", "load('kept.safetensors')"),
    ("a number for a name", "load_data(3)", "load_data takes a name or a path: got 3", "load_data('digits')"),
    ("misspelled", "load_data('digit')", "no data set or file is called 'digit'", "load_data('digits')"),
    ("a class", "from_torch({'weight': np.zeros((3, 4))}, hidden=dr.ReLU)", f"{HIDDEN}: got the class ReLU", "from_torch({'weight': np.zeros((3, 4))}, hidden=dr.ReLU())"),
    ("a layer for its arrays", "from_torch(net, hidden='relu')", "state_dict must be a mapping from names to arrays: got a Network", "from_torch({'weight': np.zeros((3, 4))}, hidden='relu')"),
    ("no activation", "from_torch({'weight': np.zeros((3, 4))})", "from_torch needs hidden", "from_torch({'weight': np.zeros((3, 4))}, hidden='relu')"),
]  # fmt: skip

ESTIMATORS: list[Row] = [
    ("another's argument", "MLPClassifier(hidden=(8,))", "MLPClassifier has no argument 'hidden': did you mean 'hidden_layer_sizes'?", "MLPClassifier((8,))"),
    ("another's argument", "MLPClassifier(lr=0.1)", "MLPClassifier has no argument 'lr': did you mean 'learning_rate_init'?", "MLPClassifier(learning_rate_init=0.1)"),
    ("another's argument", "MLPRegressor(epochs=5)", "MLPRegressor has no argument 'epochs': did you mean 'max_iter'?", "MLPRegressor(max_iter=5)"),
    ("misspelled", "MLPClassifier(activation='rleu').fit(X, y)", "The 'activation' parameter of MLPClassifier must be", "MLPClassifier(activation='relu', max_iter=1500, solver='lbfgs').fit(X, y)"),
    ("misspelled in a list", "MLPClassifier(activation=['rleu']).fit(X, y)", "no activation is called 'rleu': did you mean 'relu'?", "MLPClassifier(activation=['relu'], solver='lbfgs').fit(X, y)"),
    ("a number as text", "MLPClassifier(learning_rate_init='0.1').fit(X, y)", "The 'learning_rate_init' parameter of MLPClassifier must be a float in the range (0.0, inf)", "MLPClassifier(learning_rate_init=0.1, solver='lbfgs').fit(X, y)"),
    ("percent", "MLPClassifier(dropout=[50]).fit(X, y)", f"dropout {SHARE}: got 50", "MLPClassifier(dropout=[0.0], solver='lbfgs').fit(X, y)"),
    ("too few in a list", "MLPClassifier((8, 8), dropout=[0.1]).fit(X, y)", "dropout must be one for all hidden layers, or a list of one for each of the 2: got [0.1]", "MLPClassifier((8, 8), dropout=[0.0, 0.0], solver='lbfgs').fit(X, y)"),
    ("a negative strength", "MLPRegressor(alpha=-1.0).fit(X, X)", "The 'alpha' parameter of MLPRegressor must be a float in the range [0.0, inf)", "MLPRegressor(alpha=1.0, solver='lbfgs').fit(X, X)"),
    ("a size of 0", "MLPClassifier((0,)).fit(X, y)", "hidden_layer_sizes must be > 0, got [0].", "MLPClassifier((1,), solver='lbfgs').fit(X, y)"),
    ("an unknown engine", "MLPClassifier(engine='gpu').fit(X, y)", "The 'engine' parameter of MLPClassifier must be a str among", "MLPClassifier(engine='numpy', solver='lbfgs').fit(X, y)"),
]  # fmt: skip

ROWS = [*NETWORK, *FIT, *TRAINER, *OBJECTS, *FILES]
RAISED = {SIZES[:5]: ShapeError}


def words() -> dict[str, Any]:
    """What the code of a row may name: everything public, data, and networks that fit them."""
    rng = np.random.default_rng(0)
    known = {name: getattr(dr, name) for name in dr.__all__ if not name.startswith("MLP")}
    X, y = rng.random((60, 4)), np.arange(60) % 3
    images = {"X28": rng.random((60, 4, 4)), "net28": dr.Network((16, 3), rng=0)}
    return known | images | {"dr": dr, "np": np, "X": X, "y": y, "net": dr.Network((4, 8, 3), rng=0)}


def run(code: str, more: dict[str, Any]) -> Any:
    return eval(code, words() | more)  # noqa: S307 - the code stands above


def check_row(row: Row, more: dict[str, Any]) -> None:
    cause, code, sentence, mended = row
    with pytest.raises((DeltaruleError, ValueError)) as caught:
        run(code, more)
    said = str(caught.value)
    assert said.startswith(sentence), said
    assert not isinstance(caught.value, DataError)
    assert len(said) - len(sentence) < 420, said
    run(mended, more)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1])
def test_a_mistake_is_answered(row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    dr.save(dr.Network((4, 3)), "kept.safetensors")
    check_row(row, {})


@pytest.mark.parametrize("row", ESTIMATORS, ids=lambda row: row[1])
@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
def test_a_mistake_with_an_estimator_is_answered(row: Row) -> None:
    pytest.importorskip("sklearn", reason='needs scikit-learn: pip install "deltarule[sklearn]"')
    check_row(row, {"MLPClassifier": dr.MLPClassifier, "MLPRegressor": dr.MLPRegressor})


def test_every_answer_shows_what_works() -> None:
    """A cure, a close name, or the names that there are: nobody is left with what was wrong alone."""
    for _, code, _, _ in ROWS:
        with pytest.raises(DeltaruleError) as caught:
            run(code, {})
        said = str(caught.value)
        assert any(word in said for word in ("; use ", "Known: ", "as in ", "it has none", " such as ", "as ','")), said


def test_the_table_is_large() -> None:
    rows = [*ROWS, *ESTIMATORS]
    assert len({code for _, code, _, _ in rows}) == len(rows) >= 90
    assert len({(cause, code.partition("(")[0]) for cause, code, _, _ in rows}) >= 40
