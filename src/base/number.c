/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/number.h"

#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TOKEN 512            /* longer runs of digits are no number that anybody wrote */
#define MAX_EXACT_DIGITS 15      /* any integer of so many digits is exact in a double */
#define MAX_EXACT_POWER 22       /* 10^22 is the last power of ten that a double holds exactly */
#define MAX_WHOLE 9007199254740992.0   /* 2^53 */

/* What the scanner finds in a token: its shape is right, and perhaps enough to compute its value without strtod. */
typedef struct decimal { uint64_t digits; int n_digit, exponent; bool negative; } decimal;

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Digits from *i on, into d; leading zeros do not count as digits. Returns how many characters there were. */
static size_t scan_digits(const char *text, size_t n, size_t *i, decimal *d)
{
  size_t start = *i;
  for (; *i < n && is_digit(text[*i]); ++*i) {
    if (d->n_digit == 0 && text[*i] == '0') continue;
    if (d->n_digit < MAX_EXACT_DIGITS) d->digits = d->digits * 10 + (uint64_t)(text[*i] - '0');
    d->n_digit++;
  }
  return *i - start;
}

static bool scan_exponent(const char *text, size_t n, size_t *i, decimal *d)
{
  if (*i == n || (text[*i] != 'e' && text[*i] != 'E')) return true;
  ++*i;
  bool negative = *i < n && text[*i] == '-';
  if (*i < n && (text[*i] == '-' || text[*i] == '+')) ++*i;
  if (*i == n || !is_digit(text[*i])) return false;
  int e = 0;
  for (; *i < n && is_digit(text[*i]); ++*i)
    if (e < 100000) e = e * 10 + (text[*i] - '0');
  d->exponent += negative ? -e : e;
  return true;
}

static bool scan(const char *text, size_t n, decimal *d)
{
  size_t i = 0;
  *d = (decimal){0};
  if (i < n && (text[i] == '-' || text[i] == '+')) d->negative = text[i++] == '-';
  size_t n_whole = scan_digits(text, n, &i, d), n_fraction = 0;
  if (i < n && text[i] == '.') {
    i++;
    n_fraction = scan_digits(text, n, &i, d);
  }
  if (n_whole + n_fraction == 0) return false;
  d->exponent = -(int)n_fraction;
  return scan_exponent(text, n, &i, d) && i == n;
}

/* strtod reads the decimal point of the locale in force, so the token is put into that spelling first. */
static double read_by_library(const char *text, size_t n)
{
  char copy[MAX_TOKEN + 16];
  const char *point = localeconv()->decimal_point;
  size_t n_point = strlen(point), k = 0;
  for (size_t i = 0; i < n; i++) {
    if (text[i] == '.' && n_point <= 8) {
      memcpy(copy + k, point, n_point);
      k += n_point;
    } else {
      copy[k++] = text[i];
    }
  }
  copy[k] = '\0';
  return strtod(copy, NULL);
}

bool sdn_number_parse(const char *text, size_t n, double *value)
{
  static const double power[MAX_EXACT_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  decimal d;
  if (n > MAX_TOKEN || !scan(text, n, &d)) return false;
  double v;
  if (d.n_digit <= MAX_EXACT_DIGITS && abs(d.exponent) <= MAX_EXACT_POWER) {
    /* One rounding of two exact numbers is correctly rounded (Clinger 1990). */
    v = d.exponent < 0 ? (double)d.digits / power[-d.exponent] : (double)d.digits * power[d.exponent];
    if (d.negative) v = -v;
  } else {
    v = read_by_library(text, n);
  }
  if (!isfinite(v)) return false;
  *value = v;
  return true;
}

/* Make the locale's decimal point a '.' again. */
static void mend_point(char *out)
{
  const char *point = localeconv()->decimal_point;
  size_t n_point = strlen(point);
  char *at = n_point > 0 && strcmp(point, ".") != 0 ? strstr(out, point) : NULL;
  if (!at) return;
  *at = '.';
  memmove(at + 1, at + n_point, strlen(at + n_point) + 1);
}

static bool print_special(double value, char *out)
{
  if (isnan(value)) strcpy(out, "nan");
  else if (isinf(value)) strcpy(out, value > 0 ? "inf" : "-inf");
  else if (fabs(value) < MAX_WHOLE && value == trunc(value)) snprintf(out, SDN_NUMBER_SIZE, "%.0f", value);
  else return false;
  return true;
}

void sdn_number_print(double value, char out[SDN_NUMBER_SIZE])
{
  if (print_special(value, out)) return;
  for (int digits = 15; digits <= 17; digits++) {
    double back;
    snprintf(out, SDN_NUMBER_SIZE, "%.*g", digits, value);
    mend_point(out);
    if (digits == 17 || (sdn_number_parse(out, strlen(out), &back) && back == value)) return;
  }
}

void sdn_number_print_float(float value, char out[SDN_NUMBER_SIZE])
{
  if (print_special((double)value, out)) return;
  for (int digits = 6; digits <= 9; digits++) {
    double back;
    snprintf(out, SDN_NUMBER_SIZE, "%.*g", digits, (double)value);
    mend_point(out);
    if (digits == 9 || (sdn_number_parse(out, strlen(out), &back) && (float)back == value)) return;
  }
}
