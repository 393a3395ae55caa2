/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dust spectra of Draine & Li 2007 (their eqs 23, 33): a share 1 - gamma of the dust sees starlight U_min, the rest a distribution dM/dU ~ U^-2 from U_min
 * to U_max = 1e6. The emission per dust mass is linear in q_PAH and in U_min between the nodes of the table, as BAGPIPES and FSPS have it. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/h5.h"
#include "physics/dust_emission_law.h"

#define FILE_NAME "dl07.h5"

/* int L_nu d nu of L_nu linear in wavelength between nodes. */
static double power_of(int n, const double *wave_A, const float *lnu)
{
  double sum = 0;
  for (int j = 0; j + 1 < n; j++) {
    const double a = wave_A[j], b = wave_A[j + 1], slope = ((double)lnu[j + 1] - (double)lnu[j]) / (b - a), at_zero = (double)lnu[j] - slope * a;
    sum += at_zero * (1 / a - 1 / b) + slope * log(b / a);
  }
  return SDN_LIGHT_A_S * sum;
}

static bool ascending(int n, const double *x)
{
  if (n < 2 || !(x[0] > 0 && isfinite(x[n - 1]))) return false;
  for (int i = 1; i < n; i++)
    if (!(x[i] > x[i - 1])) return false;
  return true;
}

static sdn_status read_axis(const sdn_h5 *file, const char *name, double **value, int *n, sdn_err *err)
{
  sdn_h5_shape shape;
  if (sdn_h5_read_double(file, name, value, &shape, err)) return err->status;
  *n = (int)shape.dim[0];
  if (shape.n_dim == 1 && shape.dim[0] < 100000 && ascending(*n, *value)) return SDN_OK;
  return sdn_fail(err, SDN_FORMAT, "%s: %s is not a list of ascending positive numbers", sdn_h5_path(file), name);
}

/* One kind of spectra into its places of value [q][u][2][wave]. */
static sdn_status read_kind(const sdn_h5 *file, const char *name, int kind, sdn_dl07 *d, sdn_err *err)
{
  float *block = NULL;
  sdn_h5_shape shape;
  sdn_status status = sdn_h5_read_float(file, name, &block, &shape, err);
  if (status) goto done;
  if (shape.n_dim != 3 || shape.dim[0] != d->n_q || shape.dim[1] != d->n_u || shape.dim[2] != d->n_wave) {
    status = sdn_fail(err, SDN_FORMAT, "%s: %s is not [%d][%d][%d] as its axes say", sdn_h5_path(file), name, d->n_q, d->n_u, d->n_wave);
    goto done;
  }
  const size_t n_wave = (size_t)d->n_wave;
  for (size_t cell = 0; cell < (size_t)(d->n_q * d->n_u); cell++) {
    float *row = memcpy(d->value + (2 * cell + (size_t)kind) * n_wave, block + cell * n_wave, n_wave * sizeof *row);
    const double power = d->power[2 * cell + (size_t)kind] = power_of(d->n_wave, d->wave_A, row);
    if (!(power > 0 && isfinite(power))) {
      status = sdn_fail(err, SDN_FORMAT, "%s: spectrum %zu of %s has the power %g", sdn_h5_path(file), cell, name, power);
      goto done;
    }
  }
done:
  sdn_release(block);
  return status;
}

sdn_status sdn_dl07_read(sdn_dl07 *d, sdn_err *err)
{
  sdn_h5 *file = NULL;
  sdn_err hidden;
  char *path = sdn_data_path("dust", FILE_NAME, err);
  sdn_status status = path ? sdn_h5_open(path, &file, err) : err->status;
  if (!status) status = sdn_hash_file(path, &d->hash, err);
  if (!status) status = read_axis(file, "wavelength", &d->wave_A, &d->n_wave, err);
  if (!status) status = read_axis(file, "q_pah_percent", &d->q_pah, &d->n_q, err);
  if (!status) status = read_axis(file, "u_min", &d->u_min, &d->n_u, err);
  if (status) goto done;
  const size_t n_spectrum = 2 * (size_t)d->n_q * (size_t)d->n_u;
  d->value = sdn_alloc(n_spectrum * (size_t)d->n_wave, sizeof *d->value, "dust spectra", err);
  d->power = sdn_alloc(n_spectrum, sizeof *d->power, "dust spectra", err);
  status = d->value && d->power ? SDN_OK : err->status;
  if (!status) status = read_kind(file, "umin_only", 0, d, err);
  if (!status) status = read_kind(file, "umin_umax", 1, d, err);
done:
  if (file) sdn_h5_close(file, &hidden);
  sdn_release(path);
  return status;
}

void sdn_dl07_clear(sdn_dl07 *d)
{
  sdn_release(d->q_pah);
  sdn_release(d->u_min);
  sdn_release(d->wave_A);
  sdn_release(d->value);
  sdn_release(d->power);
}

/* x between nodes i and i + 1, at t of the way; false outside (1e-9 of an end beyond it counts as the end). */
static bool locate(int n, const double *node, double x, int *i, double *t)
{
  const double slack = 1e-9;
  if (!(x >= node[0] * (1 - slack) && x <= node[n - 1] * (1 + slack))) return false;
  int k = 0;
  while (k + 2 < n && x >= node[k + 1]) k++;
  *i = k;
  *t = fmin(fmax((x - node[k]) / (node[k + 1] - node[k]), 0), 1);
  return true;
}

bool sdn_dl07_shares(const sdn_dl07 *d, double q_pah, double u_min, double gamma, int *iq, int *iu, double share[8])
{
  double tq, tu, power = 0;
  if (!locate(d->n_q, d->q_pah, q_pah, iq, &tq) || !locate(d->n_u, d->u_min, u_min, iu, &tu) || !(gamma >= 0 && gamma <= 1)) return false;
  for (int k = 0; k < 8; k++) {
    const int q = k >> 2, u = (k >> 1) & 1, kind = k & 1;
    share[k] = (q ? tq : 1 - tq) * (u ? tu : 1 - tu) * (kind ? gamma : 1 - gamma);
    power += share[k] * d->power[2 * ((*iq + q) * d->n_u + *iu + u) + kind];
  }
  for (int k = 0; k < 8; k++) share[k] *= SDN_LSUN_ERG_S / power;
  return true;
}

double sdn_dl07_at(const sdn_dl07 *d, int q, int u, int kind, double wave_A)
{
  const float *row = d->value + (size_t)(2 * (q * d->n_u + u) + kind) * (size_t)d->n_wave;
  int low = 0, high = d->n_wave - 1;
  if (!(wave_A >= d->wave_A[0] && wave_A <= d->wave_A[high])) return 0;
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    if (wave_A >= d->wave_A[middle])
      low = middle;
    else
      high = middle;
  }
  const double t = (wave_A - d->wave_A[low]) / (d->wave_A[high] - d->wave_A[low]);
  return (1 - t) * (double)row[low] + t * (double)row[high];
}
