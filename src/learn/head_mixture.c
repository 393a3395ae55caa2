/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The head "mixture": Gaussians with full covariances, whose numbers depend on the context alone. Component k has weight w_k, mean m, and e = A B (z - m) is
 * standard normal, A diagonal and B lower triangular with ones on its diagonal:
 *   u_i = (z_i - m_i) + sum_{j<i} B_ij (z_j - m_j),   e_i = a_i u_i,   ln N_k = sum_i (ln a_i - e_i^2 / 2) - D/2 ln 2 pi
 *   q(z | x) = sum_k w_k N_k(z),   w_0 = floor + (1 - floor) s_0,   w_k = (1 - floor) s_k,   s = softmax of the logits
 * Component 0 is the prior itself, so that q is nowhere less than floor times the prior: no tail is lighter. Since e_0 knows z_0 alone, the first coordinate is a
 * mixture of normals with means m_0 and deviations 1 / a_0, and, once known, changes no more than the weights.
 * Given numbers: K + 1 logits, then for each of the K others D means, D scales, D (D - 1) / 2 slants, as raw numbers r:
 *   m = r / sqrt(1 + (r/6)^2),   ln a = r / (1 + |r|/7) for r > 0, r / (1 + |r|) for r < 0,   B = r / sqrt(1 + (r/30)^2) */
#include <math.h>
#include <string.h>

#include "base/special.h"
#include "learn/head.h"

#include "base/fastmath.h"

#define LARGEST_MEAN 6.0f
#define LN_STEEPEST 7.0f      /* deviations down to e^-7 = 0.0009 */
#define LN_FLATTEST 1.0f      /* and up to e */
#define LARGEST_SLANT 30.0f
#define PRIOR_FLOOR 1e-4f
#define LEAST_SHARE 1e-30f    /* its logarithm is finite */
#define MAX_COMPONENT 64
#define FIRST_SPREAD 1.0f     /* of the components' first means, which tells them apart */
#define HALF_LN_2PI 0.91893853f

typedef struct plan { int n_free, n_component, n_own; } plan;   /* D, K, numbers of a component */

static int n_slant(int d) { return d * (d - 1) / 2; }
static const plan *plan_of(const sdn_network *net) { return net->head_plan; }

static sdn_status make(sdn_network *net, sdn_err *err)
{
  const int d = net->arch.n_free, k = net->arch.n_component;
  if (sdn_check_size("n_component", k, 1, MAX_COMPONENT, err)) return err->status;
  plan *p = net->head_plan = sdn_alloc(1, sizeof *p, "a mixture", err);
  if (!p) return err->status;
  *p = (plan){.n_free = d, .n_component = k, .n_own = 2 * d + n_slant(d)};
  net->n_given = k + 1 + k * p->n_own;
  return SDN_OK;
}

static void list_weights(sdn_network *net) { (void)net; }
static void release(void *of) { sdn_release(of); }

/* Means apart from each other, everything else as the prior: a network that has learnt nothing is not far from it. */
static void initialise(const sdn_network *net, float *weights)
{
  const plan *p = plan_of(net);
  const size_t n = (size_t)net->n_given * (size_t)net->arch.n_context;
  float *context = weights + net->weight[net->at_context].offset, *bias = weights + net->weight[net->at_context + 1].offset;
  for (size_t i = 0; i < n; i++) context[i] *= 0.1f;
  for (int k = 0; k < p->n_component; k++) {
    sdn_rng rng = sdn_rng_at(1, SDN_STREAM_WEIGHTS, (uint64_t)k + 1);   /* the same for all networks: seeds show in the weights */
    for (int i = 0; i < p->n_free; i++) bias[p->n_component + 1 + k * p->n_own + i] = FIRST_SPREAD * (float)sdn_rng_normal(&rng);
  }
}

/* ------------------------------------------------------------------ raw numbers */

SDN_INLINE float bend(float r, float most) { return r / sqrtf(1.0f + r * r * (1.0f / (most * most))); }
SDN_INLINE float bend_slope(float r, float most) { const float q = 1.0f / (1.0f + r * r * (1.0f / (most * most))); return q * sqrtf(q); }
SDN_INLINE float squash(float r) { return r / (1.0f + fabsf(r) * (r > 0.0f ? 1.0f / LN_STEEPEST : 1.0f / LN_FLATTEST)); }
SDN_INLINE float squash_slope(float r) { const float q = 1.0f / (1.0f + fabsf(r) * (r > 0.0f ? 1.0f / LN_STEEPEST : 1.0f / LN_FLATTEST)); return q * q; }

