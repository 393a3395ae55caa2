/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "physics/igm.h"

#include <math.h>
#include <string.h>

#include "physics/igm_law.h"

static const sdn_igm_law *const laws[] = {&sdn_igm_inoue14, &sdn_igm_madau95, &sdn_igm_madau95_metals, &sdn_igm_meiksin06};
enum { N_LAW = sizeof laws / sizeof laws[0] };
static const char wing_name[] = "asada25";
static const sdn_param_spec scale_spec = {"igm_scale", "", NULL, 0, 10, "factor on the optical depth of the intergalactic medium"};

/* ------------------------------------------------------------------ reading */

static sdn_status find_law(const sdn_yaml *node, const char *name, const sdn_igm_law **law, sdn_err *err)
{
  const char *known[N_LAW + 1] = {"none"};
  char list[200] = "none";
  *law = NULL;
  if (strcmp(name, "none") == 0) return SDN_OK;
  for (int i = 0; i < N_LAW; i++) {
    known[1 + i] = laws[i]->name;
    strcat(strcat(list, ", "), laws[i]->name);
    if (strcmp(name, laws[i]->name) == 0) *law = laws[i];
  }
  if (*law) return SDN_OK;
  const char *near = sdn_nearest(name, known, N_LAW + 1);
  return sdn_yaml_fail(node, err, "unknown igm '%.80s'%s%s%s; known ones are %s", name, near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "", list);
}

static sdn_status read_wing(const sdn_yaml *map, bool *wing, sdn_err *err)
{
  const char *name = "none";
  if (sdn_yaml_text(map, "damping_wing", false, &name, err)) return err->status;
  *wing = strcmp(name, wing_name) == 0;
  if (*wing || strcmp(name, "none") == 0) return SDN_OK;
  return sdn_yaml_fail(sdn_yaml_get(map, "damping_wing"), err, "unknown damping wing '%.80s'; known ones are none, %s", name, wing_name);
}

static sdn_status read_map(sdn_igm *igm, const sdn_yaml *map, sdn_prior *prior, sdn_err *err)
{
  static const char *const known[] = {"law", "scale", "damping_wing"};
  const char *name = sdn_igm_inoue14.name;
  const sdn_yaml *scale = sdn_yaml_get(map, "scale");
  if (sdn_yaml_only_keys(map, known, sizeof known / sizeof known[0], err) || sdn_yaml_text(map, "law", false, &name, err)) return err->status;
  if (find_law(sdn_yaml_get(map, "law"), name, &igm->law, err) || read_wing(map, &igm->wing, err)) return err->status;
  if (!scale) return SDN_OK;
  if (!igm->law) return sdn_yaml_fail(scale, err, "igm law none has no optical depth for scale to multiply; leave scale out or choose a law");
  if (sdn_prior_add(prior, &scale_spec, scale, err)) return err->status;
  return sdn_prior_bind(prior, scale_spec.name, &igm->scale, err);
}

sdn_status sdn_igm_new(const sdn_yaml *node, sdn_prior *prior, sdn_igm **out, sdn_err *err)
{
  *out = NULL;
  sdn_igm *igm = sdn_alloc(1, sizeof *igm, "the IGM", err);
  if (!igm) return err->status;
  *igm = (sdn_igm){.law = &sdn_igm_inoue14, .scale = -1};
  sdn_status status = SDN_OK;
  if (node && node->kind == SDN_YAML_LIST)
    status = sdn_yaml_fail(node, err, "igm must be the name of a law or a map {law:, scale:, damping_wing:}");
  else if (node && node->kind == SDN_YAML_MAP)
    status = read_map(igm, node, prior, err);
  else if (node)
    status = find_law(node, node->text, &igm->law, err);
  if (status)
    sdn_igm_free(igm);
  else
    *out = igm;
  return status;
}

void sdn_igm_free(sdn_igm *igm) { sdn_release(igm); }

const char *sdn_igm_name(const sdn_igm *igm)
{
  if (!igm->law) return igm->wing ? "none + asada25" : "none";
  return igm->wing ? igm->law->name_with_wing : igm->law->name;
}

