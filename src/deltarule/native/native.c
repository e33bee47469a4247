/* All that is compiled once for each REAL and each instruction set. */
#include "step.c"
#include "answer.c"
#include "deform.c"
