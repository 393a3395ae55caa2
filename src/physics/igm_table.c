/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Transmission on fixed rest wavelengths, for any redshift and without interpolation. Every term of a law is a function of rest wavelength, most of them
 * powers, times one of redshift; so with the former stored, tau is a sum of a few products whose coefficients depend on redshift and on which lines stand in
 * which of their regions. These coefficients are the same for a whole run of wavelengths, and come from running sums over the lines. */
#include <math.h>
#include <string.h>

#include "physics/igm_law.h"
#include "physics/vector_math.h"

#define Z_LIMIT 100.0

struct sdn_igm_table {
  const sdn_igm_law *law;                 /* NULL: the wing alone */
  int n;                                  /* nodes with any absorption */
  int n_law;                              /* of them, those that the law reaches */
  int n_ionising;                         /* of them, those below the Lyman limit */
  double *wave_A;                         /* [n] */
  int *first_line;                        /* [n] lines from here on lie to the red of the node */
  double *basis[SDN_IGM_MAX_BASIS];       /* [n_law] */
  double *section;                        /* [n] of the damping wing; NULL: none */
  double sum[SDN_IGM_MAX_SERIES][SDN_IGM_MAX_REGION][SDN_IGM_MAX_LINE + 1];   /* running, of coefficient * (limit / line)^power */
};

/* ------------------------------------------------------------------ making */

static void sum_lines(sdn_igm_table *t)
{
  const sdn_igm_law *law = t->law;
  for (int i = 0; i < law->n_series; i++) {
    const sdn_igm_series *s = &law->series[i];
    for (int r = 0; r < s->n_region; r++)
      for (int k = 0; k < law->n_line; k++) {
        const bool has = k >= s->first && k < s->last;
        const double ratio = law->limit_A / law->jump_A[1 + k];
        t->sum[i][r][k + 1] = t->sum[i][r][k] + (has ? s->coefficient[(k - s->first) * s->stride + r] * pow(ratio, law->power[s->power[r]]) : 0);
      }
  }
}

/* Of two equal nodes at an edge the first is its blue side: absorbed by what begins there. */
static bool is_blueward(int n, const double *wave_A, int i, double edge_A)
{
  const bool blue_side = i + 1 < n && wave_A[i + 1] == wave_A[i];
  return wave_A[i] < edge_A || (blue_side && wave_A[i] == edge_A);
}

