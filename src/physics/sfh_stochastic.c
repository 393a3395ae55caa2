/* SPDX-License-Identifier: GPL-3.0-or-later */
/* log10 SFR = log10 of a base history + a stationary Gaussian process (Iyer+2024), drawn at the bins' middles (steps) or edges (linear: the rate is then a
 * straight line between). Autocovariances of a time difference d:
 *   damped_random_walk   sigma^2 e^(-d/tau)
 *   extended_regulator   sigma_reg^2 [tau_in e^(-d/tau_in) - tau_eq e^(-d/tau_eq)] / (tau_in - tau_eq) + sigma_dyn^2 e^(-d/tau_dyn)   (Tacchella+2020;
 *                        Iyer+2024): gas flowing in and held for a while, and clouds that come and go
 * sigma in dex. Parameters are amplitudes w, independent and standard normal a priori: y = L w with L the lower Cholesky factor of the covariance, youngest
 * time first, so the first amplitude is the present deviation and each later one what the younger ones leave open. All terms are exponentials, for which
 * the factor times w takes O(n) steps (Foreman-Mackey+2017 section 5, real terms). */
#include <string.h>

#include "physics/sfh_bins.h"

#define LN_10 2.302585092994045684
#define N_TERM 3
#define SAME_TAU 1e-4    /* two times nearer than this, relatively, are moved apart; the covariance changes by the square of it */
#define LEAST_VARIANCE 1e-12   /* of the whole: what rounding may make of a value that the others determine */

typedef enum kernel { DAMPED_RANDOM_WALK, EXTENDED_REGULATOR } kernel;
typedef struct stochastic { kernel kernel; bool linear; int first_amplitude, n_amplitude; sdn_sfh_model *base; } stochastic;

enum { SIGMA, TAU, N_WALK };
enum { SIGMA_REG, TAU_EQ, TAU_IN, SIGMA_DYN, TAU_DYN, N_REGULATOR };

static const sdn_sfh_key walk_key[N_WALK] = {
  {{"sigma_dex", "dex", NULL, 0, 10, "scatter of log10 SFR"}, SDN_SFH_REQUIRED},
  {{"tau_gyr", "Gyr", NULL, 1e-6, 1e4, "time after which the rate forgets"}, SDN_SFH_REQUIRED},
};
static const sdn_sfh_key regulator_key[N_REGULATOR] = {
  {{"sigma_reg_dex", "dex", NULL, 0, 10, "scatter of log10 SFR that inflow and gas reservoir make"}, SDN_SFH_REQUIRED},
  {{"tau_eq_gyr", "Gyr", NULL, 1e-6, 1e4, "time in which the gas reservoir comes to equilibrium"}, SDN_SFH_REQUIRED},
  {{"tau_in_gyr", "Gyr", NULL, 1e-6, 1e4, "time after which the inflow forgets"}, SDN_SFH_REQUIRED},
  {{"sigma_dyn_dex", "dex", NULL, 0, 10, "scatter of log10 SFR that molecular clouds make"}, SDN_SFH_REQUIRED},
  {{"tau_dyn_gyr", "Gyr", NULL, 1e-6, 1e4, "life time of molecular clouds"}, SDN_SFH_REQUIRED},
};

static void release(sdn_sfh_model *m)
{
  stochastic *s = m->own;
  if (s) sdn_sfh_model_free(s->base);
  sdn_release(s);
}

static uint64_t hash(const sdn_sfh_model *m, uint64_t seed)
{
  const stochastic *s = m->own;
  return s->base ? sdn_sfh_hash(s->base, seed) : seed;
}

/* One word of two for a key; absent: the first. */
static sdn_status read_word(const sdn_yaml *node, const char *key, const char *first, const char *second, bool *is_second, sdn_err *err)
{
  const char *text = first;
  if (sdn_yaml_text(node, key, false, &text, err)) return err->status;
  *is_second = strcmp(text, second) == 0;
  if (*is_second || strcmp(text, first) == 0) return SDN_OK;
  return sdn_yaml_fail(sdn_yaml_get(node, key), err, "%s '%s' is not known; it is %s or %s", key, text, first, second);
}

