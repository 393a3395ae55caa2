/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the inner loops of this room are written and compiled.
 *
 * Numbers lie as [quantity][row]: SDN_ROWS galaxies (or draws of one galaxy) side by side, so that every loop over rows becomes vector
 * instructions without a remainder, and a layer is one matrix product with SDN_ROWS columns. 64 rows keep the activations of one tile in a
 * core's second cache and still let the matrix kernels reach their peak.
 * Loops over rows are compiled for three generations of x86-64 and chosen when the program starts (by gcc; clang 14 exports such functions
 * under other names, and compiles them for the oldest). */
#ifndef SDN_LEARN_KERNEL_H
#define SDN_LEARN_KERNEL_H

#define SDN_ROWS 64

#if defined(__SANITIZE_ADDRESS__)
#define SDN_NO_CLONES   /* the sanitizer is not awake yet when the choice is made */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(undefined_behavior_sanitizer)
#define SDN_NO_CLONES
#endif
#endif

#if defined(__x86_64__) && defined(__linux__) && !defined(__clang__) && !defined(SDN_NO_CLONES)
#define SDN_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define SDN_CLONES
#endif

/* For files that begin with this header, by gcc: no masks that only keep floating-point exceptions apart, and a * b + c as one instruction. NaN and
 * infinity keep their meaning. Worth a quarter of training time; sums then differ in the last digit from one generation of processor to the next, as
 * matrix products do anyway. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-trapping-math", "fp-contract=fast")
#endif

/* Small functions called from such loops must become part of them, or they are compiled for the oldest processor. */
#if defined(__GNUC__) || defined(__clang__)
#define SDN_INLINE static inline __attribute__((always_inline))
#else
#define SDN_INLINE static inline
#endif

#endif
