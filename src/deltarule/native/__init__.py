"""The native engine: many steps in one call of a library in C, which gives the same bits on every processor.

step.c does the same as nn/network.py and the loop of training/engine.py, answer.c predicts a few rows, and deform.c
does the same as data/augment.py. build.py compiles them, loader.py loads the library, engine_call.py calls it. No BLAS
is needed, and the library's threads end with each call.
"""