/* Raw number j of component k, and where its bias stands. */
static inline int own_at(const plan *p, int k, int j) { return p->n_component + 1 + k * p->n_own + j; }

/* ------------------------------------------------------------------ density of a tile */

typedef struct mixture_work {
  float *share;              /* [K + 1][SDN_ROWS] softmax of the logits */
  float *part;               /* [K + 1][SDN_ROWS] ln w_k + ln N_k, then what each component is responsible for */
  float *u;                  /* [K][D][SDN_ROWS] */
  float *off;                /* [K][D][SDN_ROWS] z - m */
  float *by_off;             /* [D][SDN_ROWS] */
  float *prior;              /* [SDN_ROWS] w_0 */
} mixture_work;

static sdn_status work_new(const sdn_network *net, sdn_arena *arena, void **work, sdn_err *err)
{
  const plan *p = plan_of(net);
  const size_t k = (size_t)p->n_component, d = (size_t)p->n_free;
  mixture_work *w = *work = sdn_arena_take(arena, 1, sizeof *w, err);
  if (!w) return err->status;
  const struct { float **to; size_t n; } parts[] = {{&w->share, k + 1}, {&w->part, k + 1}, {&w->u, k * d}, {&w->off, k * d}, {&w->by_off, d}, {&w->prior, 1}};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    if (!(*parts[i].to = sdn_arena_take(arena, parts[i].n * SDN_ROWS, sizeof(float), err))) return err->status;
  return SDN_OK;
}

/* a [n][SDN_ROWS] -> softmax over n (ln_sum NULL), or left alone and ln_sum [SDN_ROWS] = ln sum e^a. */
SDN_CLONES
static void normalise(int n, const float *a, float *share, float *ln_sum)
{
  float most[SDN_ROWS], sum[SDN_ROWS];
  for (int r = 0; r < SDN_ROWS; r++) most[r] = a[r], sum[r] = 0.0f;
  for (int k = 1; k < n; k++)
#pragma omp simd
    for (int r = 0; r < SDN_ROWS; r++) most[r] = a[k * SDN_ROWS + r] > most[r] ? a[k * SDN_ROWS + r] : most[r];
  for (int k = 0; k < n; k++)
#pragma omp simd
    for (int r = 0; r < SDN_ROWS; r++) sum[r] += share[k * SDN_ROWS + r] = sdn_expf(a[k * SDN_ROWS + r] - most[r]);
  for (int k = 0; k < n; k++)
#pragma omp simd
    for (int r = 0; r < SDN_ROWS; r++) share[k * SDN_ROWS + r] /= sum[r];
#pragma omp simd
  for (int r = 0; r < SDN_ROWS; r++)
    if (ln_sum) ln_sum[r] = most[r] + sdn_logf(sum[r]);
}

SDN_CLONES
static void add_own_bias(int n, const float *bias, float *given)
{
  for (int i = 0; i < n; i++)
#pragma omp simd
    for (int r = 0; r < SDN_ROWS; r++) given[i * SDN_ROWS + r] += bias[i];
}

/* ln N_k of component k >= 1, whose raw numbers begin at raw; u and off [D][SDN_ROWS] are kept. */
SDN_CLONES
static void component(int d, const float *raw, const float *z, float *off, float *u, float *ln_n)
{
  const float *scale = raw + d * SDN_ROWS, *slant = raw + 2 * d * SDN_ROWS;
  for (int r = 0; r < SDN_ROWS; r++) ln_n[r] = -HALF_LN_2PI * (float)d;
  for (int i = 0; i < d; i++) {
#pragma omp simd
    for (int r = 0; r < SDN_ROWS; r++) u[i * SDN_ROWS + r] = off[i * SDN_ROWS + r] = z[i * SDN_ROWS + r] - bend(raw[i * SDN_ROWS + r], LARGEST_MEAN);
    for (int j = 0; j < i; j++, slant += SDN_ROWS)
#pragma omp simd
      for (int r = 0; r < SDN_ROWS; r++) u[i * SDN_ROWS + r] += bend(slant[r], LARGEST_SLANT) * off[j * SDN_ROWS + r];
#pragma omp simd
    for (int r = 0; r < SDN_ROWS; r++) {
      const float ln_a = squash(scale[i * SDN_ROWS + r]), e = sdn_expf(ln_a) * u[i * SDN_ROWS + r];
      ln_n[r] += ln_a - 0.5f * e * e;
    }
  }
}

