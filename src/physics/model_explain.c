/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The effective model, for people. */
#include <math.h>
#include <string.h>

#include "physics/agn_own.h"
#include "physics/derived_own.h"
#include "physics/dust_emission_own.h"
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

static void explain_dust_emission(const sdn_dust_emission *d, FILE *out)
{
  static const char *const cmb[] = {[SDN_CMB_NONE] = "none", [SDN_CMB_HEATING] = "heating", [SDN_CMB_CONTRAST] = "heating_and_contrast"};
  fprintf(out, "dust_emission   %s", d ? sdn_dust_emission_name(d) : "none");
  if (d && sdn_dust_emission_is_table(d))
    fprintf(out, "; q_PAH %g to %g %% (%d values), U_min %g to %g (%d values)", d->dl07.q_pah[0], d->dl07.q_pah[d->dl07.n_q - 1], d->dl07.n_q, d->dl07.u_min[0],
            d->dl07.u_min[d->dl07.n_u - 1], d->dl07.n_u);
  else if (d)
    fprintf(out, "; optical_depth: %s; cmb: %s", d->body.thick ? "thick" : "thin", cmb[d->body.cmb]);
  fprintf(out, "\n");
}

static void explain_torus(const sdn_agn_torus *t, const sdn_yaml *agn, FILE *out)
{
  const char *law = NULL;
  sdn_err unused;
  if (t && sdn_yaml_text(sdn_yaml_get(agn, "torus"), "law", true, &law, &unused) == SDN_OK)
    fprintf(out, "                torus: %s, tau %g to %g, %s\n", law, exp(t->ln_tau[0]), exp(t->ln_tau[t->n_tau - 1]), t->angle < 0 ? "seen from all sides" : "seen at an inclination");
  else fprintf(out, "                torus: none\n");
}

static void explain_agn(const sdn_agn *a, const sdn_yaml *map, FILE *out)
{
  int n_broad = 0;
  fprintf(out, "agn             %s\n", a ? sdn_agn_name(a) : "none");
  if (!a) return;
  if (a->fraction >= 0) fprintf(out, "                strength: share of all light at rest %g A\n", a->fraction_wave_A);
  else fprintf(out, "                strength: bolometric luminosity of the %s%s\n", sdn_agn_has_disc(&a->disc) ? "disc" : "torus", a->by_stars ? " over that of the stars" : "");
  for (int i = 0; i < a->n_line; i++) n_broad += sdn_agn_line_list[a->line[i]].broad;
  if (a->n_line) fprintf(out, "                lines: %d broad, %d narrow\n", n_broad, a->n_line - n_broad);
  else fprintf(out, "                lines: none\n");
  explain_torus(a->torus, map, out);
  fprintf(out, "                dust: %s\n", a->dust ? sdn_attenuation_name(a->dust) : "none");
}

static void explain_cosmology(const sdn_yaml *root, FILE *out)
{
  const sdn_yaml *node = sdn_yaml_get(root, "cosmology"), *h0 = sdn_yaml_get(node, "h0"), *omega_m = sdn_yaml_get(node, "omega_m");
  if (h0 && omega_m) fprintf(out, "cosmology       flat, h0: %s km/s/Mpc, omega_m: %s, no radiation\n", h0->text, omega_m->text);
  else fprintf(out, "cosmology       Planck18\n");
}

/* Names, as many to a line as fit. */
static void explain_derived(const sdn_derived_plan *p, FILE *out)
{
  size_t used = 0;
  fprintf(out, "derived         ");
  for (int i = 0; i < p->n_item; i++) {
    const size_t n = strlen(p->item[i].name) + 2;
    if (used > 0 && used + n > 120) used = 0, fprintf(out, ",\n                ");
    fprintf(out, "%s%s", used > 0 ? ", " : "", p->item[i].name);
    used += n;
  }
  fprintf(out, "\n");
}

static void explain_laws(const sdn_model *m, const sdn_yaml *root, FILE *out)
{
  for (int i = 0; i < m->n_population; i++) {
    const sdn_population *p = &m->population[i];
    fprintf(out, "stars           %s%shistory: %s; metallicity: %s\n", p->name, *p->name ? ": " : "", sdn_sfh_model_name(p->sfh), sdn_metallicity_name(p->metallicity));
    explain_screens(m, p, out);
  }
  fprintf(out, "nebular         %s\n", m->nebular.shines ? "continuum and lines, each (1 - escape_fraction)" : "none: bare stars");
  explain_dust_emission(m->dust_emission, out);
  explain_agn(m->agn, sdn_yaml_get(root, "agn"), out);
  fprintf(out, "igm             %s%s\n", sdn_igm_name(m->igm), sdn_igm_is_none(m->igm) ? "" : "; Lyman alpha counts as blueward of itself");
}

sdn_status sdn_model_explain(const sdn_model *m, FILE *out, sdn_err *err)
{
  sdn_yaml *root = NULL;   /* the file's own words, for what the model keeps as numbers alone */
  if (sdn_yaml_parse(m->yaml, m->origin, &root, err)) return err->status;
  fprintf(out, "model           %s\n", m->origin);
  explain_grid(m->grid, out);
  explain_cosmology(root, out);
  explain_laws(m, root, out);
  explain_derived(m->derived, out);
  fprintf(out, "design          %s\n", m->random_design ? "random" : "sobol");
  sdn_yaml_free(root);
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
