/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "physics/census.h"

#include <gsl/gsl_spline.h>
#include <math.h>

#define PI 3.14159265358979323846
#define LOG_Z_SUN (-1.69897000433601880479)   /* log10 0.02: the scale of Gallazzi+2005's models */
#define STEP_GYR 0.005      /* of the integrated history; the rate density grows e-fold in 0.035 Gyr at z = 15, slower later */
#define ONSET_Z 15.0        /* of star formation */
#define MOST_RATIO 5.0      /* dex */

struct sdn_census {
  const sdn_cosmology *cosmology;
  gsl_spline *log_csfrd;            /* log10 over redshift */
  int n;                            /* nodes in cosmic time, STEP_GYR apart, the first at the onset */
  double first_gyr, today_gyr;
  double *rate, *formed;            /* [n] rate density, and its integral from the onset */
};

/* ---- mass and metallicity */

#define N_GALLAZZI 16
static const double gallazzi_mass[N_GALLAZZI] = {8.87, 9.07, 9.27, 9.47, 9.68, 9.87, 10.07, 10.27, 10.47, 10.68, 10.87, 11.07, 11.27, 11.47, 11.68, 11.87};
static const double gallazzi_p50[N_GALLAZZI] = {-0.60, -0.61, -0.65, -0.61, -0.52, -0.41, -0.23, -0.11, -0.01, 0.04, 0.07, 0.10, 0.12, 0.13, 0.14, 0.15};
static const double gallazzi_p16[N_GALLAZZI] = {-1.11, -1.07, -1.10, -1.03, -0.97, -0.90, -0.80, -0.65, -0.41, -0.24, -0.14, -0.09, -0.06, -0.04, -0.03, -0.03};
static const double gallazzi_p84[N_GALLAZZI] = {0.00, 0.00, -0.05, -0.01, 0.05, 0.09, 0.14, 0.17, 0.20, 0.22, 0.24, 0.25, 0.26, 0.28, 0.29, 0.30};

/* Straight between nodes, level beyond. */
static double interpolate(int n, const double *x, const double *y, double at)
{
  int i = 0;
  if (!(at > x[0])) return isnan(at) ? NAN : y[0];
  if (at >= x[n - 1]) return y[n - 1];
  while (at >= x[i + 1]) i++;
  return y[i] + (y[i + 1] - y[i]) * (at - x[i]) / (x[i + 1] - x[i]);
}

double sdn_gallazzi05_mean(double log_mass) { return LOG_Z_SUN + interpolate(N_GALLAZZI, gallazzi_mass, gallazzi_p50, log_mass); }

double sdn_gallazzi05_sigma(double log_mass)
{
  return 0.5 * (interpolate(N_GALLAZZI, gallazzi_mass, gallazzi_p84, log_mass) - interpolate(N_GALLAZZI, gallazzi_mass, gallazzi_p16, log_mass));
}

/* ---- star-forming sequence */

static double quadratic(const double *c, double z) { return c[0] + z * (c[1] + z * c[2]); }

double sdn_leja22_log_ssfr(double log_mass, double redshift)
{
  static const double steep[] = {0.9605, 0.04990, -0.05984}, flat[] = {0.03746, 0.3448, -0.1156}, rate[] = {0.2516, 1.118, -0.2006},
                      turn[] = {10.22, 0.3826, -0.04491};
  const double z = fmin(fmax(redshift, 0.2), 3), x = log_mass - quadratic(turn, z);
  if (isnan(redshift)) return NAN;
  return quadratic(rate, z) + x * quadratic(x > 0 ? flat : steep, z) - log_mass;
}

static double age_gyr(const sdn_census *p, double z) { return sdn_cosmology_age_yr(p->cosmology, z) * 1e-9; }

static double speagle14(const sdn_census *p, double log_mass, double z)
{
  const double t = age_gyr(p, z);
  return (0.84 - 0.026 * t) * log_mass - (6.51 - 0.11 * t) - log_mass;
}

/* ---- cosmic star formation */

/* Behroozi+2019: about every fifth or tenth line of the table that comes with Prospector; log10 of it by a cubic spline is within 1 % of the rest. */
#define N_CSFRD 39
static const double csfrd_z[N_CSFRD] = {0,   0.06, 0.12, 0.18, 0.3, 0.6, 0.9, 1.2, 1.5, 1.8, 2.1, 2.4, 2.7, 3,  3.3, 3.6, 3.9, 4.2, 4.5, 4.8, 5.1,
                                        5.4, 5.7, 6,   6.6, 7.2, 7.8, 8.4, 9,   9.6, 10.2, 10.8, 11.4, 12, 12.6, 13.2, 13.8, 14.4, 15};
