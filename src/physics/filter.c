/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "physics/filter.h"

#include <math.h>
#include "physics/vector_math.h"
#include <string.h>

#define LIGHT_A_S 2.99792458e18
#define MAX_STEP 0.01   /* largest (l_k+1 - l_k) / l_k of a segment, so that a short series serves for logarithms */
#define MAX_NODE 1000000
#define MAX_WAVE_A 1e12

static sdn_status check_curve(const char *id, int n, const double *wave_A, const double *throughput, sdn_err *err)
{
  if (n < 2) return sdn_fail(err, SDN_USAGE, "filter %s has %d point(s); a curve needs at least two", id, n);
  for (int i = 0; i < n; i++) {
    if (!(wave_A[i] > 0 && wave_A[i] <= MAX_WAVE_A))
      return sdn_fail(err, SDN_USAGE, "filter %s: wavelength %g A (point %d) is outside (0, %g]", id, wave_A[i], i + 1, MAX_WAVE_A);
    if (i > 0 && !(wave_A[i] >= wave_A[i - 1]))
      return sdn_fail(err, SDN_USAGE, "filter %s: wavelength %g A (point %d) is below the one before, %g A; sort the curve", id, wave_A[i], i + 1,
                      wave_A[i - 1]);
    if (!(throughput[i] >= 0 && isfinite(throughput[i])))
      return sdn_fail(err, SDN_USAGE, "filter %s: throughput %g at %g A (point %d) is negative or no number", id, throughput[i], wave_A[i], i + 1);
  }
  return SDN_OK;
}

/* Nodes that the segment from a to b is cut into. */
static int n_piece(double a, double b)
{
  const double n = (log(b) - log(a)) / log1p(MAX_STEP);
  return n > MAX_NODE ? MAX_NODE : n > 1 ? (int)ceil(n) : 1;
}

/* Copies points from..to of a curve, cutting long segments. */
static sdn_status set_nodes(sdn_filter *f, int from, int to, const double *wave_A, const double *throughput, sdn_err *err)
{
  long n = 1;
  for (int i = from; i < to; i++) n += n_piece(wave_A[i], wave_A[i + 1]);
  if (n >= MAX_NODE) return sdn_fail(err, SDN_RANGE, "filter %s needs %ld points, at most %d are kept", f->id, n, MAX_NODE);
  double **const block[] = {&f->wave_A, &f->throughput, &f->slope, &f->inverse_wave, &f->running[0], &f->running[1]};
  for (int i = 0; i < 6; i++)
    if (!(*block[i] = sdn_alloc((size_t)n, sizeof(double), "a filter curve", err))) return err->status;
  for (int i = from; i < to; i++) {
    const int pieces = n_piece(wave_A[i], wave_A[i + 1]);
    for (int p = 0; p < pieces; p++) {
      const double ratio = wave_A[i + 1] / wave_A[i], x = p > 0 ? pow(ratio, (double)p / pieces) : 1, t = p > 0 ? (x - 1) / (ratio - 1) : 0;
      f->wave_A[f->n] = wave_A[i] * x;
      f->throughput[f->n++] = throughput[i] + t * (throughput[i + 1] - throughput[i]);
    }
  }
  f->wave_A[f->n] = wave_A[to];
  f->throughput[f->n++] = throughput[to];
  for (int k = 0; k < f->n; k++) f->inverse_wave[k] = 1 / f->wave_A[k];
  for (int k = 0; k + 1 < f->n; k++) {
    const double width_A = f->wave_A[k + 1] - f->wave_A[k];
    f->slope[k] = width_A > 0 ? (f->throughput[k + 1] - f->throughput[k]) / width_A : 0;
  }
  return SDN_OK;
}

typedef struct moments { double zero, one; } moments;   /* integrals of T w and of T (l - pivot) w */

/* From node k to wavelength x of the segment that begins there. With d = (x - l_k) / l_k, everything is made of
 *   cube = d^2/2 - d + ln(1+d),   square = d - ln(1+d),
 * by their series: no differences of nearly equal numbers, however steep or short the segment. */
static inline moments partial(const sdn_filter *f, int k, double x)
{
  const double l = f->wave_A[k], t = f->throughput[k], rise = f->slope[k] * l, d = (x - l) * f->inverse_wave[k];
  const double d2 = d * d, d4 = d2 * d2;
  const double series = ((1.0 / 3 - d * (1.0 / 4)) + d2 * (1.0 / 5 - d * (1.0 / 6))) + d4 * ((1.0 / 7 - d * (1.0 / 8)) + d2 * (1.0 / 9));
  const double cube = d * d2 * series, square = 0.5 * d2 - cube;
  moments m;
  if (f->photon_counting) {
    m.zero = t * (d - square) + rise * square;
    m.one = (l - f->pivot_A) * m.zero + l * (t * square + rise * cube);
  } else {
    const double u = 1 / (1 + d), once = d2 * u - square, twice = d * d2 * u - 2 * cube;   /* int x/(1+x)^2, int x^2/(1+x)^2 */
    m.zero = (t * d * u + rise * once) * f->inverse_wave[k];
    m.one = (l - f->pivot_A) * m.zero + t * once + rise * twice;
  }
  return m;
}

