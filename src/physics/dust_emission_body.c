/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Modified black bodies and Casey's law. With x = lambda / 100 um and the shape
 *   g(x, T) = e(x) x^-3 / (exp(hc / lambda k T) - 1),   e = tau (thin) or 1 - exp(-tau),   tau = (lambda0 / lambda)^beta   (lambda0 = 100 um where thin)
 * the light is L_nu = A [g(T_z) - g(T_CMB)], where A makes the unheated dust carry the power: A int g(T) d nu = power. */
#include <gsl/gsl_sf_gamma.h>
#include <gsl/gsl_sf_zeta.h>
#include <math.h>

#include "physics/dust_emission_law.h"
#include "physics/vector_math.h"

#define REFERENCE_A 1e6       /* 100 um */
#define REFERENCE_HZ (SDN_LIGHT_A_S / REFERENCE_A)
#define CMB_K 2.73            /* today, as da Cunha+2013 have it */
#define THIN_TAU 1e-5         /* below it 1 - exp(-tau) is its series to the second order, to 2e-11 */
#define MAX_EXPONENT 700.0
#define POINT_LOW -8.0        /* ln(hc / lambda k T): of the quadrature's first point ... */
#define POINT_STEP 0.1        /* ... and the distance to the next, up to 4.6; below and above lies less than 1e-10 of the light */
#define CHUNK 64
#define MAX_SOLVE 20
#define SOLVED 1e-11          /* of the temperature */

typedef struct shape { bool thick; double beta, ln_tau; } shape;

SDN_INLINE double emissivity(bool thick, double beta, double ln_tau, double ln_x)
{
  const double tau = sdn_vexp(ln_tau - beta * ln_x), whole = 1 - sdn_vexp(-tau), series = tau * (1 - 0.5 * tau);
  return !thick ? tau : tau < THIN_TAU ? series : whole;
}

SDN_INLINE double occupation(double exponent) { return 1 / (sdn_vexp(exponent < MAX_EXPONENT ? exponent : MAX_EXPONENT) - 1); }

SDN_CLONES static void exponentials(int n, double *restrict x)
{
  for (int j = 0; j < n; j++) x[j] = sdn_vexp(x[j]);
}

/* 1 - exp(-tau) in the place of tau. */
SDN_CLONES static void opacities(int n, double *restrict tau)
{
  for (int j = 0; j < n; j++) {
    const double whole = 1 - sdn_vexp(-tau[j]), series = tau[j] * (1 - 0.5 * tau[j]);
    tau[j] = tau[j] < THIN_TAU ? series : whole;
  }
}

void sdn_body_begin(sdn_body *b)
{
  for (int k = 0; k < SDN_BODY_N; k++) {
    const double y = exp(POINT_LOW + POINT_STEP * k);
    b->planck[k] = POINT_STEP * y * y * y * y / expm1(y);
  }
}

/* int g d nu. Thin: (kT/h)^(4+beta) Gamma zeta in units of the reference frequency. Thick: the trapezium in the logarithm of y = hc/lambda k T, whose error
 * falls exponentially with 1/step since both ends fade: 1e-9 (tests/unit/test_dust_emission.c); tau = exp(ln_tau) (y t)^beta there. */
static double integral(const sdn_body *b, const shape *s, double temperature_K)
{
  const double t = temperature_K * REFERENCE_A / SDN_HC_OVER_K_A;
  if (!s->thick) return REFERENCE_HZ * exp(s->ln_tau) * pow(t, 4 + s->beta) * gsl_sf_gamma(4 + s->beta) * gsl_sf_zeta(4 + s->beta);
  const double first = s->ln_tau + s->beta * (log(t) + POINT_LOW);
  double e[SDN_BODY_N], sum = 0;
  for (int k = 0; k < SDN_BODY_N; k++) e[k] = first + s->beta * POINT_STEP * k;
  exponentials(SDN_BODY_N, e);
  opacities(SDN_BODY_N, e);
  for (int k = 0; k < SDN_BODY_N; k++) sum += e[k] * b->planck[k];
  return REFERENCE_HZ * t * t * t * t * sum;
}

/* da Cunha+2013 eq. 12. */
static double thin_heated_K(double temperature_K, double beta, double redshift)
{
  const double p = 4 + beta;
  return pow(pow(temperature_K, p) + pow(CMB_K, p) * (pow(1 + redshift, p) - 1), 1 / p);
}

/* The temperature at which the dust emits what it did at T, and what it takes from the CMB of z beyond today's. */
static double heated_K(const sdn_body *b, const shape *s, double temperature_K, double redshift)
{
  double hot = thin_heated_K(temperature_K, s->beta, redshift), power = 4 + 0.5 * s->beta, last_hot = temperature_K;
  if (!s->thick || !(redshift > 0)) return hot;
  double last = integral(b, s, temperature_K);
  const double target = last + integral(b, s, CMB_K * (1 + redshift)) - integral(b, s, CMB_K);
  for (int k = 0; k < MAX_SOLVE; k++) {   /* secant in the logarithms: the integral is nearly a power of T */
    const double now = integral(b, s, hot);
    if (fabs(log(hot / last_hot)) > 1e-6) power = log(now / last) / log(hot / last_hot);
    last = now;
    last_hot = hot;
    hot *= pow(target / now, 1 / power);
    if (fabs(hot / last_hot - 1) < SOLVED) break;
  }
  return hot;
}

/* Casey 2012 eq. 4 and table 1: where the power law ends, 3/4 of the wavelength at which the black body peaks. */
static double turn_um(double temperature_K, double alpha)
{
  const double slope = 26.68 + 6.246 * alpha;
  return 0.75 / (1 / (slope * slope) + (1.905e-4 + 7.243e-5 * alpha) * temperature_K);
}

