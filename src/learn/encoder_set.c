/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The data as a set of tokens: a band each, or, of exchangeable data, a point of arch.exchangeable numbers each. With m_b = 1 where token b is present, else 0,
 *   h_b = m_b silu(W_b x_b + e_b),   h_b' = h_b + m_b silu(U h_b + V s + v) in each of arch.n_token_depth layers,   s = sum_b h_b / sqrt(n_token),
 * and the last s goes through the residual network of mlp.h. A missing token adds nothing anywhere, whatever its features are. Bands have each their own W_b
 * and e_b; exchangeable points have one W and e in common, and their order cannot matter. Zaheer et al. 2017, eq. 4, with layers that mix. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "learn/activation.h"
#include "learn/encoder.h"
#include "learn/mlp.h"

/* Where its weights stand in the table, from net->at_encoder on: W, e, then U, v, V of each layer. */
enum { TOKEN = 0, TOKEN_BIAS = 1, MIX = 2, PER_MIX = 3 };

typedef struct plan {
  int n_token, n_in, n_own;       /* tokens, features of one, tokens with weights of their own */
  sdn_dense token, mix;           /* W_b; U and V have one shape */
  sdn_mlp mlp;
} plan;

typedef struct layer { float *h, *d, *sum; } layer;   /* [n_token][E][SDN_ROWS] units, derivatives; [E][SDN_ROWS] s */

typedef struct set_work {
  float *x, *token, *present;     /* [F][SDN_ROWS], [n_token][n_in][SDN_ROWS], [n_token][SDN_ROWS] */
  layer layer[SDN_MAX_DEPTH + 1];
  float *shared, *turned, *token_turned, *by_sum, *by_h;   /* [E][SDN_ROWS], its transpose, [SDN_ROWS][n_in], [E][SDN_ROWS], [n_token][E][SDN_ROWS] */
  sdn_mlp_work mlp;
} set_work;

static void release(void *of)
{
  plan *p = of;
  if (!p) return;
  sdn_dense_clear(&p->token);
  sdn_dense_clear(&p->mix);
  sdn_mlp_clear(&p->mlp);
  sdn_release(p);
}

static sdn_status check(const sdn_arch *a, sdn_err *err)
{
  if (sdn_check_tokens(a, err) || sdn_check_size("n_token_hidden", a->n_token_hidden, 1, SDN_MAX_WIDTH, err) ||
      sdn_check_size("n_token_depth", a->n_token_depth, 0, SDN_MAX_DEPTH, err))
    return err->status;
  if (a->exchangeable > 0 && a->n_token % a->exchangeable != 0)
    return sdn_fail(err, SDN_RANGE, "%d data are not made of exchangeable points of %d; 'exchangeable' must divide their number", a->n_token, a->exchangeable);
  if (a->n_present >= 0 && a->n_present <= a->n_feature / a->n_token) return SDN_OK;
  return sdn_fail(err, SDN_RANGE, "the feature that tells what is present is number %d of %d", a->n_present, a->n_feature / a->n_token);
}

static sdn_status make(sdn_network *net, sdn_err *err)
{
  const sdn_arch *a = &net->arch;
  if (check(a, err)) return err->status;
  plan *p = net->encoder_plan = sdn_alloc(1, sizeof *p, "an encoder", err);
  if (!p) return err->status;
  p->n_token = a->exchangeable > 0 ? a->n_token / a->exchangeable : a->n_token;
  p->n_own = a->exchangeable > 0 ? 1 : p->n_token;
  p->n_in = a->n_feature / p->n_token;
  const int e = a->n_token_hidden;
  const sdn_dense_shape token = {e, p->n_in, p->n_in, p->n_in, SDN_ROWS}, mix = {e, e, e, e, SDN_ROWS};
  if (sdn_dense_new(&token, &p->token, err) || sdn_dense_new(&mix, &p->mix, err)) return err->status;
  return sdn_mlp_make(a, e, &p->mlp, err);
}

static void list_weights(sdn_network *net)
{
  const sdn_arch *a = &net->arch;
  plan *p = net->encoder_plan;
  const int e = a->n_token_hidden;
  const float gain = 1.0f / sqrtf((float)e);
  char name[48];
  sdn_add_weight(net, "encoder/token", p->n_own * e, p->n_in, 1.0f / sqrtf((float)p->n_in));
  sdn_add_weight(net, "encoder/token_bias", p->n_own * e, 0, 0);
  for (int i = 0; i < a->n_token_depth; i++) {
    snprintf(name, sizeof name, "encoder/mix%d", i);
    sdn_add_weight(net, name, e, e, gain);
    snprintf(name, sizeof name, "encoder/mix%d_bias", i);
    sdn_add_weight(net, name, e, 0, 0);
    snprintf(name, sizeof name, "encoder/mix%d_sum", i);
    sdn_add_weight(net, name, e, e, gain);
  }
  sdn_mlp_list_weights(net, &p->mlp);
}