static int first_line_of(const sdn_igm_law *law, int n, const double *wave_A, int i)
{
  int k = 0;
  while (k < law->n_line && !is_blueward(n, wave_A, i, law->jump_A[1 + k])) k++;
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

static sdn_status allocate(sdn_igm_table *t, bool wing, sdn_err *err)
{
  const size_t n = (size_t)t->n, n_law = (size_t)t->n_law;
  t->wave_A = sdn_alloc(n, sizeof *t->wave_A, "an IGM table", err);
  t->first_line = sdn_alloc(n, sizeof *t->first_line, "an IGM table", err);
  t->section = wing ? sdn_alloc(n, sizeof *t->section, "an IGM table", err) : NULL;
  bool complete = t->wave_A && t->first_line && (t->section || !wing);
  for (int e = 0; t->law && e < t->law->n_basis; e++) complete = (t->basis[e] = sdn_alloc(n_law, sizeof(double), "an IGM table", err)) && complete;
  return complete ? SDN_OK : err->status;
}

static void fill(sdn_igm_table *t, int n, const double *wave_A)
{
  const sdn_igm_law *law = t->law;
  for (int i = 0; i < t->n; i++) {
    t->wave_A[i] = wave_A[i];
    if (t->section) t->section[i] = sdn_igm_wing_section(wave_A[i]);
  }
  for (int i = 0; i < t->n_law; i++) {
    const double u = wave_A[i] / law->limit_A;
    t->first_line[i] = first_line_of(law, n, wave_A, i);
    if (is_blueward(n, wave_A, i, law->limit_A)) t->n_ionising = i + 1;
    for (int e = 0; e < law->n_basis; e++) t->basis[e][i] = e < law->n_power ? pow(u, law->power[e]) : law->own_basis(e - law->n_power, u);
  }
  if (law) sum_lines(t);
}

sdn_status sdn_igm_table_new(const sdn_igm *igm, int n, const double *wave_A, double z_max, sdn_igm_table **table, sdn_err *err)
{
  *table = NULL;
  sdn_status status = check(n, wave_A, z_max, err);
  if (status) return status;
  sdn_igm_table *t = sdn_alloc(1, sizeof *t, "an IGM table", err);
  if (!t) return err->status;
  t->law = igm->law;
  while (t->law && t->n_law < n && first_line_of(t->law, n, wave_A, t->n_law) < t->law->n_line) t->n_law++;
  t->n = t->n_law;
  while (igm->wing && t->n < n && wave_A[t->n] <= sdn_igm_reddest_A(igm)) t->n++;
  status = allocate(t, igm->wing, err);
  if (status) goto done;
  fill(t, n, wave_A);
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
  sdn_release(t->section);
  for (int e = 0; e < SDN_IGM_MAX_BASIS; e++) sdn_release(t->basis[e]);
  sdn_release(t);
}

int sdn_igm_table_n(const sdn_igm_table *t) { return t->n; }

/* ------------------------------------------------------------------ using */

/* What holds for a run of nodes: tau = constant + sum_e coefficient[e] basis[e]. */
typedef struct run { double constant, coefficient[SDN_IGM_MAX_BASIS]; } run;

/* One galaxy on its way through the nodes, bluest first: lines below above_1 have x > 1, those of series s below above[s][r] have x >= its edge r. */
typedef struct walk { double a, a_power[SDN_IGM_MAX_BASIS]; int above_1, above[SDN_IGM_MAX_SERIES][SDN_IGM_MAX_REGION - 1]; } walk;

/* Moves an edge up to the first line whose x at this observed wavelength is below r; returns the observed wavelength where it must move again. */
static double advance(const sdn_igm_law *law, int *edge, double r, double wave_obs_A)
{
  while (*edge < law->n_line && law->jump_A[1 + *edge] * r <= wave_obs_A) ++*edge;
  return *edge < law->n_line ? law->jump_A[1 + *edge] * r : INFINITY;
}

static double advance_all(const sdn_igm_law *law, walk *w, double wave_obs_A)
{
  double next_A = advance(law, &w->above_1, 1, wave_obs_A);
  for (int s = 0; s < law->n_series; s++)
    for (int r = 0; r < law->series[s].n_region - 1; r++) next_A = fmin(next_A, advance(law, &w->above[s][r], law->series[s].edge[r], wave_obs_A));
  return next_A;
}

/* The sum over lines from <= k < to that lie to the red of the node, k >= first. */
static double line_sum(const double *running, int first, int from, int to)
{
  const int low = first > from ? first : from;
  return low < to ? running[to] - running[low] : 0;
}

static void add_lines(const sdn_igm_table *t, const walk *w, int first, run *out)
{
  for (int i = 0; i < t->law->n_series; i++) {
    const sdn_igm_series *s = &t->law->series[i];
    for (int r = 0; r < s->n_region; r++) {
      const int from = r < s->n_region - 1 ? w->above[i][r] : 0, to = r > 0 ? w->above[i][r - 1] : w->above_1, e = s->power[r];
      out->coefficient[e] += w->a_power[e] * line_sum(t->sum[i][r], first, from, to);
    }
  }
}

/* The observed wavelength where the continuum's formula changes next; the first is the observed limit. */
static double next_continuum_edge(const sdn_igm_law *law, double wave_obs_A)
{
  double next_A = wave_obs_A < law->limit_A ? law->limit_A : INFINITY;
  for (int i = law->n_edge - 1; i >= 0; i--)
    if (wave_obs_A < law->edge[i] * law->limit_A) next_A = fmin(next_A, law->edge[i] * law->limit_A);
  return next_A;
}

enum { CHUNK = 64 };

/* The terms that count: coefficient * basis from the run's first node on. */
typedef struct terms { int n; double coefficient[SDN_IGM_MAX_BASIS]; const double *basis[SDN_IGM_MAX_BASIS]; } terms;

SDN_CLONES static void transmit(int n, double constant, const terms *t, double scale, float *restrict transmission)
{
  double tau[CHUNK];
  for (int from = 0; from < n; from += CHUNK) {
    const int m = n - from < CHUNK ? n - from : CHUNK;
    for (int i = 0; i < m; i++) tau[i] = constant;
    for (int e = 0; e < t->n; e++) {
      const double c = t->coefficient[e], *basis = t->basis[e] + from;
      for (int i = 0; i < m; i++) tau[i] += c * basis[i];
    }
    for (int i = 0; i < m; i++) transmission[from + i] = (float)sdn_vexp(tau[i] > 0 ? -scale * tau[i] : 0);
  }
}

static void transmit_run(const sdn_igm_table *t, const run *r, double scale, int from, int to, float *transmission)
{
  terms list = {.n = 0};
  for (int e = 0; e < t->law->n_basis; e++) {
    if (!(r->coefficient[e] > 0 || r->coefficient[e] < 0)) continue;
    list.coefficient[list.n] = r->coefficient[e];
    list.basis[list.n++] = t->basis[e] + from;
  }
  transmit(to - from, r->constant, &list, scale, transmission + from);
}

static void transmit_law(const sdn_igm_table *t, int from, double z, double scale, float *transmission)
{
  const sdn_igm_law *law = t->law;
  walk w = {.a = 1 + z};
  for (int e = 0; e < law->n_power; e++) w.a_power[e] = pow(w.a, law->power[e]);
  for (int i = from, end; i < t->n_law; i = end) {
    const double wave_obs_A = t->wave_A[i] * w.a;
    double limit_A = advance_all(law, &w, wave_obs_A);
    run r = {0};
    const bool ionising = i < t->n_ionising;
    if (ionising && wave_obs_A < law->limit_A)   /* beyond the published fits: as at the observed limit */
      r.constant = law->continuum_tau(w.a, 1);
    else if (ionising)
      law->continuum(w.a, w.a_power, wave_obs_A / law->limit_A, &r.constant, r.coefficient);
    if (ionising) limit_A = fmin(limit_A, next_continuum_edge(law, wave_obs_A));
    add_lines(t, &w, t->first_line[i], &r);
    const int n_same = ionising ? t->n_ionising : t->n_law;
    for (end = i + 1; end < n_same && t->wave_A[end] * w.a < limit_A && t->first_line[end] == t->first_line[i]; end++) {}
    transmit_run(t, &r, scale, i, end, transmission);
  }
}

SDN_CLONES static void dampen(int n, double column, const double *restrict section, float *restrict transmission)
{
  for (int i = 0; i < n; i++) transmission[i] *= (float)sdn_vexp(-column * section[i]);
}

void sdn_igm_table_transmission_from(const sdn_igm_table *t, int from, double z, double scale, float *transmission)
{
  const bool on_the_way = z > 0;
  for (int i = from; i < t->n; i++) transmission[i] = on_the_way || z <= 0 ? 1 : NAN;   /* NaN stays NaN */
  if (!on_the_way) return;
  if (t->law) transmit_law(t, from, z, scale, transmission);
  const double column = t->section ? sdn_igm_wing_column(z) : 0;
  if (column > 0 && from < t->n) dampen(t->n - from, column, t->section + from, transmission + from);
}

void sdn_igm_table_transmission(const sdn_igm_table *t, double z, double scale, float *transmission) { sdn_igm_table_transmission_from(t, 0, z, scale, transmission); }
