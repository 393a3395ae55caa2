/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Transmission on fixed rest wavelengths, for any redshift and without interpolation. Every term of Inoue+2014 is a power of the observed wavelength
 * lambda (1+z), so with the powers of lambda stored, tau is a sum of eight products whose coefficients depend on redshift and on which lines stand in
 * which of their three regions. These coefficients are the same for a whole run of wavelengths, and come from running sums over the lines. */
#include "physics/igm.h"

#include <math.h>

#include "physics/igm_lines.h"
#include "physics/vector_math.h"

#define Z_LIMIT 100.0

/* Powers of x = wavelength / limit that occur. */
enum { P12, P21, P37, P55, PM03, P2, P3, N_POWER };
static const double exponent[N_POWER] = {[P12] = 1.2, [P21] = 2.1, [P37] = 3.7, [P55] = 5.5, [PM03] = -0.3, [P2] = 2, [P3] = 3};
static const int forest_power[3] = {P12, P37, P55}, damped_power[2] = {P2, P3};

struct sdn_igm_table {
  int n;                            /* nodes with any absorption */
  int n_ionising;                   /* of them, those below the Lyman limit */
  double *wave_A;                   /* [n] */
  int *first_line;                  /* [n] lines from here on lie to the red of the node */
  double *power[N_POWER];           /* [n] (wave / limit)^exponent */
  double forest[3][SDN_IGM_N_LINE + 1], damped[2][SDN_IGM_N_LINE + 1];   /* running sums of coefficient * (limit / line)^exponent */
};

static void sum_lines(sdn_igm_table *t)
{
  for (int k = 0; k < SDN_IGM_N_LINE; k++) {
    const sdn_igm_line *line = &sdn_igm_lines[k];
    const double ratio = SDN_IGM_LIMIT_A / line->wave_A;
    for (int e = 0; e < 3; e++) t->forest[e][k + 1] = t->forest[e][k] + line->forest[e] * pow(ratio, exponent[forest_power[e]]);
    for (int e = 0; e < 2; e++) t->damped[e][k + 1] = t->damped[e][k] + line->damped[e] * pow(ratio, exponent[damped_power[e]]);
  }
}

/* Of two equal nodes at an edge the first is its blue side: absorbed by what begins there. */
static bool is_blueward(int n, const double *wave_A, int i, double edge_A)
{
  const bool blue_side = i + 1 < n && wave_A[i + 1] == wave_A[i];
  return wave_A[i] < edge_A || (blue_side && wave_A[i] == edge_A);
}

static int first_line_of(int n, const double *wave_A, int i)
{
  int k = 0;
  while (k < SDN_IGM_N_LINE && !is_blueward(n, wave_A, i, sdn_igm_lines[k].wave_A)) k++;
  return k;
}

static sdn_status check(int n, const double *wave_A, double z_max, sdn_err *err)
{
  if (!(z_max >= 0 && z_max <= Z_LIMIT)) return sdn_fail(err, SDN_RANGE, "the IGM table is asked to reach redshift %g, outside [0, %g]", z_max, Z_LIMIT);
  for (int i = 0; i < n; i++)
    if (!(wave_A[i] > 0) || (i > 0 && !(wave_A[i] >= wave_A[i - 1])))
      return sdn_fail(err, SDN_RANGE, "wavelength %g A (node %d) of an IGM table is not positive and ascending", wave_A[i], i);
  return SDN_OK;
}

static sdn_status allocate(sdn_igm_table *t, sdn_err *err)
{
  t->wave_A = sdn_alloc((size_t)t->n, sizeof *t->wave_A, "an IGM table", err);
  t->first_line = sdn_alloc((size_t)t->n, sizeof *t->first_line, "an IGM table", err);
  bool complete = t->wave_A && t->first_line;
  for (int e = 0; e < N_POWER; e++) complete = (t->power[e] = sdn_alloc((size_t)t->n, sizeof(double), "an IGM table", err)) && complete;
  return complete ? SDN_OK : err->status;
}

