/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "physics/observable.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/number.h"

#define LIGHT_A_S 2.99792458e18
#define LY_ALPHA_A 1215.67
#define SIDE_NEAR 0.01           /* relative distance of a sideband's ends from the line */
#define SIDE_FAR 0.02
#define FLUX_PER_NJY_HZ 1e-12    /* 1 nJy Hz = 1e-32 erg/s/cm2, in units of 1e-20 */
#define LUMINOSITY_UNIT 1e-40

static const struct kind { const char *prefix, *unit; } kinds[] = {
  [SDN_OBSERVABLE_BAND] = {"", "nJy"}, [SDN_OBSERVABLE_PIXEL] = {"pixel:", "nJy"}, [SDN_OBSERVABLE_LINE_FLUX] = {"line:", "1e-20 erg/s/cm2"},
  [SDN_OBSERVABLE_LINE_LUMINOSITY] = {"line_luminosity:", "1e40 erg/s"}, [SDN_OBSERVABLE_LINE_EW] = {"line_ew:", "Angstrom"},
};

static sdn_observable_kind kind_of(const char *id)
{
  for (int k = SDN_OBSERVABLE_PIXEL; k <= SDN_OBSERVABLE_LINE_EW; k++)
    if (!strncmp(id, kinds[k].prefix, strlen(kinds[k].prefix))) return (sdn_observable_kind)k;
  return SDN_OBSERVABLE_BAND;
}

const char *sdn_observable_unit(const sdn_observable *o) { return kinds[o->kind].unit; }
const char *sdn_observable_id_unit(const char *id) { return kinds[kind_of(id)].unit; }

void sdn_observable_free(sdn_observable *o)
{
  if (!o) return;
  sdn_filter_free(o->filter);
  sdn_filter_free(o->side[0]);
  sdn_filter_free(o->side[1]);
  sdn_release(o);
}

/* ------------------------------------------------------------------ from an id */

/* "a:b:c" -> three numbers */
static bool three_numbers(const char *text, double out[3])
{
  for (int i = 0; i < 3; i++) {
    const size_t n = strcspn(text, ":");
    if (!sdn_number_parse(text, n, &out[i]) || (text[n] == ':') != (i < 2)) return false;
    text += n + 1;
  }
  return true;
}

static sdn_status read_pixel(sdn_observable *o, const char *text, sdn_err *err)
{
  double x[3];
  if (!three_numbers(text, x))
    return sdn_fail(err, SDN_USAGE, "'%s' is no pixel; write pixel:LOW:HIGH:SIGMA, observed wavelengths and the line-spread function's sigma in Angstrom", o->id);
  if (!sdn_pixel_set(&o->pixel, x[0], x[1], x[2]))
    return sdn_fail(err, SDN_USAGE, "'%s': wavelengths must ascend from above 0, and sigma lie between 0 and %g of the wavelength", o->id, SDN_PIXEL_MAX_SIGMA_LN);
  o->pivot_A = o->pixel.center_A;
  sdn_pixel_reach(&o->pixel, 0, &o->low_A, &o->high_A);
  return SDN_OK;
}

static sdn_status read_line(sdn_observable *o, const char *name, sdn_err *err)
{
  o->line_name = name;
  o->pivot_A = sdn_line_wave_A(name);
  return sdn_line_is_name(name) ? SDN_OK : sdn_fail(err, SDN_USAGE, "'%s' names no line; write one name, or several joined by +", o->id);
}

static sdn_status read_band(sdn_observable *o, sdn_err *err)
{
  if (sdn_filter_read(o->id, &o->filter, err)) return err->status;
  o->pivot_A = o->filter->pivot_A;
  o->low_A = o->filter->low_A;
  o->high_A = o->filter->high_A;
  return SDN_OK;
}

