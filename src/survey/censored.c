/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Background errors that a floor hides (error_column: max). Of a censored band only sigma0 < limit = c |f| is known, so t_b < T_b with sigma0(T_b) = limit
 * (sigma.h). The bands share the factor g, and given g they are independent; the known sigma0 say something of g too:
 *
 *   p(f, sigma) = p(t_known) prod_known [N_b dt/dsigma] int dg N(g; m, v) prod_censored I_b(g)
 *   I_b(g) = int_{t < T_b} dt N(t; sqrt(rho) g, 1 - rho) N(f_b; mu_b, s(mu_b, sigma0(t)))
 *   1/v = 1 + n rho / (1 - rho),   m = v sqrt(rho) sum t / (1 - rho),   n known bands with sum t
 *   ln p(t_known) = -n/2 ln(2 pi (1 - rho)) + ln(v)/2 + (m^2 / v - sum t^2 / (1 - rho)) / 2
 *
 * Quadrature. Over g the trapezoidal rule, whose error falls as exp(-2 pi^2 width^2 / step^2) for an integrand of that Gaussian width: a product
 * of n_c censored bands is at the narrowest as wide as 1/v + n_c rho / (1 - rho) says, and the step follows. Over t Gauss-Legendre panels, finer
 * towards T_b where a misfitting flux piles up the integrand, on nodes that do not depend on g: so a galaxy's model fluxes cost one Gaussian per
 * node and a small matrix product. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/special.h"
#include "survey/likelihood.h"

#define LN_2_PI 1.8378770664093453
#define CHUNK 32               /* model fluxes worked on together */
#define REACH 7.0              /* standard deviations of g and t on either side that are integrated over: 1e-11 lies beyond */
#define STEP_PER_WIDTH 1.2     /* trapezoid in g: error 2 exp(-2 pi^2 / 1.44) = 2e-6 */
#define FIRST_PANEL 0.01       /* in t, next to T_b; each panel is twice as wide as the one before, up to */
#define LAST_PANEL 0.5         /* this, */
#define PANEL_PER_SPREAD 1.2   /* or this many standard deviations of t given g */
#define N_GAUSS 4
#define MAX_NODE (N_GAUSS * 64 + 2)   /* (2 T_MAX / least panel + the graded ones) panels, and the two ends of the range */

static const double gauss_x[N_GAUSS] = {-0.8611363115940526, -0.3399810435848563, 0.3399810435848563, 0.8611363115940526};
static const double gauss_w[N_GAUSS] = {0.3478548451374538, 0.6521451548625461, 0.6521451548625461, 0.3478548451374538};

/* What the known errors say about the common factor, and the nodes over it. */
typedef struct factor {
  double mean, variance, ln_known;   /* ln_known: ln p of the known sigma0 */
  int n;
  double *g, *weight;                /* [n] */
} factor;

/* One censored band: background errors to average over, and their weight for each g. */
typedef struct hidden {
  int band, n;
  double sigma0[MAX_NODE], largest_sigma0;
  double *weight;                    /* [factor.n][n] */
} hidden;

typedef struct nodes { int n; double t[MAX_NODE], weight[MAX_NODE]; bool below, above; } nodes;   /* below, above: the ends -+T_MAX stand for all beyond */

static void weigh_known(const sdn_survey *s, const sdn_datum *d, factor *f)
{
  const double rho = s->sigma_correlation, own = 1 - rho;
  double n = 0, sum = 0, sum_squares = 0, ln_slopes = 0;
  for (int k = 0; k < d->n_exact; k++) {
    const sdn_sigma *sigma = &s->band[d->exact[k]].sigma;
    if (sigma->constant) continue;
    double ln_slope;
    const double t = sdn_sigma_rank(sigma, d->sigma0[k], &ln_slope);
    n += 1;
    sum += t;
    sum_squares += t * t;
    ln_slopes += ln_slope;
  }
  f->variance = 1 / (1 + n * rho / own);
  f->mean = f->variance * sqrt(rho) * sum / own;
  f->ln_known = ln_slopes - 0.5 * (n * (LN_2_PI + log(own)) - log(f->variance) + sum_squares / own - f->mean * f->mean / f->variance);
}

