/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "physics/observable_line.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "physics/grid_read.h"

#define N_MEMBER 3
#define MAX_NAME 64
#define BROAD "agn_broad_"
#define NARROW "agn_narrow_"
#define SAME_PLACE 1e-9   /* relative: two entries of a list at one wavelength */

/* Vacuum wavelengths [A] (NIST Atomic Spectra Database; molecular and far-infrared ones: Cloudy's), Cloudy's ids, which are in air above 2000 A, and what an active
 * nucleus calls the transition, or the blend with it, behind agn_broad_ or agn_narrow_ (agn_lines.c; NULL: it has none). */
typedef struct member { const char *id; double wave_A; const char *nucleus; } member;
static const struct usual { const char *name; member member[N_MEMBER]; } usual[] = {
  {"Lya", {{"H 1 1215.67A", 1215.67, "ly_alpha"}}},
  {"Lyb", {{"H 1 1025.72A", 1025.72, NULL}}},
  {"NV1240", {{"N 5 1238.82A", 1238.82, "n5_1240"}, {"N 5 1242.80A", 1242.80, NULL}}},
  {"CIV1549", {{"C 4 1548.19A", 1548.19, "c4_1549"}, {"C 4 1550.77A", 1550.77, NULL}}},
  {"HeII1640", {{"He 2 1640.41A", 1640.42, "he2_1640"}}},
  {"OIII1663", {{"O 3 1660.81A", 1660.81, "o3_1663"}, {"O 3 1666.15A", 1666.15, NULL}}},
  {"CIII1908", {{"C 3 1906.68A", 1906.68, NULL}, {"C 3 1908.73A", 1908.73, "c3_1909"}}},
  {"MgII2799", {{"Mg 2 2795.53A", 2796.35, "mg2_2800"}, {"Mg 2 2802.71A", 2803.53, NULL}}},
  {"OII3726", {{"O 2 3726.03A", 3727.09, "o2_3728"}}},
  {"OII3729", {{"O 2 3728.81A", 3729.88, "o2_3728"}}},
  {"OII3727", {{"O 2 3726.03A", 3727.09, "o2_3728"}, {"O 2 3728.81A", 3729.88, "o2_3728"}}},
  {"NeIII3869", {{"Ne 3 3868.76A", 3869.86, "ne3_3870"}}},
  {"Hzeta", {{"H 1 3889.05A", 3890.17, "h_8"}}},
  {"NeIII3968", {{"Ne 3 3967.47A", 3968.59, NULL}}},
  {"Hepsilon", {{"H 1 3970.07A", 3971.20, NULL}}},
  {"Hdelta", {{"H 1 4101.73A", 4102.90, "h_delta"}}},
  {"Hgamma", {{"H 1 4340.46A", 4341.69, "h_gamma"}}},
  {"OIII4363", {{"O 3 4363.21A", 4364.44, "o3_4364"}}},
  {"HeII4686", {{"He 2 4685.68A", 4687.02, NULL}}},
  {"Hbeta", {{"H 1 4861.32A", 4862.69, "h_beta"}}},
  {"OIII4959", {{"O 3 4958.91A", 4960.30, "o3_4960"}}},
  {"OIII5007", {{"O 3 5006.84A", 5008.24, "o3_5008"}}},
  {"OIII", {{"O 3 4958.91A", 4960.30, "o3_4960"}, {"O 3 5006.84A", 5008.24, "o3_5008"}}},
  {"NII5755", {{"N 2 5754.59A", 5756.19, "n2_5756"}}},
  {"HeI5876", {{"Blnd 5875.66A", 5877.25, "he1_5877"}}},
  {"OI6300", {{"O 1 6300.30A", 6302.05, "o1_6302"}}},
  {"SIII6312", {{"S 3 6312.06A", 6313.81, NULL}}},
  {"NII6548", {{"N 2 6548.05A", 6549.86, "n2_6550"}}},
  {"Halpha", {{"H 1 6562.80A", 6564.61, "h_alpha"}}},
  {"NII6583", {{"N 2 6583.45A", 6585.27, "n2_6585"}}},
  {"NII", {{"N 2 6548.05A", 6549.86, "n2_6550"}, {"N 2 6583.45A", 6585.27, "n2_6585"}}},
  {"HeI6678", {{"He 1 6678.15A", 6679.99, "he1_6680"}}},
  {"SII6716", {{"S 2 6716.44A", 6718.29, "s2_6718"}}},
  {"SII6731", {{"S 2 6730.82A", 6732.67, "s2_6733"}}},
  {"SII", {{"S 2 6716.44A", 6718.29, "s2_6718"}, {"S 2 6730.82A", 6732.67, "s2_6733"}}},
  {"ArIII7136", {{"Ar 3 7135.79A", 7137.77, "ar3_7138"}}},
  {"OII7325", {{"Blnd 7323.00A", 7321.94, NULL}, {"Blnd 7332.00A", 7332.21, NULL}}},
  {"SIII9069", {{"S 3 9068.62A", 9071.1, NULL}}},
  {"SIII9531", {{"S 3 9530.62A", 9533.2, NULL}}},
  {"HeI10830", {{"Blnd 1.08302m", 10833.2, NULL}}},
  {"Padelta", {{"H 1 1.00494m", 10052.1, NULL}}},
  {"Pagamma", {{"H 1 1.09381m", 10941.1, NULL}}},
  {"Pabeta", {{"H 1 1.28181m", 12821.6, NULL}}},
  {"Paalpha", {{"H 1 1.87510m", 18756.1, NULL}}},
  {"Brgamma", {{"H 1 2.16553m", 21661.2, NULL}}},
  {"Brbeta", {{"H 1 2.62515m", 26258.7, NULL}}},
  {"Bralpha", {{"H 1 4.05115m", 40522.6, NULL}}},
  {"ArII7um", {{"Ar 2 6.98337m", 69852.7, NULL}}},
  {"SIV10um", {{"S 4 10.5076m", 105105, NULL}}},
  {"NeII13um", {{"Ne 2 12.8101m", 128136, NULL}}},
  {"NeIII15um", {{"Ne 3 15.5509m", 155551, NULL}}},
  {"SIII19um", {{"S 3 18.7078m", 187129, NULL}}},
  {"SIII33um", {{"S 3 33.4704m", 334795, NULL}}},
  {"OIII52um", {{"O 3 51.8004m", 518145, NULL}}},
  {"OI63um", {{"O 1 63.1679m", 631851, NULL}}},
  {"OIII88um", {{"O 3 88.3323m", 883564, NULL}}},
  {"NII122um", {{"N 2 121.769m", 1218022, NULL}}},
  {"CII158um", {{"C 2 157.636m", 1576789, NULL}}},
};
#define N_USUAL ((int)(sizeof usual / sizeof *usual))

