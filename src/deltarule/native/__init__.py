"""The same, faster: many steps in one call of a library in C, which gives the same bits on every processor.

step.c is nn/network.py and the loop of training/engine.py once more, deform.c is data/augment.py. build.py compiles
them, library.py loads what was compiled, engine_call.py and augment.py call it. There is no BLAS, and no thread
outlives a call.
"""