/* Running integrals about the present pivot_A; returns their ends. */
static moments integrate(sdn_filter *f)
{
  moments sum = {0, 0};
  for (int k = 0; k < f->n; k++) {
    f->running[0][k] = sum.zero;
    f->running[1][k] = sum.one;
    if (k + 1 == f->n) break;
    const moments m = partial(f, k, f->wave_A[k + 1]);
    sum.zero += m.zero;
    sum.one += m.one;
  }
  return sum;
}

/* Bessell & Murphy 2012 eq. A16: pivot^2 = int T l dl / int T dl/l (photons), int T dl / int T dl/l^2 (energy). */
static double pivot_of(sdn_filter *f)
{
  double above = 0;   /* exact for linear T */
  for (int k = 0; k + 1 < f->n; k++) {
    const double a = f->wave_A[k], b = f->wave_A[k + 1], ta = f->throughput[k], tb = f->throughput[k + 1];
    above += f->photon_counting ? (b - a) / 6 * (ta * (2 * a + b) + tb * (a + 2 * b)) : (b - a) / 2 * (ta + tb);
  }
  return sqrt(above / integrate(f).zero);
}

static inline int bin_of(const sdn_filter *f, double x) { return (int)((x - f->low_A) * f->lookup_per_A); }

/* The most nodes of the curve in one bin of a table of n_lookup bins. */
static int fullest_bin(sdn_filter *f, int n_lookup)
{
  int most = 0, bin = -1, here = 0;
  f->n_lookup = n_lookup;
  f->lookup_per_A = n_lookup / (f->high_A - f->low_A);
  for (int k = 0; k < f->n; k++) {
    here = bin_of(f, f->wave_A[k]) == bin ? here + 1 : 1;
    bin = bin_of(f, f->wave_A[k]);
    if (here > most) most = here;
  }
  return most;
}

/* Bin i leads to the last segment that begins in a bin before: bins ascend with wavelength, rounding and all, so the segment sought is that one or one of those that
 * begin in bin i. The table is as fine as leaves one of them, which the vector loop then tries always; jumps and very uneven curves have more. */
static sdn_status make_lookup(sdn_filter *f, sdn_err *err)
{
  const int finest = 32 * f->n;
  int n = 2 * f->n;
  while ((f->n_step = fullest_bin(f, n)) > 1 && n < finest) n *= 2;
  f->lookup = sdn_alloc((size_t)f->n_lookup + 2, sizeof *f->lookup, "a filter curve", err);
  if (!f->lookup) return err->status;
  for (int i = 0, k = 0; i <= f->n_lookup + 1; i++) {
    while (k + 2 < f->n && bin_of(f, f->wave_A[k + 1]) < i) k++;
    f->lookup[i] = k;
  }
  return SDN_OK;
}

sdn_status sdn_filter_new(const char *id, int n, const double *wave_A, const double *throughput, bool photon_counting, sdn_filter **filter, sdn_err *err)
{
  sdn_filter *f = NULL;
  sdn_status status = check_curve(id, n, wave_A, throughput, err);
  if (status) return status;
  int from = 0, to = n - 1;   /* without idle zeros at the ends */
  while (from < n && throughput[from] == 0) from++;
  while (to > from && throughput[to] == 0) to--;
  if (from > 0) from--;
  if (to < n - 1) to++;
  if (from >= to || wave_A[to] <= wave_A[from])
    return sdn_fail(err, SDN_USAGE, "filter %s has no throughput anywhere; give a curve with positive values", id);
  f = sdn_alloc(1, sizeof *f, "a filter", err);
  if (!f) return err->status;
  strncpy(f->id, id, sizeof f->id - 1);
  f->photon_counting = photon_counting;
  status = set_nodes(f, from, to, wave_A, throughput, err);
  if (status) goto done;
  f->low_A = f->wave_A[0];
  f->high_A = f->wave_A[f->n - 1];
  f->pivot_A = pivot_of(f);
  f->norm = integrate(f).zero;
  if (!(f->norm > 0 && isfinite(f->norm))) {
    status = sdn_fail(err, SDN_USAGE, "filter %s: the integral of its throughput is %g; rescale the curve", id, f->norm);
    goto done;
  }
  status = make_lookup(f, err);
  if (status) goto done;
  *filter = f;
  f = NULL;
done:
  sdn_filter_free(f);
  return status;
}