static const double csfrd[N_CSFRD] = {1.19349e-2, 1.26376e-2, 1.39273e-2, 1.56429e-2, 1.98791e-2, 3.35672e-2, 4.94148e-2, 6.21363e-2, 6.74930e-2, 6.59945e-2, 6.02539e-2, 5.33983e-2,
                                      4.68887e-2, 4.14930e-2, 3.69033e-2, 3.27996e-2, 2.90727e-2, 2.59048e-2, 2.29612e-2, 2.03070e-2, 1.79150e-2,
                                      1.58160e-2, 1.39959e-2, 1.23458e-2, 9.53077e-3, 7.30039e-3, 5.52599e-3, 4.00074e-3, 2.79673e-3, 1.89073e-3,
                                      1.26217e-3, 8.11183e-4, 5.31554e-4, 3.42094e-4, 2.01357e-4, 1.10270e-4, 4.92906e-5, 1.76762e-5, 5.31491e-6};

double sdn_census_csfrd(const sdn_census *p, double redshift)
{
  if (!(redshift >= 0 && redshift <= ONSET_Z)) return NAN;
  return pow(10, gsl_spline_eval(p->log_csfrd, redshift, NULL));
}

/* Redshift at an age of the Universe between the onset's and today's, by halving. */
static double redshift_at(const sdn_census *p, double gyr)
{
  double low = 0, high = ONSET_Z;
  for (int i = 0; i < 50; i++) {
    const double z = 0.5 * (low + high);
    if (age_gyr(p, z) > gyr) low = z;
    else high = z;
  }
  return 0.5 * (low + high);
}

/* Simpson's rule over each step. */
static sdn_status integrate_history(sdn_census *p, sdn_err *err)
{
  p->first_gyr = age_gyr(p, ONSET_Z);
  p->today_gyr = age_gyr(p, 0);
  p->n = (int)ceil((p->today_gyr - p->first_gyr) / STEP_GYR) + 1;
  p->rate = sdn_alloc((size_t)p->n, sizeof *p->rate, "the cosmic star formation history", err);
  p->formed = p->rate ? sdn_alloc((size_t)p->n, sizeof *p->formed, "the cosmic star formation history", err) : NULL;
  if (!p->formed) return err->status;
  double middle = 0;
  for (int i = 0; i < p->n; i++) {
    const double gyr = p->first_gyr + i * STEP_GYR;
    p->rate[i] = sdn_census_csfrd(p, redshift_at(p, gyr));
    if (i > 0) p->formed[i] = p->formed[i - 1] + STEP_GYR / 6 * (p->rate[i - 1] + 4 * middle + p->rate[i]);
    middle = sdn_census_csfrd(p, redshift_at(p, gyr + 0.5 * STEP_GYR));
  }
  return SDN_OK;
}

/* Formed from the onset to an age of the Universe; the rate is straight within a step. */
static double formed_by(const sdn_census *p, double gyr)
{
  const double steps = fmax((gyr - p->first_gyr) / STEP_GYR, 0);
  const int i = steps < p->n - 2 ? (int)steps : p->n - 2;
  const double t = fmin(steps - i, 1), a = p->rate[i], b = p->rate[i + 1], whole = 0.5 * (a + b);
  return p->formed[i] + (p->formed[i + 1] - p->formed[i]) * t * (a + 0.5 * t * (b - a)) / whole;
}

/* Edge k = 0 .. n_bin of the bins that begin at an age of the Universe, as lookback time from today. */
static double bin_edge(const sdn_census *p, double start_gyr, int n_bin, int k)
{
  const double start = p->today_gyr - start_gyr, end = p->today_gyr - p->first_gyr, last = end - 0.1 * (end - start);
  const bool late = start_gyr >= age_gyr(p, 3);
  const int first_even = late ? 2 : 1;
  const double from = late ? start + 0.13 : start + pow(10, 7.1295 - 9);
  if (k == 0) return start;
  if (k == n_bin) return end;
  if (k < first_even) return start + 0.03;
  return from * pow(last / from, (double)(k - first_even) / (n_bin - 1 - first_even));
}

/* x: pair, n_bin, redshift, log_mass */
static double csfrd_log_ratio(const void *ctx, const double *x)
{
  const sdn_census *p = ctx;
  const int pair = (int)x[0], n_bin = (int)x[1];
  if (!(n_bin == x[1] && pair == x[0] && n_bin >= 4 && pair >= 1 && pair < n_bin)) return NAN;
  const double shift_dex = -0.2 + (fmin(fmax(x[3], 9), 12) - 9) / 3;
  const double start = fmin(fmax(age_gyr(p, x[2]) * pow(10, shift_dex), age_gyr(p, 10)), age_gyr(p, 0.15));
  if (!isfinite(start) || isnan(x[2]) || isnan(x[3])) return NAN;
  double edge[3], formed[3];
  for (int k = 0; k < 3; k++) {
    edge[k] = bin_edge(p, start, n_bin, pair - 1 + k);
    formed[k] = formed_by(p, p->today_gyr - edge[k]);
  }
  const double ratio = log10((formed[0] - formed[1]) / (edge[1] - edge[0]) * (edge[2] - edge[1]) / (formed[1] - formed[2]));
  return fmin(fmax(ratio, -MOST_RATIO), MOST_RATIO);
}