/* int (lambda/turn)^alpha exp(-(lambda/turn)^2) d nu from `begin` on = c/turn Gamma((alpha-1)/2, (begin/turn)^2) / 2, as a series: begin << turn. */
static double tail_integral(double alpha, double turn_A)
{
  const double s = 0.5 * (alpha - 1), t = SDN_TAIL_BEGIN_A / turn_A, b = t * t;
  const double below = pow(b, s) * (1 / s - b / (s + 1) + 0.5 * b * b / (s + 2));
  return 0.5 * SDN_LIGHT_A_S / turn_A * (gsl_sf_gamma(s) - below);
}

static double shape_at(const shape *s, double temperature_K, double wave_A)
{
  const double ln_x = log(wave_A / REFERENCE_A);
  return emissivity(s->thick, s->beta, s->ln_tau, ln_x) * exp(-3 * ln_x) * occupation(SDN_HC_OVER_K_A / (wave_A * temperature_K));
}

static shape shape_of(const sdn_body *b, const sdn_body_value *v)
{
  return (shape){b->thick, v->beta, b->thick ? v->beta * log(v->lambda0_um * 1e4 / REFERENCE_A) : 0};
}

double sdn_body_temperature_K(const sdn_body *b, const sdn_body_value *v, double redshift)
{
  const shape s = shape_of(b, v);
  return b->cmb == SDN_CMB_NONE ? v->temperature_K : heated_K(b, &s, v->temperature_K, redshift);
}

void sdn_body_prepare(const sdn_body *b, const sdn_body_value *v, double redshift, sdn_body_light *light)
{
  const shape s = shape_of(b, v);
  const double hot_K = sdn_body_temperature_K(b, v, redshift);
  double whole = integral(b, &s, v->temperature_K), tail = 0;
  *light = (sdn_body_light){.beta = s.beta, .ln_tau = s.ln_tau, .thick = s.thick, .hot_A = SDN_HC_OVER_K_A / hot_K};
  if (b->cmb == SDN_CMB_CONTRAST) light->cold_A = SDN_HC_OVER_K_A / (CMB_K * (1 + redshift));
  if (b->power_law) {
    light->alpha = v->alpha;
    light->turn_A = turn_um(v->temperature_K, v->alpha) * 1e4;
    tail = shape_at(&s, v->temperature_K, light->turn_A);   /* Casey 2012 eq. 3: as high as the black body there */
    whole += tail * tail_integral(v->alpha, light->turn_A);
  }
  light->amplitude = SDN_LSUN_ERG_S / whole;
  light->tail = tail * light->amplitude;
}

SDN_INLINE double light_at(const sdn_body_light *l, double wave_A, double ln_x)
{
  const double e = emissivity(l->thick, l->beta, l->ln_tau, ln_x) * sdn_vexp(-3 * ln_x);
  const double cold = l->cold_A > 0 ? occupation(l->cold_A / wave_A) : 0;
  return l->amplitude * e * (occupation(l->hot_A / wave_A) - cold);
}

SDN_INLINE double tail_at(const sdn_body_light *l, double wave_A)
{
  const double t = wave_A / l->turn_A, inside = wave_A >= SDN_TAIL_BEGIN_A ? 1 : 0;
  return inside * l->tail * sdn_vexp(l->alpha * sdn_vlog(t) - t * t);
}

double sdn_body_lnu(const sdn_body_light *l, double wave_A)
{
  return light_at(l, wave_A, log(wave_A / REFERENCE_A)) + (l->tail > 0 ? tail_at(l, wave_A) : 0);
}

/* 1/(exp(exponent) - 1) in the place of the exponents. */
static void occupations(int n, double hc_over_kT_A, const double *inverse, double *x)
{
  for (int j = 0; j < n; j++) {
    const double exponent = hc_over_kT_A * inverse[j];
    x[j] = exponent < MAX_EXPONENT ? exponent : MAX_EXPONENT;
  }
  exponentials(n, x);
  for (int j = 0; j < n; j++) x[j] = 1 / (x[j] - 1);
}

static void add_body(const sdn_body_light *l, double power, int n, const sdn_body_nodes *at, float *lnu)
{
  double e[CHUNK], hot[CHUNK], cold[CHUNK] = {0};
  for (int j = 0; j < n; j++) e[j] = l->ln_tau - l->beta * at->ln_x[j];
  exponentials(n, e);
  if (l->thick) opacities(n, e);
  occupations(n, l->hot_A, at->inverse, hot);
  if (l->cold_A > 0) occupations(n, l->cold_A, at->inverse, cold);
  for (int j = 0; j < n; j++) lnu[j] += (float)(power * l->amplitude * e[j] * at->cube[j] * (hot[j] - cold[j]));
}

SDN_CLONES static void add_tail(const sdn_body_light *l, double power, int n, const double *restrict wave_A, float *restrict lnu)
{
  for (int j = 0; j < n; j++) lnu[j] += (float)(power * tail_at(l, wave_A[j]));
}

void sdn_body_add(const sdn_body_light *light, double power_lsun, int n, const sdn_body_nodes *nodes, float *lnu)
{
  const sdn_body_light l = *light;   /* a copy the loops cannot write to */
  for (int done = 0; done < n; done += CHUNK) {
    const int part = n - done < CHUNK ? n - done : CHUNK;
    const sdn_body_nodes at = {nodes->wave_A + done, nodes->inverse + done, nodes->ln_x + done, nodes->cube + done};
    add_body(&l, power_lsun, part, &at, lnu + done);
    if (l.tail > 0) add_tail(&l, power_lsun, part, at.wave_A, lnu + done);
  }
}