static sdn_status add_base(const sdn_yaml *node, sdn_prior *prior, stochastic *s, sdn_err *err)
{
  const sdn_yaml *base = sdn_yaml_get(node, "base");
  if (!base) return SDN_OK;
  if (base->kind != SDN_YAML_MAP) return sdn_yaml_fail(base, err, "base must be a history of its own, as {family: delayed_exponential, ...}");
  if (sdn_prior_scope_enter(prior, "base_", err)) return err->status;
  sdn_status status = sdn_sfh_component_new(base, prior, &s->base, err);
  sdn_prior_scope_leave(prior);
  return status;
}

/* Parameters: those of the kernel, the amplitudes, the edges of the bins. */
static sdn_status add(const sdn_yaml *node, sdn_prior *prior, sdn_sfh_model *m, sdn_err *err)
{
  static const char *const more[] = {"kernel", "shape", "base", "n_bin", "lookback_edges_myr", "amplitudes"};
  static const sdn_param_spec spec = {"amplitudes", "", NULL, -INFINITY, INFINITY, "of the process, independent and standard normal; youngest first"};
  bool regulator, linear;
  stochastic *s = m->own = sdn_alloc(1, sizeof *s, "a stochastic history", err);
  if (!s || read_word(node, "kernel", "damped_random_walk", "extended_regulator", &regulator, err)) return err->status;
  if (read_word(node, "shape", "steps", "linear", &linear, err) || sdn_sfh_count_bins(node, 10, m, err)) return err->status;
  s->kernel = regulator ? EXTENDED_REGULATOR : DAMPED_RANDOM_WALK;
  s->linear = linear;
  s->first_amplitude = regulator ? N_REGULATOR : N_WALK;
  s->n_amplitude = m->n_bin + linear;
  const int first_edge = s->first_amplitude + s->n_amplitude;
  sdn_status status = sdn_sfh_room(m, first_edge + m->n_edge, err);
  if (!status) status = sdn_sfh_add_keys(m, node, prior, s->first_amplitude, regulator ? regulator_key : walk_key, 6, more, err);
  if (!status) status = sdn_sfh_add_numbered(m, s->first_amplitude, prior, &spec, s->n_amplitude, "amplitude_", sdn_yaml_get(node, spec.name),
                                             "{prior: normal, mean: 0, sigma: 1}", err);
  if (!status) status = sdn_sfh_add_edges(m, first_edge, node, prior, err);
  return status ? status : add_base(node, prior, s, err);
}

/* Autocovariance sum_j size_j e^(-d / tau_j). */
typedef struct terms { int n; double size[N_TERM], tau_yr[N_TERM]; } terms;

static sdn_status set_terms(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, terms *t, sdn_err *err)
{
  const stochastic *s = m->own;
  double value[N_REGULATOR];
  for (int i = 0; i < s->first_amplitude; i++) {
    const bool is_sigma = i == SIGMA || i == SIGMA_DYN;
    value[i] = sdn_sfh_value(m, galaxy, i);
    if (!((is_sigma ? value[i] >= 0 : value[i] > 0) && isfinite(value[i])))
      return sdn_fail(err, SDN_RANGE, "%s is %g; it must be %s", m->name[i], value[i], is_sigma ? "0 or more" : "positive");
  }
  const double variance = value[SIGMA] * value[SIGMA];
  if (s->kernel == DAMPED_RANDOM_WALK) {
    *t = (terms){1, {variance}, {value[TAU] * SDN_YR_PER_GYR}};
    return SDN_OK;
  }
  double in = value[TAU_IN], eq = value[TAU_EQ];
  if (fabs(in - eq) < SAME_TAU * eq) {   /* the covariance is the same when they are exchanged */
    in = eq * (1 + 0.5 * SAME_TAU);
    eq = eq * (1 - 0.5 * SAME_TAU);
  }
  *t = (terms){3,
               {variance * in / (in - eq), -variance * eq / (in - eq), value[SIGMA_DYN] * value[SIGMA_DYN]},
               {in * SDN_YR_PER_GYR, eq * SDN_YR_PER_GYR, value[TAU_DYN] * SDN_YR_PER_GYR}};
  return SDN_OK;
}

/* State of the recursion at one time: L's part below the diagonal is U W^T with U_j = size_j e^..., kept as sums that fade from time to time. */
typedef struct recursion { double s[N_TERM][N_TERM], f[N_TERM], w[N_TERM], d, z; } recursion;

