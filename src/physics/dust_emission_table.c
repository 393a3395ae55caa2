/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dust emission on fixed nodes. Black bodies are computed afresh, in double; of Draine & Li's table what the prior can reach lies resampled on the nodes, and a
 * galaxy is a sum of eight rows. */
#include <math.h>
#include <string.h>

#include "base/vector.h"
#include "physics/dust_emission_own.h"

#define UNIT_HZ 1e13   /* rows are L_nu d nu of this interval, so that float32 holds them and a galaxy's share alike */

struct sdn_dust_table {
  const sdn_dust_emission *d;
  int n; double *wave_A, *inverse, *ln_x, *cube;   /* [n]; 1 / wave, ln x and x^-3 of x = wave / 100 um */
  int begin, end;                 /* nodes at which dust emits at all */
  int q0, n_q, u0, n_u;           /* cells of the table that are kept */
  float *row;                     /* [n_q][n_u][2][end - begin] */
};

/* The nodes i0 .. i0+n-1 of an axis that values from low to high need; a node more on either side where they vary, since the range of a
 * conditional parameter is only sampled. */
static void reach(int n_node, const double *node, double low, double high, int *i0, int *n)
{
  int a = 0, b = n_node - 1;
  while (a + 2 < n_node && node[a + 1] <= low) a++;
  while (b - 1 > a && node[b - 1] > high) b--;
  if (low < high && a > 0) a--;
  if (low < high && b + 1 < n_node) b++;
  *i0 = a;
  *n = b - a + 1;
}

static sdn_status make_rows(sdn_dust_table *t, const sdn_prior *prior, sdn_err *err)
{
  const sdn_dl07 *dl07 = &t->d->dl07;
  const size_t n = (size_t)(t->end - t->begin);
  double low, high;
  sdn_prior_param_range(prior, t->d->param[SDN_DUST_Q_PAH], &low, &high);
  reach(dl07->n_q, dl07->q_pah, low, high, &t->q0, &t->n_q);
  sdn_prior_param_range(prior, t->d->param[SDN_DUST_U_MIN], &low, &high);
  reach(dl07->n_u, dl07->u_min, low, high, &t->u0, &t->n_u);
  float *row = t->row = sdn_alloc((size_t)(2 * t->n_q * t->n_u) * n, sizeof *t->row, "dust spectra on a model's nodes", err);
  if (!row) return err->status;
  for (int q = 0; q < t->n_q; q++)
    for (int u = 0; u < t->n_u; u++)
      for (int kind = 0; kind < 2; kind++, row += n)
        for (size_t j = 0; j < n; j++) row[j] = (float)(UNIT_HZ * sdn_dl07_at(dl07, t->q0 + q, t->u0 + u, kind, t->wave_A[(size_t)t->begin + j]));
  return SDN_OK;
}

/* Nodes that carry light. A black body has some everywhere. */
static void find_extent(sdn_dust_table *t)
{
  const sdn_dl07 *dl07 = &t->d->dl07;
  t->end = t->n;
  if (!sdn_dust_emission_is_table(t->d)) return;
  while (t->begin < t->n && t->wave_A[t->begin] < dl07->wave_A[0]) t->begin++;
  while (t->end > t->begin && t->wave_A[t->end - 1] > dl07->wave_A[dl07->n_wave - 1]) t->end--;
}

sdn_status sdn_dust_table_new(const sdn_dust_emission *d, const sdn_prior *prior, int n, const double *wave_A, sdn_dust_table **out, sdn_err *err)
{
  *out = NULL;
  sdn_dust_table *t = sdn_alloc(1, sizeof *t, "dust emission on nodes", err);
  if (!t) return err->status;
  t->d = d;
  t->n = n;
  t->wave_A = sdn_alloc((size_t)n, sizeof *t->wave_A, "dust emission on nodes", err);
  t->inverse = sdn_alloc((size_t)n, sizeof *t->inverse, "dust emission on nodes", err);
  t->ln_x = sdn_alloc((size_t)n, sizeof *t->ln_x, "dust emission on nodes", err);
  t->cube = sdn_alloc((size_t)n, sizeof *t->cube, "dust emission on nodes", err);
  sdn_status status = t->wave_A && t->inverse && t->ln_x && t->cube ? SDN_OK : err->status;
  for (int j = 0; !status && j < n; j++) {
    t->wave_A[j] = wave_A[j];
    t->inverse[j] = 1 / wave_A[j];
    t->ln_x[j] = log(wave_A[j] / 1e6);
    t->cube[j] = exp(-3 * t->ln_x[j]);
  }
  if (!status) find_extent(t);
  if (!status && sdn_dust_emission_is_table(d)) status = make_rows(t, prior, err);
  if (!status) {
    *out = t;
    t = NULL;
  }
  sdn_dust_table_free(t);
  return status;
}

void sdn_dust_table_free(sdn_dust_table *t)
{
  if (!t) return;
  sdn_release(t->wave_A);
  sdn_release(t->inverse);
  sdn_release(t->ln_x);
  sdn_release(t->cube);
  sdn_release(t->row);
  sdn_release(t);
}