sdn_status sdn_observable_read(const char *id, sdn_observable **out, sdn_err *err)
{
  *out = NULL;
  sdn_observable *o = sdn_alloc(1, sizeof *o, "an observable", err);
  if (!o) return err->status;
  o->kind = kind_of(id);
  const char *rest = o->id + strlen(kinds[o->kind].prefix);
  sdn_status status = SDN_OK;
  if (o->kind == SDN_OBSERVABLE_BAND) {   /* a path may be longer than the name that is kept */
    strncpy(o->id, id, sizeof o->id - 1);
    status = read_band(o, err);
  } else if (strlen(id) >= sizeof o->id) {
    status = sdn_fail(err, SDN_USAGE, "'%s' is too long; at most %zu characters are kept", id, sizeof o->id - 1);
  } else {
    memcpy(o->id, id, strlen(id) + 1);
    status = o->kind == SDN_OBSERVABLE_PIXEL ? read_pixel(o, rest, err) : read_line(o, rest, err);
  }
  if (status) sdn_observable_free(o);
  else *out = o;
  return status;
}

/* ------------------------------------------------------------------ lines */

static sdn_status make_side(double low_A, double high_A, sdn_filter **side, sdn_err *err)
{
  const double edge_A[2] = {low_A, high_A}, full[2] = {1, 1};
  sdn_filter_free(*side);
  *side = NULL;
  return sdn_filter_new("continuum beside a line", 2, edge_A, full, false, side, err);
}

sdn_status sdn_observable_bind(sdn_observable *o, const sdn_line_list *lines, sdn_err *err)
{
  if (!o->line_name) return SDN_OK;
  if (sdn_line_find(lines, o->line_name, &o->line, err)) return sdn_fail_in(err, "%s", o->id);
  o->pivot_A = lines->wave_A[o->line.line[0]];
  if (o->kind != SDN_OBSERVABLE_LINE_EW) return SDN_OK;
  const bool ly_alpha = fabs(o->line.low_A - LY_ALPHA_A) < SDN_LINE_TOLERANCE * LY_ALPHA_A;
  if (!ly_alpha && make_side(o->line.low_A * (1 - SIDE_FAR), o->line.low_A * (1 - SIDE_NEAR), &o->side[0], err)) return err->status;
  return make_side(o->line.high_A * (1 + SIDE_NEAR), o->line.high_A * (1 + SIDE_FAR), &o->side[1], err);
}

/* The first line redder than wave_A. */
static int first_above(const sdn_line_light *l, double wave_A)
{
  int low = 0, high = l->n;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (l->wave_A[middle] > wave_A) high = middle; else low = middle + 1;
  }
  return low;
}

double sdn_observable_line_response(const sdn_observable *o, double wave_obs_A, double sigma_ln)
{
  if (o->kind == SDN_OBSERVABLE_BAND) return sdn_filter_line_response(o->filter, wave_obs_A);
  return o->kind == SDN_OBSERVABLE_PIXEL ? sdn_pixel_line_response(&o->pixel, wave_obs_A, sigma_ln) : 0;
}

static double one_line(const sdn_line_light *l, int i, bool igm)
{
  const double luminosity = l->unit * (double)l->luminosity[i];
  if (!(luminosity > 0)) return 0;
  return igm && l->transmission ? luminosity * (double)l->transmission[i] : luminosity;
}

double sdn_observable_lines(const sdn_observable *o, const sdn_line_light *l)
{
  double sum = 0, low_A, high_A;
  if (o->line_name) {
    for (int i = 0; i < o->line.n; i++) sum += one_line(l, o->line.line[i], o->kind != SDN_OBSERVABLE_LINE_LUMINOSITY);
    return sum;
  }
  sdn_observable_reach(o, l->stretch, l->widest_ln, &low_A, &high_A);
  for (int i = first_above(l, low_A); i < l->n && l->wave_A[i] < high_A; i++) {
    const double light = one_line(l, i, true);
    if (light > 0) sum += light * sdn_observable_line_response(o, l->wave_A[i] * l->stretch, l->sigma_ln ? l->sigma_ln[i] : 0);
  }
  return sum;
}

/* ------------------------------------------------------------------ continuum */

