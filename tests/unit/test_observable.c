/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Observables by id: kinds, units, lines by name, equivalent widths and line fluxes in closed form, refusals. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "physics/agn_own.h"
#include "physics/observable.h"

#define LIGHT_A_S 2.99792458e18
#define TOL_FLOAT 1e-6
#define TOL_ROUNDING 1e-13
#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))

static sdn_err err;

static sdn_observable *observable(const char *id)
{
  sdn_observable *o;
  if (sdn_observable_read(id, &o, &err)) fail_msg("%s", err.text);
  return o;
}

static void close_to(double got, double truth, double tolerance)
{
  if (!(fabs(got - truth) <= tolerance * fabs(truth))) fail_msg("%.12g instead of %.12g", got, truth);
}

/* Ids as Cloudy's grids have them, vacuum wavelengths; and as the Inoue (2011) templates have them, air wavelengths rounded to an Angstrom. */
static char *const cloudy_id[] = {"H 1 1215.67A", "O 2 3726.03A", "O 2 3728.81A", "Ne 3 3868.76A", "He 1 3888.64A", "H 1 3889.05A", "H 1 4861.32A", "O 3 4958.91A", "O 3 5006.84A", "N 2 6548.05A", "H 1 6562.80A", "N 2 6583.45A"};
static const double cloudy_A[] = {1215.67, 3727.09, 3729.87, 3869.86, 3889.74, 3890.15, 4862.68, 4960.29, 5008.24, 6549.86, 6564.61, 6585.27};
static const sdn_line_list cloudy = {COUNT(cloudy_A), cloudy_id, cloudy_A, "grid cloudy"};
static char *const inoue_id[] = {"H 1 1215.67A", "L3722A", "L3727A", "L3734A", "L3889A", "L3889A", "H 1 4861.32A", "O 3 5006.84A", "L6548A", "H 1 6562.80A", "L6584A", "L6716A", "L6720A", "L6731A"};
static const double inoue_A[] = {1216, 3722, 3727, 3734, 3889, 3889, 4861, 5007, 6548, 6563, 6584, 6716, 6720, 6731};
static const sdn_line_list inoue = {COUNT(inoue_A), inoue_id, inoue_A, "grid inoue"};

static void is(const sdn_line_list *list, const char *name, int n, int a, int b)
{
  sdn_line_pick pick;
  if (sdn_line_find(list, name, &pick, &err)) fail_msg("%s", err.text);
  if (pick.n != n || pick.line[0] != a || (n > 1 && pick.line[n - 1] != b)) fail_msg("%s of %s is %d lines from %d to %d", name, list->owner, pick.n, pick.line[0], pick.line[pick.n - 1]);
  assert_true(pick.low_A <= list->wave_A[a] && pick.high_A >= list->wave_A[n > 1 ? b : a]);
}

static int index_of(const sdn_line_list *list, const char *id)
{
  int l = 0;
  while (l < list->n && strcmp(list->id[l], id)) l++;
  return l;
}

static void lines_are_found_by_any_name(void **state)
{
  (void)state;
  is(&cloudy, "Halpha", 1, 10, 0);
  is(&cloudy, "H 1 6562.80A", 1, 10, 0);
  is(&cloudy, "6564.6", 1, 10, 0);
  is(&cloudy, "OII3727", 2, 1, 2);
  is(&cloudy, "OII3729", 1, 2, 0);
  is(&cloudy, "OIII", 2, 7, 8);
  is(&cloudy, "Halpha + NII", 3, 9, 11);
  is(&cloudy, "NII+6585.27+NII6583", 2, 9, 11);   /* each once */
  is(&cloudy, "Hzeta", 1, 5, 0);
  is(&cloudy, "3889.8", 1, 4, 0);
  is(&inoue, "Lya", 1, 0, 0);
  is(&inoue, "OII3727", 1, 2, 0);                 /* blended there */
  is(&inoue, "SII6716", 1, 11, 0);                /* not L6720A, the blend, though it is nearer in vacuum */
  is(&inoue, "SII6731", 1, 13, 0);
  is(&inoue, "NII6583", 1, 10, 0);
  is(&inoue, "L3889A", 2, 4, 5);
  is(&inoue, "3889", 2, 4, 5);                    /* two at one place */
}

