/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "physics/cosmology.h"

#include <math.h>
#include <string.h>

#include "physics/gauss.h"

/* Constants: CODATA 2018 and IAU 2012/2015, as in astropy. */
#define LIGHT_KM_S 299792.458
#define KM_PER_MPC 3.0856775814913673e19
#define CM_PER_MPC 3.0856775814913673e24
#define SECOND_PER_YR (365.25 * 86400)
#define GRAVITY_SI 6.6743e-11
#define BOLTZMANN_EV_K 8.617333262145179e-5
#define RADIATION_SI 7.565733250280007e-16      /* 4 sigma / c, J m^-3 K^-4 */

#define Z_MAX 30.0
#define N_STEP 8192                             /* cubic Hermite over steps of 0.0037 in z: error below 4e-9 of distance and age */

typedef struct node { double value, slope; } node;   /* slope: with redshift */

struct sdn_cosmology {
  double h0;                                    /* km/s/Mpc */
  double omega_m, omega_photon, omega_lambda;
  double neutrino_per_photon;                   /* of one species when relativistic; 0: none */
  double neutrino_mass_ratio;                   /* m c^2 / (k T_nu) of the one massive species, today */
  node distance[N_STEP + 1];                    /* line-of-sight comoving, Mpc */
  node age[N_STEP + 1];                         /* yr */
};

/* (H/H0)^2. Neutrinos: Komatsu+2011 eqs 25-26, two massless species and a massive one. */
static double expansion_squared(const sdn_cosmology *c, double z)
{
  const double a = 1 + z;
  const double massive = pow(1 + pow(0.3173 * c->neutrino_mass_ratio / a, 1.83), 1 / 1.83);
  const double radiation = c->omega_photon * (1 + c->neutrino_per_photon * (2 + massive));
  return a * a * a * (c->omega_m + a * radiation) + c->omega_lambda;
}

static void close_universe(sdn_cosmology *c)
{
  c->omega_lambda = 0;
  c->omega_lambda = 1 - expansion_squared(c, 0);
}

static void set_planck18(sdn_cosmology *c)
{
  const double t_cmb = 2.7255, n_eff = 3.046, mass_ev = 0.06, t_neutrino = 0.7137658555036082 * t_cmb;   /* (4/11)^(1/3) */
  c->h0 = 67.66;
  c->omega_m = 0.30966;
  const double rate = c->h0 / KM_PER_MPC, critical = 3 * rate * rate / (8 * 3.14159265358979323846 * GRAVITY_SI);   /* kg m^-3 */
  const double light_m_s = LIGHT_KM_S * 1e3;
  c->omega_photon = RADIATION_SI * t_cmb * t_cmb * t_cmb * t_cmb / (light_m_s * light_m_s * critical);
  c->neutrino_per_photon = 0.22710731766 * n_eff / 3;   /* 7/8 (4/11)^(4/3) per effective species */
  c->neutrino_mass_ratio = mass_ev / (BOLTZMANN_EV_K * t_neutrino);
  close_universe(c);
}

static sdn_status set_flat(sdn_cosmology *c, const sdn_yaml *yaml, sdn_err *err)
{
  static const char *const known[] = {"h0", "omega_m"};
  sdn_status status = sdn_yaml_only_keys(yaml, known, 2, err);
  if (!status) status = sdn_yaml_number(yaml, "h0", true, &c->h0, err);
  if (!status) status = sdn_yaml_number(yaml, "omega_m", true, &c->omega_m, err);
  if (status) return status;
  if (!(c->h0 >= 10 && c->h0 <= 1000)) return sdn_yaml_fail(yaml, err, "h0 %g km/s/Mpc is outside [10, 1000]", c->h0);
  if (!(c->omega_m >= 0.01 && c->omega_m <= 1)) return sdn_yaml_fail(yaml, err, "omega_m %g is outside [0.01, 1]", c->omega_m);
  close_universe(c);
  return SDN_OK;
}

static const sdn_gauss *const rule = &sdn_gauss_rule[SDN_GAUSS_8];   /* for steps across which the integrand hardly bends */

