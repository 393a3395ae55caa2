/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The macros that step outside C17, for loops that become vector instructions and for memory. Without them everything still works, slower.
 *
 * SDN_CLONES before a function: it is compiled for three generations of x86-64 and the right one is chosen when the program starts. By gcc alone: clang 14
 * exports such functions under other names; and not under sanitizers, which are not awake yet when the choice is made.
 * SDN_INLINE: small functions called from such loops must become part of them, or they are compiled for the oldest processor.
 * SDN_PREFETCH(address): this will be read soon. */
#ifndef SDN_BASE_VECTOR_H
#define SDN_BASE_VECTOR_H

#if defined(__SANITIZE_ADDRESS__) || defined(__clang__)
#define SDN_NO_CLONES
#endif

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(SDN_NO_CLONES)
#define SDN_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define SDN_CLONES
#endif

#if defined(__GNUC__) || defined(__clang__)
#define SDN_INLINE static inline __attribute__((always_inline))
#define SDN_PREFETCH(address) __builtin_prefetch(address)
#else
#define SDN_INLINE static inline
#define SDN_PREFETCH(address) ((void)(address))
#endif

#endif