/* The prior's weight and part, component 0. */
SDN_CLONES
static void prior_part(int d, const float *z, const float *share, float *weight, float *part)
{
  float squares[SDN_ROWS] = {0};
  for (int i = 0; i < d; i++)
#pragma omp simd
    for (int r = 0; r < SDN_ROWS; r++) squares[r] += z[i * SDN_ROWS + r] * z[i * SDN_ROWS + r];
#pragma omp simd
  for (int r = 0; r < SDN_ROWS; r++) {
    weight[r] = PRIOR_FLOOR + (1.0f - PRIOR_FLOOR) * share[r];
    part[r] = sdn_logf(weight[r]) - 0.5f * squares[r] - HALF_LN_2PI * (float)d;
  }
}

SDN_CLONES
static void add_ln_share(const float *share, float *part)
{
#pragma omp simd
  for (int r = 0; r < SDN_ROWS; r++) part[r] += sdn_logf(share[r] * (1.0f - PRIOR_FLOOR) + LEAST_SHARE);
}

static void density(const sdn_network *net, const float *weights, void *work, float *given, const float *z, double *ln_q)
{
  const plan *p = plan_of(net);
  const int d = p->n_free, n = p->n_component;
  mixture_work *w = work;
  float ln_sum[SDN_ROWS];
  add_own_bias(net->n_given, sdn_given_bias(net, weights), given);
  normalise(n + 1, given, w->share, NULL);
  prior_part(d, z, w->share, w->prior, w->part);
  for (int k = 0; k < n; k++) {
    float *part = w->part + (k + 1) * SDN_ROWS;
    component(d, given + (size_t)own_at(p, k, 0) * SDN_ROWS, z, w->off + (size_t)(k * d) * SDN_ROWS, w->u + (size_t)(k * d) * SDN_ROWS, part);
    add_ln_share(w->share + (k + 1) * SDN_ROWS, part);
  }
  normalise(n + 1, w->part, w->part, ln_sum);
  for (int r = 0; r < SDN_ROWS; r++) ln_q[r] = (double)ln_sum[r];
}

/* Raw numbers of component k >= 1 become the gradient of -sum weight ln q by them; resp [SDN_ROWS] times row weight: its share of each row. */
SDN_CLONES
static void component_backward(int d, float *raw, const float *off, const float *u, const float *resp, float *by_off)
{
  float *scale = raw + d * SDN_ROWS, *slant = raw + 2 * d * SDN_ROWS;
  for (int i = 0; i < d * SDN_ROWS; i++) by_off[i] = 0.0f;
  for (int i = 0; i < d; i++) {
    float by_u[SDN_ROWS];   /* of -ln N_k: e_i a_i */
#pragma omp simd
    for (int r = 0; r < SDN_ROWS; r++) {
      const float s = scale[i * SDN_ROWS + r], a = sdn_expf(squash(s)), e = a * u[i * SDN_ROWS + r];
      by_u[r] = resp[r] * e * a;
      by_off[i * SDN_ROWS + r] += by_u[r];
      scale[i * SDN_ROWS + r] = resp[r] * (e * e - 1.0f) * squash_slope(s);
    }
    for (int j = 0; j < i; j++, slant += SDN_ROWS)
#pragma omp simd
      for (int r = 0; r < SDN_ROWS; r++) {
        const float b = slant[r];
        by_off[j * SDN_ROWS + r] += by_u[r] * bend(b, LARGEST_SLANT);
        slant[r] = by_u[r] * off[j * SDN_ROWS + r] * bend_slope(b, LARGEST_SLANT);
      }
  }
  for (int i = 0; i < d; i++)
#pragma omp simd
    for (int r = 0; r < SDN_ROWS; r++) raw[i * SDN_ROWS + r] = -by_off[i * SDN_ROWS + r] * bend_slope(raw[i * SDN_ROWS + r], LARGEST_MEAN);
}

