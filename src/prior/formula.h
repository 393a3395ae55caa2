/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Formulas of parameters: + - * / ^ ( ) numbers names, exp ln log10 sqrt abs min max pow, and functions that a model registers.
 * ^ binds tighter than a sign before it (-2^2 is -4) and groups from the right. Parsed once to postfix code, then run per galaxy. */
#ifndef SDN_PRIOR_FORMULA_H
#define SDN_PRIOR_FORMULA_H

#include "base/memory.h"

#define SDN_FUNCTION_MAX_ARG 4

/* A function of one argument, fn, or of n_argument, fn_n (then fn is NULL). */
typedef struct sdn_function {
  char name[48];
  double (*fn)(const void *ctx, double x);
  const void *ctx;
  int n_argument;
  double (*fn_n)(const void *ctx, const double *x);
} sdn_function;

typedef struct sdn_formula sdn_formula;

/* err SDN_USAGE: what is wrong, and at which character of the text. */
sdn_status sdn_formula_parse(const char *text, sdn_formula **formula, sdn_err *err);
void sdn_formula_free(sdn_formula *f);
/* The names that it mentions: parameters, each once, in order of appearance. */
size_t sdn_formula_n_name(const sdn_formula *f);
const char *sdn_formula_name(const sdn_formula *f, size_t i);
/* Put a number in a name's place, if the formula mentions it. */
void sdn_formula_fix(sdn_formula *f, const char *name, double value);
/* Tell where name i is found in the array that sdn_formula_value reads. */
void sdn_formula_bind(sdn_formula *f, size_t i, int slot);
/* Replace the functions that are not built in. err SDN_USAGE: none has this name, or it takes another number of arguments. */
sdn_status sdn_formula_link(sdn_formula *f, size_t n, const sdn_function *functions, sdn_err *err);
double sdn_formula_value(const sdn_formula *f, const double *params);   /* not finite where the formula has no value */

#endif
