/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "prior/formula.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

#define MAX_CODE 256     /* steps of one formula */
#define MAX_NAME 32      /* different parameters of one formula */
#define MAX_CALL 16      /* calls of registered functions in one formula */
#define MAX_DEPTH 24     /* values that wait at one time, and brackets that are open */

typedef enum op_kind {
  OP_NUMBER, OP_PARAM, OP_CALL,
  OP_NEGATE, OP_EXP, OP_LN, OP_LOG10, OP_SQRT, OP_ABS,
  OP_ADD, OP_SUBTRACT, OP_MULTIPLY, OP_DIVIDE, OP_POWER, OP_MIN, OP_MAX
} op_kind;

typedef struct op {
  op_kind kind;
  int index;       /* OP_PARAM: of name; OP_CALL: of call */
  double number;   /* OP_NUMBER; OP_CALL: how many arguments */
} op;

struct sdn_formula {
  char *text;
  op *code;                   /* [n_code] */
  size_t n_code, n_name, n_call;
  char *name[MAX_NAME];
  int slot[MAX_NAME];         /* where each name's value stands */
  char *call_name[MAX_CALL];
  int call_arguments[MAX_CALL];   /* 0: not known yet */
  sdn_function call[MAX_CALL];
};

static const struct { const char *name; op_kind kind; int n_argument; } built_in[] = {
  {"exp", OP_EXP, 1}, {"ln", OP_LN, 1},   {"log10", OP_LOG10, 1}, {"sqrt", OP_SQRT, 1},
  {"abs", OP_ABS, 1}, {"min", OP_MIN, 2}, {"max", OP_MAX, 2},     {"pow", OP_POWER, 2},
};
#define N_BUILT_IN (sizeof built_in / sizeof *built_in)

/* ---- parsing, by recursive descent */

typedef struct parser {
  sdn_formula *f;
  const char *at;       /* next character */
  int depth, waiting;   /* open brackets; values on the stack when the code so far is run */
  sdn_err *err;
} parser;

static sdn_status wrong(parser *p, const char *what)
{
  const long column = (long)(p->at - p->f->text) + 1;
  if (!*p->at) return sdn_fail(p->err, SDN_USAGE, "formula '%.200s': it ends where %s", p->f->text, what);
  return sdn_fail(p->err, SDN_USAGE, "formula '%.200s', character %ld ('%.12s'): %s", p->f->text, column, p->at, what);
}

static void skip_blanks(parser *p)
{
  while (isspace((unsigned char)*p->at)) p->at++;
}

static bool accept(parser *p, char c)
{
  skip_blanks(p);
  if (*p->at != c) return false;
  p->at++;
  return true;
}

/* Append a step; `change` is how many more values wait after it. */
static sdn_status emit(parser *p, op_kind kind, int index, double number, int change)
{
  if (p->f->n_code == MAX_CODE) return wrong(p, "the formula is too long; tie part of it to a parameter of its own");
  p->f->code[p->f->n_code++] = (op){kind, index, number};
  p->waiting += change;
  return p->waiting <= MAX_DEPTH ? SDN_OK : wrong(p, "the formula is nested too deep");
}

static sdn_status parse_sum(parser *p);

/* The index of word[0..n) in a list of n_known names, adding it where it is new; -1 without memory or room. */
static int intern(parser *p, char **list, size_t *n_known, size_t max, const char *word, size_t n)
{
  for (size_t i = 0; i < *n_known; i++)
    if (strlen(list[i]) == n && memcmp(list[i], word, n) == 0) return (int)i;
  if (*n_known == max) return wrong(p, "too many different names"), -1;
  if (!(list[*n_known] = sdn_copy_text_n(word, n, p->err))) return -1;
  return (int)(*n_known)++;
}

static sdn_status parse_bracket(parser *p)
{
  if (++p->depth > MAX_DEPTH) return wrong(p, "the formula is nested too deep");
  if (parse_sum(p)) return p->err->status;
  p->depth--;
  return SDN_OK;
}

