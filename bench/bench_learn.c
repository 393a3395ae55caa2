/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The learning engine on one thread: rate of training and of sampling beside the matrix product's own peak, and information gain against time on
 * shared/data/bench/bagpipes_100k.h5 (see its README for what other engines reached; without that file: rates alone, on made-up rows).
 * usage: bench_learn [NAME VALUE]...   options of training by name (n_epoch 18, batch, learning_rate, ...); n_thread 1; fresh_noise 1: noise drawn anew for
 * every epoch, 0: once and for all */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/h5.h"
#include "base/random.h"
#include "base/special.h"
#include "learn/trainer.h"

#define N_HELD_OUT 5000
#define N_GALAXY 64
#define N_DRAW 1024

/* Galaxies of the benchmark: z [n][D], flux [n][B] noise-free, sigma [B]; noise s^2 = sigma^2 + (floor flux)^2. */
typedef struct galaxies { long n, n_free, n_band; float *z, *flux, *sigma; float floor; bool fixed_noise; } galaxies;

static void stop(const sdn_err *err)
{
  fprintf(stderr, "%s\n", err->text);
  exit(1);
}

static double cpu_seconds(void)
{
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *need(void *block, const sdn_err *err)
{
  if (!block) stop(err);
  return block;
}

static float *read_floats(const sdn_h5 *file, const char *name, sdn_h5_shape *shape)
{
  sdn_err err;
  float *values;
  if (sdn_h5_read_float(file, name, &values, shape, &err)) stop(&err);
  return values;
}

static void read_galaxies(const char *path, galaxies *g)
{
  sdn_err err;
  sdn_h5 *file;
  sdn_h5_shape shape, ignored;
  if (sdn_h5_open(path, &file, &err)) stop(&err);
  g->z = read_floats(file, "theta", &shape);
  g->n = shape.dim[0];
  g->n_free = shape.dim[1];
  g->flux = read_floats(file, "flux_nJy", &shape);
  g->n_band = shape.dim[1];
  g->sigma = read_floats(file, "sigma_nJy", &ignored);
  float *low = read_floats(file, "lo", &ignored), *high = read_floats(file, "hi", &ignored);
  double floor;
  if (sdn_h5_get_double(file, "/", "error_floor", &floor, &err)) stop(&err);
  g->floor = (float)floor;
  for (long i = 0; i < g->n * g->n_free; i++) {
    const float a = low[i % g->n_free], b = high[i % g->n_free];
    g->z[i] = (float)sdn_normal_quantile(fmin(fmax((double)(g->z[i] - a) / (double)(b - a), 1e-9), 1 - 1e-7));
  }
  sdn_release(low);
  sdn_release(high);
  if (sdn_h5_close(file, &err)) stop(&err);
}

static void make_galaxies(galaxies *g)
{
  sdn_err err;
  *g = (galaxies){.n = 40000, .n_free = 8, .n_band = 14, .floor = 0.05f};
  g->z = need(sdn_alloc((size_t)(g->n * g->n_free), sizeof(float), "z", &err), &err);
  g->flux = need(sdn_alloc((size_t)(g->n * g->n_band), sizeof(float), "flux", &err), &err);
  g->sigma = need(sdn_alloc((size_t)g->n_band, sizeof(float), "sigma", &err), &err);
  sdn_rng rng = sdn_rng_at(1, SDN_STREAM_TEST, 0);
  sdn_rng_normals(&rng, g->n * g->n_free, g->z);
  for (long b = 0; b < g->n_band; b++) g->sigma[b] = 1;
  for (long i = 0; i < g->n * g->n_band; i++) g->flux[i] = 10 * expf(g->z[i / g->n_band * g->n_free + i % g->n_free] * 0.5f);
}

static sdn_status fill(void *ctx, const sdn_row_range *range, float *x, float *z, sdn_arena *arena, sdn_err *err)
{
  const galaxies *g = ctx;
  const bool train = range->split == SDN_SPLIT_TRAIN, by_place = train && !g->fixed_noise;
  const long first = train ? 0 : g->n - (range->split == SDN_SPLIT_TEST ? 1 : 2) * N_HELD_OUT, b = g->n_band;
  const uint32_t stream = train ? SDN_STREAM_NOISE + (by_place ? (uint32_t)range->epoch : 0) : SDN_STREAM_VALIDATION + (uint32_t)range->epoch;
  float noise[256];
  (void)arena;
  (void)err;
  for (long i = 0; i < range->n; i++) {
    const long row = first + range->row[i];
    sdn_rng rng = sdn_rng_at(1, stream, (uint64_t)(by_place ? range->place + i : row));
    sdn_rng_normals(&rng, b, noise);
    memcpy(z + i * g->n_free, g->z + row * g->n_free, (size_t)g->n_free * sizeof *z);
    for (long k = 0; k < b; k++) {
      const float mu = g->flux[row * b + k], s = g->sigma[k];
      x[i * b + k] = asinhf((mu + sqrtf(s * s + g->floor * g->floor * mu * mu) * noise[k]) / s);
    }
  }
  return SDN_OK;
}

/* Peak of the matrix kernels on this core: a product of the encoder's shape, in cache. */
static double peak_gflops(void)
{
  enum { N = 256 };
  sdn_err err;
  sdn_gemm *g;
  const sdn_gemm_shape shape = {.m = N, .n = SDN_ROWS, .k = N, .lda = N, .ldb = SDN_ROWS, .ldc = SDN_ROWS};
  float *a = need(sdn_alloc(N * N, sizeof *a, "a", &err), &err), *b = need(sdn_alloc(N * SDN_ROWS, sizeof *b, "b", &err), &err);
  float *c = need(sdn_alloc(N * SDN_ROWS, sizeof *c, "c", &err), &err);
  double best = 0;
  if (sdn_gemm_new(&shape, &g, &err)) stop(&err);
  for (int k = 0; k < 5; k++) {
    const double start = cpu_seconds();
    for (int i = 0; i < 5000; i++) sdn_gemm_run(g, a, b, c);
    best = fmax(best, 5000 * 2e-9 * N * N * SDN_ROWS / (cpu_seconds() - start));
  }
  sdn_gemm_free(g);
  sdn_release(a);
  sdn_release(b);
  sdn_release(c);
  return best;
}

/* Multiplications that a row's forward pass needs: all weights, less what the order of coordinates forbids. */
static double useful_macs(const sdn_network *net)
{
  double sum = 0;
  float *ones = malloc(net->n_number * sizeof *ones);
  if (!ones) exit(1);
  for (size_t i = 0; i < net->n_number; i++) ones[i] = 1;
  sdn_network_mask(net, ones);
  for (int i = 0; i < net->n_weight; i++)
    for (long k = 0; k < (long)net->weight[i].n_row * net->weight[i].n_col; k++) sum += (double)ones[net->weight[i].offset + (size_t)k];
  free(ones);
  return sum;
}

static double draw_rate(const sdn_trainer *t)
{
  const sdn_network *net = t->net;
  sdn_err err;
  sdn_arena *arena = need(sdn_arena_new(&err), &err);
  sdn_tile_work tile;
  sdn_draw_work w;
  long row[SDN_ROWS];
  double ln_q[SDN_ROWS];
  for (int i = 0; i < SDN_ROWS; i++) row[i] = i;
  const sdn_row_range range = {.split = SDN_SPLIT_TEST, .n = SDN_ROWS, .row = row};
  float *given = need(sdn_arena_take(arena, (size_t)net->n_given, sizeof *given, &err), &err);
  if (sdn_tile_work_new(net, arena, &tile, &err) || sdn_draw_work_new(net, arena, &w, &err)) stop(&err);
  if (sdn_tile_load(&t->source, &t->scaling, net->arch.n_free, &range, &tile, arena, &err)) stop(&err);
  const double start = cpu_seconds();
  sdn_network_encode(net, t->state.best, &tile);
  for (int galaxy = 0; galaxy < N_GALAXY; galaxy++) {
    for (int i = 0; i < net->n_given; i++) given[i] = tile.given[i * SDN_ROWS + galaxy];
    sdn_draw_galaxy(net, t->state.best, &w, given, NULL);
    for (int draw = 0; draw < N_DRAW; draw += SDN_ROWS) {
      sdn_rng rng = sdn_rng_at(1, SDN_STREAM_POSTERIOR + (uint32_t)draw, (uint64_t)galaxy);
      sdn_rng_normals(&rng, SDN_ROWS * net->arch.n_free, w.y);
      for (int r = 0; sdn_network_picks(net) && r < SDN_ROWS; r++) w.pick[r] = (float)sdn_rng_uniform(&rng);
      sdn_draw(net, t->state.best, &w, ln_q);
    }
  }
  const double seconds = cpu_seconds() - start;
  sdn_arena_free(arena);
  return N_GALAXY * (double)N_DRAW / seconds;
}

static sdn_train_plan make_plan(int argc, char **argv, galaxies *g, sdn_run *run)
{
  sdn_train_options o;
  sdn_err err;
  sdn_knob_defaults(sdn_train_knobs, sdn_n_train_knob, &o);
  o.n_epoch = 18;
  for (int i = 1; i + 1 < argc; i += 2)
    if (strcmp(argv[i], "n_thread") == 0) run->n_thread = atoi(argv[i + 1]);
    else if (strcmp(argv[i], "fresh_noise") == 0) g->fixed_noise = atoi(argv[i + 1]) == 0;
    else if (sdn_knob_set(sdn_train_knobs, sdn_n_train_knob, &o, argv[i], argv[i + 1], &err)) stop(&err);
  sdn_train_plan plan;
  if (sdn_train_plan_of(&o, (int)g->n_free, (int)g->n_band, (int)g->n_band, &plan, &err)) stop(&err);
  return plan;
}

int main(int argc, char **argv)
{
  const char *shared = getenv("SEDNA_SHARED");
  char path[4096];
  galaxies g = {0};
  sdn_err err;
  sdn_trainer *t;
  sdn_run run = {.n_thread = 1};
  double gain, error;
  snprintf(path, sizeof path, "%s/data/bench/bagpipes_100k.h5", shared ? shared : "../shared");
  FILE *f = fopen(path, "rb");
  if (f) fclose(f), read_galaxies(path, &g);
  else make_galaxies(&g), printf("%s is not there: made-up rows, rates alone have a meaning\n", path);
  const sdn_train_plan plan = make_plan(argc, argv, &g, &run);
  const sdn_row_source source = {.ctx = &g, .n = {g.n - 2 * N_HELD_OUT, N_HELD_OUT, N_HELD_OUT}, .fill = fill};
  const double peak = peak_gflops();
  if (sdn_trainer_new(&plan, &source, &run, &t, &err)) stop(&err);
  const double start = cpu_seconds(), start_clock = sdn_seconds();
  if (sdn_trainer_run(t, &err)) stop(&err);
  const double clock = sdn_seconds() - start_clock, seconds = cpu_seconds() - start, rows = (double)(t->state.step * t->plan.batch), macs = useful_macs(t->net);
  if (sdn_trainer_gain(t, t->state.best, SDN_SPLIT_TEST, &gain, &error, &err)) stop(&err);
  const double rate = draw_rate(t);
  printf("network    %zu weights, %.0f multiplications per row\n", t->net->n_number, macs);
  printf("training   %.0f rows/s, %.1f GFLOP/s = %.0f %% of the matrix product's %.1f GFLOP/s\n", rows / seconds, 6e-9 * macs * rows / seconds,
         600e-9 * macs * rows / seconds / peak, peak);
  if (run.n_thread > 1) printf("threads    %d: %.0f rows/s by the clock\n", run.n_thread, rows / clock);
  printf("gain       %.3f +- %.3f nats on %d test galaxies after %ld epochs, %.1f s of processor time\n", gain, error, N_HELD_OUT, t->state.epoch, seconds);
  printf("sampling   %.0f draws/s = %.0f galaxies/s with 1000 draws each\n", rate, rate / 1000);
  sdn_trainer_free(t);
  sdn_release(g.z);
  sdn_release(g.flux);
  sdn_release(g.sigma);
  return 0;
}
