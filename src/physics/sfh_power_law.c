/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Double power law in cosmic time t (Carnall+2018 eq. 10), and the same function of lookback time. With v = ln(t/tau), c = alpha + beta, s = e^(c v):
 *   rate  psi = e^(beta v) / (1 + s)
 *   mass  int_0^t psi dt' = (tau / c) int_0^s x^(p-1) / (1+x) dx,   p = (1 + beta) / c
 * and beyond the turn-over, with r = 1/s and q = 1 - p, int r^(q-1) / (1+r) dr. Both integrals come from
 *   K(p, s) = int_0^s x^(p-1) / (1+x) dx = s^p / (p (1+s)) 2F1(1, 1; p+1; s/(1+s)),   s <= 1,
 * whose terms are all positive and fall at least by halves. q may be zero or negative; then 1/(1+x) = 1 - x/(1+x) raises it step by step. */
#include "physics/gauss.h"
#include "physics/sfh_family.h"
#include "physics/vector_math.h"

#define NEGLIGIBLE 45.0    /* e^-45 of the mass or less */

enum { TAU_YR, ALPHA, BETA, V_NOW, COS_POLE };   /* of h->value; V_NOW: ln(age of the Universe / tau) */
enum { TAU, TIME, ALPHA_PARAM, BETA_PARAM, N_PARAM };

static sdn_status add(const sdn_yaml *node, sdn_prior *prior, sdn_sfh_model *m, sdn_err *err)
{
  static const sdn_sfh_key key[N_PARAM] = {
    {{"tau_gyr", "Gyr", NULL, 1e-3, 1e4, "cosmic time of the turn-over"}, 1},
    {{"time_turnover_gyr", "Gyr", NULL, 1e-3, 1e4, "cosmic time of the turn-over"}, 1},
    {{"alpha", "", NULL, 0.01, 1000, "slope of the decline after the turn-over"}, SDN_SFH_REQUIRED},
    {{"beta", "", NULL, 0.01, 1000, "slope of the rise before it"}, SDN_SFH_REQUIRED},
  };
  sdn_status status = sdn_sfh_room(m, N_PARAM, err);
  return status ? status : sdn_sfh_add_keys(m, node, prior, N_PARAM, key, 0, NULL, err);
}

/* 2F1(1, 1; p+1; y), 0 <= y <= 1/2, p > 0. */
static double hypergeometric(double p, double y)
{
  double term = 1, sum = 1;
  for (int k = 0; term > 1e-17 * sum; k++) {
    term *= y * (1 + k) / (p + 1 + k);
    sum += term;
  }
  return sum;
}

/* int_0^v e^(power v') / (1 + e^(c v')) dv' from -infinity to v <= 0, divided by e^(power v). */
static double rising_part(double power, double c, double v)
{
  const double s = exp(c * v);
  return hypergeometric(power / c, s / (1 + s)) / (power * (1 + s));
}

/* e^-shift int_r1^r2 x^(q-1) dx for ln r1 = low < ln r2 = high <= 0; low may be so small that r1 is 0. */
static double power_part(double q, double low, double high, double shift)
{
  const double width = high - low;
  if (fabs(q) * width < 1e-300) return width * exp(-shift);
  return q > 0 ? exp(q * high - shift) * -expm1(-q * width) / q : exp(q * low - shift) * expm1(q * width) / q;
}

/* e^-shift int_r1^r2 x^(q-1) / (1+x) dx. */
static double falling_part(double q, double low, double high, double shift)
{
  double sum = 0, sign = 1;
  for (; q < 0.5; q += 1, sign = -sign) sum += sign * power_part(q, low, high, shift);
  const double r1 = exp(low), r2 = exp(high);
  const double k1 = exp(q * low - shift) / (1 + r1) * hypergeometric(q, r1 / (1 + r1)), k2 = exp(q * high - shift) / (1 + r2) * hypergeometric(q, r2 / (1 + r2));
  return sum + sign * (k2 - k1) / q;
}

/* int t^moment psi dt over the whole history in units of tau^(1+moment) e^((1+beta) v0), v0 the lesser of v now and 0. */
static double whole_integral(const sdn_sfh *h, int moment)
{
  const double beta = h->value[BETA], c = h->value[ALPHA] + beta, v = h->value[V_NOW], v0 = fmin(v, 0), power = 1 + moment + beta;
  double sum = exp(moment * v0) * rising_part(power, c, v0);
  if (v > 0) sum += falling_part(1 - power / c, -c * v, 0, 0) / c;
  return sum;
}

