/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Metallicity that follows the mass formed. With m the share of the mass that is younger than some age, Z(m) = z_last + (z_first - z_last) m, so the
 * mass that a metallicity node takes up to m is known in closed form, G(m) = int_0^m hat(Z(m')) dm'. By parts, as in sfh.h, the weight of a pair of
 * nodes is
 *   w_i = mean_i - mean_i-1,   mean_i = mean of G(M(a)) over u = ln a (or a) from age node i to i + 1,
 * for which G(M) is integrated over u between age nodes, knots of the history, and ages at which Z crosses a node. */
#include <math.h>
#include <string.h>

#include "physics/gauss.h"
#include "physics/metallicity_family.h"
#include "physics/sfh_family.h"

#define LOG10_E 0.43429448190325182765
#define TOLERANCE 2e-9       /* of the whole mass, by which two rules may differ on a panel; the better of them is taken */
#define NEGLIGIBLE 2e-8     /* a panel with less mass is as good as straight: 1e-2 of it for a smooth history, half at a kink */
#define MAX_HALVING 40
#define N_SERIES 18          /* 0.1^18 / 18 / 19 */

/* Between two crossings. x = m - mass. */
typedef struct stretch {
  int node;                  /* Z lies between this and the next */
  double mass, end_yr;       /* share younger than its young end; age of its old end */
  double above, slope;       /* at x = 0: share of the upper node, and relative change of Z with x */
  double scale;              /* coordinate change of one ln Z (or of Z) per interval of the axis */
} stretch;

typedef struct work {
  const sdn_sfh *h;
  const sdn_grid_axis *axis;
  int n_stretch;
  stretch *stretch;          /* [n_stretch] */
  double *base;              /* [n_stretch][n_z] G at the young end of each */
  double *mean;              /* [n_z] being gathered */
} work;

typedef struct point { double x, upper; } point;   /* mass beyond the young end of a stretch, and what of it the upper node takes */

/* ((1 + y) ln(1 + y) - y) / y */
static double mean_log(double y)
{
  if (fabs(y) > 0.1) return ((1 + y) * log1p(y) - y) / y;
  double sum = 0, power = y;
  for (int n = 2; n < N_SERIES; n++, power *= -y) sum += power / (n * (n - 1));
  return sum;
}

static point at_mass(const work *w, const stretch *s, double mass)
{
  const double x = fmax(mass - s->mass, 0), y = s->slope * x;
  return (point){x, fmin(fmax(x * (s->above + s->scale * (w->axis->log ? mean_log(y) : 0.5 * y)), 0), x)};
}

static point at_age(const work *w, const stretch *s, double age_yr) { return at_mass(w, s, sdn_sfh_mass_since(w->h, age_yr)); }

/* The stretch that begins at a mass where Z is `z`, travelling towards `z_end`. */
static stretch begin(const work *w, double z, double z_end, double mass)
{
  const sdn_grid_axis *a = w->axis;
  stretch s = {.mass = mass, .end_yr = INFINITY};
  if (a->n == 1) return s;
  while (s.node < a->n - 2 && (z_end < z ? a->value[s.node + 1] < z : a->value[s.node + 1] <= z)) s.node++;
  const double c = a->coordinate[s.node], width = a->coordinate[s.node + 1] - c;
  s.above = fmin(fmax(((a->log ? log10(z) : z) - c) / width, 0), 1);
  s.scale = (a->log ? LOG10_E : z) / width;
  return s;
}

/* What each node takes of the mass up to where a stretch ends at point p: into to [n_z]. */
static void close_stretch(const work *w, int i, point p, double *to)
{
  memcpy(to, w->base + (size_t)i * (size_t)w->axis->n, (size_t)w->axis->n * sizeof *to);
  to[w->stretch[i].node] += p.x - p.upper;
  if (w->axis->n > 1) to[w->stretch[i].node + 1] += p.upper;
}

/* All stretches from now (m = 0) to the Big Bang (m = 1). */
static void find_stretches(work *w, const sdn_metal_history *t)
{
  const sdn_grid_axis *a = w->axis;
  const double change = t->z_first - t->z_last;   /* with m */
  double z = t->z_last;
  for (double mass = 0; mass < 1;) {
    const int i = w->n_stretch++;
    stretch *s = &w->stretch[i];
    *s = begin(w, z, t->z_first, mass);
    s->slope = change / z;
    if (i == 0) memset(w->base, 0, (size_t)a->n * sizeof *w->base);
    const double next = a->n == 1 ? INFINITY : change < 0 ? a->value[s->node] : a->value[s->node + 1];
    const double end = change == 0 ? INFINITY : (next - t->z_last) / change;
    if (!(end > mass && end < 1) || w->n_stretch > a->n) return;
    s->end_yr = sdn_sfh_age_of_fraction(w->h, 1 - end);
    close_stretch(w, i, at_mass(w, s, end), w->base + (size_t)(i + 1) * (size_t)a->n);
    mass = end;
    z = next;
  }
}

/* Add the mean over a panel, `share` of its bin, where the stretch's own part has the mean p. */
static void put(work *w, int i, double share, point p)
{
  const double *base = w->base + (size_t)i * (size_t)w->axis->n;
  for (int k = 0; k < w->axis->n; k++) w->mean[k] += share * base[k];
  w->mean[w->stretch[i].node] += share * (p.x - p.upper);
  if (w->axis->n > 1) w->mean[w->stretch[i].node + 1] += share * p.upper;
}

/* The age that is older by so much in the coordinate of the hats. */
static double older(const sdn_sfh *h, double age_yr, double by) { return h->linear_age ? age_yr + by : age_yr * exp(by); }

static point rule_mean(const work *w, const stretch *s, const sdn_gauss *g, double young_yr, double width)
{
  point mean = {0};
  for (int i = 0; i < g->n; i++) {
    const point p = at_age(w, s, older(w->h, young_yr, width * g->x[i]));
    mean.x += g->w[i] * p.x;
    mean.upper += g->w[i] * p.upper;
  }
  return mean;
}

/* Mean over ln age or age of the own part of a stretch; young and old are its values at the ends. */
static point panel_mean(const work *w, const stretch *s, double young_yr, double width, point young, point old, int depth)
{
  if (!(old.x - young.x > NEGLIGIBLE)) return (point){0.5 * (young.x + old.x), 0.5 * (young.upper + old.upper)};
  const point rough = rule_mean(w, s, &sdn_gauss_rule[SDN_GAUSS_3], young_yr, width), good = rule_mean(w, s, &sdn_gauss_rule[SDN_GAUSS_4], young_yr, width);
  if (depth == MAX_HALVING || fabs(good.x - rough.x) + fabs(good.upper - rough.upper) <= TOLERANCE) return good;
  const double middle_yr = older(w->h, young_yr, 0.5 * width);
  const point middle = at_age(w, s, middle_yr), a = panel_mean(w, s, young_yr, 0.5 * width, young, middle, depth + 1),
              b = panel_mean(w, s, middle_yr, 0.5 * width, middle, old, depth + 1);
  return (point){0.5 * (a.x + b.x), 0.5 * (a.upper + b.upper)};
}

/* The next age after age_yr at which the history is not smooth. */
static double next_knot(const sdn_sfh *h, double age_yr)
{
  for (int k = 0; k < h->n_knot; k++)
    if (h->knot_yr[k] > age_yr) return h->knot_yr[k];
  return INFINITY;
}

/* w->mean of the bin from age young_yr to node_yr; *i is the stretch at its young end and moves along. */
static void gather_bin(work *w, double young_yr, double node_yr, double limit_yr, int *i)
{
  const double bin_width = sdn_sfh_stretch(w->h, young_yr, node_yr);
  memset(w->mean, 0, (size_t)w->axis->n * sizeof *w->mean);
  for (double from_yr = young_yr; from_yr < node_yr;) {
    while (*i + 1 < w->n_stretch && w->stretch[*i].end_yr <= fmin(from_yr, limit_yr)) ++*i;
    const stretch *s = &w->stretch[*i];
    if (from_yr >= limit_yr) {   /* nothing older counts */
      put(w, *i, sdn_sfh_stretch(w->h, from_yr, node_yr) / bin_width, at_age(w, s, limit_yr));
      return;
    }
    double to_yr = fmin(fmin(node_yr, limit_yr), next_knot(w->h, from_yr));
    if (s->end_yr > from_yr) to_yr = fmin(to_yr, s->end_yr);
    const double width = sdn_sfh_stretch(w->h, from_yr, to_yr);
    put(w, *i, width / bin_width, panel_mean(w, s, from_yr, width, at_age(w, s, from_yr), at_age(w, s, to_yr), 0));
    from_yr = to_yr;
  }
}

/* Column `age` of the result: what the nodes took in its mean and not in the one before, scaled to the mass that the history puts there. */
static void put_column(const work *w, const double *before, int age, const sdn_metal_ages *ages, float *weight)
{
  double sum = 0;
  for (int k = 0; k < w->axis->n; k++) sum += fmax(w->mean[k] - before[k], 0);
  for (int k = 0; k < w->axis->n; k++)
    weight[(size_t)k * (size_t)ages->n + (size_t)age] = (float)(sum > 0 ? ages->mass[age] * (fmax(w->mean[k] - before[k], 0) / sum) : 0);
  if (sum > 0 || !(ages->mass[age] > 0)) return;
  int i = 0;   /* less than rounding: all of it to the node that is nearest */
  while (i + 1 < w->n_stretch && w->stretch[i].end_yr < ages->age_yr[age]) i++;
  weight[(size_t)w->stretch[i].node * (size_t)ages->n + (size_t)age] = (float)ages->mass[age];
}

sdn_status sdn_metal_history_weights(const sdn_metal_history *t, const sdn_grid_axis *axis, const sdn_sfh *h, const sdn_metal_ages *ages, float *weight,
                                  sdn_arena *arena, sdn_err *err)
{
  const size_t n_z = (size_t)axis->n;
  const sdn_arena_mark mark = sdn_arena_here(arena);
  work w = {.h = h, .axis = axis};
  double *two = sdn_arena_take(arena, 2 * n_z, sizeof *two, err);
  w.stretch = sdn_arena_take(arena, n_z + 1, sizeof *w.stretch, err);
  w.base = sdn_arena_take(arena, (n_z + 2) * n_z, sizeof *w.base, err);
  if (!two || !w.stretch || !w.base) return err->status;
  double *before = two;
  w.mean = two + n_z;
  memset(before, 0, n_z * sizeof *before);
  find_stretches(&w, t);
  int i = 0;
  for (int age = 0; age < ages->n; age++) {
    if (age + 1 < ages->n) gather_bin(&w, ages->age_yr[age], ages->age_yr[age + 1], ages->limit_yr, &i);
    else {   /* hats are level beyond the last node */
      while (i + 1 < w.n_stretch && w.stretch[i].end_yr < ages->limit_yr) i++;
      close_stretch(&w, i, at_age(&w, &w.stretch[i], ages->limit_yr), w.mean);
    }
    put_column(&w, before, age, ages, weight);
    double *const swap = before;
    before = w.mean;
    w.mean = swap;
  }
  sdn_arena_back(arena, mark);
  return SDN_OK;
}
