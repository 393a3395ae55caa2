/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Units as files spell them: products and powers of names, by * / blanks ** ^ or FITS' bare exponents ("s-1"). Bases: erg, Angstrom, s, Msun. */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/number.h"
#include "physics/grid_read.h"

enum { ENERGY, LENGTH, TIME, MASS, N_BASE };
typedef struct unit { double factor, power[N_BASE]; } unit;

#define YEAR_S 31557600.0           /* Julian */
#define MSUN_KG 1.98841e30
#define DEEPEST 16

static const struct { const char *name; unit is; } known[] = {
  {"erg", {1, {1}}}, {"J", {1e7, {1}}}, {"W", {1e7, {1, 0, -1}}}, {"Hz", {1, {0, 0, -1}}}, {"s", {1, {0, 0, 1}}}, {"sec", {1, {0, 0, 1}}},
  {"Angstrom", {1, {0, 1}}}, {"angstrom", {1, {0, 1}}}, {"Ang", {1, {0, 1}}}, {"AA", {1, {0, 1}}}, {"A", {1, {0, 1}}},
  {"nm", {10, {0, 1}}}, {"um", {1e4, {0, 1}}}, {"micron", {1e4, {0, 1}}}, {"mm", {1e7, {0, 1}}}, {"cm", {1e8, {0, 1}}}, {"m", {1e10, {0, 1}}},
  {"yr", {YEAR_S, {0, 0, 1}}}, {"year", {YEAR_S, {0, 0, 1}}}, {"Myr", {1e6 * YEAR_S, {0, 0, 1}}}, {"Gyr", {1e9 * YEAR_S, {0, 0, 1}}},
  {"kg", {1 / MSUN_KG, {0, 0, 0, 1}}}, {"g", {1e-3 / MSUN_KG, {0, 0, 0, 1}}},
  {"Msun", {1, {0, 0, 0, 1}}}, {"M_sun", {1, {0, 0, 0, 1}}}, {"Msol", {1, {0, 0, 0, 1}}}, {"solMass", {1, {0, 0, 0, 1}}}, {"Mo", {1, {0, 0, 0, 1}}},
  {"dimensionless", {1, {0}}}, {"photons", {1, {0}}}, {"photon", {1, {0}}}};
static const char *const solar_luminosity[] = {"Lsun", "L_sun", "Lsol", "solLum", "Lo"};

typedef struct reading { const char *at; double lsun; int depth; bool bad; } reading;

static unit product(unit a, unit b, double power)
{
  a.factor *= pow(b.factor, power);
  for (int i = 0; i < N_BASE; i++) a.power[i] += power * b.power[i];
  return a;
}

static unit named(reading *r, const char *name, size_t n)
{
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    if (strlen(known[i].name) == n && strncmp(known[i].name, name, n) == 0) return known[i].is;
  for (size_t i = 0; i < sizeof solar_luminosity / sizeof solar_luminosity[0]; i++)
    if (strlen(solar_luminosity[i]) == n && strncmp(solar_luminosity[i], name, n) == 0) return (unit){r->lsun, {1, 0, -1}};
  r->bad = true;
  return (unit){1, {0}};
}

/* A decimal number at r->at, which moves behind it. */
static double number(reading *r)
{
  const char *end = r->at + (*r->at == '-' || *r->at == '+');
  double value = 1;
  while (isdigit((unsigned char)*end) || *end == '.') end++;
  if ((*end == 'e' || *end == 'E') && (isdigit((unsigned char)end[1]) || ((end[1] == '-' || end[1] == '+') && isdigit((unsigned char)end[2])))) {
    end += 2;
    while (isdigit((unsigned char)*end)) end++;
  }
  if (!sdn_number_parse(r->at + (*r->at == '+'), (size_t)(end - r->at) - (*r->at == '+'), &value)) r->bad = true;
  r->at = end;
  return value;
}

static void skip_blanks(reading *r)
{
  while (*r->at == ' ' || *r->at == '\t') r->at++;
}

static unit expression(reading *r);

