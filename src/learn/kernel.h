/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the inner loops of this room are written and compiled.
 *
 * Numbers lie as [quantity][row]: SDN_ROWS galaxies (or draws of one galaxy) side by side, so that every loop over rows becomes vector
 * instructions without a remainder, and a layer is one matrix product with SDN_ROWS columns. 64 rows keep the activations of one tile in a
 * core's second cache and still let the matrix kernels reach their peak. Loops over rows carry SDN_CLONES. */
#ifndef SDN_LEARN_KERNEL_H
#define SDN_LEARN_KERNEL_H

#include "base/vector.h"

#define SDN_ROWS 64

/* For files that begin with this header, by gcc: no masks that only keep floating-point exceptions apart, and a * b + c as one instruction. NaN and
 * infinity keep their meaning. Worth a quarter of training time; sums then differ in the last digit from one generation of processor to the next, as
 * matrix products do anyway. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-trapping-math", "fp-contract=fast")
#endif

#endif
