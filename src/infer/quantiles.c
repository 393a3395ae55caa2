/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "infer/quantiles.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SMALL 24            /* runs this short are sorted by insertion */
#define DENSEST_SHARE 0.2   /* of the draws: fewer make the peak noisy, more bridge two peaks */

long sdn_keep_finite(long n, double *x)
{
  long kept = 0;
  for (long i = 0; i < n; i++)
    if (isfinite(x[i]))
      x[kept++] = x[i];
  return kept;
}

static int ascending(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void insertion_sort(double *x, long n)
{
  for (long i = 1; i < n; i++) {
    double value = x[i];
    long j = i;
    for (; j > 0 && x[j - 1] > value; j--)
      x[j] = x[j - 1];
    x[j] = value;
  }
}

static double middle_of_three(double a, double b, double c)
{
  return fmax(fmin(a, b), fmin(fmax(a, b), c));
}

/* Move what is below the pivot (or equals it, when `equal`) to the front; returns how many. No branch depends on the data. */
static long partition(double *x, long n, double pivot, bool equal)
{
  long front = 0;
  for (long i = 0; i < n; i++) {
    double value = x[i];
    bool take = equal ? value <= pivot : value < pivot;
    x[i] = x[front];
    x[front] = value;
    front += take;
  }
  return front;
}

/* Put the values of the given ranks (ascending, relative to x) in their sorted places: quickselect for several ranks at once. After
 * `depth` poor pivots it sorts instead, so that no input is quadratic. */
static void select_ranks(double *x, long n, const long *rank, int n_rank, long offset, int depth)
{
  while (n_rank > 0 && n > SMALL) {
    if (depth-- == 0) {
      qsort(x, (size_t)n, sizeof *x, ascending);
      return;
    }
    double pivot = middle_of_three(x[n / 4], x[n / 2], x[n - 1 - n / 4]);
    long below = partition(x, n, pivot, false);
    long upto = below + partition(x + below, n - below, pivot, true);
    int left = 0, done = 0;
    while (left < n_rank && rank[left] - offset < below)
      left++;
    while (left + done < n_rank && rank[left + done] - offset < upto)
      done++;
    select_ranks(x, below, rank, left, offset, depth);
    rank += left + done, n_rank -= left + done;
    x += upto, n -= upto, offset += upto;
  }
  if (n_rank > 0)
    insertion_sort(x, n);
}

static int depth_limit(long n)
{
  int depth = 8;
  for (; n > 1; n /= 2)
    depth += 2;
  return depth;
}

void sdn_quantiles(long n, double *x, int n_p, const double *p, double *out)
{
  long rank[2 * SDN_MAX_QUANTILE] = {0};
  int n_rank = 0;
  for (int i = 0; i < n_p; i++) {
    long low = (long)floor(p[i] * (double)(n - 1));
    for (long r = low; r <= low + 1 && r < n; r++)
      if (r >= 0 && (n_rank == 0 || r > rank[n_rank - 1]))
        rank[n_rank++] = r;
  }
  select_ranks(x, n, rank, n_rank, 0, depth_limit(n));
  for (int i = 0; i < n_p; i++) {
    double at = p[i] * (double)(n - 1);
    long low = (long)floor(at);
    if (n <= 0)
      out[i] = NAN;
    else
      out[i] = low + 1 < n ? x[low] + (at - (double)low) * (x[low + 1] - x[low]) : x[n - 1];
  }
}

double sdn_median(long n, double *x)
{
  const double half = 0.5;
  double median;
  sdn_quantiles(n, x, 1, &half, &median);
  return median;
}

double sdn_nmad(long n, double *x)
{
  double median = sdn_median(n, x);
  for (long i = 0; i < n; i++)
    x[i] = fabs(x[i] - median);
  return 1.482602218505602 * sdn_median(n, x);   /* 1 / Phi^-1(3/4) */
}

void sdn_mean_std(long n, const double *x, double *mean, double *std)
{
  double sum = 0, square = 0;
  for (long i = 0; i < n; i++)
    sum += x[i];
  *mean = sum / (double)n;
  for (long i = 0; i < n; i++)
    square += (x[i] - *mean) * (x[i] - *mean);
  *std = sqrt(square / (double)n);
}

double sdn_densest(long n, double *x)
{
  if (n <= 0)
    return NAN;
  qsort(x, (size_t)n, sizeof *x, ascending);
  long width = (long)ceil(DENSEST_SHARE * (double)n), first = 0;
  for (long i = 1; i + width <= n; i++)
    if (x[i + width - 1] - x[i] < x[first + width - 1] - x[first])
      first = i;
  double sum = 0;
  for (long i = first; i < first + width; i++)
    sum += x[i] - x[first];
  return x[first] + sum / (double)width;
}

sdn_status sdn_quantiles_parse(const char *text, int *n_p, double *p, sdn_err *err)
{
  *n_p = 0;
  for (const char *at = text; *at;) {
    char *end;
    double percent = strtod(at, &end);
    while (*end == ' ')
      end++;
    if (end == at || (*end && *end != ',') || (*end == ',' && !end[1]) || !(percent >= 0 && percent <= 100))
      return sdn_fail(err, SDN_USAGE, "quantiles \"%s\": \"%s\" does not start with a percentage from 0 to 100; write for example 16,50,84", text, at);
    if (*n_p == SDN_MAX_QUANTILE)
      return sdn_fail(err, SDN_USAGE, "quantiles \"%s\" are more than %d; ask for fewer, or use the samples file", text, SDN_MAX_QUANTILE);
    p[(*n_p)++] = percent / 100;
    at = *end ? end + 1 : end;
  }
  if (*n_p == 0)
    return sdn_fail(err, SDN_USAGE, "quantiles are empty; write percentages such as 16,50,84");
  qsort(p, (size_t)*n_p, sizeof *p, ascending);
  for (int i = 1; i < *n_p; i++)
    if (!(p[i] > p[i - 1]))
      return sdn_fail(err, SDN_USAGE, "quantiles \"%s\" name %g twice; name each once", text, 100 * p[i]);
  return SDN_OK;
}

void sdn_quantile_name(double p, char *name)
{
  snprintf(name, 16, 100 * p < 9.99995 ? "q0%.5g" : "q%.5g", 100 * p);
  char *dot = strchr(name, '.');
  if (dot)
    *dot = '_';
}
