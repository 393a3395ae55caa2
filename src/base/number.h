/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Decimal numbers as text, the same in every locale: a decimal point is always '.'. */
#ifndef SDN_BASE_NUMBER_H
#define SDN_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

#define SDN_NUMBER_SIZE 32   /* characters that a printed number needs at most, its terminating 0 included */

/* True when the whole of text[0..n) is one decimal number ("-1.5e3", ".5", "7.") with a finite value. Correctly rounded. */
bool sdn_number_parse(const char *text, size_t n, double *value);
/* The fewest digits that read back as the same value; whole numbers below 2^53 without exponent; "nan", "inf", "-inf". */
void sdn_number_print(double value, char out[SDN_NUMBER_SIZE]);
void sdn_number_print_float(float value, char out[SDN_NUMBER_SIZE]);

#endif