void sdn_filter_free(sdn_filter *f)
{
  if (!f) return;
  sdn_release(f->wave_A);
  sdn_release(f->throughput);
  sdn_release(f->slope);
  sdn_release(f->inverse_wave);
  sdn_release(f->running[0]);
  sdn_release(f->running[1]);
  sdn_release(f->lookup);
  sdn_release(f);
}

/* The segment that holds low_A <= x < high_A. */
static inline int segment_of(const sdn_filter *f, double x)
{
  int k = f->lookup[bin_of(f, x)];
  while (k + 2 < f->n && f->wave_A[k + 1] <= x) k++;
  return k;
}

double sdn_filter_throughput(const sdn_filter *f, double wave_A)
{
  if (!(wave_A >= f->low_A && wave_A <= f->high_A)) return 0;
  if (wave_A == f->high_A) return f->throughput[f->n - 1];
  const int k = segment_of(f, wave_A);
  return f->throughput[k] + f->slope[k] * (wave_A - f->wave_A[k]);
}

double sdn_filter_line_response(const sdn_filter *f, double wave_obs_A)
{
  const double t = sdn_filter_throughput(f, wave_obs_A);
  return (f->photon_counting ? wave_obs_A * t : t) / (LIGHT_A_S * f->norm);
}

/* Running integrals up to any wavelength. */
static inline moments running_at(const sdn_filter *f, double x)
{
  if (x <= f->low_A) return (moments){0, 0};
  if (x >= f->high_A) return (moments){f->running[0][f->n - 1], f->running[1][f->n - 1]};
  const int k = segment_of(f, x);
  moments m = partial(f, k, x);
  m.zero += f->running[0][k];
  m.one += f->running[1][k];
  return m;
}

/* How many nodes have wave_A * stretch < x (or <= x): halved without branches, since where a redshift puts a curve no processor foresees. */
static int n_below(int n, const double *wave_A, double stretch, double x, bool or_equal)
{
  const double *from = wave_A;
  while (n > 0) {
    const int half = (n + 1) / 2;
    const double w = from[half - 1] * stretch;
    from += (w < x) | (or_equal & (w <= x)) ? half : 0;
    n -= half;
  }
  return (int)(from - wave_A);
}

static bool nodes_in_filter(const sdn_filter *f, int n, const double *wave_A, double stretch, int *first, int *last)
{
  if (n < 2 || !(wave_A[0] * stretch <= f->low_A && wave_A[n - 1] * stretch >= f->high_A)) return false;
  *first = n_below(n, wave_A, stretch, f->low_A, true) - 1;
  *last = n_below(n, wave_A, stretch, f->high_A, false) + 1;
  return true;
}

/* A walk over the spectrum's nodes: where it stands, and the running integrals there. */
typedef struct sweep { double x, inverse_norm; moments at; } sweep;

/* Steps to x. Returns what the interval gives to its right-hand node, int T w (l - l_left) / (l_right - l_left), and in *left the rest. */
static inline double next_interval(const sdn_filter *f, sweep *s, double x, double *left)
{
  const moments at = running_at(f, x);
  const double zero = at.zero - s->at.zero, one = at.one - s->at.one, width_A = x - s->x;
  const double right = width_A > 0 ? (one - (s->x - f->pivot_A) * zero) / width_A : 0;
  *left = (zero - right) * s->inverse_norm;
  s->x = x;
  s->at = at;
  return right * s->inverse_norm;
}

bool sdn_filter_weights_double(const sdn_filter *f, int n, const double *wave_A, double stretch, int *first, int *last, double *weight)
{
  if (!nodes_in_filter(f, n, wave_A, stretch, first, last)) return false;
  sweep s = {wave_A[*first] * stretch, 1 / f->norm, {0, 0}};
  double right = 0;
  for (int j = *first; j + 1 < *last; j++) {
    double left;
    const double next = next_interval(f, &s, wave_A[j + 1] * stretch, &left);
    weight[j] = right + left;
    right = next;
  }
  weight[*last - 1] = right;
  return true;
}


/* Segments of many wavelengths at once, within the curve: a table, then as many steps for each as the worst may need, without branches. */
SDN_CLONES static void segments_of(const sdn_filter *f, int n, const double *restrict x, int *restrict segment)
{
  const double *restrict wave = f->wave_A, low_A = f->low_A, per_A = f->lookup_per_A;
  const int *restrict lookup = f->lookup, last = f->n - 2;
#pragma omp simd
  for (int i = 0; i < n; i++) segment[i] = lookup[(int)((x[i] - low_A) * per_A)];
  for (int s = 0; s < f->n_step; s++) {
#pragma omp simd
    for (int i = 0; i < n; i++) segment[i] += (segment[i] < last) & (wave[segment[i] + 1] <= x[i]);
  }
}