/* Every name that the table gives the nucleus is one of its lines, within a blend's width of the transition; and those at a transition's place are found by it. */
static void lines_of_the_nucleus_are_found(void **state)
{
  const double blend = 4e-3;   /* half the widest doublet that is one line there, N V 1239+1243 */
  char *id[SDN_AGN_N_LINE];
  double wave[SDN_AGN_N_LINE];
  int n_found[SDN_AGN_N_LINE] = {0}, n;
  (void)state;
  for (int l = 0; l < SDN_AGN_N_LINE; l++) {
    id[l] = (char *)sdn_agn_line_list[l].id;
    wave[l] = sdn_agn_line_list[l].wave_A;
  }
  const sdn_line_list nucleus = {SDN_AGN_N_LINE, id, wave, "nucleus"};
  sdn_line_usual_name(0, &n);
  for (int i = 0; i < n; i++) {
    const char *name = sdn_line_usual_name(i, NULL);
    const double w = sdn_line_wave_A(name);
    sdn_line_pick pick = {0};
    const bool found = sdn_line_find(&nucleus, name, &pick, &err) == SDN_OK;
    bool near = false;
    for (int l = 0; l < SDN_AGN_N_LINE; l++) near = near || fabs(wave[l] / w - 1) < 1e-5;
    if (near && !found) fail_msg("%s is not found", name);
    for (int k = 0; found && k < pick.n; k++) {
      n_found[pick.line[k]]++;
      const bool doublet = !strcmp(name, "OIII") || !strcmp(name, "NII") || !strcmp(name, "SII");
      if (!(fabs(wave[pick.line[k]] / w - 1) < (doublet ? 0.011 : blend))) fail_msg("%s means %s", name, id[pick.line[k]]);
    }
  }
  int n_unnamed = 0;
  for (int l = 0; l < SDN_AGN_N_LINE; l++) n_unnamed += n_found[l] == 0;
  assert_int_equal(n_unnamed, 10);   /* O VI O I 1305 C II Si IV Al III Si III] H 10 H 9 N I [O I] 6366: no usual names; counted by hand */
  is(&nucleus, "Halpha+NII", 4, index_of(&nucleus, "agn_narrow_n2_6550"), index_of(&nucleus, "agn_narrow_n2_6585"));
  is(&nucleus, "OII3727", 1, index_of(&nucleus, "agn_narrow_o2_3728"), 0);
  is(&nucleus, "OII3726+OII3729", 1, index_of(&nucleus, "agn_narrow_o2_3728"), 0);   /* a blend counts once */
  is(&nucleus, "CIV1549", 1, index_of(&nucleus, "agn_broad_c4_1549"), 0);
  is(&nucleus, "agn_broad_h_alpha", 1, index_of(&nucleus, "agn_broad_h_alpha"), 0);
}

static void refused(const sdn_line_list *list, const char *name, const char *word)
{
  sdn_line_pick pick;
  assert_int_equal(sdn_line_find(list, name, &pick, &err), SDN_USAGE);
  if (!strstr(err.text, word)) fail_msg("%s: '%s' does not say %s", name, err.text, word);
}

static void unknown_lines_are_refused(void **state)
{
  const sdn_line_list none = {0, NULL, NULL, "grid bare"};
  (void)state;
  refused(&cloudy, "Halfa", "did you mean Halpha");
  refused(&cloudy, "CIV1549", "no line 'CIV1549'");
  refused(&cloudy, "5100", "no line '5100'");
  refused(&cloudy, "Halpha+", "joined by +");
  refused(&cloudy, "", "joined by +");
  refused(&none, "Halpha", "grid bare has no emission lines");
}

