/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dust emission as a model has it: its YAML, its parameters, where it needs nodes. The laws themselves: dust_emission_body.c, dust_emission_dl07.c. */
#include "physics/dust_emission_own.h"

#include <math.h>
#include <string.h>

#include "base/file.h"

#define TOLERANCE 6e-5        /* of an interval's light, from what is linear between nodes: a band then errs by less than 1e-4 */
#define FLOOR 2e-3            /* of the peak of nu L_nu: below it a galaxy's stars outshine its dust */
#define BODY_BEGIN_X 25.0     /* hc / lambda k T: 4e-5 of the peak of nu L_nu for beta = 2, and falling */
#define END_A 1e8             /* 1 cm */
#define T_RATIO 1.3           /* between the temperatures that stand for a range */

static const sdn_param_spec spec[SDN_N_DUST_PARAM] = {
  [SDN_DUST_TEMPERATURE] = {"dust_temperature_k", "K", NULL, 3, 1500, "temperature of the dust that starlight alone would hold it at, today's CMB included"},
  [SDN_DUST_BETA] = {"dust_emissivity_index", "", "1.5", 0, 4, "power of frequency with which the dust's emissivity rises"},
  [SDN_DUST_LAMBDA0] = {"dust_lambda_0_um", "um", "100", 0.1, 1e4, "wavelength at which the dust becomes opaque"},
  [SDN_DUST_ALPHA] = {"dust_alpha", "", "2", 1.01, 6, "slope of the mid-infrared power law"},
  [SDN_DUST_Q_PAH] = {"dust_q_pah_percent", "%", "2", 0, 0, "share of the dust's mass in PAHs"},
  [SDN_DUST_U_MIN] = {"dust_u_min", "", "1", 0, 0, "starlight that most of the dust sees, in units of the solar neighbourhood's"},
  [SDN_DUST_GAMMA] = {"dust_gamma", "", "0.01", 0, 1, "share of the dust's mass in starlight of up to 1e6"},
};
static const char *const key[SDN_N_DUST_PARAM] = {"temperature_k", "emissivity_index", "lambda_0_um", "alpha", "q_pah_percent", "u_min", "gamma"};

enum { BODY, CASEY, DL07, N_LAW };
static const char *const law_name[N_LAW] = {[BODY] = "modified_black_body", [CASEY] = "casey12", [DL07] = "draine_li07"};

static sdn_status find(const sdn_yaml *map, const char *what, const char *const *name, int n, const char *text, int *found, sdn_err *err)
{
  char known[200] = "";
  for (int i = 0; i < n; i++) {
    if (!strcmp(text, name[i])) {
      *found = i;
      return SDN_OK;
    }
    const size_t used = strlen(known);
    snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", name[i]);
  }
  const char *near = sdn_nearest(text, name, (size_t)n);
  return sdn_yaml_fail(map, err, "unknown %s '%s'%s%s%s; known are %s", what, text, near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "", known);
}

/* ------------------------------------------------------------------ reading */

static sdn_status add(sdn_dust_emission *d, const sdn_yaml *map, sdn_prior *prior, sdn_dust_param which, const char *initial, sdn_err *err)
{
  sdn_param_spec s = spec[which];
  if (initial) s.initial = initial;
  if (which == SDN_DUST_Q_PAH) s.low = d->dl07.q_pah[0], s.high = d->dl07.q_pah[d->dl07.n_q - 1];
  if (which == SDN_DUST_U_MIN) s.low = d->dl07.u_min[0], s.high = d->dl07.u_min[d->dl07.n_u - 1];
  if (sdn_prior_add(prior, &s, sdn_yaml_get(map, key[which]), err)) return err->status;
  return sdn_prior_bind(prior, s.name, &d->param[which], err);
}

static sdn_status read_cmb(sdn_dust_emission *d, const sdn_yaml *map, sdn_err *err)
{
  static const char *const name[] = {[SDN_CMB_NONE] = "none", [SDN_CMB_HEATING] = "heating", [SDN_CMB_CONTRAST] = "heating_and_contrast"};
  const char *text = name[SDN_CMB_CONTRAST];
  int cmb = 0;
  if (sdn_yaml_text(map, "cmb", false, &text, err) || find(map, "cmb", name, 3, text, &cmb, err)) return err->status;
  d->body.cmb = (sdn_cmb)cmb;
  return SDN_OK;
}