static sdn_status prepare(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, sdn_sfh *h, sdn_err *err)
{
  double *knot_yr;
  for (int i = 0; i < N_PARAM; i++) {
    const double value = sdn_sfh_value(m, galaxy, i);
    if (sdn_sfh_has(m, i) && !(value > 0 && isfinite(value))) return sdn_fail(err, SDN_RANGE, "%s is %g; it must be positive", m->name[i], value);
  }
  if (sdn_sfh_take_knots(h, 3, false, galaxy->arena, &knot_yr, err)) return err->status;
  const double oldest_yr = galaxy->age_universe_yr, tau_yr = SDN_YR_PER_GYR * sdn_sfh_value(m, galaxy, sdn_sfh_has(m, TAU) ? TAU : TIME);
  const double alpha = sdn_sfh_value(m, galaxy, ALPHA_PARAM), beta = sdn_sfh_value(m, galaxy, BETA_PARAM), c = alpha + beta;
  h->value[TAU_YR] = tau_yr;
  h->value[ALPHA] = alpha;
  h->value[BETA] = beta;
  h->value[V_NOW] = log(oldest_yr / tau_yr);
  h->value[COS_POLE] = c > 1 ? cos(3.14159265358979323846 / c) : -1;   /* psi has poles at t = tau e^(+-i pi/c) */
  knot_yr[0] = 0;
  knot_yr[1] = oldest_yr - 0.5 * fmin(tau_yr, oldest_yr);   /* older: psi is t^beta times a smooth function */
  knot_yr[2] = oldest_yr;
  h->norm = whole_integral(h, 0);
  if (h->norm > 0 && isfinite(h->norm)) return SDN_OK;
  return sdn_fail(err, SDN_NUMERIC, "the double power law with turn-over at %g Gyr, alpha %g, beta %g has no finite mass", tau_yr / SDN_YR_PER_GYR, alpha, beta);
}

static double mass_since(const sdn_sfh *h, int segment, double age_yr)
{
  (void)segment;
  const double beta = h->value[BETA], c = h->value[ALPHA] + beta, power = 1 + beta, t_yr = h->age_universe_yr - age_yr;
  if (!(t_yr > 0)) return 1;
  const double v = log(t_yr / h->value[TAU_YR]), v0 = fmin(h->value[V_NOW], 0);
  if (v > 0) return falling_part(1 - power / c, -c * h->value[V_NOW], -c * v, 0) / (c * h->norm);
  return 1 - exp(power * (v - v0)) * rising_part(power, c, v) / h->norm;
}

SDN_CLONES static void rates(const sdn_sfh *h, int n, const double *restrict age_yr, double *restrict rate)
{
  const double oldest_yr = h->age_universe_yr, inverse_tau = 1 / h->value[TAU_YR], alpha = h->value[ALPHA], beta = h->value[BETA], c = alpha + beta;
  const double shift = (1 + beta) * fmin(h->value[V_NOW], 0), scale = inverse_tau / h->norm;
  for (int i = 0; i < n; i++) {
    const double x = (oldest_yr - age_yr[i]) * inverse_tau, v = sdn_vlog(x > 1e-300 ? x : 1e-300);
    const double slope = v < 0 ? beta : -alpha, size = v < 0 ? -v : v;
    const double here = scale * sdn_vexp(slope * v - shift) / (1 + sdn_vexp(-c * size));
    rate[i] = x > 0 ? here : 0;
  }
}

static double rate(const sdn_sfh *h, int segment, double age_yr)
{
  (void)segment;
  double value;
  rates(h, 1, &age_yr, &value);
  return value;
}

static double mean_age_yr(const sdn_sfh *h) { return h->age_universe_yr - h->value[TAU_YR] * whole_integral(h, 1) / h->norm; }

static double reach_yr(const sdn_sfh *h, int segment, double younger_yr, double older_yr)
{
  (void)segment;
  const double tau_yr = h->value[TAU_YR], alpha = h->value[ALPHA], beta = h->value[BETA];
  const double t_yr = h->age_universe_yr - 0.5 * (younger_yr + older_yr), half_yr = 0.5 * (older_yr - younger_yr);
  const double pole_yr = sqrt(t_yr * t_yr + tau_yr * (tau_yr - 2 * t_yr * h->value[COS_POLE]));
  const double local = t_yr < tau_yr ? beta : alpha, steep_yr = local > 4 ? 4 * t_yr / local : t_yr;   /* factors e^4; the origin */
  const double reach = fmin(pole_yr, steep_yr);
  if (reach > 16 * half_yr) return reach;
  const double v_high = log((h->age_universe_yr - younger_yr) / tau_yr), v_low = log((h->age_universe_yr - older_yr) / tau_yr);
  const bool negligible = (1 + beta) * (fmin(h->value[V_NOW], 0) - v_high) > NEGLIGIBLE || (alpha - 1) * v_low > NEGLIGIBLE;
  return negligible ? INFINITY : reach;
}