/* ------------------------------------------------------------------ one galaxy */

enum { AMPLITUDE, BETA, LN_TAU, HOT, COLD, TAIL, ALPHA, TURN };   /* places in sdn_dust_state.c of a black body */

static sdn_status prepare_body(const sdn_dust_table *t, const double *params, double redshift, sdn_dust_state *s, sdn_err *err)
{
  const sdn_body_value v = sdn_dust_body_value(t->d, params);
  sdn_body_light l;
  if (!(v.temperature_K > 0 && v.beta >= 0 && v.lambda0_um > 0 && v.alpha > 1 && redshift >= 0 && isfinite(redshift)))
    return sdn_fail(err, SDN_RANGE, "dust of %g K, emissivity index %g, lambda_0 %g um, alpha %g at redshift %g does not emit as %s has it",
                    v.temperature_K, v.beta, v.lambda0_um, v.alpha, redshift, sdn_dust_emission_name(t->d));
  sdn_body_prepare(&t->d->body, &v, redshift, &l);
  const double c[] = {[AMPLITUDE] = l.amplitude, [BETA] = l.beta, [LN_TAU] = l.ln_tau, [HOT] = l.hot_A,
                      [COLD] = l.cold_A, [TAIL] = l.tail, [ALPHA] = l.alpha, [TURN] = l.turn_A};
  memcpy(s->c, c, sizeof c);
  return SDN_OK;
}

static sdn_status prepare_dl07(const sdn_dust_table *t, const double *params, sdn_dust_state *s, sdn_err *err)
{
  const int *p = t->d->param;
  const double q = params[p[SDN_DUST_Q_PAH]], u = params[p[SDN_DUST_U_MIN]], gamma = params[p[SDN_DUST_GAMMA]];
  int iq, iu;
  if (!sdn_dl07_shares(&t->d->dl07, q, u, gamma, &iq, &iu, s->c))
    return sdn_fail(err, SDN_RANGE, "q_PAH %g %%, U_min %g, gamma %g is outside the table of Draine & Li 2007: %g to %g %%, %g to %g, 0 to 1", q, u, gamma,
                    t->d->dl07.q_pah[0], t->d->dl07.q_pah[t->d->dl07.n_q - 1], t->d->dl07.u_min[0], t->d->dl07.u_min[t->d->dl07.n_u - 1]);
  s->i[0] = iq - t->q0;
  s->i[1] = iu - t->u0;
  if (s->i[0] < 0 || s->i[0] + 1 >= t->n_q || s->i[1] < 0 || s->i[1] + 1 >= t->n_u)
    return sdn_fail(err, SDN_RANGE, "q_PAH %g %%, U_min %g is outside what the prior can give", q, u);
  return SDN_OK;
}

sdn_status sdn_dust_table_prepare(const sdn_dust_table *t, const double *params, double redshift, sdn_dust_state *s, sdn_err *err)
{
  return sdn_dust_emission_is_table(t->d) ? prepare_dl07(t, params, s, err) : prepare_body(t, params, redshift, s, err);
}

SDN_CLONES static void add_rows(int n, const float *const *row, const float *share, float *restrict out)
{
  for (int j = 0; j < n; j++) {
    const float a = share[0] * row[0][j] + share[1] * row[1][j] + share[2] * row[2][j] + share[3] * row[3][j];
    const float b = share[4] * row[4][j] + share[5] * row[5][j] + share[6] * row[6][j] + share[7] * row[7][j];
    out[j] += a + b;
  }
}

static void add_dl07(const sdn_dust_table *t, const sdn_dust_state *s, double power_lsun, int first, int n, float *lnu)
{
  const int from = first > t->begin ? first : t->begin, to = first + n < t->end ? first + n : t->end;
  const float *row[8];
  float share[8];
  if (from >= to) return;
  for (int k = 0; k < 8; k++) {
    const int cell = 2 * ((s->i[0] + (k >> 2)) * t->n_u + s->i[1] + (k >> 1 & 1)) + (k & 1);
    row[k] = t->row + (size_t)cell * (size_t)(t->end - t->begin) + (from - t->begin);
    share[k] = (float)(s->c[k] * power_lsun / UNIT_HZ);
  }
  add_rows(to - from, row, share, lnu + (from - first));
}

void sdn_dust_table_add(const sdn_dust_table *t, const sdn_dust_state *s, double power_lsun, int first, int n, float *lnu)
{
  if (sdn_dust_emission_is_table(t->d)) {
    add_dl07(t, s, power_lsun, first, n, lnu);
    return;
  }
  const double *c = s->c;
  const sdn_body_light light = {.amplitude = c[AMPLITUDE], .beta = c[BETA], .ln_tau = c[LN_TAU], .thick = t->d->body.thick, .hot_A = c[HOT],
                                .cold_A = c[COLD], .tail = c[TAIL], .alpha = c[ALPHA], .turn_A = c[TURN]};
  const sdn_body_nodes nodes = {t->wave_A + first, t->inverse + first, t->ln_x + first, t->cube + first};
  sdn_body_add(&light, power_lsun, n, &nodes, lnu);
}
