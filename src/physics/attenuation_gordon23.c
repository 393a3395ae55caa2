/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gordon+2023: extinction of the Milky Way from 912 A to 32 um for any R_V, A / A_V = a(x) + b(x) (1 / R_V - 1 / 3.1), x = 1 / wavelength [1/um]. Their
 * coefficients, with the digits of the authors' code; their normalisation by 0.9854 falls out, since k(5500 A) = 1 here. */
#include <math.h>

#include "physics/attenuation_law.h"

#define BLUE_UM 0.0912
#define RED_UM 32.0
#define MEAN_R_V 3.1

/* Drude profile; asymmetry > 0 lets the width change across it. At centre: amplitude. */
typedef struct drude { double amplitude, centre, width, asymmetry; } drude;

static double drude_at(const drude *d, double x)
{
  const double width = 2 * d->width / (1 + exp(d->asymmetry * (x - d->centre))) / d->centre, offset = x / d->centre - d->centre / x;
  return d->amplitude * width * width / (offset * offset + width * width);
}

/* From 0 at `low` to 1 at `high`, with flat ends. */
static double smooth_step(double x, double low, double high)
{
  const double t = fmin(fmax((x - low) / (high - low), 0), 1);
  return t * t * (3 - 2 * t);
}

/* Eqs of the near and mid infrared: two power laws that join smoothly, and the silicate features. Wavelength in um. */
static void infrared(double um, double *b)
{
  static const drude silicate[2] = {{0.06652, 9.8434, 2.21205, -0.24703}, {0.0267, 19.58294, 17.0, -0.27}};
  const double scale = 0.38526, near = 1.68467, far = 0.78791, join_um = 4.30578, width_um = 4.78338;
  const double share = smooth_step(um, join_um - width_um / 2, join_um + width_um / 2);
  b[0] = scale * ((1 - share) * pow(um, -near) + share * pow(join_um, far - near) * pow(um, -far));
  for (int i = 0; i < 2; i++) b[0] += drude_at(&silicate[i], um);
  b[1] = -1.01251 * pow(um, -1.06099);
}

/* A polynomial in x and three intermediate-scale features. */
static void optical(double um, double *b)
{
  static const double c[2][5] = {{-0.35848, 0.7122, 0.08746, -0.05403, 0.00674}, {0.12354, -2.68335, 2.01901, -0.39299, 0.03355}};
  static const drude feature[2][3] = {{{0.03893, 2.288, 0.243, 0}, {0.02965, 2.054, 0.179, 0}, {0.01747, 1.587, 0.243, 0}},
                                      {{0.18453, 2.288, 0.243, 0}, {0.19728, 2.054, 0.179, 0}, {0.1713, 1.587, 0.243, 0}}};
  const double x = 1 / um;
  for (int i = 0; i < 2; i++) {
    b[i] = c[i][0] + x * (c[i][1] + x * (c[i][2] + x * (c[i][3] + x * c[i][4])));
    for (int f = 0; f < 3; f++) b[i] += drude_at(&feature[i][f], x);
  }
}

static void ultraviolet(double um, double *b)
{
  static const sdn_dust_fm90 fit[2] = {{0.81297, 0.2775, 1.06295, 0.11303, 4.60, 0.99}, {-2.97868, 1.89808, 3.10334, 0.65484, 4.60, 0.99}};
  for (int i = 0; i < 2; i++) b[i] = sdn_dust_fm90_curve(&fit[i], 1 / um);
}

/* Neighbouring parts are mixed from 0.30 to 0.33 um and from 0.9 to 1.1 um. */
static void inside(double um, double *b)
{
  double other[SDN_DUST_N_BASIS];
  const bool near_uv = um < 0.33;
  const double share = near_uv ? smooth_step(um, 0.30, 0.33) : smooth_step(um, 0.9, 1.1);
  if (near_uv) ultraviolet(um, b); else optical(um, b);
  if (!(share > 0)) return;
  if (near_uv) optical(um, other); else infrared(um, other);
  for (int i = 0; i < SDN_DUST_N_BASIS; i++) b[i] += share * (other[i] - b[i]);
}

/* Longward of 32 um both parts fall with one power, that of the mean curve there, so that no R_V gives a negative curve. */
static void beyond_red(double um, double *b)
{
  const double h = 1e-4 * RED_UM;
  double before[SDN_DUST_N_BASIS];
  inside(RED_UM, b);
  inside(RED_UM - h, before);
  const double power = log(b[0] / before[0]) / log(RED_UM / (RED_UM - h)), fall = pow(um / RED_UM, power);
  for (int i = 0; i < SDN_DUST_N_BASIS; i++) b[i] *= fall;
}

static void basis(const sdn_dust_table *table, double wave_A, double *b)
{
  const double um = wave_A * 1e-4;
  (void)table;
  if (um < BLUE_UM) sdn_dust_beyond_blue(inside, BLUE_UM, um, b);
  else if (um > RED_UM) beyond_red(um, b);
  else inside(um, b);
}

static void coefficients(const double *p, double *c)
{
  c[0] = 1;
  c[1] = 1 / p[0] - 1 / MEAN_R_V;
}

const sdn_dust_law sdn_dust_gordon23 = {
  .name = "gordon23", .form = SDN_CURVE_AFFINE, .basis = basis, .coefficients = coefficients, .n_param = 1,
  .param = {{"r_v", {"dust_r_v", "", "3.1", 2.3, 5.6, "A_V / E(B-V) of the extinction curve"}}}};