static sdn_status make_factor_nodes(const sdn_survey *s, int n_censored, factor *f, sdn_arena *arena, sdn_err *err)
{
  const double rho = s->sigma_correlation, spread = sqrt(f->variance);
  const double width = 1 / sqrt(1 / f->variance + n_censored * rho / (1 - rho));
  f->n = (int)ceil(2 * REACH * spread / (STEP_PER_WIDTH * width)) + 1;
  f->g = sdn_arena_take(arena, (size_t)f->n, sizeof *f->g, err);
  f->weight = sdn_arena_take(arena, (size_t)f->n, sizeof *f->weight, err);
  if (!f->g || !f->weight) return err->status;
  const double step = 2 * REACH / (f->n - 1);
  for (int k = 0; k < f->n; k++) {
    const double x = -REACH + k * step;
    f->g[k] = f->mean + spread * x;
    f->weight[k] = step * exp(-0.5 * (x * x + LN_2_PI));
  }
  return SDN_OK;
}

/* Panels from the upper end down to where nothing is left. */
static void make_t_nodes(const sdn_survey *s, const factor *f, const sdn_sigma *sigma, double limit, nodes *out)
{
  const double rho = s->sigma_correlation, middle = sqrt(rho) * f->mean, spread = sqrt(rho * f->variance + 1 - rho);
  const double widest = fmin(LAST_PANEL, PANEL_PER_SPREAD * sqrt(1 - rho));
  double unused, high = limit < sigma->high ? sdn_sigma_rank(sigma, limit, &unused) : SDN_SIGMA_T_MAX;
  out->above = limit >= sigma->high && SDN_SIGMA_T_MAX < middle + REACH * spread;
  high = fmin(high, fmax(middle + REACH * spread, -SDN_SIGMA_T_MAX));
  const double low = fmax(-SDN_SIGMA_T_MAX, fmin(middle, high) - REACH * spread);
  out->below = !(low > -SDN_SIGMA_T_MAX);
  out->n = 0;
  for (double top = high, panel = FIRST_PANEL; top > low && out->n + N_GAUSS + 2 <= MAX_NODE; panel = fmin(2 * panel, widest)) {
    const double bottom = fmax(top - panel, low), half = 0.5 * (top - bottom);
    for (int i = 0; i < N_GAUSS; i++) {
      out->t[out->n] = bottom + half * (1 + gauss_x[i]);
      out->weight[out->n++] = half * gauss_w[i];
    }
    top = bottom;
  }
  if (out->below) out->t[out->n++] = -SDN_SIGMA_T_MAX;
  if (out->above) out->t[out->n++] = SDN_SIGMA_T_MAX;
}

/* Probability of each node given g: the density of t times the node's weight; at an end, all that lies beyond. */
static void weigh_nodes(const nodes *q, double center, double spread, double *weight)
{
  const int n_inner = q->n - q->below - q->above;
  for (int i = 0; i < n_inner; i++) {
    const double x = (q->t[i] - center) / spread;
    weight[i] = q->weight[i] / spread * exp(-0.5 * (x * x + LN_2_PI));
  }
  if (q->below) weight[n_inner] = sdn_normal_cdf((-SDN_SIGMA_T_MAX - center) / spread);
  if (q->above) weight[q->n - 1] = sdn_normal_cdf((center - SDN_SIGMA_T_MAX) / spread);
}

static sdn_status make_hidden(const sdn_survey *s, const factor *f, int band, double limit, hidden *h, sdn_arena *arena, sdn_err *err)
{
  const sdn_sigma *sigma = &s->band[band].sigma;
  nodes q;
  make_t_nodes(s, f, sigma, limit, &q);
  h->band = band;
  h->n = q.n;
  for (int i = 0; i < q.n; i++) {
    h->sigma0[i] = sdn_sigma_at(sigma, q.t[i]);
    h->largest_sigma0 = i > 0 ? fmax(h->largest_sigma0, h->sigma0[i]) : h->sigma0[i];
  }
  h->weight = sdn_arena_take(arena, (size_t)f->n * (size_t)q.n, sizeof *h->weight, err);
  if (!h->weight) return err->status;
  for (int k = 0; k < f->n; k++)
    weigh_nodes(&q, sqrt(s->sigma_correlation) * f->g[k], sqrt(1 - s->sigma_correlation), h->weight + (long)k * q.n);
  return SDN_OK;
}

/* N(f; mu_i, s(mu_i, sigma0_q)) of one band for every node: density [h->n][CHUNK], each model relative to N at the largest sigma0, where misfits are least
 * improbable and which goes to ln_like; so no density underflows that matters and none overflows. */
