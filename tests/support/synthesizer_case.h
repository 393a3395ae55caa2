/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cases of Synthesizer 1.3.1 (reference/synthesizer/cases.json; its README says what each field means), from its classes to this program's YAML. */
#ifndef TEST_SUPPORT_SYNTHESIZER_CASE_H
#define TEST_SUPPORT_SYNTHESIZER_CASE_H

#include "support/json.h"

typedef struct case_text { char data[200000]; size_t n; } case_text;   /* starts empty: n = 0 */
void case_put(case_text *t, const char *fmt, ...);

/* The map behind sfh: ; a case that comes with a table of its rate (DenseBasis) as a table. Fails the test at a class that is not known. */
void case_put_history(case_text *t, const json *c);
bool case_has_table(const json *c);
/* The map behind dust_emission: , without anything to look at it against the CMB. */
void case_put_dust_emission(case_text *t, const json *generator);

#endif