static sdn_status work_new(const sdn_network *net, sdn_arena *arena, void **out, sdn_err *err)
{
  const plan *p = net->encoder_plan;
  const int e = net->arch.n_token_hidden, all = e * p->n_token;
  set_work *w = *out = sdn_arena_take(arena, 1, sizeof *w, err);
  if (!w) return err->status;
  const struct { float **to; int n; } parts[] = {{&w->x, net->arch.n_feature}, {&w->token, net->arch.n_feature}, {&w->present, p->n_token}, {&w->shared, e},
    {&w->turned, e}, {&w->token_turned, p->n_in}, {&w->by_sum, e}, {&w->by_h, all}};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    if (!(*parts[i].to = sdn_arena_take(arena, (size_t)parts[i].n * SDN_ROWS, sizeof(float), err))) return err->status;
  for (int i = 0; i <= net->arch.n_token_depth; i++) {
    layer *l = &w->layer[i];
    if (!(l->h = sdn_arena_take(arena, (size_t)all * SDN_ROWS, sizeof(float), err)) || !(l->d = sdn_arena_take(arena, (size_t)all * SDN_ROWS, sizeof(float), err)) ||
        !(l->sum = sdn_arena_take(arena, (size_t)e * SDN_ROWS, sizeof(float), err)))
      return err->status;
  }
  return sdn_mlp_work_new(&net->arch, arena, &w->mlp, err);
}

static const float *block(const sdn_network *net, const float *weights, int which) { return weights + net->weight[net->at_encoder + which].offset; }

/* Which tokens are present: their bit, standardised, is negative where it is 0 and some galaxies have 1. A point is present where any of its numbers is. */
static void find_present(const sdn_network *net, const plan *p, const float *x, float *present)
{
  const sdn_arch *a = &net->arch;
  const int group = a->n_token / p->n_token;
  for (int i = 0; i < p->n_token * SDN_ROWS; i++) present[i] = a->n_present == 0;
  for (int b = 0; a->n_present > 0 && b < a->n_token; b++) {
    const float *bit = x + (size_t)((a->n_present - 1) * a->n_token + b) * SDN_ROWS;
    float *to = present + (size_t)(b / group) * SDN_ROWS;
    for (int r = 0; r < SDN_ROWS; r++) to[r] = bit[r] >= 0 ? 1.0f : to[r];
  }
}

/* a [n][SDN_ROWS] *= factor [SDN_ROWS] */
SDN_CLONES
static void times_rows(int n, const float *factor, float *a)
{
  for (int i = 0; i < n; i++)
#pragma omp simd
    for (int r = 0; r < SDN_ROWS; r++) a[(size_t)i * SDN_ROWS + (size_t)r] *= factor[r];
}

/* a [n] (+)= factor b [n] */
SDN_CLONES
static void add_scaled(size_t n, float factor, const float *b, float *a)
{
#pragma omp simd
  for (size_t i = 0; i < n; i++) a[i] += factor * b[i];
}

static void sum_tokens(const plan *p, size_t n, const float *h, float *sum)
{
  memset(sum, 0, n * sizeof *sum);
  for (int b = 0; b < p->n_token; b++) add_scaled(n, 1.0f / sqrtf((float)p->n_token), h + (size_t)b * n, sum);
}

static void forward(const sdn_network *net, const float *weights, void *work, const float *x_t, float *context)
{
  const plan *p = net->encoder_plan;
  const int e = net->arch.n_token_hidden, depth = net->arch.n_token_depth;
  const size_t n = (size_t)e * SDN_ROWS, n_in = (size_t)p->n_in * SDN_ROWS;
  set_work *w = work;
  sdn_transpose(SDN_ROWS, net->arch.n_feature, x_t, w->x);
  find_present(net, p, w->x, w->present);
  sdn_tokens(&net->arch, net->arch.n_token / p->n_token, 0, p->n_token, w->x, w->token);
  for (int b = 0; b < p->n_token; b++) {
    const size_t own = (size_t)(p->n_own > 1 ? b : 0) * (size_t)e, at = (size_t)b * n;
    const layer *l = &w->layer[0];
    sdn_gemm_run(p->token.forward, block(net, weights, TOKEN) + own * (size_t)p->n_in, w->token + (size_t)b * n_in, l->d + at);
    sdn_silu_forward(e, l->d + at, block(net, weights, TOKEN_BIAS) + own, NULL, l->h + at);
    times_rows(e, w->present + b * SDN_ROWS, l->h + at);
    times_rows(e, w->present + b * SDN_ROWS, l->d + at);
  }
  for (int i = 0; i < depth; i++) {
    const layer *l = &w->layer[i], *next = l + 1;
    const int which = MIX + PER_MIX * i;
    sum_tokens(p, n, l->h, l->sum);
    sdn_gemm_run(p->mix.forward, block(net, weights, which + 2), l->sum, w->shared);
    for (int b = 0; b < p->n_token; b++) {
      const size_t at = (size_t)b * n;
      memcpy(next->d + at, w->shared, n * sizeof(float));
      sdn_gemm_run(p->mix.forward_add, block(net, weights, which), l->h + at, next->d + at);
      sdn_silu_forward(e, next->d + at, block(net, weights, which + 1), l->h + at, next->h + at);
      times_rows(e, w->present + b * SDN_ROWS, next->h + at);
      times_rows(e, w->present + b * SDN_ROWS, next->d + at);
    }
  }
  sum_tokens(p, n, w->layer[depth].h, w->layer[depth].sum);
  sdn_mlp_forward(net, &p->mlp, weights, &w->mlp, w->layer[depth].sum, context);
}