/* ---- as functions of formulas */

static double call_age(const void *ctx, double z) { return age_gyr(ctx, z); }

static double distance_mpc(const sdn_census *p, double z) { return sdn_cosmology_luminosity_distance_Mpc(p->cosmology, z) / (1 + z); }

/* The slope by central differences of four points: error below 1e-9. */
static double call_volume(const void *ctx, double z)
{
  const sdn_census *p = ctx;
  const double h = fmin(1e-2, 0.25 * z);
  if (!(z > 0)) return z <= 0 ? 0 : NAN;
  const double near = distance_mpc(p, z + h) - distance_mpc(p, z - h), far = distance_mpc(p, z + 2 * h) - distance_mpc(p, z - 2 * h), d = distance_mpc(p, z);
  return 4 * PI * d * d * (8 * near - far) / (12 * h);
}

static double call_mean(const void *ctx, double log_mass) { return (void)ctx, sdn_gallazzi05_mean(log_mass); }
static double call_sigma(const void *ctx, double log_mass) { return (void)ctx, sdn_gallazzi05_sigma(log_mass); }
static double call_leja22(const void *ctx, const double *x) { return (void)ctx, sdn_leja22_log_ssfr(x[0], x[1]); }
static double call_speagle14(const void *ctx, const double *x) { return speagle14(ctx, x[0], x[1]); }

static double call_sequence(const void *ctx, const double *x)
{
  const double change = x[1] > 3 ? speagle14(ctx, x[0], x[1]) - speagle14(ctx, x[0], 3) : 0;
  return sdn_leja22_log_ssfr(x[0], x[1]) + change;
}

static sdn_status add_functions(const sdn_census *p, sdn_prior *prior, sdn_err *err)
{
  static const struct { const char *name; double (*fn)(const void *ctx, double x); } one[] = {
    {"age_universe_gyr", call_age}, {"comoving_volume_mpc3", call_volume}, {"gallazzi05_mean", call_mean}, {"gallazzi05_sigma", call_sigma},
  };
  static const struct { const char *name; int n; double (*fn)(const void *ctx, const double *x); } more[] = {
    {"leja22_log_ssfr", 2, call_leja22}, {"speagle14_log_ssfr", 2, call_speagle14}, {"main_sequence_log_ssfr", 2, call_sequence}, {"csfrd_log_ratio", 4, csfrd_log_ratio},
  };
  for (size_t i = 0; i < sizeof one / sizeof *one; i++)
    if (sdn_prior_add_function(prior, one[i].name, one[i].fn, p, err)) return err->status;
  for (size_t i = 0; i < sizeof more / sizeof *more; i++)
    if (sdn_prior_add_function_n(prior, more[i].name, more[i].n, more[i].fn, p, err)) return err->status;
  return SDN_OK;
}

sdn_status sdn_census_new(const sdn_cosmology *cosmology, sdn_prior *prior, sdn_census **out, sdn_err *err)
{
  double log_csfrd[N_CSFRD];
  *out = NULL;
  sdn_census *p = sdn_alloc(1, sizeof *p, "the galaxy population", err);
  if (!p) return err->status;
  sdn_status status = SDN_OK;
  p->cosmology = cosmology;
  for (int i = 0; i < N_CSFRD; i++) log_csfrd[i] = log10(csfrd[i]);
  if (!(p->log_csfrd = gsl_spline_alloc(gsl_interp_cspline, N_CSFRD)) || gsl_spline_init(p->log_csfrd, csfrd_z, log_csfrd, N_CSFRD))
    status = sdn_fail(err, SDN_MEMORY, "no memory for the cosmic star formation history");
  if (!status) status = integrate_history(p, err);
  if (!status) status = add_functions(p, prior, err);
  if (status) goto done;
  *out = p;
  p = NULL;
done:
  sdn_census_free(p);
  return status;
}

void sdn_census_free(sdn_census *p)
{
  if (!p) return;
  if (p->log_csfrd) gsl_spline_free(p->log_csfrd);
  sdn_release(p->rate);
  sdn_release(p->formed);
  sdn_release(p);
}
