/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "infer/layout.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "survey/units.h"

const double sdn_predicted_p[SDN_N_PREDICTED] = {0.16, 0.5, 0.84};

/* ------------------------------------------------------------------ the list */

static int add(sdn_layout *c, sdn_column_kind kind, const char *name, const char *suffix, const char *unit, const char *description)
{
  sdn_column *column = &c->column[c->n_column];
  snprintf(column->name, sizeof column->name, "%s%s%s", name, *suffix ? "_" : "", suffix);
  const bool logarithm = !strncmp(unit, "log10", 5);   /* no unit of the FITS standard; the name says what it is a logarithm of */
  const char *power = strncmp(unit, "1e", 2) ? "" : "10**";      /* 1e-20 erg/s/cm2, which FITS spells 10**-20 erg/s/cm2 */
  const char *rest = *power ? strchr(unit, 'e') + 1 : unit;
  snprintf(column->unit, sizeof column->unit, "%s%s", power, logarithm ? "" : rest);
  snprintf(column->description, sizeof column->description, "%s", description);
  column->kind = kind;
  return c->n_column++;
}

static void add_quantity(sdn_layout *c, const char *name, const char *unit, bool redshift)
{
  sdn_column_kind kind = redshift ? SDN_COLUMN_DOUBLE : SDN_COLUMN_FLOAT;
  int n_p = redshift ? c->n_redshift_p : c->n_quantile;
  const double *p = redshift ? c->redshift_p : c->p;
  for (int i = 0; i < n_p; i++) {
    char suffix[16], description[64];
    sdn_quantile_name(p[i], suffix);
    snprintf(description, sizeof description, "posterior quantile, %g %%", 100 * p[i]);
    add(c, kind, name, suffix, unit, description);
  }
  add(c, kind, name, "mean", unit, "posterior mean");
  add(c, kind, name, "std", unit, "posterior standard deviation");
  if (redshift)
    add(c, kind, name, "peak", unit, "where the posterior is densest: the shortest interval of ln(1+z) with a fifth of the draws");
}

static void add_band(sdn_layout *c, const char *name, const char *unit)
{
  add(c, SDN_COLUMN_FLOAT, name, "flux", unit, "as observed");
  add(c, SDN_COLUMN_FLOAT, name, "sigma", unit, "its error as listed");
  for (int i = 0; i < SDN_N_PREDICTED; i++) {
    char suffix[32], quantile[16], description[64];
    sdn_quantile_name(sdn_predicted_p[i], quantile);
    snprintf(suffix, sizeof suffix, "pred_%s", quantile);
    snprintf(description, sizeof description, "posterior prediction of its true value, quantile %g %%", 100 * sdn_predicted_p[i]);
    add(c, SDN_COLUMN_FLOAT, name, suffix, unit, description);
  }
}

bool sdn_layout_shows(const sdn_engine *e, int band) { return sdn_survey_band_spectrum(e->survey, band) < 0; }

static void add_derived(sdn_layout *c, const sdn_engine *e, int first, int n)
{
  for (int i = first; i < first + n; i++)
    add_quantity(c, sdn_forward_derived_name(e->forward, i), sdn_forward_derived_unit(e->forward, i), false);
}

static void add_all(sdn_layout *c, const sdn_engine *e, const sdn_catalogue *catalogue)
{
  c->at_z_spec = c->at_band = c->at_chi2 = -1;
  for (int k = 0; k < catalogue->n_carried; k++)
    c->column[c->n_column++] = catalogue->carried[k].column;
  if (catalogue->at_redshift >= 0)
    c->at_z_spec = add(c, SDN_COLUMN_DOUBLE, "z_spec", "", "", "spectroscopic redshift of the catalogue");
  c->at_n_band = add(c, SDN_COLUMN_LONG, "n_band", "", "", "bands used");
  c->at_flags = add(c, SDN_COLUMN_LONG, "flags", "", "", "bit mask: 1 no data, 2 bad error, 4 out of range, 8 fix missing, 16 fix improbable, 32 bad derived, 64 poor fit");
  c->at_quantity = c->n_column;
  for (int i = 0; i < c->n_primary; i++)
    add_quantity(c, sdn_posterior_free_name(e->posterior, i), sdn_posterior_free_unit(e->posterior, i), i == 0 && c->has_redshift);
  add_derived(c, e, 0, c->n_sfh);
  add_derived(c, e, e->n_sfh, c->n_spectral);
  if (c->n_predict == 0)
    return;
  c->at_band = c->n_column;
  for (int b = 0; b < c->n_band; b++)
    if (sdn_layout_shows(e, b))
      add_band(c, sdn_survey_band_name(e->survey, b), sdn_survey_band_unit(e->survey, b));
  c->at_chi2 = add(c, SDN_COLUMN_FLOAT, "chi2_min", "", "", "smallest chi2 of the draws with predicted photometry");
}