/* by_h of every token gets the part that came through their sum. */
static void spread(const plan *p, size_t n, const float *by_sum, float *by_h)
{
  for (int b = 0; b < p->n_token; b++) add_scaled(n, 1.0f / sqrtf((float)p->n_token), by_sum, by_h + (size_t)b * n);
}

static void mix_backward(const sdn_network *net, const plan *p, const float *weights, set_work *w, int i, bool add, float *gradient)
{
  const int e = net->arch.n_token_hidden, which = MIX + PER_MIX * i;
  const size_t n = (size_t)e * SDN_ROWS;
  const layer *l = &w->layer[i], *next = l + 1;
  float *by_mix = gradient + net->weight[net->at_encoder + which].offset, *by_bias = gradient + net->weight[net->at_encoder + which + 1].offset;
  memset(w->shared, 0, n * sizeof(float));
  for (int b = 0; b < p->n_token; b++) {
    float *by = next->d + (size_t)b * n;
    sdn_silu_backward(e, w->by_h + (size_t)b * n, by);
    add_scaled(n, 1, by, w->shared);
    sdn_transpose(e, SDN_ROWS, l->h + (size_t)b * n, w->turned);
    sdn_gemm_run(add || b > 0 ? p->mix.gradient_add : p->mix.gradient, by, w->turned, by_mix);
    sdn_gemm_run(p->mix.backward_add, block(net, weights, which), by, w->by_h + (size_t)b * n);   /* added: h also goes straight on */
  }
  sdn_row_sums(e, w->shared, add, by_bias);
  sdn_transpose(e, SDN_ROWS, l->sum, w->turned);
  sdn_gemm_run(add ? p->mix.gradient_add : p->mix.gradient, w->shared, w->turned, gradient + net->weight[net->at_encoder + which + 2].offset);
  sdn_gemm_run(p->mix.backward, block(net, weights, which + 2), w->shared, w->by_sum);
  spread(p, n, w->by_sum, w->by_h);
}

static void backward(const sdn_network *net, const float *weights, void *work, const float *x_t, const float *by_context, bool add, float *gradient)
{
  const plan *p = net->encoder_plan;
  const int e = net->arch.n_token_hidden, depth = net->arch.n_token_depth;
  const size_t n = (size_t)e * SDN_ROWS, n_in = (size_t)p->n_in * SDN_ROWS;
  set_work *w = work;
  (void)x_t;
  sdn_transpose(e, SDN_ROWS, w->layer[depth].sum, w->turned);
  sdn_mlp_backward(net, &p->mlp, weights, &w->mlp, w->turned, by_context, add, gradient, w->by_sum);
  memset(w->by_h, 0, n * (size_t)p->n_token * sizeof(float));
  spread(p, n, w->by_sum, w->by_h);
  for (int i = depth - 1; i >= 0; i--) mix_backward(net, p, weights, w, i, add, gradient);
  for (int b = 0; b < p->n_token; b++) {
    const size_t own = (size_t)(p->n_own > 1 ? b : 0) * (size_t)e;
    const bool adds = add || (b > 0 && p->n_own == 1);
    float *by = w->layer[0].d + (size_t)b * n;
    sdn_silu_backward(e, w->by_h + (size_t)b * n, by);
    sdn_transpose(p->n_in, SDN_ROWS, w->token + (size_t)b * n_in, w->token_turned);
    sdn_gemm_run(adds ? p->token.gradient_add : p->token.gradient, by, w->token_turned,
                 gradient + net->weight[net->at_encoder + TOKEN].offset + own * (size_t)p->n_in);
    sdn_row_sums(e, by, adds, gradient + net->weight[net->at_encoder + TOKEN_BIAS].offset + own);
  }
}

const sdn_encoder_ops sdn_encoder_set = {
  .name = "set", .make = make, .list_weights = list_weights, .release = release, .work_new = work_new, .forward = forward, .backward = backward};