static void node_densities(const sdn_survey *s, const hidden *h, double flux, int n, const float *mu, double *density, double *ln_like)
{
  for (int i = 0; i < n; i++) {
    const double m = mu[(long)i * s->n_band], half_square = 0.5 * (flux - m) * (flux - m);
    const double widest = sdn_noise_variance(&s->band[h->band], h->largest_sigma0, m), least = half_square / widest;
    for (int q = 0; q < h->n; q++) {
      const double inverse = 1 / sdn_noise_variance(&s->band[h->band], h->sigma0[q], m);
      density[q * CHUNK + i] = sqrt(widest * inverse) * exp(least - half_square * inverse);
    }
    ln_like[i] -= least + 0.5 * (log(widest) + LN_2_PI);
  }
}

/* product [n_factor][CHUNK] times this band's average over its nodes, then each model relative to its largest again. */
static void multiply_average(const hidden *h, int n_factor, int n, const double *density, double *product, double *ln_like)
{
  double largest[CHUNK] = {0};
  for (int k = 0; k < n_factor; k++) {
    double sum[CHUNK] = {0};
    for (int q = 0; q < h->n; q++) {
      const double weight = h->weight[(long)k * h->n + q];
      for (int i = 0; i < CHUNK; i++) sum[i] += weight * density[q * CHUNK + i];
    }
    for (int i = 0; i < CHUNK; i++) {
      product[k * CHUNK + i] *= sum[i];
      largest[i] = product[k * CHUNK + i] > largest[i] ? product[k * CHUNK + i] : largest[i];
    }
  }
  for (int i = 0; i < n; i++) ln_like[i] += log(fmax(largest[i], DBL_MIN));
  for (int i = 0; i < CHUNK; i++) largest[i] = largest[i] > 0 ? 1 / largest[i] : 0;
  for (int k = 0; k < n_factor; k++)
    for (int i = 0; i < CHUNK; i++) product[k * CHUNK + i] *= largest[i];
}

static void average_over_factor(const factor *f, int n, const double *product, double *ln_like)
{
  for (int i = 0; i < n; i++) {
    double sum = 0;
    for (int k = 0; k < f->n; k++) sum += f->weight[k] * product[k * CHUNK + i];
    ln_like[i] += log(fmax(sum, DBL_MIN));
  }
}

/* One galaxy's quadrature, and room for a chunk of models. */
typedef struct work {
  const sdn_survey *s;
  const sdn_datum *d;
  factor *f;
  hidden *h;                         /* [d->n_censored] */
  double *product, *density;         /* [f->n][CHUNK], [MAX_NODE][CHUNK] */
} work;

static sdn_status prepare(work *w, sdn_arena *arena, sdn_err *err)
{
  if (make_factor_nodes(w->s, w->d->n_censored, w->f, arena, err)) return err->status;
  w->h = sdn_arena_take(arena, (size_t)w->d->n_censored, sizeof *w->h, err);
  w->product = sdn_arena_take(arena, (size_t)w->f->n * CHUNK, sizeof *w->product, err);
  w->density = sdn_arena_take(arena, MAX_NODE * CHUNK, sizeof *w->density, err);
  if (!w->h || !w->product || !w->density) return err->status;
  memset(w->density, 0, MAX_NODE * CHUNK * sizeof *w->density);   /* the last chunk's unused models are multiplied too */
  for (int c = 0; c < w->d->n_censored; c++)
    if (make_hidden(w->s, w->f, w->d->censored[c], w->d->limit[c], &w->h[c], arena, err)) return err->status;
  return SDN_OK;
}

static void add_chunk(const work *w, int n, const float *mu, double *ln_like)
{
  for (long j = 0; j < (long)w->f->n * CHUNK; j++) w->product[j] = 1;
  for (int c = 0; c < w->d->n_censored; c++) {
    const hidden *h = &w->h[c];
    node_densities(w->s, h, w->d->flux[h->band], n, mu + h->band, w->density, ln_like);
    multiply_average(h, w->f->n, n, w->density, w->product, ln_like);
  }
  average_over_factor(w->f, n, w->product, ln_like);
}

sdn_status sdn_censored_add(const sdn_survey *s, const sdn_datum *d, long n, const float *flux_true_nJy, double *ln_like, sdn_err *err)
{
  factor f = {0};
  weigh_known(s, d, &f);
  for (long i = 0; i < n; i++) ln_like[i] += f.ln_known;
  if (d->n_censored == 0) return SDN_OK;
  sdn_arena *arena = sdn_arena_new(err);
  if (!arena) return err->status;
  work w = {.s = s, .d = d, .f = &f};
  const sdn_status status = prepare(&w, arena, err);
  if (status == SDN_OK)
    for (long first = 0; first < n; first += CHUNK)
      add_chunk(&w, n - first < CHUNK ? (int)(n - first) : CHUNK, flux_true_nJy + first * s->n_band, ln_like + first);
  sdn_arena_free(arena);
  return status;
}