/* y [n] = L w for ascending times [n], w in y beforehand. */
static void colour(const terms *t, int n, const double *time_yr, double *y)
{
  recursion r = {.d = 0};
  double whole = 0;
  for (int j = 0; j < t->n; j++) whole += t->size[j];
  for (int i = 0; i < n; i++) {
    double fade[N_TERM] = {0}, us[N_TERM] = {0}, variance = whole, mean = 0;
    for (int j = 0; j < t->n && i > 0; j++) fade[j] = exp((time_yr[i - 1] - time_yr[i]) / t->tau_yr[j]);
    for (int j = 0; j < t->n; j++) {
      for (int k = 0; k < t->n; k++) r.s[j][k] = fade[j] * fade[k] * (r.s[j][k] + r.d * r.w[j] * r.w[k]);
      r.f[j] = fade[j] * (r.f[j] + r.w[j] * r.z);
      mean += t->size[j] * r.f[j];
    }
    for (int j = 0; j < t->n; j++) {
      for (int k = 0; k < t->n; k++) us[j] += t->size[k] * r.s[j][k];
      variance -= t->size[j] * us[j];
    }
    r.d = fmax(variance, LEAST_VARIANCE * whole);
    for (int j = 0; j < t->n; j++) r.w[j] = r.d > 0 ? (1 - us[j]) / r.d : 0;
    r.z = sqrt(r.d) * y[i];
    y[i] = mean + r.z;
  }
}

/* The base history's rate at each time, or its mean in each bin. */
static sdn_status set_base(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, const sdn_sfh *h, double *rate, sdn_err *err)
{
  const stochastic *s = m->own;
  sdn_sfh base;
  if (s->base && sdn_sfh_prepare(s->base, galaxy->params, galaxy->age_universe_yr, galaxy->mass_formed_msun, galaxy->arena, &base, err))
    return sdn_fail_in(err, "the base of a stochastic history");
  for (int k = 0; k < s->n_amplitude; k++) {
    const double young_yr = h->knot_yr[k], old_yr = h->knot_yr[s->linear ? k : k + 1];
    if (!s->base) rate[k] = 1;
    else if (s->linear) rate[k] = sdn_sfh_rate(&base, young_yr);
    else rate[k] = (sdn_sfh_mass_since(&base, old_yr) - sdn_sfh_mass_since(&base, young_yr)) / (old_yr - young_yr);
  }
  return SDN_OK;
}

static sdn_status prepare(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, sdn_sfh *h, sdn_err *err)
{
  const stochastic *s = m->own;
  const int n = s->n_amplitude;
  terms t = {0};
  if (sdn_sfh_set_edges(m, galaxy, h, err) || set_terms(m, galaxy, &t, err)) return err->status;
  double *y = sdn_arena_take(galaxy->arena, 2 * (size_t)n, sizeof *y, err), *time_yr = y ? y + n : NULL, highest = -INFINITY;
  if (!y || set_base(m, galaxy, h, h->knot_rate, err)) return err->status;
  for (int k = 0; k < n; k++) {
    y[k] = sdn_sfh_value(m, galaxy, s->first_amplitude + k);
    time_yr[k] = s->linear ? h->knot_yr[k] : 0.5 * (h->knot_yr[k] + h->knot_yr[k + 1]);
    if (!isfinite(y[k])) return sdn_fail(err, SDN_RANGE, "amplitude_%d is not a finite number", k + 1);
  }
  colour(&t, n, time_yr, y);
  for (int k = 0; k < n; k++) highest = fmax(highest, y[k]);
  for (int k = 0; k < n; k++) h->knot_rate[k] *= exp(LN_10 * (y[k] - highest));
  for (int k = 0; k < m->n_bin && s->linear; k++) h->knot_bend[k] = (h->knot_rate[k + 1] - h->knot_rate[k]) / (h->knot_yr[k + 1] - h->knot_yr[k]);
  return sdn_sfh_close_bins(h, err);
}

const sdn_sfh_ops sdn_sfh_stochastic = {
  .name = "stochastic", .add = add, .release = release, .hash = hash, .prepare = prepare, .mass_since = sdn_pieces_mass, .rate = sdn_pieces_rate,
  .mean_age_yr = sdn_pieces_mean_age_yr, .weights = sdn_pieces_weights,
};