/* t^beta is no polynomial in ln age: y^3 = t / t_end makes it smooth enough for 12 points. */
static void start(const sdn_sfh *h, double t_end_yr, double *mass, double *moment)
{
  double age_yr[SDN_GAUSS_MAX] = {0}, psi[SDN_GAUSS_MAX] = {0};
  const sdn_gauss *g = &sdn_gauss_rule[SDN_GAUSS_12];
  for (int i = 0; i < g->n; i++) age_yr[i] = h->age_universe_yr - t_end_yr * g->x[i] * g->x[i] * g->x[i];
  rates(h, g->n, age_yr, psi);
  *mass = *moment = 0;
  for (int i = 0; i < g->n; i++) {
    const double y = g->x[i], share = g->w[i] * 3 * t_end_yr * y * y * psi[i];
    *mass += share;
    *moment += share * (h->linear_age ? t_end_yr * y * y * y : -log1p(-t_end_yr * y * y * y / h->age_universe_yr));
  }
}

const sdn_sfh_ops sdn_sfh_power_law = {
  .name = "double_power_law", .add = add, .prepare = prepare, .mass_since = mass_since, .rate = rate, .mean_age_yr = mean_age_yr, .reach_yr = reach_yr,
  .rates = rates, .start = start,
};

/* ------------------------------------------------------------------ the same function of lookback time (Synthesizer's): v = ln(a / turn-over) */

enum { AGE_TURNOVER, AGE_ALPHA, AGE_BETA, AGE_START, AGE_END, N_AGE_PARAM };
enum { V_YOUNG = V_NOW, V_OLD = COS_POLE, LN_TOP };   /* v where star formation ends and begins; ln of the highest a psi between */

static sdn_status add_age(const sdn_yaml *node, sdn_prior *prior, sdn_sfh_model *m, sdn_err *err)
{
  static const sdn_sfh_key key[N_AGE_PARAM] = {
    {{"lookback_turnover_gyr", "Gyr", NULL, 1e-3, 1e4, "lookback time of the turn-over"}, SDN_SFH_REQUIRED},
    {{"alpha", "", NULL, 0.01, 1000, "rate ~ age^-alpha before the turn-over"}, SDN_SFH_REQUIRED},
    {{"beta", "", NULL, 0.01, 1000, "rate ~ age^beta after it"}, SDN_SFH_REQUIRED},
    {{"lookback_start_gyr", "Gyr", NULL, 0, 100, "lookback time at which star formation set in; without it, the Big Bang"}, SDN_SFH_OPTIONAL},
    {{"lookback_end_gyr", "Gyr", NULL, 0, 100, "lookback time at which star formation stopped; without it, it goes on"}, SDN_SFH_OPTIONAL},
  };
  sdn_status status = sdn_sfh_room(m, N_AGE_PARAM, err);
  return status ? status : sdn_sfh_add_keys(m, node, prior, N_AGE_PARAM, key, 0, NULL, err);
}

/* int a^moment psi da between two v in units of turn-over^(1+moment) e^LN_TOP. */
static double age_integral(const sdn_sfh *h, int moment, double v_young, double v_old)
{
  const double beta = h->value[BETA], c = h->value[ALPHA] + beta, power = 1 + moment + beta, top = h->value[LN_TOP];
  double sum = 0;
  if (v_young < 0) {
    const double v = fmin(v_old, 0);
    sum = exp(power * v - top) * rising_part(power, c, v);
    if (v_young > -INFINITY) sum -= exp(power * v_young - top) * rising_part(power, c, v_young);
  }
  if (v_old > 0) sum += falling_part(1 - power / c, -c * v_old, -c * fmax(v_young, 0), top) / c;
  return sum;
}

