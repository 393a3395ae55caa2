/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The effective model, for people. */
#include <math.h>
#include <string.h>

#include "physics/model.h"

static void explain_grid(const sdn_grid *g, FILE *out)
{
  fprintf(out, "grid            %s (%s)\n", g->name, g->path);
  fprintf(out, "                %d wavelengths from %.4g to %.4g A, %d lines\n", g->n_wave, g->wave_A[0], g->wave_A[g->n_wave - 1], g->n_line);
  for (int a = 0; a < g->n_axis; a++) {
    const sdn_grid_axis *axis = &g->axis[a];
    fprintf(out, "                %s: %d nodes from %.6g to %.6g, interpolated in %s\n", axis->name, axis->n, axis->value[0], axis->value[axis->n - 1],
            axis->log ? "their logarithm" : "the value");
  }
  if (g->n_failed_cell) fprintf(out, "                %ld failed photoionisation cells, filled from their neighbours\n", g->n_failed_cell);
  if (!g->star_fraction.value) fprintf(out, "                no star_fraction: surviving mass is not known, and log_ssfr is per mass formed\n");
}

static void explain_screens(const sdn_model *m, const sdn_population *p, FILE *out)
{
  const sdn_screens *s = p->screens;
  fprintf(out, "                dust: %s", s ? sdn_attenuation_name(s->ism) : "none");
  if (s && s->birth) fprintf(out, ", and birth clouds: %s", sdn_attenuation_name(s->birth));
  fprintf(out, "%s\n", s && m->nebular.shines ? "; escaping light meets none" : "");
}

static void explain_laws(const sdn_model *m, FILE *out)
{
  for (int i = 0; i < m->n_population; i++) {
    const sdn_population *p = &m->population[i];
    fprintf(out, "stars           %s%shistory: %s; metallicity: %s\n", p->name, *p->name ? ": " : "", sdn_sfh_model_name(p->sfh), sdn_metallicity_name(p->metallicity));
    explain_screens(m, p, out);
  }
  fprintf(out, "nebular         %s\n", m->nebular.shines ? "continuum and lines, each (1 - escape_fraction)" : "none: bare stars");
  fprintf(out, "dust_emission   %s\n", m->dust_emission ? sdn_dust_emission_name(m->dust_emission) : "none");
  fprintf(out, "agn             %s\n", m->agn ? sdn_agn_name(m->agn) : "none");
  fprintf(out, "igm             %s%s\n", sdn_igm_name(m->igm), sdn_igm_is_none(m->igm) ? "" : "; Lyman alpha counts as blueward of itself");
}

sdn_status sdn_model_explain(const sdn_model *m, FILE *out, sdn_err *err)
{
  fprintf(out, "model           %s\n", m->origin);
  explain_grid(m->grid, out);
  explain_laws(m, out);
  fprintf(out, "%-28s %-14s %-60s %-24s %s\n", "parameter", "unit", "value or prior", "range", "from");
  for (int p = 0; p < sdn_prior_n_param(m->prior); p++) {
    const char *help = sdn_prior_param_help(m->prior, p), *unit = sdn_prior_param_unit(m->prior, p);
    double low, high;
    char range[64] = "-";
    sdn_prior_param_range(m->prior, p, &low, &high);
    if (high > low) snprintf(range, sizeof range, "%.6g to %.6g", low, high);
    fprintf(out, "%-28s %-14s %-60s %-24s %s%s%s\n", sdn_prior_param_name(m->prior, p), *unit ? unit : "-", sdn_prior_param_text(m->prior, p), range,
            sdn_prior_param_is_default(m->prior, p) ? "default" : "model", *help ? "   # " : "", help);
  }
  if (ferror(out)) return sdn_fail(err, SDN_IO, "the explanation of model %s could not be written", m->origin);
  return SDN_OK;
}