static sdn_status read_body(sdn_dust_emission *d, const sdn_yaml *map, sdn_prior *prior, sdn_err *err)
{
  static const char *const known[] = {"law", "cmb", "optical_depth", "temperature_k", "emissivity_index", "lambda_0_um"};
  static const char *const depth[] = {"thin", "thick"};
  const char *text = depth[0];
  int thick = 0;
  if (sdn_yaml_only_keys(map, known, 6, err) || read_cmb(d, map, err) || sdn_yaml_text(map, "optical_depth", false, &text, err)) return err->status;
  if (find(map, "optical_depth", depth, 2, text, &thick, err)) return err->status;
  d->body.thick = thick == 1;
  if (!thick && sdn_yaml_get(map, "lambda_0_um"))
    return sdn_yaml_fail(sdn_yaml_get(map, "lambda_0_um"), err, "lambda_0_um has no meaning for thin dust; add optical_depth: thick, or leave it out");
  if (add(d, map, prior, SDN_DUST_TEMPERATURE, NULL, err) || add(d, map, prior, SDN_DUST_BETA, NULL, err)) return err->status;
  return thick ? add(d, map, prior, SDN_DUST_LAMBDA0, NULL, err) : SDN_OK;
}

static sdn_status read_casey(sdn_dust_emission *d, const sdn_yaml *map, sdn_prior *prior, sdn_err *err)
{
  static const char *const known[] = {"law", "cmb", "temperature_k", "emissivity_index", "lambda_0_um", "alpha"};
  d->body.thick = d->body.power_law = true;
  if (sdn_yaml_only_keys(map, known, 6, err) || read_cmb(d, map, err)) return err->status;
  if (add(d, map, prior, SDN_DUST_TEMPERATURE, NULL, err) || add(d, map, prior, SDN_DUST_BETA, "2", err)) return err->status;
  if (add(d, map, prior, SDN_DUST_LAMBDA0, "200", err)) return err->status;
  return add(d, map, prior, SDN_DUST_ALPHA, NULL, err);
}

static sdn_status read_dl07(sdn_dust_emission *d, const sdn_yaml *map, sdn_prior *prior, sdn_err *err)
{
  static const char *const known[] = {"law", "q_pah_percent", "u_min", "gamma"};
  if (sdn_yaml_get(map, "cmb"))
    return sdn_yaml_fail(sdn_yaml_get(map, "cmb"), err,
                         "draine_li07 is tabulated for dust that starlight alone heats; leave cmb out, or take modified_black_body");
  if (sdn_yaml_only_keys(map, known, 4, err) || sdn_dl07_read(&d->dl07, err)) return err->status;
  if (add(d, map, prior, SDN_DUST_Q_PAH, NULL, err) || add(d, map, prior, SDN_DUST_U_MIN, NULL, err)) return err->status;
  return add(d, map, prior, SDN_DUST_GAMMA, NULL, err);
}

sdn_status sdn_dust_emission_new(const sdn_yaml *map, sdn_prior *prior, sdn_dust_emission **out, sdn_err *err)
{
  static sdn_status (*const read[N_LAW])(sdn_dust_emission *, const sdn_yaml *, sdn_prior *, sdn_err *) = {read_body, read_casey, read_dl07};
  const char *law = NULL;
  *out = NULL;
  if (map->kind != SDN_YAML_MAP) return sdn_yaml_fail(map, err, "dust emission must be a map {law: ..., ...}");
  if (sdn_yaml_text(map, "law", true, &law, err)) return err->status;
  sdn_dust_emission *d = sdn_alloc(1, sizeof *d, "dust emission", err);
  if (!d) return err->status;
  d->prior = prior;
  d->nodes = sdn_alloc(1, sizeof *d->nodes, "dust emission", err);
  sdn_status status = d->nodes ? find(map, "dust emission law", law_name, N_LAW, law, &d->law, err) : err->status;
  for (int i = 0; i < SDN_N_DUST_PARAM; i++) d->param[i] = -1;
  sdn_body_begin(&d->body);
  if (!status) status = read[d->law](d, map, prior, err);
  if (!status) {
    *out = d;
    d = NULL;
  }
  sdn_dust_emission_free(d);
  return status;
}

void sdn_dust_emission_free(sdn_dust_emission *d)
{
  if (!d) return;
  if (d->nodes) sdn_release(d->nodes->wave_A);
  sdn_release(d->nodes);
  sdn_dl07_clear(&d->dl07);
  sdn_release(d);
}

const char *sdn_dust_emission_name(const sdn_dust_emission *d) { return law_name[d->law]; }

uint64_t sdn_dust_emission_hash(const sdn_dust_emission *d, uint64_t hash)
{
  const char *name = law_name[d->law];
  hash = sdn_hash_bytes(name, strlen(name), hash);
  return d->law == DL07 ? sdn_hash_bytes(&d->dl07.hash, sizeof d->dl07.hash, hash) : hash;
}

bool sdn_dust_emission_is_table(const sdn_dust_emission *d) { return d->law == DL07; }

/* ------------------------------------------------------------------ nodes */

sdn_body_value sdn_dust_body_value(const sdn_dust_emission *d, const double *params)
{
  const int *p = d->param;
  return (sdn_body_value){params[p[SDN_DUST_TEMPERATURE]], params[p[SDN_DUST_BETA]], p[SDN_DUST_LAMBDA0] < 0 ? 100 : params[p[SDN_DUST_LAMBDA0]],
                          p[SDN_DUST_ALPHA] < 0 ? 2 : params[p[SDN_DUST_ALPHA]]};
}

