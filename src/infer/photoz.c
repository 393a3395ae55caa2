/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "infer/photoz.h"

#include <math.h>
#include <stdlib.h>

#define OUTLIER 0.15
#define N_CELL 65536
#define FINEST 1e-4      /* below this |dz| cells have equal width, above it equal ratio */
#define REACH 14.0       /* asinh(dz / FINEST) of the last cell: |dz| = 60 */

typedef struct cell { double sum; long n; } cell;

struct sdn_photoz {
  long n, n_outlier;
  cell cell[N_CELL];
};

sdn_status sdn_photoz_new(sdn_photoz **p, sdn_err *err)
{
  *p = sdn_alloc(1, sizeof **p, "photo-z statistics", err);
  return *p ? SDN_OK : err->status;
}

void sdn_photoz_free(sdn_photoz *p)
{
  sdn_release(p);
}

void sdn_photoz_add(sdn_photoz *p, double z_phot, double z_spec)
{
  double dz = (z_phot - z_spec) / (1 + z_spec);
  if (!isfinite(dz))
    return;
  double at = (asinh(dz / FINEST) / REACH + 1) / 2 * N_CELL;
  cell *c = &p->cell[(int)fmin(fmax(at, 0), N_CELL - 1)];
  c->sum += dz;
  c->n++;
  p->n++;
  p->n_outlier += fabs(dz) > OUTLIER;
}

typedef struct weighted { double value; long n; } weighted;

static int by_value(const void *a, const void *b)
{
  double x = ((const weighted *)a)->value, y = ((const weighted *)b)->value;
  return (x > y) - (x < y);
}

static double of_rank(const weighted *w, long n_w, long rank)
{
  for (long i = 0, seen = 0; i < n_w; i++) {
    seen += w[i].n;
    if (rank < seen)
      return w[i].value;
  }
  return NAN;
}

static double weighted_median(weighted *w, long n_w, long n)
{
  qsort(w, (size_t)n_w, sizeof *w, by_value);
  return (of_rank(w, n_w, (n - 1) / 2) + of_rank(w, n_w, n / 2)) / 2;
}

sdn_status sdn_photoz_score_of(const sdn_photoz *p, sdn_photoz_score *score, sdn_err *err)
{
  long n_w = 0;
  *score = (sdn_photoz_score){0, NAN, NAN, NAN};
  if (p->n == 0)
    return SDN_OK;
  weighted *w = sdn_alloc(N_CELL, sizeof *w, "photo-z statistics", err);
  if (!w)
    return err->status;
  for (int i = 0; i < N_CELL; i++)
    if (p->cell[i].n > 0)
      w[n_w++] = (weighted){p->cell[i].sum / (double)p->cell[i].n, p->cell[i].n};
  score->n = p->n;
  score->outlier_fraction = (double)p->n_outlier / (double)p->n;
  score->bias = weighted_median(w, n_w, p->n);
  for (long i = 0; i < n_w; i++)
    w[i].value = fabs(w[i].value - score->bias);
  score->nmad = 1.482602218505602 * weighted_median(w, n_w, p->n);
  sdn_release(w);
  return SDN_OK;
}
