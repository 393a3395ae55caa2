/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random numbers by name: the generator against its published vectors, normals against a plain double twin and by statistics, Sobol points by
 * the property that defines them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/random.h"
#include "base/special.h"

/* Known answers of Random123's distribution, philox4x32 with 10 rounds (kat_vectors): zeros, ones, digits of pi. */
static void words_are_philox(void **state)
{
  (void)state;
  static const struct { uint64_t seed; uint32_t block, stream; uint64_t row; uint32_t word[4]; } known[] = {
    {0, 0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {UINT64_MAX, UINT32_MAX, UINT32_MAX, UINT64_MAX, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {UINT64_C(0x299f31d0a4093822), 0x243f6a88, 0x85a308d3, UINT64_C(0x0370734413198a2e), {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    sdn_rng rng = sdn_rng_at(known[i].seed, known[i].stream, known[i].row);
    rng.counter[0] = known[i].block;
    for (int w = 0; w < 4; w++) assert_int_equal(sdn_rng_bits(&rng), known[i].word[w]);
  }
}

static void sequences_have_names(void **state)
{
  (void)state;
  sdn_rng a = sdn_rng_at(1, SDN_STREAM_NOISE, 5), b = sdn_rng_at(1, SDN_STREAM_NOISE, 5);
  for (int i = 0; i < 20; i++) assert_int_equal(sdn_rng_bits(&a), sdn_rng_bits(&b));
  const uint32_t reference = sdn_rng_bits(&a);
  sdn_rng other[] = {sdn_rng_at(2, SDN_STREAM_NOISE, 5), sdn_rng_at(1, SDN_STREAM_NOISE + 1, 5), sdn_rng_at(1, SDN_STREAM_NOISE, 6),
                     sdn_rng_at(1, SDN_STREAM_NOISE, 5 + (UINT64_C(1) << 32)), sdn_rng_at(1 + (UINT64_C(1) << 32), SDN_STREAM_NOISE, 5)};
  for (size_t k = 0; k < sizeof other / sizeof *other; k++) {
    for (int i = 0; i < 20; i++) sdn_rng_bits(&other[k]);
    assert_int_not_equal(sdn_rng_bits(&other[k]), reference);
  }
}

/* Kolmogorov's distance between counts in equal cells of probability and the uniform law; 1.95 / sqrt(n) has a chance of 1e-3. */
#define N_CELL 4096
#define KS_LIMIT 1.95

static double kolmogorov(const long *cell, double n)
{
  double sum = 0, worst = 0;
  for (int i = 0; i < N_CELL; i++) {
    sum += (double)cell[i];
    worst = fmax(worst, fabs(sum / n - (i + 1.0) / N_CELL));
  }
  return worst * sqrt(n);
}

static void uniforms_are_uniform(void **state)
{
  (void)state;
  enum { N = 1000000 };
  static long cell[N_CELL];
  memset(cell, 0, sizeof cell);
  sdn_rng rng = sdn_rng_at(2, SDN_STREAM_TEST, 0);
  double product = 0, before = 0.5;
  for (int i = 0; i < N; i++) {
    const double u = sdn_rng_uniform(&rng);
    assert_true(u > 0 && u < 1);
    cell[(int)(u * N_CELL)]++;
    product += (u - 0.5) * (before - 0.5);
    before = u;
  }
  assert_true(kolmogorov(cell, N) < KS_LIMIT);
  assert_true(fabs(product / N) < 4 * (1.0 / 12) / sqrt(N));   /* neighbours are uncorrelated, 4 sigma */
  sdn_rng edge = {.n_left = 2, .word = {0, 0, UINT32_MAX, UINT32_MAX}};
  assert_true(sdn_rng_uniform(&edge) == 1 - 0x1p-53);
  edge = (sdn_rng){.n_left = 2};
  assert_true(sdn_rng_uniform(&edge) == 0x1p-53);
}

/* The same words by Box and Muller in double precision with the C library's functions. */
static void fast_normals_agree_with_plain_ones(void **state)
{
  (void)state;
  enum { N = 400000 };
  float *fast = malloc(N * sizeof *fast);
  sdn_rng rng = sdn_rng_at(3, SDN_STREAM_TEST, 1), words = rng;
  assert_non_null(fast);
  sdn_rng_normals(&rng, N, fast);
  double worst = 0;
  for (int i = 0; i < N; i += 2) {
    const double u = (sdn_rng_bits(&words) + 0.5) * 0x1p-32, angle = 2 * acos(-1.0) * sdn_rng_bits(&words) * 0x1p-32, r = sqrt(-2 * log(u));
    worst = fmax(worst, fmax(fabs((double)fast[i] - r * cos(angle)), fabs((double)fast[i + 1] - r * sin(angle))) / r);
  }
  assert_true(worst < 1e-6);   /* of the radius: measured 2.3e-7 */
  free(fast);
}

/* A generator's words cannot be chosen: the first of very many sequences bring small and large radii. */
static void radius_is_right_at_its_ends(void **state)
{
  (void)state;
  float got[4];
  double least = 9, most = 0;
  for (uint64_t row = 0; row < 300000; row++) {
    sdn_rng rng = sdn_rng_at(4, SDN_STREAM_TEST, row), words = rng;
    sdn_rng_normals(&rng, 4, got);
    const double u = (sdn_rng_bits(&words) + 0.5) * 0x1p-32, r = sqrt(-2 * log(u)), r_got = hypot((double)got[0], (double)got[1]);
    if (!(fabs(r_got / r - 1) < 1e-6)) fail_msg("radius %.9g, expected %.9g", r_got, r);
    least = fmin(least, r);
    most = fmax(most, r);
  }
  assert_true(least < 0.01 && most > 4.7);
}

static void normals_are_normal(void **state)
{
  (void)state;
  enum { N = 10000000, BLOCK = 100000 };
  static long cell[N_CELL];
  static float x[BLOCK];
  double moment[9] = {0}, next = 0, next_square = 0;
  long beyond[3] = {0};
  sdn_rng rng = sdn_rng_at(5, SDN_STREAM_TEST, 0);
  memset(cell, 0, sizeof cell);
  for (int done = 0; done < N; done += BLOCK) {
    sdn_rng_normals(&rng, BLOCK, x);
    for (int i = 0; i < BLOCK; i++) {
      const double v = (double)x[i];
      double power = 1;
      for (int k = 1; k < 9; k++) moment[k] += power *= v;
      for (int k = 0; k < 3; k++) beyond[k] += fabs(v) > 3 + k;
      cell[(int)fmin(sdn_normal_cdf(v) * N_CELL, N_CELL - 1)]++;
      if (i > 0) next += v * (double)x[i - 1], next_square += (v * v - 1) * ((double)x[i - 1] * (double)x[i - 1] - 1);
    }
  }
  static const double expected[9] = {1, 0, 1, 0, 3, 0, 15, 0, 105}, variance[9] = {0, 1, 2, 15, 96, 945, 10170, 135135, 2016000};
  for (int k = 1; k < 9; k++)   /* var(x^k) = E x^2k - (E x^k)^2 */
    if (!(fabs(moment[k] / N - expected[k]) < 4 * sqrt(variance[k] / N))) fail_msg("moment %d is %g", k, moment[k] / N);
  for (int k = 0; k < 3; k++) {
    const double mean = 2 * N * sdn_normal_cdf(-3.0 - k);
    if (!(fabs((double)beyond[k] - mean) < 4 * sqrt(mean) + 1)) fail_msg("%ld beyond %d sigma, expected %.1f", beyond[k], 3 + k, mean);
  }
  assert_true(kolmogorov(cell, N) < KS_LIMIT);
  assert_true(fabs(next / N) < 4 / sqrt(N) && fabs(next_square / N) < 4 * 2 / sqrt(N));   /* neighbours: no link in sign or size */
}

static void longer_calls_begin_with_shorter_ones(void **state)
{
  (void)state;
  float all[1000], part[1000];
  sdn_rng rng = sdn_rng_at(6, SDN_STREAM_TEST, 0);
  sdn_rng_normals(&rng, 1000, all);
  for (long n = 0; n <= 1000; n += n < 10 ? 1 : 123) {
    rng = sdn_rng_at(6, SDN_STREAM_TEST, 0);
    sdn_rng_normals(&rng, n, part);
    assert_memory_equal(part, all, (size_t)n * sizeof *part);
  }
}

static void integers_and_permutations(void **state)
{
  (void)state;
  enum { N = 1000 };
  long count[7] = {0}, order[N], again[N];
  bool seen[N] = {false};
  sdn_rng rng = sdn_rng_at(7, SDN_STREAM_TEST, 0);
  for (int i = 0; i < 70000; i++) count[sdn_rng_below(&rng, 7)]++;
  for (int i = 0; i < 7; i++) assert_true(labs(count[i] - 10000) < 5 * 93);   /* 5 sigma of a binomial */
  assert_int_equal(sdn_rng_below(&rng, 1), 0);
  sdn_random_permutation(8, SDN_STREAM_SHUFFLE + 3, N, order);
  sdn_random_permutation(8, SDN_STREAM_SHUFFLE + 3, N, again);
  assert_memory_equal(order, again, sizeof order);
  long fixed = 0;
  for (int i = 0; i < N; i++) {
    assert_true(order[i] >= 0 && order[i] < N && !seen[order[i]]);
    seen[order[i]] = true;
    fixed += order[i] == i;
  }
  assert_true(fixed < 10);   /* one is expected */
  sdn_random_permutation(8, SDN_STREAM_SHUFFLE + 4, N, again);
  assert_true(memcmp(order, again, sizeof order) != 0);
  double first = 0;   /* every place is as likely: mean of the first entry over many streams */
  for (uint32_t s = 0; s < 2000; s++) {
    sdn_random_permutation(9, SDN_STREAM_SHUFFLE + s, 10, again);
    first += (double)again[0] / 2000;
  }
  assert_true(fabs(first - 4.5) < 4 * 2.87 / sqrt(2000));
}

/* ---- Sobol */

static void every_block_has_one_point_per_stratum(void **state)
{
  (void)state;
  static const uint32_t start[] = {0, 3, 1000};
  double x[SDN_SOBOL_MAX_DIM];
  static bool hit[SDN_SOBOL_MAX_DIM][1024];
  for (uint32_t m = 1; m <= 1024; m *= 4)
    for (int b = 0; b < 3; b++) {
      memset(hit, 0, sizeof hit);
      for (uint32_t i = 0; i < m; i++) {
        sdn_sobol_point(17, start[b] * m + i, SDN_SOBOL_MAX_DIM, x);
        for (int d = 0; d < SDN_SOBOL_MAX_DIM; d++) {
          assert_true(x[d] > 0 && x[d] < 1);
          bool *cell = &hit[d][(int)(x[d] * m)];
          assert_false(*cell);
          *cell = true;
        }
      }
    }
}

static uint32_t cell_of(double x) { return (uint32_t)(x * 0x1p32); }

/* Nested scrambling keeps how many leading binary digits two points share. Those numbers, for point 0 and each of the next 4095 in all 64
 * dimensions, are hashed; the expected hash is that of scipy 1.17's unscrambled qmc.Sobol (its own table of Joe & Kuo), whose point n is ours
 * of index n ^ (n >> 1). */
static void directions_are_those_of_scipy(void **state)
{
  (void)state;
  enum { N = 4096 };
  static double x[N][SDN_SOBOL_MAX_DIM];
  uint64_t hash = 0;
  for (uint32_t n = 0; n < N; n++) sdn_sobol_point(31, n ^ (n >> 1), SDN_SOBOL_MAX_DIM, x[n]);
  for (int d = 0; d < SDN_SOBOL_MAX_DIM; d++)
    for (int n = 1; n < N; n++) {
      unsigned char shared = 0;
      for (uint32_t difference = cell_of(x[0][d]) ^ cell_of(x[n][d]); !(difference >> 31); difference <<= 1) shared++;
      hash = sdn_hash_bytes(&shared, 1, hash);
    }
  assert_true(hash == UINT64_C(0x5fc54883913aad75));
}

/* Points of each elementary interval of two coordinates, 2^a by 2^(bits-a) of them; all must be alike. */
static void check_intervals(int d0, int d1, int bits, int per_interval)
{
  static int count[1 << 12];
  double x[4];
  const uint32_t n = (uint32_t)per_interval << bits;
  for (int a = 0; a <= bits; a++) {
    memset(count, 0, sizeof count);
    for (uint32_t i = 0; i < n; i++) {
      sdn_sobol_point(23, i, 4, x);
      count[((int)(x[d0] * (1 << a)) << (bits - a)) + (int)(x[d1] * (1 << (bits - a)))]++;
    }
    for (int c = 0; c < 1 << bits; c++)
      if (count[c] != per_interval)
        fail_msg("dimensions %d %d, %d + %d bits: %d points in an interval of %d", d0, d1, a, bits - a, count[c], per_interval);
  }
}

/* The quality parameter t of a Sobol' projection is at most the sum of its polynomials' degrees less one each (Sobol' 1967): 0 for the first
 * two dimensions, 1 for 0-2 and 1-2, 2 for 0-3 and 1-3. An interval of volume 2^t / n then holds 2^t points. */
static void pairs_are_nets(void **state)
{
  (void)state;
  check_intervals(0, 1, 10, 1);
  check_intervals(0, 2, 9, 2);
  check_intervals(1, 2, 9, 2);
  check_intervals(0, 3, 8, 4);
  check_intervals(1, 3, 8, 4);
}

static void seeds_scramble_freely(void **state)
{
  (void)state;
  enum { N_SEED = 20000 };
  static long cell[3][N_CELL];
  double x[8], y[8], cross = 0, within = 0;
  memset(cell, 0, sizeof cell);
  for (uint64_t seed = 0; seed < N_SEED; seed++) {   /* over seeds each point is uniform, and points and dimensions are as they should be */
    sdn_sobol_point(seed, 0, 8, x);
    sdn_sobol_point(seed, 5, 8, y);
    cell[0][(int)(x[0] * N_CELL)]++;
    cell[1][(int)(x[7] * N_CELL)]++;
    cell[2][(int)(y[3] * N_CELL)]++;
    cross += (x[1] - 0.5) * (x[6] - 0.5) * 12;
    within += (x[2] - 0.5) * (y[5] - 0.5) * 12;
  }
  for (int k = 0; k < 3; k++) assert_true(kolmogorov(cell[k], N_SEED) < KS_LIMIT);
  assert_true(fabs(cross) < 4 * sqrt(N_SEED) && fabs(within) < 4 * sqrt(N_SEED));
  sdn_sobol_point(1, 77, 8, x);
  sdn_sobol_point(1, 77, 8, y);
  assert_memory_equal(x, y, sizeof x);
  sdn_sobol_point(1, 77, 3, y);   /* a coordinate does not depend on how many are asked for */
  assert_memory_equal(x, y, 3 * sizeof *x);
  sdn_sobol_point(2, 77, 8, y);
  assert_true(memcmp(x, y, sizeof x) != 0);
}

/* Root mean square error over seeds of the mean of a smooth function of six coordinates, exactly 1. */
static double integration_error(uint32_t n)
{
  enum { N_SEED = 24, D = 6 };
  double sum = 0;
  for (uint64_t seed = 100; seed < 100 + N_SEED; seed++) {
    double mean = 0, x[D];
    for (uint32_t i = 0; i < n; i++) {
      double f = 1;
      sdn_sobol_point(seed, i, D, x);
      for (int d = 0; d < D; d++) f *= 1 + (exp(x[d]) - exp(1) + 1) / 2;
      mean += f / n;
    }
    sum += (mean - 1) * (mean - 1) / N_SEED;
  }
  return sqrt(sum);
}

static void integration_beats_chance(void **state)
{
  (void)state;
  const double few = integration_error(1 << 8), many = integration_error(1 << 13);
  const double sigma = sqrt(pow(1 + (exp(2) - 1 - 2 * pow(exp(1) - 1, 2)) / 8, 6) - 1);   /* of f */
  print_message("error %.2g at 2^8, %.2g at 2^13; chance has %.2g\n", few, many, sigma / sqrt(1 << 13));
  assert_true(many < 0.02 * sigma / sqrt(1 << 13));   /* measured 0.0056 */
  assert_true(few / many > 40);                       /* measured 52; 32 times the points: chance gains 5.7, 1/n would gain 32, n^-3/2 181 */
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(words_are_philox),
    cmocka_unit_test(sequences_have_names),
    cmocka_unit_test(uniforms_are_uniform),
    cmocka_unit_test(fast_normals_agree_with_plain_ones),
    cmocka_unit_test(radius_is_right_at_its_ends),
    cmocka_unit_test(normals_are_normal),
    cmocka_unit_test(longer_calls_begin_with_shorter_ones),
    cmocka_unit_test(integers_and_permutations),
    cmocka_unit_test(every_block_has_one_point_per_stratum),
    cmocka_unit_test(directions_are_those_of_scipy),
    cmocka_unit_test(pairs_are_nets),
    cmocka_unit_test(seeds_scramble_freely),
    cmocka_unit_test(integration_beats_chance),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
