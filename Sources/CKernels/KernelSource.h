/* All kernels for one instruction set: Kernels.c includes this once per set, with
 *   WIDTH         floats in a register of the set: 16, 8 or 4
 *   BLOCK         vectors of a row that one pass keeps in registers
 *   PAIR_BLOCK    the same for two units at once
 *   LOW, HIGH     the lower and upper halves of two registers, their lanes in turn
 *   GRAM_COLUMNS  columns of the tile of 4 rows that sums of products keep in registers
 *   FACTOR_ROWS   rows of the tile of 8 columns that a factorisation keeps in registers: 4 or 8
 *   KEEP(v)       makes the compiler believe that v is needed and has changed
 *   NAME(f)       f with the set's suffix
 *   SET           the set's name
 * and forgets all of them but NAME and KEEP at its end. */

#include "Sets/Vectors.h"
#include "Sets/Activations.h"
#include "Sets/Training.h"
#include "Sets/Evaluation.h"
#include "Sets/Rollout.h"
#include "Sets/Analysis.h"
#include "Sets/Gram.h"
#include "Sets/Factorisation.h"
#include "Sets/Arithmetic.h"

static const filigree_kernels NAME(table) = {
    .name = SET,
    .forward = NAME(forward),
    .backward = NAME(backward),
    .residual = NAME(residual),
    .adam = NAME(adam),
    .gather = NAME(gather),
    .evaluate = NAME(evaluate),
    .roll = NAME(roll),
    .roll_double = NAME(roll_double),
    .cover = NAME(cover),
    .score = NAME(score),
    .pool = NAME(pool),
    .jacobian = NAME(jacobian),
    .sensitivity = NAME(sensitivity),
    .magnitudes = NAME(magnitudes),
    .slope_runs = NAME(slope_runs),
    .gram = NAME(gram),
    .curvature = NAME(curvature),
    .cholesky = NAME(cholesky),
    .cholesky_solve = NAME(cholesky_solve),
    .cholesky_invert = NAME(cholesky_invert),
    .arithmetic = NAME(arithmetic),
    .double_arithmetic = NAME(double_arithmetic),
};


#undef vector
#undef integers
#undef doubles
#undef longs
#undef narrow
#undef row_part
#undef AT
#undef CONST_AT
#undef DOUBLES_AT
#undef CONST_DOUBLES_AT
#undef INLINE
#undef FUSED
#undef FUSED_DOUBLE
#undef REST
#undef IN_BLOCKS
#undef MOVE_STATES
#undef STANDARDISE
#undef ROLL
#undef SUFFIX
#undef SET
#undef WIDTH
#undef BLOCK
#undef PAIR_BLOCK
#undef GRAM_COLUMNS
#undef FACTOR_ROWS
#undef LOW
#undef HIGH
