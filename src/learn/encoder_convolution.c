/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spectra: strided convolutions along the pixels, data arch.first_pixel .. + arch.n_pixel - 1 in order of wavelength, then, with the features of all other data
 * beside them, the residual network of mlp.h. In each of arch.n_token_depth layers, with h_i [channels] at place i,
 *   h'_j = silu(sum_t W_t h_(2 j + t) + b),   t = 0 .. 4;   beyond the last place h is 0.
 * Places lie one behind the other as [place][channel][SDN_ROWS], so that the five that a window sees are the columns of one matrix product. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "learn/activation.h"
#include "learn/encoder.h"
#include "learn/mlp.h"

#define WIDTH 5
#define STRIDE 2
#define MOST_END 65536

typedef struct plan {
  int n_in;                                /* features of a pixel */
  int n_place[SDN_MAX_DEPTH + 1];          /* pixels, then the places of each layer */
  sdn_dense first, next;                   /* windows of pixels, windows of channels */
  sdn_mlp mlp;
} plan;

typedef struct convolution_work {
  float *x;                                /* [F][SDN_ROWS] */
  float *h[SDN_MAX_DEPTH + 1], *d[SDN_MAX_DEPTH + 1];   /* [places, and zeros behind them][channels][SDN_ROWS]; [places][channels][SDN_ROWS] derivatives of silu */
  float *end, *end_turned, *by_end;        /* [inputs of the residual network][SDN_ROWS], its transpose, its gradient */
  float *window, *by_h, *by_below;         /* [SDN_ROWS][window]; gradients of two layers' h */
  sdn_mlp_work mlp;
} convolution_work;

static void release(void *of)
{
  plan *p = of;
  if (!p) return;
  sdn_dense_clear(&p->first);
  sdn_dense_clear(&p->next);
  sdn_mlp_clear(&p->mlp);
  sdn_release(p);
}

static int channels(const sdn_network *net, int layer)
{
  const plan *p = net->encoder_plan;
  return layer == 0 ? p->n_in : net->arch.n_token_hidden;
}

/* Places that the windows of the layer above reach, at least those that there are. */
static int padded(const plan *p, int layer, int depth)
{
  const int reach = layer < depth ? (p->n_place[layer + 1] - 1) * STRIDE + WIDTH : 0;
  return reach > p->n_place[layer] ? reach : p->n_place[layer];
}

static sdn_status check(const sdn_arch *a, sdn_err *err)
{
  if (sdn_check_tokens(a, err) || sdn_check_size("n_token_hidden", a->n_token_hidden, 1, SDN_MAX_WIDTH / WIDTH, err) ||
      sdn_check_size("n_token_depth", a->n_token_depth, 1, SDN_MAX_DEPTH, err))
    return err->status;
  if (a->first_pixel >= 0 && a->n_pixel >= WIDTH && a->first_pixel <= a->n_token - a->n_pixel) return SDN_OK;
  return sdn_fail(err, SDN_RANGE, "the encoder 'convolution' needs a spectrum of at least %d pixels among the data, and there are %d; use 'mlp'", WIDTH, a->n_pixel);
}

static sdn_status make(sdn_network *net, sdn_err *err)
{
  const sdn_arch *a = &net->arch;
  const int e = a->n_token_hidden, depth = a->n_token_depth;
  if (check(a, err)) return err->status;
  plan *p = net->encoder_plan = sdn_alloc(1, sizeof *p, "an encoder", err);
  if (!p) return err->status;
  p->n_in = a->n_feature / a->n_token;
  p->n_place[0] = a->n_pixel;
  for (int i = 0; i < depth; i++) p->n_place[i + 1] = p->n_place[i] > WIDTH ? (p->n_place[i] - WIDTH + STRIDE - 1) / STRIDE + 1 : 1;
  const int n_first = WIDTH * p->n_in, n_next = WIDTH * e, n_end = p->n_place[depth] * e + (a->n_token - a->n_pixel) * p->n_in;
  if (sdn_check_size("numbers behind the convolutions (a larger n_token_depth makes fewer)", n_end, 1, MOST_END, err)) return err->status;
  const sdn_dense_shape first = {e, n_first, n_first, n_first, SDN_ROWS}, next = {e, n_next, n_next, n_next, SDN_ROWS};
  if (sdn_dense_new(&first, &p->first, err) || sdn_dense_new(&next, &p->next, err)) return err->status;
  return sdn_mlp_make(a, n_end, &p->mlp, err);
}

static void list_weights(sdn_network *net)
{
  plan *p = net->encoder_plan;
  char name[48];
  for (int i = 0; i < net->arch.n_token_depth; i++) {
    const int n_in = WIDTH * channels(net, i);
    snprintf(name, sizeof name, "encoder/convolution%d", i);
    sdn_add_weight(net, name, net->arch.n_token_hidden, n_in, (i > 0 ? SDN_SILU_GAIN : 1.0f) / sqrtf((float)n_in));
    snprintf(name, sizeof name, "encoder/convolution%d_bias", i);
    sdn_add_weight(net, name, net->arch.n_token_hidden, 0, 0);
  }
  sdn_mlp_list_weights(net, &p->mlp);
}

