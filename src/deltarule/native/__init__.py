"""The same, faster: many steps in one call of a library in C, which gives the same bits on every processor.

step.c is nn/network.py and the loop of training/engine.py once more, answer.c predicts a few rows, deform.c is
data/augment.py. build.py compiles them, loader.py loads what was compiled, engine_call.py calls it. It needs no BLAS,
and its threads end with a call.
"""
