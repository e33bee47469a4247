"""The native engine: many steps in one call of a library in C, which gives the same bits on every processor.

step.c repeats nn/network.py and the loop of training/engine.py, answer.c predicts a few rows, deform.c repeats
data/augment.py. build.py compiles them, loader.py loads the library, engine_call.py calls it. It needs no BLAS, and its
threads end with each call.
"""