/* What follows "name(". */
static sdn_status parse_call(parser *p, const char *name, size_t n)
{
  op_kind kind = OP_CALL;
  int n_argument = 1, index = 0;
  const char *const start = p->at;
  for (size_t i = 0; i < N_BUILT_IN; i++) {
    if (strlen(built_in[i].name) != n || memcmp(built_in[i].name, name, n) != 0) continue;
    kind = built_in[i].kind;
    n_argument = built_in[i].n_argument;
  }
  if (kind == OP_CALL && (index = intern(p, p->f->call_name, &p->f->n_call, MAX_CALL, name, n)) < 0) return p->err->status;
  for (int i = 0; i < n_argument; i++) {
    if (i > 0 && !accept(p, ',')) return wrong(p, "a comma and a second argument are expected");
    if (parse_bracket(p)) return p->err->status;
  }
  for (; kind == OP_CALL && n_argument < SDN_FUNCTION_MAX_ARG && accept(p, ','); n_argument++)
    if (parse_bracket(p)) return p->err->status;
  if (!accept(p, ')')) return wrong(p, "a closing bracket is expected");
  if (kind == OP_CALL && p->f->call_arguments[index] > 0 && p->f->call_arguments[index] != n_argument) {
    p->at = start;
    return wrong(p, "here this function has another number of arguments than before");
  }
  if (kind == OP_CALL) p->f->call_arguments[index] = n_argument;
  return emit(p, kind, index, n_argument, 1 - n_argument);
}

static size_t name_length(const char *s)
{
  size_t n = 0;
  if (!isalpha((unsigned char)s[0]) && s[0] != '_') return 0;
  while (isalnum((unsigned char)s[n]) || s[n] == '_') n++;
  return n;
}

/* Digits, a point, digits, an exponent: where a number ends, so that "1e3-x" is read as 1e3 - x. */
static size_t number_length(const char *s)
{
  size_t n = 0;
  while (isdigit((unsigned char)s[n])) n++;
  if (s[n] == '.') n++;
  while (isdigit((unsigned char)s[n])) n++;
  if (n > 0 && (s[n] == 'e' || s[n] == 'E')) {
    size_t e = n + 1;
    if (s[e] == '+' || s[e] == '-') e++;
    if (isdigit((unsigned char)s[e])) {
      n = e;
      while (isdigit((unsigned char)s[n])) n++;
    }
  }
  return n;
}

static sdn_status parse_primary(parser *p)
{
  if (accept(p, '(')) {
    if (parse_bracket(p)) return p->err->status;
    return accept(p, ')') ? SDN_OK : wrong(p, "a closing bracket is expected");
  }
  size_t n = number_length(p->at);
  if (n > 0) {
    double number;
    if (!sdn_number_parse(p->at, n, &number)) return wrong(p, "this is no number");
    p->at += n;
    return emit(p, OP_NUMBER, 0, number, 1);
  }
  const char *name = p->at;
  n = name_length(name);
  if (n == 0) return wrong(p, "a number, a name or a bracket is expected");
  p->at += n;
  if (accept(p, '(')) return parse_call(p, name, n);
  const int index = intern(p, p->f->name, &p->f->n_name, MAX_NAME, name, n);
  return index < 0 ? p->err->status : emit(p, OP_PARAM, index, 0, 1);
}

static sdn_status parse_signed(parser *p);

static sdn_status parse_power(parser *p)
{
  if (parse_primary(p)) return p->err->status;
  if (!accept(p, '^')) return SDN_OK;
  if (parse_signed(p)) return p->err->status;
  return emit(p, OP_POWER, 0, 0, -1);
}

static sdn_status parse_signed(parser *p)
{
  bool negative = false;
  if (++p->depth > MAX_DEPTH) return wrong(p, "the formula is nested too deep");
  for (;;) {
    if (accept(p, '-')) negative = !negative;
    else if (!accept(p, '+')) break;
  }
  if (parse_power(p)) return p->err->status;
  p->depth--;
  return negative ? emit(p, OP_NEGATE, 0, 0, 0) : SDN_OK;
}

static sdn_status parse_product(parser *p)
{
  if (parse_signed(p)) return p->err->status;
  for (;;) {
    const bool times = accept(p, '*');
    if (!times && !accept(p, '/')) return SDN_OK;
    if (parse_signed(p) || emit(p, times ? OP_MULTIPLY : OP_DIVIDE, 0, 0, -1)) return p->err->status;
  }
}

static sdn_status parse_sum(parser *p)
{
  if (parse_product(p)) return p->err->status;
  for (;;) {
    const bool plus = accept(p, '+');
    if (!plus && !accept(p, '-')) return SDN_OK;
    if (parse_product(p) || emit(p, plus ? OP_ADD : OP_SUBTRACT, 0, 0, -1)) return p->err->status;
  }
}

sdn_status sdn_formula_parse(const char *text, sdn_formula **out, sdn_err *err)
{
  *out = NULL;
  sdn_formula *f = sdn_alloc(1, sizeof *f, "a formula", err);
  if (!f) return err->status;
  f->text = sdn_copy_text(text, err);
  f->code = f->text ? sdn_alloc(MAX_CODE, sizeof *f->code, "a formula", err) : NULL;
  if (!f->code) goto done;
  parser p = {.f = f, .at = f->text, .err = err};
  if (parse_sum(&p)) goto done;
  skip_blanks(&p);
  if (*p.at) {
    wrong(&p, "an operator is expected");
    goto done;
  }
  *out = f;
  f = NULL;
done:
  sdn_formula_free(f);
  return *out ? SDN_OK : err->status;
}