static void gradient(const sdn_network *net, const float *weights, void *work, float *given, const float *row_weight, bool add, float *gradient)
{
  const plan *p = plan_of(net);
  const int d = p->n_free, n = p->n_component;
  mixture_work *w = work;
  (void)weights;
  (void)add;
  (void)gradient;   /* all weights are the context's */
  for (int k = 0; k <= n; k++)
    for (int r = 0; r < SDN_ROWS; r++) w->part[k * SDN_ROWS + r] *= row_weight[r];
  for (int k = 0; k < n; k++)
    component_backward(d, given + (size_t)own_at(p, k, 0) * SDN_ROWS, w->off + (size_t)(k * d) * SDN_ROWS, w->u + (size_t)(k * d) * SDN_ROWS,
                       w->part + (k + 1) * SDN_ROWS, w->by_off);
  for (int r = 0; r < SDN_ROWS; r++) {   /* logits: s_j sum_k r_k - r_j, where the floor takes its part of r_0 */
    float sum = w->part[r] *= (1.0f - PRIOR_FLOOR) * w->share[r] / w->prior[r];
    for (int k = 1; k <= n; k++) sum += w->part[k * SDN_ROWS + r];
    for (int k = 0; k <= n; k++) given[k * SDN_ROWS + r] = w->share[k * SDN_ROWS + r] * sum - w->part[k * SDN_ROWS + r];
  }
}

static void first(const sdn_network *net, const float *weights, void *work, float *given, const float *z0, double *cdf, double *ln_q)
{
  const plan *p = plan_of(net);
  mixture_work *w = work;
  add_own_bias(net->n_given, sdn_given_bias(net, weights), given);
  normalise(p->n_component + 1, given, w->share, NULL);
  for (int r = 0; r < SDN_ROWS; r++) {
    const double floor = (double)PRIOR_FLOOR, z = (double)z0[r];
    double weight = floor + (1 - floor) * (double)w->share[r], below = weight * sdn_normal_cdf(z), dense = weight * exp(sdn_normal_ln_pdf(z));
    for (int k = 0; k < p->n_component; k++) {
      const double a = exp((double)squash(given[own_at(p, k, p->n_free) * SDN_ROWS + r]));
      const double e = a * (z - (double)bend(given[own_at(p, k, 0) * SDN_ROWS + r], LARGEST_MEAN));
      weight = (1 - floor) * (double)w->share[(k + 1) * SDN_ROWS + r];
      below += weight * sdn_normal_cdf(e);
      dense += weight * a * exp(sdn_normal_ln_pdf(e));
    }
    if (cdf) cdf[r] = below;
    if (ln_q) ln_q[r] = log(dense);
  }
}

/* ------------------------------------------------------------------ draws */

/* The components of one galaxy; the prior is component 0. */
typedef struct draw_work {
  float *mean, *a, *ln_a, *slant;   /* [K + 1][D], [K + 1][D], [K + 1][D], [K + 1][D (D - 1) / 2] */
  float *upper;                     /* [K + 1] running sums of the weights that draws are chosen by */
  float *ln_weight;                 /* [K + 1] of those weights, and of the deviations of the coordinates that are drawn */
  bool known; float value;
  float *part;                      /* [K + 1][SDN_ROWS] */
} draw_work;

static sdn_status draw_new(const sdn_network *net, sdn_arena *arena, void **work, sdn_err *err)
{
  const plan *p = plan_of(net);
  const size_t k = (size_t)p->n_component + 1, d = (size_t)p->n_free;
  draw_work *w = *work = sdn_arena_take(arena, 1, sizeof *w, err);
  if (!w) return err->status;
  const struct { float **to; size_t n; } parts[] = {{&w->mean, k * d}, {&w->a, k * d}, {&w->ln_a, k * d}, {&w->slant, k * (size_t)n_slant(p->n_free) + 1},
                                                    {&w->upper, k}, {&w->ln_weight, k}, {&w->part, k * SDN_ROWS}};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    if (!(*parts[i].to = sdn_arena_take(arena, parts[i].n, sizeof(float), err))) return err->status;
  return SDN_OK;
}

static void read_component(const plan *p, const float *raw, const float *bias, float *mean, float *a, float *ln_a, float *slant)
{
  const int d = p->n_free;
  for (int i = 0; i < d; i++) {
    mean[i] = bend(raw[i] + bias[i], LARGEST_MEAN);
    ln_a[i] = squash(raw[d + i] + bias[d + i]);
    a[i] = sdn_expf(ln_a[i]);
  }
  for (int j = 0; j < n_slant(d); j++) slant[j] = bend(raw[2 * d + j] + bias[2 * d + j], LARGEST_SLANT);
}

