/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "physics/galaxy_energy.h"

#include <math.h>

#include "base/memory.h"
#include "physics/gauss.h"

#define LIGHT_A_S 2.99792458e18
#define LIMIT_A 911.753

/* From `from_A` on, neighbours are this far apart in ln lambda. With a transmission exp(-tau) and tau ~ lambda^-n the power taken errs by h^2 / 12 times its second
 * derivative: n^2 of it where the dust is thin (4.5e-5 at 0.0145 and n = 1.6), less and of either sign where tau is near 1; curves with sharp bends decide the step. */
static const struct { double from_A, step; } spacing[] = {{0, 0.1}, {LIMIT_A, 0.0145}, {1e4, 0.04}, {5e4, 0.2}, {3e5, 0.5}};
enum { N_SPACING = sizeof spacing / sizeof spacing[0] };

static double step_at(double wave_A)
{
  int i = N_SPACING - 1;
  while (i > 0 && wave_A < spacing[i].from_A) i--;
  return spacing[i].step;
}

int sdn_energy_nodes(double low_A, double high_A, double wave_A[SDN_ENERGY_MAX])
{
  const double bluest = 100, reddest = 1e7;   /* light beyond counts as there: hardly any, and no curve of dust changes much */
  double at = fmax(low_A, bluest), end = fmin(high_A, reddest);
  int n = 0;
  if (!(end > at)) end = 1.01 * at;
  while (at < end && n < SDN_ENERGY_MAX - 1) {
    wave_A[n++] = at;
    const double next = at * exp(step_at(at));
    at = at < LIMIT_A && next > LIMIT_A ? LIMIT_A : next;
  }
  wave_A[n++] = end;
  return n;
}

/* For the pieces between two neighbouring nodes of the spectrum and none of the energy: E_j gets a L_k + b L_k+1, E_j+1 gets c L_k + d L_k+1. */
typedef struct piece { int wave, energy; double share[2][2]; } piece;   /* [energy node, next][wave node, next] */

struct sdn_energy { int n_wave, n_energy, n_piece; piece *piece; };

void sdn_energy_free(sdn_energy *e)
{
  if (!e) return;
  sdn_release(e->piece);
  sdn_release(e);
}

/* The integral over wavelengths a..b of (c / l^2) hat (L_k (1 - t) + L_k+1 t) dl; Gauss in ln l. */
static void fill_piece(piece *p, double a, double b, const double *wave, const double *energy, int n_energy)
{
  const sdn_gauss *rule = &sdn_gauss_rule[SDN_GAUSS_N_RULE - 1];
  const double length = log(b / a);
  const bool inside = p->energy + 1 < n_energy;
  for (int i = 0; i < rule->n; i++) {
    const double l = a * exp(rule->x[i] * length), t = (l - wave[0]) / (wave[1] - wave[0]);
    double up = inside ? log(l / energy[0]) / log(energy[1] / energy[0]) : 0;
    up = up < 0 ? 0 : up > 1 ? 1 : up;
    const double w = rule->w[i] * length * LIGHT_A_S / l / SDN_LSUN_ERG_S;
    p->share[0][0] += w * (1 - up) * (1 - t);
    p->share[0][1] += w * (1 - up) * t;
    p->share[1][0] += w * up * (1 - t);
    p->share[1][1] += w * up * t;
  }
}

sdn_status sdn_energy_new(int n_wave, const double *wave_A, int n_energy, const double *energy_A, sdn_energy **out, sdn_err *err)
{
  *out = NULL;
  sdn_energy *e = sdn_alloc(1, sizeof *e, "energy nodes", err);
  if (!e) return err->status;
  e->n_wave = n_wave;
  e->n_energy = n_energy;
  e->piece = sdn_alloc((size_t)(n_wave + n_energy), sizeof *e->piece, "energy nodes", err);
  if (!e->piece) {
    sdn_energy_free(e);
    return err->status;
  }
  int j = 0;
  for (int k = 0; k + 1 < n_wave; k++)
    for (double a = wave_A[k]; a < wave_A[k + 1];) {
      while (j + 1 < n_energy && energy_A[j + 1] <= a) j++;
      double b = wave_A[k + 1];
      if (a < energy_A[0]) b = fmin(b, energy_A[0]);
      else if (j + 1 < n_energy) b = fmin(b, energy_A[j + 1]);
      piece *p = &e->piece[e->n_piece++];
      *p = (piece){.wave = k, .energy = j};
      fill_piece(p, a, b, wave_A + k, energy_A + j, n_energy);
      a = b;
    }
  *out = e;
  return SDN_OK;
}

void sdn_energy_of_spectrum(const sdn_energy *e, const double *lnu, float *power_lsun)
{
  double power[SDN_ENERGY_MAX] = {0};
  for (int i = 0; i < e->n_piece; i++) {
    const piece *p = &e->piece[i];
    const double *l = lnu + p->wave;
    power[p->energy] += p->share[0][0] * l[0] + p->share[0][1] * l[1];
    if (p->energy + 1 < e->n_energy) power[p->energy + 1] += p->share[1][0] * l[0] + p->share[1][1] * l[1];
  }
  for (int j = 0; j < e->n_energy; j++) power_lsun[j] = (float)power[j];
}