/* The number in a usual name is its wavelength, in air and rounded: a slip of the table by one line shows. */
static void usual_names_agree_with_their_ids(void **state)
{
  int n;
  (void)state;
  assert_non_null(sdn_line_usual_name(0, &n));
  assert_true(n > 40 && !sdn_line_usual_name(n, NULL) && !sdn_line_usual_name(-1, NULL));
  for (int i = 0; i < n; i++) {
    const double w = sdn_line_wave_A(sdn_line_usual_name(i, NULL));
    char digits[32] = "";
    const char *name = sdn_line_usual_name(i, NULL);
    assert_true(w > 900 && w < 2e6);
    for (int k = 0; k < i; k++) assert_string_not_equal(name, sdn_line_usual_name(k, NULL));
    const size_t at = strcspn(name, "123456789");
    snprintf(digits, sizeof digits, "%.31s", name + at);
    double printed = 0;
    char unit[8] = "";
    if (sscanf(digits, "%lf%7s", &printed, unit) < 1) continue;   /* Halpha has no number */
    if (!strcmp(unit, "um")) printed *= 1e4;
    if (!(fabs(w / printed - 1) < (printed > 2e4 ? 0.06 : 1.5e-3))) fail_msg("%s stands at %g A", name, w);
  }
}

static void kinds_and_units(void **state)
{
  static const struct { const char *id; sdn_observable_kind kind; const char *unit; double pivot_A; } known[] = {
    {"tophat:4000:6000", SDN_OBSERVABLE_BAND, "nJy", 4966.19}, {"pixel:10000:10010:4", SDN_OBSERVABLE_PIXEL, "nJy", 10005}, {"line:Halpha", SDN_OBSERVABLE_LINE_FLUX, "1e-20 erg/s/cm2", 6564.61},
    {"line_luminosity:6564.6", SDN_OBSERVABLE_LINE_LUMINOSITY, "1e40 erg/s", 6564.6}, {"line_ew:H 1 6562.80A", SDN_OBSERVABLE_LINE_EW, "Angstrom", 0}};
  (void)state;
  for (int i = 0; i < COUNT(known); i++) {
    sdn_observable *o = observable(known[i].id);
    assert_int_equal(o->kind, known[i].kind);
    assert_string_equal(sdn_observable_unit(o), known[i].unit);
    assert_string_equal(o->id, known[i].id);
    if (!(fabs(o->pivot_A - known[i].pivot_A) <= 0.1)) fail_msg("%s stands at %g A", o->id, o->pivot_A);
    sdn_observable *again = observable(known[i].id), *other = observable(i == 1 ? "pixel:10000:10010:5" : "pixel:10000:10010:4");
    assert_true(sdn_observable_hash(o, 1) == sdn_observable_hash(again, 1) && sdn_observable_hash(o, 1) != sdn_observable_hash(other, 1));
    sdn_observable_free(o);
    sdn_observable_free(again);
    sdn_observable_free(other);
  }
}

static void bad_ids_are_refused(void **state)
{
  static const struct { const char *id, *word; } bad[] = {
    {"pixel:1:2", "pixel:LOW:HIGH:SIGMA"}, {"pixel:1000:1010:1:", "pixel:LOW"}, {"pixel:1010:1000:1", "ascend"}, {"pixel:1000:1010:-1", "sigma"}, {"pixel:1000:1010:900", "0.05"},
    {"line:", "names no line"}, {"line_ew:+Halpha", "names no line"}, {"lines:Halpha", "no filter"}, {"JWST/NIRCam.F445W", "did you mean"}};
  (void)state;
  for (int i = 0; i < COUNT(bad); i++) {
    sdn_observable *o;
    assert_int_not_equal(sdn_observable_read(bad[i].id, &o, &err), SDN_OK);
    assert_null(o);
    if (!strstr(err.text, bad[i].word)) fail_msg("%s: '%s' does not say %s", bad[i].id, err.text, bad[i].word);
  }
}