sdn_status sdn_igm_table_new(sdn_igm_law law, int n, const double *wave_A, double z_max, sdn_igm_table **table, sdn_err *err)
{
  sdn_status status = check(n, wave_A, z_max, err);
  if (status) return status;
  sdn_igm_table *t = sdn_alloc(1, sizeof *t, "an IGM table", err);
  if (!t) return err->status;
  if (law != SDN_IGM_NONE)
    while (t->n < n && first_line_of(n, wave_A, t->n) < SDN_IGM_N_LINE) t->n++;
  status = allocate(t, err);
  if (status) goto done;
  for (int i = 0; i < t->n; i++) {
    t->wave_A[i] = wave_A[i];
    t->first_line[i] = first_line_of(n, wave_A, i);
    if (is_blueward(n, wave_A, i, SDN_IGM_LIMIT_A)) t->n_ionising = i + 1;
    for (int e = 0; e < N_POWER; e++) t->power[e][i] = pow(wave_A[i] / SDN_IGM_LIMIT_A, exponent[e]);
  }
  sum_lines(t);
  *table = t;
  t = NULL;
done:
  sdn_igm_table_free(t);
  return status;
}

void sdn_igm_table_free(sdn_igm_table *t)
{
  if (!t) return;
  sdn_release(t->wave_A);
  sdn_release(t->first_line);
  for (int e = 0; e < N_POWER; e++) sdn_release(t->power[e]);
  sdn_release(t);
}

int sdn_igm_table_n(const sdn_igm_table *t) { return t->n; }

/* What holds for a run of nodes: tau = constant + sum_e coefficient[e] power[e]. */
typedef struct run { double constant, coefficient[N_POWER]; } run;

/* The sum over lines from <= k < to that lie to the red of the node, k >= first. */
static double line_sum(const double *running, int first, int from, int to)
{
  const int low = first > from ? first : from;
  return low < to ? running[to] - running[low] : 0;
}

/* Lines of lower index have x = observed / line wavelength above 1, 2.2, 3, 5.7. */
typedef struct line_regions { int above_1, above_22, above_3, above_57; } line_regions;

static void add_lines(const sdn_igm_table *t, int first, const line_regions *at, const double *a_power, run *out)
{
  out->coefficient[P12] += a_power[P12] * line_sum(t->forest[0], first, at->above_22, at->above_1);
  out->coefficient[P37] += a_power[P37] * line_sum(t->forest[1], first, at->above_57, at->above_22);
  out->coefficient[P55] += a_power[P55] * line_sum(t->forest[2], first, 0, at->above_57);
  out->coefficient[P2] += a_power[P2] * line_sum(t->damped[0], first, at->above_3, at->above_1);
  out->coefficient[P3] += a_power[P3] * line_sum(t->damped[1], first, 0, at->above_3);
}

/* Eqs 25-29 as coefficients of the powers of rest wavelength: an observed power is a_power times it. x: observed / limit wavelength. */
static void add_continuum(double a, double x, const double *a_power, run *out)
{
  double *c = out->coefficient;
  if (a < 2.2) {
    c[P12] += 0.3248 * a_power[P12];
    c[P21] -= 0.3248 * pow(a, -0.9) * a_power[P21];
  } else {
    const double far = a < 5.7 ? 2.545e-2 * pow(a, 1.6) : 5.221e-4 * pow(a, 3.4);
    if (x < 2.2) {
      c[P12] += 0.3248 * a_power[P12];
      c[P21] += (far - (a < 5.7 ? 0.2496 : 3.140e-2)) * a_power[P21];
    } else if (x < 5.7) {
      c[P21] += (far + (a < 5.7 ? 0 : 0.2182)) * a_power[P21];
      c[P37] -= 2.545e-2 * a_power[P37];
    } else {
      c[P21] += far * a_power[P21];
      c[P55] -= 5.221e-4 * a_power[P55];
    }
  }
  const bool near = a < 3;
  out->constant += near ? 0.2113 * a * a : 4.696e-2 * a * a * a + (x < 3 ? 0.6340 : 0);
  c[PM03] -= (near ? 0.07661 * pow(a, 2.3) : 1.779e-2 * pow(a, 3.3) + (x < 3 ? 0.2905 : 0)) * a_power[PM03];
  if (near || x < 3)
    c[P2] -= 0.1347 * a_power[P2];
  else
    c[P3] -= 2.916e-2 * a_power[P3];
}