bool sdn_igm_is_none(const sdn_igm *igm) { return !igm->law && !igm->wing; }
double sdn_igm_scale(const sdn_igm *igm, const double *params) { return igm->scale < 0 ? 1 : params[igm->scale]; }

/* ------------------------------------------------------------------ one wavelength, directly */

static double series_tau(const sdn_igm_law *law, const sdn_igm_series *s, double wave_rest_A, double wave_obs_A)
{
  double tau = 0;
  for (int k = s->first; k < s->last; k++) {
    const double line_A = law->jump_A[1 + k], x = wave_obs_A / line_A;
    if (!(wave_rest_A < line_A && x > 1)) continue;
    int region = 0;
    while (region < s->n_region - 1 && x >= s->edge[region]) region++;
    tau += s->coefficient[(k - s->first) * s->stride + region] * pow(x, law->power[s->power[region]]);
  }
  return tau;
}

static double law_tau(const sdn_igm_law *law, double z, double wave_rest_A)
{
  const double a = 1 + z, wave_obs_A = wave_rest_A * a;
  double tau = 0;
  for (int s = 0; s < law->n_series; s++) tau += series_tau(law, &law->series[s], wave_rest_A, wave_obs_A);
  if (wave_rest_A < law->limit_A) tau += law->continuum_tau(a, fmax(wave_obs_A / law->limit_A, 1));   /* the published fits end at the observed limit */
  return fmax(tau, 0);   /* the rounded coefficients of the fits leave -1e-5 at the limit itself */
}

double sdn_igm_tau(const sdn_igm *igm, double z, double scale, double wave_rest_A)
{
  const double wing = igm->wing ? sdn_igm_wing_column(z) * sdn_igm_wing_section(wave_rest_A) : 0;
  return (igm->law ? scale * law_tau(igm->law, z, wave_rest_A) : 0) + (wave_rest_A <= sdn_igm_reddest_A(igm) ? wing : 0);
}

/* ------------------------------------------------------------------ where nodes are wanted */

#define WING_END_A 4000.0   /* redder than this the wing takes less than 3e-6 of the light at any redshift */

const double *sdn_igm_jumps_A(const sdn_igm *igm, int *n)
{
  *n = igm->law ? 1 + igm->law->n_line : 0;
  return igm->law ? igm->law->jump_A : NULL;
}

double sdn_igm_reddest_A(const sdn_igm *igm)
{
  if (igm->wing) return WING_END_A;
  return igm->law ? igm->law->jump_A[igm->law->n_line] : 0;
}

typedef struct step { double from_A, step_A; } step;

static double step_of(size_t n, const step *table, double wave_A)
{
  double h = INFINITY;
  for (size_t i = 0; i < n; i++)
    if (wave_A >= table[i].from_A) h = table[i].step_A;
  return h;
}

/* Between Lyman alpha and the limit ln T is a power of wavelength of at most 5.5 (Inoue+2014 eq. 21), so where T falls to 1/e a step h errs by
 * (5.5 h / 1000)^2 / 12; below the limit the transmission bends on the scale of the limit itself, and little light is left. */
double sdn_igm_step_A(const sdn_igm *igm, double wave_rest_A)
{
  static const step law[] = {{400, 20}, {600, 4}, {880, 2}};
  /* Redward of Lyman alpha the wing falls with the square of the distance d [A], to 1/e at d = 8 A for the largest columns: steps of about d / 10. */
  static const step wing[] = {{300, 50}, {800, 20}, {1000, 10}, {1100, 4}, {1190, 1}, {1205, 0.5}, {1240, 1}, {1260, 2}, {1300, 5}, {1400, 20}, {2000, 100}};
  const bool by_law = igm->law && wave_rest_A <= igm->law->jump_A[igm->law->n_line];
  double h = by_law ? step_of(sizeof law / sizeof law[0], law, wave_rest_A) : INFINITY;
  if (igm->wing && wave_rest_A <= WING_END_A) h = fmin(h, step_of(sizeof wing / sizeof wing[0], wing, wave_rest_A));
  return h;
}