enum { N_WAVE = 300 };
static double wave_A[N_WAVE];
static float lnu[N_WAVE];

/* f_lambda ~ l^p in erg/s/A, 7e38 at 5000 A */
static void make_spectrum(double p)
{
  for (int j = 0; j < N_WAVE; j++) {
    wave_A[j] = 1000 * pow(20, j / (N_WAVE - 1.0));
    lnu[j] = (float)(7e38 * pow(wave_A[j] / 5000, p) * wave_A[j] * wave_A[j] / LIGHT_A_S);
  }
}

/* All lines as wide. */
static const double *widths(void)
{
  static double sigma_ln[64];
  for (int l = 0; l < 64; l++) sigma_ln[l] = 1e-3;
  return sigma_ln;
}

static double value_of(sdn_observable *o, double stretch, const float *luminosity, const float *transmission)
{
  static float weight[N_WAVE];
  const sdn_line_light lines = {cloudy.n, cloudy_A, luminosity, transmission, widths(), 1e-3, stretch, 1};
  const sdn_observer where = {stretch, 5e-3, 2e9};
  int first, last;
  double sum = 0;
  assert_true(sdn_observable_weights(o, N_WAVE, wave_A, stretch, 1e-3, &first, &last, weight));
  for (int j = first; j < last; j++) sum += (double)weight[j] * (double)lnu[j];
  return sdn_observable_value(o, sum, sdn_observable_lines(o, &lines), &where);
}

static void lines_are_measured(void **state)
{
  const float luminosity[COUNT(cloudy_A)] = {3e31f, 2e30f, 3e30f, 0, 0, 0, 1e31f, 0, 0, 2e30f, 4e31f, 6e30f}, half[COUNT(cloudy_A)] = {0.25f, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0.5f, 1};
  const double z1 = 3.5, njy = 5e-3, mass = 2e9, slope = -1.3;
  (void)state;
  make_spectrum(slope);
  sdn_observable *o = observable("line:Halpha+NII");
  assert_int_equal(sdn_observable_bind(o, &cloudy, &err), SDN_OK);
  close_to(value_of(o, z1, luminosity, half), (0.5 * 4e31 + 8e30) * mass * njy / z1 * 1e-32 / 1e-20, TOL_FLOAT);
  sdn_observable_free(o);
  o = observable("line_luminosity:Lya");
  assert_int_equal(sdn_observable_bind(o, &cloudy, &err), SDN_OK);
  close_to(value_of(o, z1, luminosity, half), 3e31 * mass / 1e40, TOL_FLOAT);   /* no IGM */
  sdn_observable_free(o);
  o = observable("line_ew:Halpha");
  assert_int_equal(sdn_observable_bind(o, &cloudy, &err), SDN_OK);
  const double w = 6564.61, q = slope + 1;
  const double blue = (pow(0.99 * w, q) - pow(0.98 * w, q)) / q / (0.01 * w), red = (pow(1.02 * w, q) - pow(1.01 * w, q)) / q / (0.01 * w);
  const double interpolation = 2e-4;   /* L_nu is linear between nodes 1 % apart: (p+2)(p+1)/8 of its square */
  close_to(value_of(o, z1, luminosity, NULL), 4e31 / (7e38 * pow(5000, -slope) * 0.5 * (blue + red)), interpolation);
  sdn_observable_free(o);
  o = observable("line_ew:Lya");
  assert_int_equal(sdn_observable_bind(o, &cloudy, &err), SDN_OK);
  assert_true(!o->side[0] && o->side[1]->low_A > 1227);
  sdn_observable_free(o);
}

