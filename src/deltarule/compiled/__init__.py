"""The same, faster: Numba's twins of the functions that do the work of a step. They say nothing new.

Each is held to its original in nn/, data/ and training/ by the tests. The kernels are serial and release the GIL;
matrix products go through np.matmul, NumPy's own BLAS, so that no second pool of threads gets in its way.
Importing this room imports Numba (the extra "fast").
"""
