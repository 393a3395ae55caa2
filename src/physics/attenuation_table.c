/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A law on fixed wavelengths. */
#include <math.h>

#include "physics/attenuation_kernel.h"
#include "physics/attenuation_law.h"

struct sdn_attenuation_table {
  const sdn_attenuation *law;
  int n;
  bool is_fixed;
  float *curve;                      /* [n] where it is the same for all galaxies */
  float *basis[SDN_DUST_N_BASIS];    /* [n] */
  float *ln_wave;                    /* [n] ln(wave / 5500 A) */
};

/* The curve's shape is the same for all galaxies: each parameter of the law has one value, which goes to params [n_param]. */
static bool has_one_shape(const sdn_attenuation *a, const sdn_prior *prior, double *params)
{
  bool one = true;
  for (int i = 0; i < a->law->n_param; i++) {
    double low, high;
    sdn_prior_param_range(prior, a->param[i], &low, &high);
    params[a->param[i]] = low;
    one = one && !(high > low);
  }
  return one;
}

static sdn_status allocate(sdn_attenuation_table *t, sdn_err *err)
{
  float **array[] = {&t->curve, &t->basis[0], &t->basis[1], &t->ln_wave};
  for (int i = 0; i < 4; i++)
    if (!(*array[i] = sdn_alloc((size_t)t->n, sizeof(float), "an attenuation curve", err))) return err->status;
  return SDN_OK;
}

static void fill(sdn_attenuation_table *t, const double *wave_A, const double *params)
{
  for (int j = 0; j < t->n; j++) {
    double b[SDN_DUST_N_BASIS] = {0};
    if (t->law->law->basis) t->law->law->basis(&t->law->table, wave_A[j], b);
    for (int i = 0; i < SDN_DUST_N_BASIS; i++) t->basis[i][j] = (float)b[i];
    t->ln_wave[j] = (float)log(wave_A[j] / SDN_DUST_REFERENCE_A);
    t->curve[j] = t->is_fixed ? (float)sdn_attenuation_curve(t->law, params, wave_A[j]) : 0;
  }
}

sdn_status sdn_attenuation_table_new(const sdn_attenuation *a, const sdn_prior *prior, int n, const double *wave_A, sdn_attenuation_table **out, sdn_err *err)
{
  *out = NULL;
  for (int j = 0; j < n; j++)
    if (!(wave_A[j] > 0)) return sdn_fail(err, SDN_RANGE, "wavelength %g A (node %d) of an attenuation curve is not positive", wave_A[j], j);
  sdn_attenuation_table *t = sdn_alloc(1, sizeof *t, "an attenuation curve", err);
  double *params = sdn_alloc((size_t)sdn_prior_n_param(prior), sizeof *params, "parameters", err);
  sdn_status status = t && params ? SDN_OK : err->status;
  if (status) goto done;
  t->law = a;
  t->n = n;
  status = allocate(t, err);
  if (status) goto done;
  t->is_fixed = has_one_shape(a, prior, params);
  fill(t, wave_A, params);
  *out = t;
  t = NULL;
done:
  sdn_release(params);
  sdn_attenuation_table_free(t);
  return status;
}

void sdn_attenuation_table_free(sdn_attenuation_table *t)
{
  if (!t) return;
  sdn_release(t->curve);
  for (int i = 0; i < SDN_DUST_N_BASIS; i++) sdn_release(t->basis[i]);
  sdn_release(t->ln_wave);
  sdn_release(t);
}

bool sdn_attenuation_table_is_fixed(const sdn_attenuation_table *t) { return t->is_fixed; }

void sdn_attenuation_table_prepare(const sdn_attenuation_table *t, const double *params, sdn_curve *curve)
{
  double c[SDN_DUST_N_COEFFICIENT];
  if (t->is_fixed) return;
  sdn_dust_coefficients(t->law, params, c);
  for (int i = 0; i < SDN_DUST_N_COEFFICIENT; i++) curve->c[i] = (float)c[i];
}

const float *sdn_attenuation_table_curve(const sdn_attenuation_table *t, const sdn_curve *curve, int first, int n, float *scratch)
{
  const float *b0 = t->basis[0] + first, *b1 = t->basis[1] + first, *ln_wave = t->ln_wave + first;
  if (t->is_fixed) return t->curve + first;
  switch (t->law->law->form) {
  case SDN_CURVE_AFFINE: sdn_dust_kernel_affine(n, b0, b1, curve->c, scratch); break;
  case SDN_CURVE_TILTED: sdn_dust_kernel_tilted(n, b0, b1, ln_wave, curve->c, scratch); break;
  case SDN_CURVE_LI: sdn_dust_kernel_li(n, b0, b1, ln_wave, curve->c, scratch); break;
  }
  return scratch;
}
