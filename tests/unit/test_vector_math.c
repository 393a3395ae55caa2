/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The vectorisable exp and ln beside the C library's. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "physics/vector_math.h"

#define TOL_RELATIVE 5e-16   /* two rounding errors beside the library's half */

static void exp_agrees(void **state)
{
  (void)state;
  for (int i = 0; i <= 2000000; i++) {
    const double x = -708 + 1416.0 * i / 2000000;
    if (!(fabs(sdn_vexp(x) / exp(x) - 1) <= TOL_RELATIVE)) fail_msg("exp(%.17g) = %.17g, not %.17g", x, sdn_vexp(x), exp(x));
  }
  assert_true(sdn_vexp(0) == 1 && sdn_vexp(-1e-300) == 1);
  assert_true(sdn_vexp(-1e9) == sdn_vexp(-708) && sdn_vexp(1e9) == sdn_vexp(708));
}

static void ln_agrees(void **state)
{
  (void)state;
  for (int i = 0; i <= 1000000; i++) {
    const double wide = exp(-700 + 1400.0 * i / 1000000), near = 1 + (i - 500000) * 9e-7;
    if (!(fabs(sdn_vlog(wide) - log(wide)) <= TOL_RELATIVE * fabs(log(wide)))) fail_msg("ln(%.17g) = %.17g", wide, sdn_vlog(wide));
    if (!(fabs(sdn_vlog(near) - log(near)) <= TOL_RELATIVE * fabs(log(near)))) fail_msg("ln(%.17g) = %.17g", near, sdn_vlog(near));
  }
  assert_true(sdn_vlog(1) == 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(exp_agrees), cmocka_unit_test(ln_agrees)};
  return cmocka_run_group_tests_name("vector math", tests, NULL, NULL);
}
