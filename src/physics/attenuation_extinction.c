/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Extinction curves of the Milky Way and the Magellanic Clouds, used as attenuation curves. x = 1 / wavelength [1/um]. */
#include <math.h>

#include "physics/attenuation_law.h"

void sdn_dust_spline_bend(int n, const double *x, const double *y, double *bend)
{
  double *share = bend;   /* forward sweep of the tridiagonal system leaves what each bend takes of the next; then back */
  double rest[SDN_DUST_MAX_KNOT];
  share[0] = rest[0] = 0;
  for (int i = 1; i < n - 1; i++) {
    const double left = (x[i] - x[i - 1]) / (x[i + 1] - x[i - 1]), pivot = left * share[i - 1] + 2;
    const double kink = (y[i + 1] - y[i]) / (x[i + 1] - x[i]) - (y[i] - y[i - 1]) / (x[i] - x[i - 1]);
    share[i] = (left - 1) / pivot;
    rest[i] = (6 * kink / (x[i + 1] - x[i - 1]) - left * rest[i - 1]) / pivot;
  }
  bend[n - 1] = 0;
  for (int i = n - 2; i >= 0; i--) bend[i] = i > 0 ? share[i] * bend[i + 1] + rest[i] : 0;
}

double sdn_dust_spline(int n, const double *x, const double *y, const double *bend, double at)
{
  int k = 0, end = n - 1;
  while (end - k > 1) {
    const int mid = (k + end) / 2;
    if (x[mid] <= at) k = mid; else end = mid;
  }
  const double h = x[k + 1] - x[k], a = (x[k + 1] - at) / h, b = (at - x[k]) / h;
  return a * y[k] + b * y[k + 1] + ((a * a * a - a) * bend[k] + (b * b * b - b) * bend[k + 1]) * h * h / 6;
}

void sdn_dust_beyond_blue(sdn_dust_inside *inside, double edge_um, double um, double *b)
{
  const double h = 1e-4 * edge_um;
  double near[SDN_DUST_N_BASIS], far[SDN_DUST_N_BASIS];
  inside(edge_um, b);
  inside(edge_um + h, near);
  inside(edge_um + 2 * h, far);
  for (int i = 0; i < SDN_DUST_N_BASIS; i++) b[i] = sdn_dust_tangent(b[i], (4 * near[i] - 3 * b[i] - far[i]) / (2 * h), edge_um, um);
}

double sdn_dust_fm90_curve(const sdn_dust_fm90 *f, double x)
{
  const double x2 = x * x, wing = x2 - f->x0 * f->x0, y = x > 5.9 ? x - 5.9 : 0;
  return f->c1 + f->c2 * x + f->c3 * x2 / (wing * wing + x2 * f->gamma * f->gamma) + f->c4 * y * y * (0.5392 + 0.05644 * y);
}

/* c [n], c0 + c1 y + ... */
static double polynomial(int n, const double *c, double y)
{
  double sum = 0;
  for (int i = n - 1; i >= 0; i--) sum = sum * y + c[i];
  return sum;
}

static void r_v_inverse(const double *p, double *c)
{
  c[0] = 1;
  c[1] = 1 / p[0];
}

/* ------------------------------------------------------------------ Cardelli, Clayton & Mathis 1989 */

#define CCM_BLUE_UM 0.1

/* Eqs 2-5: A / A_V = a(x) + b(x) / R_V. Their infrared power law goes on to any wavelength. */
static void cardelli_inside(double um, double *b)
{
  static const double optical_a[8] = {1, 0.17699, -0.50447, -0.02427, 0.72085, 0.01979, -0.77530, 0.32999};
  static const double optical_b[8] = {0, 1.41338, 2.28305, 1.07233, -5.38434, -0.62251, 5.30260, -2.09002};
  static const double far_a[4] = {-1.073, -0.628, 0.137, -0.070}, far_b[4] = {13.670, 4.257, -0.420, 0.374};
  const double x = 1 / um;
  if (x < 1.1) {
    b[0] = 0.574 * pow(x, 1.61);
    b[1] = -0.527 * pow(x, 1.61);
  } else if (x < 3.3) {
    b[0] = polynomial(8, optical_a, x - 1.82);
    b[1] = polynomial(8, optical_b, x - 1.82);
  } else if (x < 8) {
    const double y = x > 5.9 ? x - 5.9 : 0;
    b[0] = 1.752 - 0.316 * x - 0.104 / ((x - 4.67) * (x - 4.67) + 0.341) - y * y * (0.04473 + 0.009779 * y);
    b[1] = -3.090 + 1.825 * x + 1.206 / ((x - 4.62) * (x - 4.62) + 0.263) + y * y * (0.2130 + 0.1207 * y);
  } else {
    b[0] = polynomial(4, far_a, x - 8);
    b[1] = polynomial(4, far_b, x - 8);
  }
}