SDN_CLONES static void transmit(const sdn_igm_table *t, const run *r, int from, int to, float *restrict transmission)
{
  const double *c = r->coefficient;
  const double *restrict p0 = t->power[0], *restrict p1 = t->power[1], *restrict p2 = t->power[2], *restrict p3 = t->power[3];
  const double *restrict p4 = t->power[4], *restrict p5 = t->power[5], *restrict p6 = t->power[6];
  for (int i = from; i < to; i++) {
    const double tau = r->constant + ((c[0] * p0[i] + c[1] * p1[i]) + (c[2] * p2[i] + c[3] * p3[i])) +
                       ((c[4] * p4[i] + c[5] * p5[i]) + c[6] * p6[i]);
    transmission[i] = (float)sdn_vexp(tau > 0 ? -tau : 0);
  }
}

/* Moves an edge up to the first line whose x at this observed wavelength is below r; returns the observed wavelength where it must move again. */
static double advance(int *edge, double r, double wave_obs_A)
{
  while (*edge < SDN_IGM_N_LINE && sdn_igm_lines[*edge].wave_A * r <= wave_obs_A) ++*edge;
  return *edge < SDN_IGM_N_LINE ? sdn_igm_lines[*edge].wave_A * r : INFINITY;
}

/* The observed wavelength where the continuum's formula changes next. */
static double next_continuum_edge(double wave_obs_A)
{
  static const double edge[4] = {1, 2.2, 3, 5.7};
  for (int i = 0; i < 4; i++)
    if (wave_obs_A < edge[i] * SDN_IGM_LIMIT_A) return edge[i] * SDN_IGM_LIMIT_A;
  return INFINITY;
}

void sdn_igm_table_transmission(const sdn_igm_table *t, double z, float *transmission)
{
  const double a = 1 + z;
  if (!(z > 0)) {   /* no way to go; NaN stays NaN */
    for (int i = 0; i < t->n; i++) transmission[i] = z <= 0 ? 1 : NAN;
    return;
  }
  double a_power[N_POWER];
  for (int e = 0; e < N_POWER; e++) a_power[e] = pow(a, exponent[e]);
  line_regions at = {0, 0, 0, 0};
  for (int i = 0, end; i < t->n; i = end) {
    const double wave_obs_A = t->wave_A[i] * a;
    const double e1 = advance(&at.above_1, 1, wave_obs_A), e2 = advance(&at.above_22, 2.2, wave_obs_A);
    const double e3 = advance(&at.above_3, 3, wave_obs_A), e4 = advance(&at.above_57, 5.7, wave_obs_A);
    run r = {0};
    double limit_A = fmin(fmin(e1, e2), fmin(e3, e4));
    const bool ionising = i < t->n_ionising;
    if (ionising && wave_obs_A < SDN_IGM_LIMIT_A) {   /* beyond the published fits: as at the observed limit */
      r.constant = sdn_igm_tau(SDN_IGM_INOUE14, z, SDN_IGM_LIMIT_A / a * (1 - 1e-15));
    } else if (ionising) {
      add_continuum(a, wave_obs_A / SDN_IGM_LIMIT_A, a_power, &r);
    }
    if (ionising) limit_A = fmin(limit_A, next_continuum_edge(wave_obs_A));
    add_lines(t, t->first_line[i], &at, a_power, &r);
    const int n_same = ionising ? t->n_ionising : t->n;
    for (end = i + 1; end < n_same && t->wave_A[end] * a < limit_A && t->first_line[end] == t->first_line[i]; end++) {}
    transmit(t, &r, i, end, transmission);
  }
}