/* Age at Z_MAX in Hubble times: t H0 = int dz / ((1+z) E) to infinity, in x = (1+z)^-1/2, where the integrand is smooth down to 0. */
static double first_age(const sdn_cosmology *c)
{
  enum { N = 32 };
  const double x_end = 1 / sqrt(1 + Z_MAX);
  double sum = 0;
  for (int i = 0; i < N; i++)
    for (int g = 0; g < rule->n; g++) {
      const double x = x_end * (i + rule->x[g]) / N, z = 1 / (x * x) - 1;
      sum += rule->w[g] * 2 / (x * sqrt(expansion_squared(c, z)));   /* dz/(1+z) = -2 dx/x */
    }
  return sum * x_end / N;
}

static void tabulate(sdn_cosmology *c)
{
  const double step = Z_MAX / N_STEP, hubble_Mpc = LIGHT_KM_S / c->h0, hubble_yr = KM_PER_MPC / c->h0 / SECOND_PER_YR;
  for (int i = 0; i <= N_STEP; i++) {
    const double z = i * step, e = sqrt(expansion_squared(c, z));
    c->distance[i].slope = hubble_Mpc / e;
    c->age[i].slope = -hubble_yr / (e * (1 + z));
  }
  c->distance[0].value = 0;
  c->age[N_STEP].value = hubble_yr * first_age(c);
  for (int i = 0; i < N_STEP; i++) {
    double sum = 0;
    for (int g = 0; g < rule->n; g++) sum += rule->w[g] / sqrt(expansion_squared(c, (i + rule->x[g]) * step));
    c->distance[i + 1].value = c->distance[i].value + hubble_Mpc * step * sum;
  }
  for (int i = N_STEP; i > 0; i--) {
    double sum = 0;
    for (int g = 0; g < rule->n; g++) {
      const double z = (i - 1 + rule->x[g]) * step;
      sum += rule->w[g] / ((1 + z) * sqrt(expansion_squared(c, z)));
    }
    c->age[i - 1].value = c->age[i].value + hubble_yr * step * sum;
  }
}

sdn_status sdn_cosmology_new(const sdn_yaml *yaml, sdn_cosmology **cosmology, sdn_err *err)
{
  static const char *const known[] = {"Planck18"};
  sdn_status status = SDN_OK;
  sdn_cosmology *c = sdn_alloc(1, sizeof *c, "a cosmology", err);
  if (!c) return err->status;
  if (!yaml || (yaml->kind == SDN_YAML_SCALAR && strcmp(yaml->text, known[0]) == 0)) {
    set_planck18(c);
  } else if (yaml->kind == SDN_YAML_MAP) {
    status = set_flat(c, yaml, err);
  } else {
    const char *text = yaml->kind == SDN_YAML_SCALAR ? yaml->text : "a list";
    status = sdn_yaml_fail(yaml, err, "unknown cosmology %s; give Planck18 or {h0: , omega_m: }", text);
  }
  if (status) goto done;
  tabulate(c);
  *cosmology = c;
  c = NULL;
done:
  sdn_cosmology_free(c);
  return status;
}

void sdn_cosmology_free(sdn_cosmology *c) { sdn_release(c); }

/* Cubic Hermite interpolation of a table [N_STEP + 1] in redshift; NaN outside. */
static double interpolate(const node *table, double z)
{
  if (!(z >= 0 && z <= Z_MAX)) return NAN;
  const double step = Z_MAX / N_STEP, x = z / step;
  const int i = x < N_STEP - 1 ? (int)x : N_STEP - 1;
  const node *a = &table[i], *b = a + 1;
  const double t = x - i, s = 1 - t;
  return s * s * ((1 + 2 * t) * a->value + t * step * a->slope) + t * t * ((1 + 2 * s) * b->value - s * step * b->slope);
}

double sdn_cosmology_age_yr(const sdn_cosmology *c, double z) { return interpolate(c->age, z); }

double sdn_cosmology_luminosity_distance_Mpc(const sdn_cosmology *c, double z)
{
  return (1 + z) * interpolate(c->distance, z);
}

double sdn_cosmology_njy_per_lnu(const sdn_cosmology *c, double z)
{
  const double per_area = 1 / (4 * 3.14159265358979323846 * CM_PER_MPC * CM_PER_MPC), njy_per_cgs = 1e32;
  if (z >= 0 && z < 1e-6) return per_area * njy_per_cgs / (1e-5 * 1e-5);   /* 10 pc */
  const double distance_Mpc = sdn_cosmology_luminosity_distance_Mpc(c, z);
  return (1 + z) * per_area * njy_per_cgs / (distance_Mpc * distance_Mpc);
}