/* FITS tells columns apart without regard to case, so we do too. */
static sdn_status check_names(const sdn_layout *c, const sdn_catalogue *catalogue, sdn_err *err)
{
  for (int i = 0; i < c->n_column; i++) {
    if (strlen(c->column[i].name) + 1 >= sizeof c->column[i].name)
      return sdn_fail(err, SDN_USAGE, "result column \"%s...\" has too long a name; shorten the band's name in the survey", c->column[i].name);
    for (int k = 0; k < i; k++)
      if (strcasecmp(c->column[i].name, c->column[k].name) == 0)
        return sdn_fail(err, SDN_USAGE, "the result would have two columns called \"%s\"%s", c->column[i].name,
                        k < catalogue->n_carried ? "; leave it out of --copy (the id is always carried over), or rename it in the catalogue"
                                                 : "; give the survey's bands other names");
  }
  return SDN_OK;
}

/* ------------------------------------------------------------------ what was asked for */

static sdn_status parse_derived(const char *text, sdn_derived_choice *choice, sdn_err *err)
{
  static const char *const name[] = {"none", "sfh", "all"};
  for (int i = 0; i < 3; i++)
    if (strcmp(text, name[i]) == 0) {
      *choice = (sdn_derived_choice)i;
      return SDN_OK;
    }
  return sdn_fail(err, SDN_USAGE, "derived \"%s\" is not one of none, sfh (quantities of the star formation history), all (spectral ones too)", text);
}

/* The redshift's quantiles: those asked for, and the ends of the 95 % interval. */
static sdn_status redshift_quantiles(sdn_layout *c, sdn_err *err)
{
  static const double end[2] = {0.025, 0.975};
  memcpy(c->redshift_p, c->p, sizeof c->p);
  c->n_redshift_p = c->n_quantile;
  for (int k = 0; k < 2; k++) {
    int at = 0;
    while (at < c->n_redshift_p && c->redshift_p[at] < end[k] - 1e-9)
      at++;
    if (at < c->n_redshift_p && c->redshift_p[at] < end[k] + 1e-9)
      continue;
    if (c->n_redshift_p == SDN_MAX_QUANTILE)
      return sdn_fail(err, SDN_USAGE, "quantiles are more than %d with the redshift's 2.5 and 97.5 %%; ask for fewer", SDN_MAX_QUANTILE);
    memmove(c->redshift_p + at + 1, c->redshift_p + at, (size_t)(c->n_redshift_p - at) * sizeof *c->redshift_p);
    c->redshift_p[at] = end[k];
    c->n_redshift_p++;
  }
  return SDN_OK;
}

sdn_status sdn_layout_new(const sdn_layout_request *request, const sdn_engine *e, const sdn_catalogue *catalogue, sdn_layout **out, sdn_err *err)
{
  sdn_derived_choice choice = SDN_DERIVED_NONE;
  sdn_layout *c = sdn_alloc(1, sizeof *c, "the list of result columns", err);
  if (!c)
    return err->status;
  sdn_status status = sdn_quantiles_parse(request->quantiles, &c->n_quantile, c->p, err);
  if (status || (status = redshift_quantiles(c, err)) || (status = parse_derived(request->derived, &choice, err)))
    goto done;
  c->n_primary = e->n_free;
  c->has_redshift = e->redshift_param >= 0;
  c->n_predict = request->n_spectral < request->n_draw ? request->n_spectral : request->n_draw;
  c->n_sfh = choice == SDN_DERIVED_NONE ? 0 : e->n_sfh;
  c->n_spectral = choice == SDN_DERIVED_ALL && c->n_predict > 0 ? e->n_derived - e->n_sfh : 0;
  c->n_band = e->n_band;
  for (int b = 0; b < c->n_band; b++)
    c->n_pixel += !sdn_layout_shows(e, b);
  int n_most = catalogue->n_carried + 4 + (c->n_primary + c->n_sfh + c->n_spectral) * (SDN_MAX_QUANTILE + 3) + c->n_band * (2 + SDN_N_PREDICTED);
  c->column = sdn_alloc((size_t)n_most, sizeof *c->column, "the list of result columns", err);
  if (!c->column) {
    status = err->status;
    goto done;
  }
  add_all(c, e, catalogue);
  status = check_names(c, catalogue, err);
done:
  if (status)
    sdn_layout_free(c);
  else
    *out = c;
  return status;
}

void sdn_layout_free(sdn_layout *c)
{
  if (!c)
    return;
  sdn_release(c->column);
  sdn_release(c);
}

/* ------------------------------------------------------------------ numbers */

int sdn_layout_at(const sdn_layout *c, int quantity)
{
  int at = c->at_quantity + quantity * (c->n_quantile + 2);
  return c->has_redshift && quantity > 0 ? at + c->n_redshift_p - c->n_quantile + 1 : at;
}

void sdn_layout_summarise(const sdn_layout *c, int quantity, long n, double *x, double *row)
{
  bool redshift = quantity == 0 && c->has_redshift;
  int n_p = redshift ? c->n_redshift_p : c->n_quantile;
  double *out = row + sdn_layout_at(c, quantity);
  n = sdn_keep_finite(n, x);
  sdn_mean_std(n, x, &out[n_p], &out[n_p + 1]);
  sdn_quantiles(n, x, n_p, redshift ? c->redshift_p : c->p, out);
  if (!redshift)
    return;
  for (long i = 0; i < n; i++)
    x[i] = log1p(x[i]);
  out[n_p + 2] = expm1(sdn_densest(n, x));
}