static void galaxy(const sdn_network *net, const float *weights, void *work, const float *given, const float *known)
{
  const plan *p = plan_of(net);
  const int n = p->n_component + 1, d = p->n_free, s = n_slant(d);
  const float *bias = sdn_given_bias(net, weights);
  draw_work *w = work;
  double ln_w[MAX_COMPONENT + 1] = {0}, total, sum = 0;
  w->known = known != NULL;
  w->value = known ? *known : 0.0f;
  for (int k = 0; k < n; k++) ln_w[k] = (double)(given[k] + bias[k]);
  total = sdn_ln_sum_exp(n, ln_w);
  for (int k = 0; k < n; k++) ln_w[k] += log1p(-(double)PRIOR_FLOOR) - total;
  ln_w[0] = log(exp(ln_w[0]) + (double)PRIOR_FLOOR);
  memset(w->mean, 0, (size_t)d * sizeof *w->mean);
  memset(w->ln_a, 0, (size_t)d * sizeof *w->ln_a);
  memset(w->slant, 0, (size_t)s * sizeof *w->slant);
  for (int i = 0; i < d; i++) w->a[i] = 1.0f;
  for (int k = 1; k < n; k++) {
    const int at = own_at(p, k - 1, 0);
    read_component(p, given + at, bias + at, w->mean + k * d, w->a + k * d, w->ln_a + k * d, w->slant + k * s);
  }
  for (int k = 0; known && k < n; k++) {
    const double e = (double)(w->a[k * d] * (w->value - w->mean[k * d]));
    ln_w[k] += (double)w->ln_a[k * d] + sdn_normal_ln_pdf(e);
  }
  total = sdn_ln_sum_exp(n, ln_w);
  for (int k = 0; k < n; k++) {
    w->upper[k] = (float)(sum += exp(ln_w[k] - total));
    w->ln_weight[k] = (float)(ln_w[k] - total);
    for (int i = known ? 1 : 0; i < d; i++) w->ln_weight[k] += w->ln_a[k * d + i] - HALF_LN_2PI;
  }
}

/* ln_weight_k - |e|^2 / 2 over the coordinates that are drawn, for all draws z [D][SDN_ROWS]. */
SDN_CLONES
static void draw_part(int d, int begin, const float *mean, const float *a, const float *slant, float ln_weight, const float *z, float *part)
{
  for (int r = 0; r < SDN_ROWS; r++) part[r] = ln_weight;
  for (int i = 0; i < d; i++) {
    float u[SDN_ROWS];
    if (i < begin) continue;
    const float *row = slant + n_slant(i);
#pragma omp simd
    for (int r = 0; r < SDN_ROWS; r++) u[r] = z[i * SDN_ROWS + r] - mean[i];
    for (int j = 0; j < i; j++)
#pragma omp simd
      for (int r = 0; r < SDN_ROWS; r++) u[r] += row[j] * (z[j * SDN_ROWS + r] - mean[j]);
#pragma omp simd
    for (int r = 0; r < SDN_ROWS; r++) part[r] -= 0.5f * a[i] * a[i] * u[r] * u[r];
  }
}

static void draw(const sdn_network *net, const float *weights, void *work, const float *pick, float *y, double *ln_q)
{
  const plan *p = plan_of(net);
  const int n = p->n_component + 1, d = p->n_free, s = n_slant(d), begin = ((const draw_work *)work)->known ? 1 : 0;
  draw_work *w = work;
  float ln_sum[SDN_ROWS];
  (void)weights;
  for (int r = 0; r < SDN_ROWS; r++) {
    int k = 0;
    while (k + 1 < n && !(pick[r] < w->upper[k])) k++;
    const float *mean = w->mean + k * d, *a = w->a + k * d;
    if (begin) y[r] = w->value;
    for (int i = begin; i < d; i++) {
      const float *slant = w->slant + k * s + n_slant(i);
      float z = mean[i] + y[i * SDN_ROWS + r] / a[i];
      for (int j = 0; j < i; j++) z -= slant[j] * (y[j * SDN_ROWS + r] - mean[j]);
      y[i * SDN_ROWS + r] = z;
    }
  }
  for (int k = 0; k < n; k++) draw_part(d, begin, w->mean + k * d, w->a + k * d, w->slant + k * s, w->ln_weight[k], y, w->part + k * SDN_ROWS);
  normalise(n, w->part, w->part, ln_sum);
  for (int r = 0; r < SDN_ROWS; r++) ln_q[r] = (double)ln_sum[r];
}

const sdn_head_ops sdn_head_mixture = {
  .name = "mixture", .picks = true, .make = make, .list_weights = list_weights, .release = release, .initialise = initialise, .work_new = work_new,
  .density = density, .gradient = gradient, .first = first, .draw_new = draw_new, .galaxy = galaxy, .draw = draw};