static unit atom(reading *r)
{
  const char *begin = r->at;
  unit u = {1, {0}};
  if (*r->at == '(' && ++r->depth < DEEPEST) {
    r->at++;
    u = expression(r);
    r->bad = r->bad || *r->at != ')';
    if (!r->bad) r->at++;
    r->depth--;
  } else if (isdigit((unsigned char)*r->at) || *r->at == '.') {
    u.factor = number(r);
  } else {
    while (isalpha((unsigned char)*r->at) || *r->at == '_') r->at++;
    u = named(r, begin, (size_t)(r->at - begin));
  }
  return u;
}

static double exponent(reading *r)
{
  bool marked = *r->at == '^' || (r->at[0] == '*' && r->at[1] == '*');
  if (marked) r->at += *r->at == '^' ? 1 : 2;
  if (marked) skip_blanks(r);
  const bool bracket = marked && *r->at == '(';
  if (bracket) r->at++;
  if (!isdigit((unsigned char)*r->at) && !((*r->at == '-' || *r->at == '+') && isdigit((unsigned char)r->at[1]))) {
    r->bad = r->bad || marked;
    return 1;
  }
  const double power = number(r);
  if (bracket && *r->at++ != ')') r->bad = true;
  return power;
}

static unit expression(reading *r)
{
  unit u = {1, {0}};
  double sign = 1;
  skip_blanks(r);
  while (!r->bad && *r->at && *r->at != ')') {
    const unit next = atom(r);
    if (r->bad) break;
    u = product(u, next, sign * exponent(r));
    skip_blanks(r);
    sign = *r->at == '/' ? -1 : 1;
    if (*r->at == '/' || *r->at == '*' || *r->at == '.') r->at++;
    skip_blanks(r);
  }
  return u;
}

static bool has_powers(const unit *u, double energy, double length, double time, double mass)
{
  return u->power[ENERGY] == energy && u->power[LENGTH] == length && u->power[TIME] == time && u->power[MASS] == mass;
}

bool sdn_unit_factor(const char *text, sdn_unit_kind kind, double lsun_erg_per_s, double *factor)
{
  reading r = {text, lsun_erg_per_s, 0, false};
  unit u = expression(&r);
  if (r.bad || *r.at || !(u.factor > 0 && u.factor < HUGE_VAL)) return false;
  *factor = u.factor;
  const bool is_light = kind == SDN_UNIT_LNU || kind == SDN_UNIT_SHAPE || kind == SDN_UNIT_LLAMBDA || kind == SDN_UNIT_LUMINOSITY;
  if (is_light && u.power[MASS] == -1) u.power[MASS] = 0;   /* per solar mass formed, as all grids are */
  switch (kind) {
  case SDN_UNIT_WAVELENGTH: return has_powers(&u, 0, 1, 0, 0);
  case SDN_UNIT_AGE: *factor = u.factor / YEAR_S; return has_powers(&u, 0, 0, 1, 0);
  case SDN_UNIT_LNU: return has_powers(&u, 1, 0, 0, 0);
  case SDN_UNIT_SHAPE: return has_powers(&u, 1, 0, 0, 0) || has_powers(&u, 0, 0, 1, 0);
  case SDN_UNIT_LLAMBDA: return has_powers(&u, 1, -1, -1, 0);
  case SDN_UNIT_LUMINOSITY: return has_powers(&u, 1, 0, -1, 0) || has_powers(&u, 0, 0, 0, 0);
  case SDN_UNIT_MASS: return has_powers(&u, 0, 0, 0, 1);
  default: return has_powers(&u, 0, 0, 0, 0);
  }
}

sdn_status sdn_grid_unit_factor(const sdn_h5 *f, const char *dataset, sdn_unit_kind kind, double *factor, sdn_err *err)
{
  static const char *const example[] = {"Angstrom", "yr", "erg/s/Hz", "erg/s/Hz", "erg/s/Angstrom", "erg/s", "Msun", "dimensionless"};
  char *text = NULL;
  *factor = 1;
  if (!sdn_h5_has_attr(f, dataset, "Units")) return SDN_OK;
  if (sdn_h5_get_text(f, dataset, "Units", &text, err)) return err->status;
  sdn_status status = SDN_OK;
  if (*text && !sdn_unit_factor(text, kind, SDN_LSUN_ERG_PER_S, factor))
    status = sdn_fail(err, SDN_FORMAT, "grid %s: %s is in '%s', which is not a unit known here (such as %s); mend its attribute Units", sdn_h5_path(f), dataset,
                      text, example[kind]);
  sdn_release(text);
  return status;
}