/* Black bodies that stand for all of a prior: temperatures T_RATIO apart, with the corners of the other parameters. */
typedef struct samples { int n; sdn_body_light *light; } samples;

static double sample_lnu(const void *ctx, int sample, double wave_A) { return sdn_body_lnu(&((const samples *)ctx)->light[sample], wave_A); }

static void range_of(const sdn_dust_emission *d, sdn_dust_param which, double otherwise, double *low, double *high)
{
  *low = *high = otherwise;
  if (d->param[which] >= 0) sdn_prior_param_range(d->prior, d->param[which], low, high);
}

/* The CMB makes dust as hot as itself: temperatures up to there occur whatever the prior says. */
static double hottest_K(const sdn_dust_emission *d, double high_K)
{
  const double cmb_K = 2.73 * 21;   /* at the highest redshift that the program serves, 20 */
  return d->body.cmb == SDN_CMB_NONE ? high_K : pow(pow(high_K, 4) + pow(cmb_K, 4), 0.25);
}

static sdn_status make_samples(const sdn_dust_emission *d, samples *s, double *hottest, sdn_err *err)
{
  double t[2], beta[2], lambda0[2], alpha[2];
  range_of(d, SDN_DUST_TEMPERATURE, 30, &t[0], &t[1]);
  range_of(d, SDN_DUST_BETA, 1.5, &beta[0], &beta[1]);
  range_of(d, SDN_DUST_LAMBDA0, 100, &lambda0[0], &lambda0[1]);
  range_of(d, SDN_DUST_ALPHA, 2, &alpha[0], &alpha[1]);
  *hottest = t[1] = hottest_K(d, t[1]);
  const int n_t = 1 + (int)ceil(log(t[1] / t[0]) / log(T_RATIO));
  sdn_body unheated = d->body;
  unheated.cmb = SDN_CMB_NONE;
  s->light = sdn_alloc((size_t)n_t * 8, sizeof *s->light, "dust spectra", err);
  if (!s->light) return err->status;
  for (int i = 0; i < n_t; i++)
    for (int corner = 0; corner < 8; corner++) {
      const double *const choice[3] = {beta, lambda0, alpha};
      bool same = false;
      for (int k = 0; k < 3; k++) same = same || ((corner >> k & 1) && choice[k][0] == choice[k][1]);
      if (same) continue;
      const sdn_body_value v = {n_t > 1 ? t[0] * pow(t[1] / t[0], (double)i / (n_t - 1)) : t[0], beta[corner & 1], lambda0[corner >> 1 & 1],
          alpha[corner >> 2 & 1]};
      sdn_body_prepare(&unheated, &v, 0, &s->light[s->n++]);
    }
  return SDN_OK;
}

static sdn_status body_nodes(const sdn_dust_emission *d, sdn_err *err)
{
  samples s = {0};
  double hottest = 0;
  sdn_status status = make_samples(d, &s, &hottest, err);
  const sdn_wave_family family = {s.n, sample_lnu, &s, TOLERANCE, FLOOR};
  const double begin_A = d->body.power_law ? SDN_TAIL_BEGIN_A : fmin(SDN_HC_OVER_K_A / (BODY_BEGIN_X * hottest), 1e5);
  if (!status) status = sdn_wave_nodes(&family, begin_A, END_A, &d->nodes->wave_A, &d->nodes->n, err);
  sdn_release(s.light);
  return status;
}

const double *sdn_dust_emission_waves_A(const sdn_dust_emission *d, int *n)
{
  sdn_err hidden;
  *n = d->law == DL07 ? d->dl07.n_wave : 0;
  if (d->law == DL07) return d->dl07.wave_A;
  if (!d->nodes->wave_A && body_nodes(d, &hidden)) return NULL;
  *n = d->nodes->n;
  return d->nodes->wave_A;
}

double sdn_dust_emission_lnu(const sdn_dust_emission *d, const double *params, double redshift, double power_lsun, double wave_A)
{
  const int *p = d->param;
  if (d->law != DL07) {
    const sdn_body_value v = sdn_dust_body_value(d, params);
    sdn_body_light light;
    sdn_body_prepare(&d->body, &v, redshift, &light);
    return power_lsun * sdn_body_lnu(&light, wave_A);
  }
  double share[8], sum = 0;
  int iq, iu;
  if (!sdn_dl07_shares(&d->dl07, params[p[SDN_DUST_Q_PAH]], params[p[SDN_DUST_U_MIN]], params[p[SDN_DUST_GAMMA]], &iq, &iu, share)) return NAN;
  for (int k = 0; k < 8; k++) sum += share[k] * sdn_dl07_at(&d->dl07, iq + (k >> 2), iu + (k >> 1 & 1), k & 1, wave_A);
  return power_lsun * sum;
}