void sdn_observable_reach(const sdn_observable *o, double stretch, double sigma_ln, double *low_A, double *high_A)
{
  *low_A = HUGE_VAL;
  *high_A = 0;
  if (o->kind == SDN_OBSERVABLE_LINE_EW) {
    const sdn_filter *blue = o->side[0] ? o->side[0] : o->side[1];
    *low_A = blue->low_A;
    *high_A = o->side[1]->high_A;
  } else if (!o->line_name) {
    *low_A = o->low_A;
    *high_A = o->high_A;
    if (o->kind == SDN_OBSERVABLE_PIXEL && sigma_ln > 0) sdn_pixel_reach(&o->pixel, sigma_ln, low_A, high_A);
    *low_A /= stretch;
    *high_A /= stretch;
  }
}

/* Mean f_lambda [erg/s/A] of the sidebands: of each, <f_nu> c / (low high). */
static bool sideband_weights(const sdn_observable *o, int n, const double *wave_A, int *first, int *last, float *weight)
{
  const sdn_filter *red = o->side[1], *blue = o->side[0];
  const double scale = LIGHT_A_S * (blue ? 0.5 : 1);
  int from = 0, to = 0;
  if (!sdn_filter_weights(red, n, wave_A, 1, &from, last, weight)) return false;
  for (int j = from; j < *last; j++) weight[j] *= (float)(scale / (red->low_A * red->high_A));
  *first = from;
  if (!blue) return true;
  float edge = weight[from];   /* the node that both sidebands may share */
  const float edge_after = from + 1 < *last ? weight[from + 1] : 0;
  if (!sdn_filter_weights(blue, n, wave_A, 1, first, &to, weight)) return false;
  for (int j = *first; j < to; j++) weight[j] *= (float)(scale / (blue->low_A * blue->high_A));
  for (int j = to; j < from; j++) weight[j] = 0;
  if (from < to) weight[from] += edge;
  if (from + 1 < to) weight[from + 1] += edge_after;
  return true;
}

bool sdn_observable_weights(const sdn_observable *o, int n, const double *wave_A, double stretch, double sigma_ln, int *first, int *last, float *weight)
{
  *first = *last = 0;
  switch (o->kind) {
  case SDN_OBSERVABLE_BAND: return sdn_filter_weights(o->filter, n, wave_A, stretch, first, last, weight);
  case SDN_OBSERVABLE_PIXEL: return sdn_pixel_weights(&o->pixel, n, wave_A, stretch, sigma_ln, first, last, weight);
  case SDN_OBSERVABLE_LINE_EW: return sideband_weights(o, n, wave_A, first, last, weight);
  default: return true;
  }
}

double sdn_observable_value(const sdn_observable *o, double continuum, double line, const sdn_observer *where)
{
  switch (o->kind) {
  case SDN_OBSERVABLE_LINE_FLUX: return line * where->mass * where->njy_per_lnu / where->stretch * FLUX_PER_NJY_HZ;
  case SDN_OBSERVABLE_LINE_LUMINOSITY: return line * where->mass * LUMINOSITY_UNIT;
  case SDN_OBSERVABLE_LINE_EW: return continuum > 0 ? line / continuum : 0;
  default: return (continuum + line / where->stretch) * where->mass * where->njy_per_lnu;
  }
}

/* ------------------------------------------------------------------ identity */

/* Rounded to float32: nodes put into wide gaps come from the machine's pow, whose last bit is not the same everywhere. */
static uint64_t hash_numbers(int n, const double *x, uint64_t hash)
{
  for (int i = 0; i < n; i++) {
    const float rounded = (float)x[i];
    hash = sdn_hash_bytes(&rounded, sizeof rounded, hash);
  }
  return hash;
}

uint64_t sdn_observable_hash(const sdn_observable *o, uint64_t hash)
{
  if (o->kind != SDN_OBSERVABLE_BAND) return sdn_hash_bytes(o->id, strlen(o->id), hash);
  const unsigned char counts = o->filter->photon_counting;   /* a band's id may be the path of a file that moves */
  hash = sdn_hash_bytes(&counts, 1, hash);
  hash = hash_numbers(o->filter->n, o->filter->wave_A, hash);
  return hash_numbers(o->filter->n, o->filter->throughput, hash);
}