const char *sdn_line_usual_name(int i, int *n)
{
  if (n) *n = N_USUAL;
  return i >= 0 && i < N_USUAL ? usual[i].name : NULL;
}

static const struct usual *find_usual(const char *name)
{
  for (int i = 0; i < N_USUAL; i++)
    if (!strcmp(usual[i].name, name)) return &usual[i];
  return NULL;
}

static void add(sdn_line_pick *pick, int line)
{
  int at = pick->n;
  for (int i = 0; i < pick->n; i++)
    if (pick->line[i] == line) return;
  if (pick->n == SDN_LINE_MAX) {
    pick->too_many = true;
    return;
  }
  for (; at > 0 && pick->line[at - 1] > line; at--) pick->line[at] = pick->line[at - 1];
  pick->line[at] = line;
  pick->n++;
}

static bool add_id(const sdn_line_list *list, const char *id, sdn_line_pick *pick)
{
  bool found = false;
  for (int l = 0; l < list->n; l++)
    if (!strcmp(list->id[l], id)) add(pick, l), found = true;
  return found;
}

static bool is_nucleus(const char *id) { return !strncmp(id, BROAD, strlen(BROAD)) || !strncmp(id, NARROW, strlen(NARROW)); }

/* The line nearest to a vacuum wavelength, of the nucleus or not; in_air: or nearest when the list's wavelengths are read as being in air, for those that are and do
 * not say so. */
static bool add_nearest(const sdn_line_list *list, double wave_A, bool in_air, bool nucleus, sdn_line_pick *pick)
{
  double least = SDN_LINE_TOLERANCE * wave_A;
  int nearest = -1;
  for (int l = 0; l < list->n; l++) {
    double off = fabs(list->wave_A[l] - wave_A);
    if (in_air && wave_A > 2000) off = fmin(off, fabs(sdn_vacuum_A(list->wave_A[l]) - wave_A));
    if (!(off < least) || is_nucleus(list->id[l]) != nucleus) continue;
    least = off;
    nearest = l;
  }
  for (int l = 0; nearest >= 0 && l < list->n; l++)
    if (fabs(list->wave_A[l] - list->wave_A[nearest]) <= SAME_PLACE * wave_A && is_nucleus(list->id[l]) == nucleus) add(pick, l);
  return nearest >= 0;
}