static sdn_status work_new(const sdn_network *net, sdn_arena *arena, void **out, sdn_err *err)
{
  const plan *p = net->encoder_plan;
  const int e = net->arch.n_token_hidden, depth = net->arch.n_token_depth, n_end = p->mlp.n_in;
  convolution_work *w = *out = sdn_arena_take(arena, 1, sizeof *w, err);
  if (!w) return err->status;
  int largest = 0;
  for (int i = 0; i <= depth; i++) {
    const int n = padded(p, i, depth) * channels(net, i);
    if (n > largest) largest = n;
    if (!(w->h[i] = sdn_arena_take(arena, (size_t)n * SDN_ROWS, sizeof(float), err))) return err->status;
    if (!(w->d[i] = sdn_arena_take(arena, (size_t)(p->n_place[i] * e) * SDN_ROWS, sizeof(float), err))) return err->status;
  }
  const int window = WIDTH * (e > p->n_in ? e : p->n_in);
  const struct { float **to; int n; } parts[] = {{&w->x, net->arch.n_feature}, {&w->end, n_end}, {&w->end_turned, n_end}, {&w->by_end, n_end},
    {&w->window, window}, {&w->by_h, largest}, {&w->by_below, largest}};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    if (!(*parts[i].to = sdn_arena_take(arena, (size_t)parts[i].n * SDN_ROWS, sizeof(float), err))) return err->status;
  return sdn_mlp_work_new(&net->arch, arena, &w->mlp, err);
}

static void forward(const sdn_network *net, const float *weights, void *work, const float *x_t, float *context)
{
  const plan *p = net->encoder_plan;
  const sdn_arch *a = &net->arch;
  const int e = a->n_token_hidden, depth = a->n_token_depth, after = a->first_pixel + a->n_pixel;
  convolution_work *w = work;
  sdn_transpose(SDN_ROWS, a->n_feature, x_t, w->x);
  sdn_tokens(a, 1, a->first_pixel, a->n_pixel, w->x, w->h[0]);
  for (int i = 0; i < depth; i++) {
    const sdn_dense *window = i == 0 ? &p->first : &p->next;
    const float *matrix = weights + net->weight[net->at_encoder + 2 * i].offset, *bias = weights + net->weight[net->at_encoder + 2 * i + 1].offset;
    const size_t c = (size_t)channels(net, i) * SDN_ROWS, n = (size_t)e * SDN_ROWS, n_place = (size_t)p->n_place[i];
    memset(w->h[i] + n_place * c, 0, ((size_t)padded(p, i, depth) - n_place) * c * sizeof(float));
    for (size_t j = 0; j < (size_t)p->n_place[i + 1]; j++) {
      sdn_gemm_run(window->forward, matrix, w->h[i] + j * STRIDE * c, w->d[i + 1] + j * n);
      sdn_silu_forward(e, w->d[i + 1] + j * n, bias, NULL, w->h[i + 1] + j * n);
    }
  }
  const size_t n_end = (size_t)(p->n_place[depth] * e) * SDN_ROWS, n_before = (size_t)(a->first_pixel * p->n_in) * SDN_ROWS;
  memcpy(w->end, w->h[depth], n_end * sizeof(float));
  sdn_tokens(a, 1, 0, a->first_pixel, w->x, w->end + n_end);
  sdn_tokens(a, 1, after, a->n_token - after, w->x, w->end + n_end + n_before);
  sdn_mlp_forward(net, &p->mlp, weights, &w->mlp, w->end, context);
}

/* w->by_h, the gradient of layer i + 1's h, becomes that of layer i's. */
static void layer_backward(const sdn_network *net, const plan *p, const float *weights, convolution_work *w, int i, bool add, float *gradient)
{
  const sdn_dense *window = i == 0 ? &p->first : &p->next;
  const int e = net->arch.n_token_hidden, which = net->at_encoder + 2 * i, n_in = WIDTH * channels(net, i);
  const size_t c = (size_t)channels(net, i) * SDN_ROWS, n = (size_t)e * SDN_ROWS;
  float *by_below = w->by_below;
  if (i > 0) memset(by_below, 0, (size_t)padded(p, i, net->arch.n_token_depth) * c * sizeof(float));
  for (size_t j = 0; j < (size_t)p->n_place[i + 1]; j++) {
    const bool adds = add || j > 0;
    float *by = w->d[i + 1] + j * n;
    sdn_silu_backward(e, w->by_h + j * n, by);
    sdn_transpose(n_in, SDN_ROWS, w->h[i] + j * STRIDE * c, w->window);
    sdn_gemm_run(adds ? window->gradient_add : window->gradient, by, w->window, gradient + net->weight[which].offset);
    sdn_row_sums(e, by, adds, gradient + net->weight[which + 1].offset);
    if (i > 0) sdn_gemm_run(window->backward_add, weights + net->weight[which].offset, by, by_below + j * STRIDE * c);
  }
  w->by_below = w->by_h;
  w->by_h = by_below;
}

static void backward(const sdn_network *net, const float *weights, void *work, const float *x_t, const float *by_context, bool add, float *gradient)
{
  const plan *p = net->encoder_plan;
  const int depth = net->arch.n_token_depth;
  convolution_work *w = work;
  (void)x_t;
  sdn_transpose(p->mlp.n_in, SDN_ROWS, w->end, w->end_turned);
  sdn_mlp_backward(net, &p->mlp, weights, &w->mlp, w->end_turned, by_context, add, gradient, w->by_end);
  memcpy(w->by_h, w->by_end, (size_t)(p->n_place[depth] * net->arch.n_token_hidden) * SDN_ROWS * sizeof(float));
  for (int i = depth - 1; i >= 0; i--) layer_backward(net, p, weights, w, i, add, gradient);
}

const sdn_encoder_ops sdn_encoder_convolution = {
  .name = "convolution", .make = make, .list_weights = list_weights, .release = release, .work_new = work_new, .forward = forward, .backward = backward};