SDN_CLONES static void running_many(const sdn_filter *f, int n, const double *restrict x, const int *restrict segment, double *restrict zero, double *restrict one)
{
  const double *restrict wave = f->wave_A, *restrict inverse = f->inverse_wave, *restrict through = f->throughput, *restrict slope = f->slope;
  const double *restrict r0 = f->running[0], *restrict r1 = f->running[1];
  const double pivot = f->pivot_A;
#pragma omp simd
  for (int i = 0; i < n; i++) {
    const int k = segment[i];
    const double l = wave[k], t = through[k], rise = slope[k] * l, d = (x[i] - l) * inverse[k];
    const double d2 = d * d, d4 = d2 * d2;
    const double series = ((1.0 / 3 - d * (1.0 / 4)) + d2 * (1.0 / 5 - d * (1.0 / 6))) + d4 * ((1.0 / 7 - d * (1.0 / 8)) + d2 * (1.0 / 9));
    const double cube = d * d2 * series, square = 0.5 * d2 - cube;
    const double z = t * (d - square) + rise * square;
    zero[i] = z + r0[k];
    one[i] = ((l - pivot) * z + l * (t * square + rise * cube)) + r1[k];
  }
}

SDN_CLONES static void stretch_nodes(const sdn_filter *f, int n, const double *restrict wave_A, double stretch, double *restrict x)
{
  const double low_A = f->low_A, high_A = f->high_A;
#pragma omp simd
  for (int i = 0; i < n; i++) {
    const double w = wave_A[i] * stretch;
    x[i] = w < low_A ? low_A : w > high_A ? high_A : w;
  }
}

/* Interval i from x[i] to x[i+1] gives left[i] and right[i+1]; weight = left + right. */
SDN_CLONES static void share(int n, double inverse_norm, double pivot, const double *restrict x, const double *restrict zero, const double *restrict one, double *restrict left,
                             double *restrict right)
{
#pragma omp simd
  for (int i = 0; i < n; i++) {
    const double z = zero[i + 1] - zero[i], o = one[i + 1] - one[i], width = x[i + 1] - x[i];
    const double r = width > 0 ? (o - (x[i] - pivot) * z) / width : 0;
    left[i] = (z - r) * inverse_norm;
    right[i + 1] = r * inverse_norm;
  }
}

SDN_CLONES static void join(int n, const double *restrict left, const double *restrict right, float *restrict weight)
{
#pragma omp simd
  for (int i = 0; i < n; i++) weight[i] = (float)(left[i] + right[i]);
}

static bool weights_one_by_one(const sdn_filter *f, int n, const double *wave_A, double stretch, int *first, int *last, float *weight)
{
  if (!nodes_in_filter(f, n, wave_A, stretch, first, last)) return false;
  sweep s = {wave_A[*first] * stretch, 1 / f->norm, {0, 0}};
  double right = 0;
  for (int j = *first; j + 1 < *last; j++) {
    double left;
    const double next = next_interval(f, &s, wave_A[j + 1] * stretch, &left);
    weight[j] = (float)(right + left);
    right = next;
  }
  weight[*last - 1] = (float)right;
  return true;
}

#define CHUNK 256
bool sdn_filter_weights(const sdn_filter *f, int n, const double *wave_A, double stretch, int *first, int *last, float *weight)
{
  double x[CHUNK + 1], zero[CHUNK + 1], one[CHUNK + 1];
  double left[CHUNK], right[CHUNK + 1];
  int segment[CHUNK + 1];
  if (!f->photon_counting) return weights_one_by_one(f, n, wave_A, stretch, first, last, weight);
  if (!nodes_in_filter(f, n, wave_A, stretch, first, last)) return false;
  double carry = 0;
  for (int j0 = *first; j0 + 1 < *last; j0 += CHUNK) {
    const int m = *last - 1 - j0 < CHUNK ? *last - 1 - j0 : CHUNK;   /* intervals */
    stretch_nodes(f, m + 1, wave_A + j0, stretch, x);
    segments_of(f, m + 1, x, segment);
    running_many(f, m + 1, x, segment, zero, one);
    x[0] = wave_A[j0] * stretch;
    x[m] = wave_A[j0 + m] * stretch;
    if (x[m] >= f->high_A) {   /* the whole integral, to the last bit */
      zero[m] = f->running[0][f->n - 1];
      one[m] = f->running[1][f->n - 1];
    }
    right[0] = carry;
    share(m, 1 / f->norm, f->pivot_A, x, zero, one, left, right);
    join(m, left, right, weight + j0);
    carry = right[m];
  }
  weight[*last - 1] = (float)carry;
  return true;
}