static void cardelli_basis(const sdn_dust_table *table, double wave_A, double *b)
{
  const double um = wave_A * 1e-4;
  (void)table;
  if (um < CCM_BLUE_UM) sdn_dust_beyond_blue(cardelli_inside, CCM_BLUE_UM, um, b);
  else cardelli_inside(um, b);
}

const sdn_dust_law sdn_dust_cardelli = {
  .name = "cardelli", .form = SDN_CURVE_AFFINE, .basis = cardelli_basis, .coefficients = r_v_inverse, .n_param = 1,
  .param = {{"r_v", {"dust_r_v", "", "3.1", 2, 6, "A_V / E(B-V) of the extinction curve"}}}};

/* ------------------------------------------------------------------ Gordon+2003: Magellanic Clouds */

#define G03_BLUE_UM 0.1
#define G03_JOIN_UM 0.27      /* the ultraviolet fit holds shortward, and gives the two bluest knots */
enum { G03_MAX_KNOT = 12 };

/* Ultraviolet fit E(x) with A / A_V = E / R_V + 1, and A / A_V in the optical and infrared bands. */
typedef struct magellanic { sdn_dust_fm90 uv; double r_v; int n; double um[8], k[8]; } magellanic;

/* Fitzpatrick 1999's way, as Gordon's own code has it: a spline through no extinction at x = 0, the bands, and the ultraviolet fit at 2700 and 2600 A. So
 * the curve falls as 1 / wavelength in the far infrared. */
static double magellanic_inside(const magellanic *m, double um)
{
  double x[G03_MAX_KNOT] = {0}, y[G03_MAX_KNOT] = {0}, bend[G03_MAX_KNOT];
  if (um <= G03_JOIN_UM) return sdn_dust_fm90_curve(&m->uv, 1 / um) / m->r_v + 1;
  int n = 1;
  for (int i = 0; i < m->n; i++, n++) {
    x[n] = 1 / m->um[i];
    y[n] = m->k[i];
  }
  for (int i = 0; i < 2; i++, n++) {
    x[n] = 1 / (G03_JOIN_UM - 0.01 * i);
    y[n] = sdn_dust_fm90_curve(&m->uv, x[n]) / m->r_v + 1;
  }
  sdn_dust_spline_bend(n, x, y, bend);
  return sdn_dust_spline(n, x, y, bend, 1 / um);
}

/* Gordon+2003 Tables 3 and 4; J and K as changed by Gordon+2016 (section on the bar's curve) so that the curve is smooth: the measured ones are not monotone. */
static void smc_inside(double um, double *b)
{
  static const magellanic smc_bar = {{-4.959, 2.264, 0.389, 0.461, 4.6, 1.0}, 2.74, 8, {2.198, 1.65, 1.25, 0.81, 0.65, 0.55, 0.44, 0.37},
                                     {0.11, 0.169, 0.25, 0.567, 0.801, 1, 1.374, 1.672}};
  b[0] = magellanic_inside(&smc_bar, um);
  b[1] = 0;
}

static void lmc_inside(double um, double *b)
{
  static const magellanic lmc_average = {{-0.890, 0.998, 2.719, 0.400, 4.579, 0.934}, 3.41, 6, {2.198, 1.65, 1.25, 0.55, 0.44, 0.37},
                                         {0.10, 0.186, 0.257, 1, 1.293, 1.518}};
  b[0] = magellanic_inside(&lmc_average, um);
  b[1] = 0;
}

static void smc_basis(const sdn_dust_table *table, double wave_A, double *b)
{
  const double um = wave_A * 1e-4;
  (void)table;
  if (um < G03_BLUE_UM) sdn_dust_beyond_blue(smc_inside, G03_BLUE_UM, um, b);
  else smc_inside(um, b);
}

static void lmc_basis(const sdn_dust_table *table, double wave_A, double *b)
{
  const double um = wave_A * 1e-4;
  (void)table;
  if (um < G03_BLUE_UM) sdn_dust_beyond_blue(lmc_inside, G03_BLUE_UM, um, b);
  else lmc_inside(um, b);
}

const sdn_dust_law sdn_dust_smc = {.name = "smc", .form = SDN_CURVE_AFFINE, .basis = smc_basis};
const sdn_dust_law sdn_dust_lmc = {.name = "lmc", .form = SDN_CURVE_AFFINE, .basis = lmc_basis};