static sdn_status prepare_age(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, sdn_sfh *h, sdn_err *err)
{
  double start_yr, end_yr, *knot_yr;
  for (int i = AGE_TURNOVER; i <= AGE_BETA; i++) {
    const double value = sdn_sfh_value(m, galaxy, i);
    if (!(value > 0 && isfinite(value))) return sdn_fail(err, SDN_RANGE, "%s is %g; it must be positive", m->name[i], value);
  }
  if (sdn_sfh_window(m, galaxy, AGE_START, AGE_END, &start_yr, &end_yr, err)) return err->status;
  if (sdn_sfh_take_knots(h, 2, false, galaxy->arena, &knot_yr, err)) return err->status;
  const double turnover_yr = SDN_YR_PER_GYR * sdn_sfh_value(m, galaxy, AGE_TURNOVER);
  h->value[TAU_YR] = turnover_yr;
  h->value[ALPHA] = sdn_sfh_value(m, galaxy, AGE_ALPHA);
  h->value[BETA] = sdn_sfh_value(m, galaxy, AGE_BETA);
  const double v_young = h->value[V_YOUNG] = end_yr > 0 ? log(end_yr / turnover_yr) : -INFINITY, v_old = h->value[V_OLD] = log(start_yr / turnover_yr);
  h->value[LN_TOP] = v_old < 0 ? (1 + h->value[BETA]) * v_old : v_young > 0 ? (1 - h->value[ALPHA]) * v_young : 0;
  knot_yr[0] = end_yr;
  knot_yr[1] = start_yr;
  h->norm = age_integral(h, 0, v_young, v_old);
  if (h->norm > 0 && isfinite(h->norm)) return SDN_OK;
  return sdn_fail(err, SDN_NUMERIC, "the double power law with turn-over %g Gyr ago, alpha %g, beta %g has no finite mass", turnover_yr / SDN_YR_PER_GYR,
                  h->value[ALPHA], h->value[BETA]);
}

static double age_mass_since(const sdn_sfh *h, int segment, double age_yr)
{
  (void)segment;
  return age_integral(h, 0, h->value[V_YOUNG], log(age_yr / h->value[TAU_YR])) / h->norm;
}

SDN_CLONES static void age_rates(const sdn_sfh *h, int n, const double *restrict age_yr, double *restrict rate)
{
  const double inverse = 1 / h->value[TAU_YR], alpha = h->value[ALPHA], beta = h->value[BETA], c = alpha + beta, top = h->value[LN_TOP];
  const double scale = inverse / h->norm;
  for (int i = 0; i < n; i++) {
    const double a = age_yr[i] * inverse, v = sdn_vlog(a > 1e-300 ? a : 1e-300), slope = v < 0 ? beta : -alpha, size = v < 0 ? -v : v;
    rate[i] = scale * sdn_vexp(slope * v - top) / (1 + sdn_vexp(-c * size));
  }
}

static double age_rate(const sdn_sfh *h, int segment, double age_yr)
{
  (void)segment;
  double rate;
  age_rates(h, 1, &age_yr, &rate);
  return age_yr > 0 ? rate : 0;
}

static double age_mean_age_yr(const sdn_sfh *h)
{
  return h->value[TAU_YR] * age_integral(h, 1, h->value[V_YOUNG], h->value[V_OLD]) / h->norm;
}

/* In ln a: poles at v = +-i pi/c, and factors e^4 where the slope is steep; in yr, for which the panel asks, by the panel's own ratio of the two. */
static double age_reach_yr(const sdn_sfh *h, int segment, double younger_yr, double older_yr)
{
  (void)segment;
  const double alpha = h->value[ALPHA], beta = h->value[BETA], c = alpha + beta, pi_c = 3.14159265358979323846 / c;
  const double v_low = sdn_vlog(younger_yr / h->value[TAU_YR]), v_high = sdn_vlog(older_yr / h->value[TAU_YR]), v = 0.5 * (v_low + v_high);
  if ((1 + beta) * v_high - h->value[LN_TOP] < -NEGLIGIBLE || (1 - alpha) * v_low - h->value[LN_TOP] < -NEGLIGIBLE) return INFINITY;
  const double pole = sqrt(v * v + pi_c * pi_c), reach = fmin(pole, 4 / (v < 0 ? 1 + beta : 1 + fabs(alpha - 1)));
  return reach * (older_yr - younger_yr) / (v_high - v_low);
}

const sdn_sfh_ops sdn_sfh_power_law_age = {
  .name = "double_power_law_age", .add = add_age, .prepare = prepare_age, .mass_since = age_mass_since, .rate = age_rate, .mean_age_yr = age_mean_age_yr,
  .reach_yr = age_reach_yr, .rates = age_rates,
};