void sdn_formula_free(sdn_formula *f)
{
  if (!f) return;
  for (size_t i = 0; i < f->n_name; i++) sdn_release(f->name[i]);
  for (size_t i = 0; i < f->n_call; i++) sdn_release(f->call_name[i]);
  sdn_release(f->code);
  sdn_release(f->text);
  sdn_release(f);
}

/* ---- names, functions, value */

size_t sdn_formula_n_name(const sdn_formula *f) { return f->n_name; }
const char *sdn_formula_name(const sdn_formula *f, size_t i) { return f->name[i]; }
void sdn_formula_bind(sdn_formula *f, size_t i, int slot) { f->slot[i] = slot; }

void sdn_formula_fix(sdn_formula *f, const char *name, double value)
{
  size_t i = 0;
  while (i < f->n_name && strcmp(f->name[i], name) != 0) i++;
  if (i == f->n_name) return;
  for (op *o = f->code; o < f->code + f->n_code; o++) {
    if (o->kind != OP_PARAM) continue;
    if (o->index == (int)i) *o = (op){OP_NUMBER, 0, value};
    else if (o->index > (int)i) o->index--;
  }
  sdn_release(f->name[i]);
  f->n_name--;
  for (; i < f->n_name; i++) f->name[i] = f->name[i + 1];
}

static int arguments_of(const sdn_function *f) { return f->fn ? 1 : f->n_argument; }

/* err, with a list of all that there is. */
static sdn_status no_function(const sdn_formula *f, const char *name, size_t n, const sdn_function *functions, sdn_err *err)
{
  char list[600] = "";
  for (size_t i = 0; i < n; i++) {
    const size_t used = strlen(list);
    snprintf(list + used, sizeof list - used, " %s", functions[i].name);
  }
  return sdn_fail(err, SDN_USAGE, "formula '%.200s': there is no function '%s'; known are exp ln log10 sqrt abs min max pow%s", f->text, name, list);
}

sdn_status sdn_formula_link(sdn_formula *f, size_t n, const sdn_function *functions, sdn_err *err)
{
  for (size_t c = 0; c < f->n_call; c++) {
    size_t i = 0;
    while (i < n && strcmp(functions[i].name, f->call_name[c]) != 0) i++;
    if (i == n) return no_function(f, f->call_name[c], n, functions, err);
    if (arguments_of(&functions[i]) != f->call_arguments[c])
      return sdn_fail(err, SDN_USAGE, "formula '%.200s': %s takes %d arguments, not %d", f->text, functions[i].name, arguments_of(&functions[i]),
                      f->call_arguments[c]);
    f->call[c] = functions[i];
  }
  return SDN_OK;
}

static double unary(op_kind kind, double x)
{
  switch (kind) {
  case OP_NEGATE: return -x;
  case OP_EXP: return exp(x);
  case OP_LN: return log(x);
  case OP_LOG10: return log10(x);
  case OP_SQRT: return sqrt(x);
  default: return fabs(x);
  }
}

static double binary(op_kind kind, double a, double b)
{
  switch (kind) {
  case OP_ADD: return a + b;
  case OP_SUBTRACT: return a - b;
  case OP_MULTIPLY: return a * b;
  case OP_DIVIDE: return a / b;
  case OP_POWER: return b == 2 ? a * a : pow(a, b);
  case OP_MIN: return a < b || isnan(a) ? a : b;   /* unlike fmin, NaN stays */
  default: return a > b || isnan(a) ? a : b;
  }
}

static double call(const sdn_function *f, const double *x) { return f->fn ? f->fn(f->ctx, *x) : f->fn_n(f->ctx, x); }

double sdn_formula_value(const sdn_formula *f, const double *params)
{
  double stack[MAX_DEPTH + 1];
  int top = -1;
  stack[0] = NAN;
  for (const op *o = f->code, *end = f->code + f->n_code; o < end; o++) {
    if (o->kind == OP_NUMBER) stack[++top] = o->number;
    else if (o->kind == OP_PARAM) stack[++top] = params[f->slot[o->index]];
    else if (o->kind == OP_CALL) {
      top -= (int)o->number - 1;
      stack[top] = call(&f->call[o->index], &stack[top]);
    }
    else if (o->kind < OP_ADD) stack[top] = unary(o->kind, stack[top]);
    else {
      stack[top - 1] = binary(o->kind, stack[top - 1], stack[top]);
      top--;
    }
  }
  return stack[0];
}
