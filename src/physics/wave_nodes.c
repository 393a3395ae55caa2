/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "physics/wave_nodes.h"

#include <math.h>

#define LONGEST_STEP 0.25    /* in ln wavelength */
#define SHORTEST_STEP 1e-4
#define SCAN_STEP 0.02       /* in search of the peak; nothing here is narrower than a black body */

static double peak(const sdn_wave_family *f, int sample, double low_A, double high_A)
{
  double top = 0;
  for (double w = low_A; w <= high_A; w *= exp(SCAN_STEP)) top = fmax(top, f->lnu(f->ctx, sample, w) / w);
  return top;
}

/* The straight line from a to b, against the spectrum at the middle: a parabola's mean error is 2/3 of its largest. */
static bool close_enough(const sdn_wave_family *f, const double *top, double a, double b)
{
  const double m = 0.5 * (a + b);
  for (int s = 0; s < f->n_sample; s++) {
    const double middle = f->lnu(f->ctx, s, m), line = 0.5 * (f->lnu(f->ctx, s, a) + f->lnu(f->ctx, s, b));
    if (!(2.0 / 3 * fabs(line - middle) / m <= f->tolerance * fmax(middle / m, f->floor * top[s]))) return false;
  }
  return true;
}

/* The end of the longest good interval from a on, to a tenth of its length; `step` is where the search begins, and then what was found. */
static double next_node(const sdn_wave_family *f, const double *top, double a, double high_A, double *step)
{
  double h = fmin(*step * 1.5, LONGEST_STEP);
  while (h > SHORTEST_STEP && !close_enough(f, top, a, a * exp(h))) h *= 0.9;
  *step = h;
  return a * exp(h) < high_A ? a * exp(h) : high_A;
}

sdn_status sdn_wave_nodes(const sdn_wave_family *f, double low_A, double high_A, double **node, int *n, sdn_err *err)
{
  const size_t most = (size_t)(log(high_A / low_A) / SHORTEST_STEP) + 2;
  double *top = sdn_alloc((size_t)f->n_sample, sizeof *top, "peaks of spectra", err), *all = NULL;
  sdn_status status = SDN_OK;
  double step = 0.05;
  *n = 0;
  if (!top || !(all = sdn_alloc(most, sizeof *all, "wavelength nodes", err))) goto done;
  for (int s = 0; s < f->n_sample; s++) top[s] = peak(f, s, low_A, high_A);
  all[(*n)++] = low_A;
  while (all[*n - 1] < high_A && (size_t)*n < most) {
    all[*n] = next_node(f, top, all[*n - 1], high_A, &step);
    (*n)++;
  }
done:
  status = all ? SDN_OK : err->status;
  sdn_release(top);
  *node = all;
  return status;
}