static bool add_member(const sdn_line_list *list, const member *m, sdn_line_pick *pick)
{
  char broad[MAX_NAME], narrow[MAX_NAME];
  const bool gas = add_id(list, m->id, pick) || add_nearest(list, m->wave_A, true, false, pick);
  if (!m->nucleus) return gas;
  snprintf(broad, sizeof broad, BROAD "%s", m->nucleus);
  snprintf(narrow, sizeof narrow, NARROW "%s", m->nucleus);
  const bool is_broad = add_id(list, broad, pick), is_narrow = add_id(list, narrow, pick);
  return gas || is_broad || is_narrow;
}

static bool add_usual(const sdn_line_list *list, const struct usual *u, sdn_line_pick *pick)
{
  bool found = false;
  for (int k = 0; k < N_MEMBER && u->member[k].id; k++)
    if (add_member(list, &u->member[k], pick)) found = true;
  return found;
}

static bool add_place(const sdn_line_list *list, double wave_A, sdn_line_pick *pick)
{
  const bool gas = add_nearest(list, wave_A, false, false, pick), nucleus = add_nearest(list, wave_A, false, true, pick);
  return gas || nucleus;
}

static double as_wavelength(const char *part)
{
  double x;
  return sdn_number_parse(part, strlen(part), &x) && x > 0 && x < HUGE_VAL ? x : 0;
}

static sdn_status fail_part(const sdn_line_list *list, const char *part, sdn_err *err)
{
  const char *names[N_USUAL];
  for (int i = 0; i < N_USUAL; i++) names[i] = usual[i].name;
  const char *near = sdn_nearest(part, names, N_USUAL);
  if (list->n == 0) return sdn_fail(err, SDN_USAGE, "line '%s' is asked for, but %s has no emission lines; give the model a nebula and a grid with lines", part, list->owner);
  if (find_usual(part) || as_wavelength(part) > 0)
    return sdn_fail(err, SDN_USAGE, "%s has no line '%s' (within %g of its wavelength)", list->owner, part, SDN_LINE_TOLERANCE);
  return sdn_fail(err, SDN_USAGE, "%s has no line '%s'%s%s%s; a line is a usual name (Halpha), the grid's own id (H 1 6562.80A) or a vacuum wavelength in Angstrom", list->owner,
                  part, near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
}

static sdn_status add_part(const sdn_line_list *list, const char *part, sdn_line_pick *pick, sdn_err *err)
{
  const struct usual *u = find_usual(part);
  const double wave_A = as_wavelength(part);
  if (add_id(list, part, pick)) return SDN_OK;
  if (u && add_usual(list, u, pick)) return SDN_OK;
  if (wave_A > 0 && add_place(list, wave_A, pick)) return SDN_OK;
  return fail_part(list, part, err);
}

/* The next part of "A+B+C" without blanks around it; *rest goes on behind it, NULL at the end. False: too long or empty. */
static bool next_part(const char **rest, char part[MAX_NAME])
{
  const char *from = *rest, *plus = strchr(from, '+');
  size_t n = plus ? (size_t)(plus - from) : strlen(from);
  *rest = plus ? plus + 1 : NULL;
  while (n > 0 && isspace((unsigned char)*from)) from++, n--;
  while (n > 0 && isspace((unsigned char)from[n - 1])) n--;
  if (n == 0 || n >= MAX_NAME) return false;
  memcpy(part, from, n);
  part[n] = '\0';
  return true;
}

sdn_status sdn_line_find(const sdn_line_list *list, const char *name, sdn_line_pick *pick, sdn_err *err)
{
  char part[MAX_NAME];
  *pick = (sdn_line_pick){0};
  for (const char *rest = name; rest;) {
    if (!next_part(&rest, part)) return sdn_fail(err, SDN_USAGE, "'%s' names no line; write one name, or several joined by +", name);
    if (add_part(list, part, pick, err)) return err->status;
  }
  if (pick->too_many) return sdn_fail(err, SDN_USAGE, "'%s' means more than %d lines; name fewer", name, SDN_LINE_MAX);
  pick->low_A = HUGE_VAL;
  for (int i = 0; i < pick->n; i++) {
    pick->low_A = fmin(pick->low_A, list->wave_A[pick->line[i]]);
    pick->high_A = fmax(pick->high_A, list->wave_A[pick->line[i]]);
  }
  return SDN_OK;
}

bool sdn_line_is_name(const char *name)
{
  char part[MAX_NAME];
  for (const char *rest = name; rest;)
    if (!next_part(&rest, part)) return false;
  return true;
}

double sdn_line_wave_A(const char *name)
{
  char part[MAX_NAME];
  const char *rest = name;
  if (!next_part(&rest, part)) return 0;
  const struct usual *u = find_usual(part);
  return u ? u->member[0].wave_A : as_wavelength(part);
}