/* An equivalent width whose sidebands lie between two nodes; the weights of both sum to that of one flat spectrum. */
static void sparse_nodes_serve_sidebands(void **state)
{
  const double sparse_A[4] = {5000, 6000, 7000, 8000};
  float weight[4];
  int first, last;
  double sum = 0;
  (void)state;
  sdn_observable *o = observable("line_ew:Halpha");
  assert_int_equal(sdn_observable_bind(o, &cloudy, &err), SDN_OK);
  assert_true(sdn_observable_weights(o, 4, sparse_A, 2, 0, &first, &last, weight));
  assert_true(first == 1 && last == 3);
  for (int j = first; j < last; j++) sum += (double)weight[j] * sparse_A[j] * sparse_A[j];
  const double w = 6564.61;
  double truth = 0;   /* L_nu = l^2 at the nodes, linear between: 13000 l - 4.2e7 */
  for (int k = 0; k < 2; k++) {
    const double a = w * (k ? 1.01 : 0.98), b = w * (k ? 1.02 : 0.99);
    truth += 0.5 * LIGHT_A_S / (b - a) * (13000 * log(b / a) - 4.2e7 * (1 / a - 1 / b));
  }
  close_to(sum, truth, TOL_FLOAT);
  double low_A, high_A;
  sdn_observable_reach(o, 2, 0, &low_A, &high_A);
  close_to(low_A, 0.98 * w, TOL_ROUNDING);
  close_to(high_A, 1.02 * w, TOL_ROUNDING);
  sdn_observable_free(o);
}

/* Bands and pixels: what their files say, at the observer's distance. */
static void bands_and_pixels_take_lines(void **state)
{
  const float luminosity[COUNT(cloudy_A)] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4e31f, 0};
  const double z1 = 2, w = 2 * 6564.61;
  (void)state;
  make_spectrum(-2);
  sdn_observable *band = observable("tophat:12000:14000"), *pixel = observable("pixel:13120:13140:5"), *line = observable("line:Halpha");
  assert_int_equal(sdn_observable_bind(band, &cloudy, &err), SDN_OK);
  const sdn_line_light lines = {cloudy.n, cloudy_A, luminosity, NULL, widths(), 1e-3, z1, 1};
  close_to(sdn_observable_lines(band, &lines), (double)4e31f * w / (LIGHT_A_S * log(7.0 / 6)), TOL_ROUNDING);
  const double s = sqrt(pow(pixel->pixel.sigma_ln, 2) + 1e-6), share = 0.5 * (erf(log(w / 13120) / s / sqrt(2)) - erf(log(w / 13140) / s / sqrt(2)));
  close_to(sdn_observable_lines(pixel, &lines), (double)4e31f * share / (LIGHT_A_S * (1 / 13120.0 - 1 / 13140.0)), 1e-11);
  double low_A, high_A;
  sdn_observable_reach(line, 2, 0, &low_A, &high_A);
  assert_true(low_A > high_A);
  sdn_observable_reach(pixel, 2, 1e-2, &low_A, &high_A);
  assert_true(low_A < pixel->low_A / 2 && high_A > pixel->high_A / 2);
  close_to(value_of(band, z1, luminosity, NULL), ((double)lnu[0] + sdn_observable_lines(band, &lines) / z1) * 5e-3 * 2e9, TOL_FLOAT);
  sdn_observable_free(band);
  sdn_observable_free(pixel);
  sdn_observable_free(line);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(lines_are_found_by_any_name), cmocka_unit_test(lines_of_the_nucleus_are_found), cmocka_unit_test(unknown_lines_are_refused),
    cmocka_unit_test(usual_names_agree_with_their_ids), cmocka_unit_test(kinds_and_units),
    cmocka_unit_test(bad_ids_are_refused), cmocka_unit_test(lines_are_measured), cmocka_unit_test(sparse_nodes_serve_sidebands), cmocka_unit_test(bands_and_pixels_take_lines),
  };
  return cmocka_run_group_tests_name("observable", tests, NULL, NULL);
}
