/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From YAML to a law with its parameters; one wavelength in double. The formulas stand in attenuation_*.c. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "physics/attenuation_law.h"

static const sdn_dust_law no_dust = {.name = "none"};
static const sdn_dust_law *const laws[] = {
  &no_dust, &sdn_dust_calzetti, &sdn_dust_salim18, &sdn_dust_kriek_conroy, &sdn_dust_power_law, &sdn_dust_cardelli, &sdn_dust_smc, &sdn_dust_lmc,
  &sdn_dust_gordon23, &sdn_dust_li08, &sdn_dust_narayanan_mw, &sdn_dust_tabulated};
enum { N_LAW = sizeof laws / sizeof laws[0], MAX_KEY = 64 };

static const sdn_param_spec a_v_spec = {"a_v_mag", "mag", NULL, 0, 100, "attenuation at 5500 A, slope and bump included"};

static sdn_status find_law(const sdn_yaml *map, const sdn_dust_law **law, sdn_err *err)
{
  const char *name, *known[N_LAW];
  if (sdn_yaml_text(map, "law", true, &name, err)) return err->status;
  for (int i = 0; i < N_LAW; i++) {
    known[i] = laws[i]->name;
    if (strcmp(name, known[i]) != 0) continue;
    *law = laws[i];
    return SDN_OK;
  }
  char list[400] = "";
  for (int i = 0; i < N_LAW; i++) strcat(strcat(list, i ? ", " : ""), known[i]);
  const char *near = sdn_nearest(name, known, N_LAW);
  return sdn_yaml_fail(sdn_yaml_get(map, "law"), err, "unknown dust law '%.80s'%s%s%s; known ones are %s", name, near ? ", did you mean '" : "",
                       near ? near : "", near ? "'?" : "", list);
}

/* Keys of a law: [n], at most SDN_DUST_MAX_PARAM + 4. */
static size_t keys_of(const sdn_dust_law *law, const char **key)
{
  size_t n = 0;
  key[n++] = "law";
  if (law->basis) key[n++] = "a_v_mag";
  for (int i = 0; i < law->n_param; i++) key[n++] = law->param[i].key;
  if (law->n_template) key[n++] = "template";
  if (law->reads_file) key[n++] = "file";
  return n;
}

static bool is_among(const char *word, size_t n, const char *const *words)
{
  for (size_t i = 0; i < n; i++)
    if (strcmp(word, words[i]) == 0) return true;
  return false;
}

/* A key of another law gets a sentence that says so. */
static sdn_status check_keys(const sdn_yaml *map, const sdn_dust_law *law, const char *const *more, size_t n_more, sdn_err *err)
{
  const char *known[MAX_KEY], *other[SDN_DUST_MAX_PARAM + 4];
  size_t n = keys_of(law, known);
  const size_t n_own = n;
  for (size_t i = 0; i < n_more && n < MAX_KEY; i++) known[n++] = more[i];
  for (size_t i = 0; i < map->n; i++) {
    if (is_among(map->key[i], n, known)) continue;
    for (int l = 0; l < N_LAW; l++) {
      if (!is_among(map->key[i], keys_of(laws[l], other), other)) continue;
      char list[200] = "";
      for (size_t k = 1; k < n_own; k++) strcat(strcat(list, k > 1 ? ", " : ""), known[k]);
      return sdn_fail(err, SDN_USAGE, "%s:%d: dust law %s has no '%s'; it takes %s", map->origin, map->key_line[i], law->name, map->key[i],
                      n_own > 1 ? list : "no keys");
    }
  }
  return sdn_yaml_only_keys(map, known, n, err);
}

static sdn_status find_template(const sdn_yaml *map, const sdn_dust_law *law, const sdn_dust_template **found, sdn_err *err)
{
  const char *name = NULL, *known[8];
  *found = NULL;
  if (!law->n_template) return SDN_OK;
  if (sdn_yaml_text(map, "template", false, &name, err) || !name) return name ? err->status : SDN_OK;
  for (int i = 0; i < law->n_template; i++) {
    known[i] = law->templates[i].name;
    if (strcmp(name, known[i]) == 0) *found = &law->templates[i];
  }
  if (*found) return SDN_OK;
  char list[200] = "";
  for (int i = 0; i < law->n_template; i++) strcat(strcat(list, i ? ", " : ""), known[i]);
  return sdn_yaml_fail(sdn_yaml_get(map, "template"), err, "dust law %s has no template '%.80s'; its templates are %s", law->name, name, list);
}

static sdn_status add_one(const sdn_yaml *map, const char *key, const sdn_param_spec *spec, sdn_prior *prior, int *index, sdn_err *err)
{
  const sdn_yaml *node = sdn_yaml_get(map, key);
  if (sdn_prior_add(prior, spec, node, err)) return node ? err->status : sdn_fail_in(err, "%s:%d", map->origin, map->line);
  return sdn_prior_bind(prior, spec->name, index, err);
}

static sdn_status add_parameters(sdn_attenuation *a, const sdn_yaml *map, sdn_prior *prior, sdn_err *err)
{
  const sdn_dust_template *t;
  if (find_template(map, a->law, &t, err)) return err->status;
  if (add_one(map, "a_v_mag", &a_v_spec, prior, &a->a_v, err)) return err->status;
  for (int i = 0; i < a->law->n_param; i++) {
    sdn_param_spec spec = a->law->param[i].spec;
    if (t) spec.initial = t->initial[i];
    if (add_one(map, a->law->param[i].key, &spec, prior, &a->param[i], err)) return err->status;
  }
  return SDN_OK;
}

sdn_status sdn_attenuation_new(const sdn_yaml *map, const char *const *more, size_t n_more, sdn_prior *prior, sdn_attenuation **out, sdn_err *err)
{
  const sdn_dust_law *law = NULL;
  *out = NULL;
  if (map->kind != SDN_YAML_MAP) return sdn_yaml_fail(map, err, "dust must be a map {law: NAME, a_v_mag: PARAMETER, ...}");
  if (find_law(map, &law, err) || check_keys(map, law, more, n_more, err)) return err->status;
  sdn_attenuation *a = sdn_alloc(1, sizeof *a, "a dust law", err);
  if (!a) return err->status;
  a->law = law;
  a->a_v = -1;
  sdn_status status = SDN_OK;
  if (law->basis) status = add_parameters(a, map, prior, err);
  if (!status && law->load) status = law->load(map, &a->table, err);
  if (status) goto done;
  if (law->basis) law->basis(&a->table, SDN_DUST_REFERENCE_A, a->reference);
  *out = a;
  a = NULL;
done:
  sdn_attenuation_free(a);
  return status;
}

sdn_status sdn_dust_allocate(size_t n, sdn_dust_table *t, sdn_err *err)
{
  t->x = sdn_alloc(n, sizeof *t->x, "an attenuation curve", err);
  t->y = sdn_alloc(n, sizeof *t->y, "an attenuation curve", err);
  t->bend = sdn_alloc(n, sizeof *t->bend, "an attenuation curve", err);
  return t->x && t->y && t->bend ? SDN_OK : err->status;
}

void sdn_attenuation_free(sdn_attenuation *a)
{
  if (!a) return;
  sdn_release(a->table.x);
  sdn_release(a->table.y);
  sdn_release(a->table.bend);
  sdn_release(a);
}

const char *sdn_attenuation_name(const sdn_attenuation *a) { return a->law->name; }
double sdn_attenuation_a_v_mag(const sdn_attenuation *a, const double *params) { return a->a_v < 0 ? 0 : params[a->a_v]; }

uint64_t sdn_attenuation_hash(const sdn_attenuation *a, uint64_t hash)
{
  for (int i = 0; a->law->reads_file && i < a->table.n; i++) {
    const float number[2] = {(float)a->table.x[i], (float)a->table.y[i]};   /* rounded: the last bit of log differs between machines */
    hash = sdn_hash_bytes(number, sizeof number, hash);
  }
  return hash;
}

double sdn_dust_join(sdn_curve_form form, const double *c, const double *b, double ln_wave)
{
  if (form == SDN_CURVE_AFFINE) return c[0] * b[0] + c[1] * b[1];
  if (form == SDN_CURVE_TILTED) return (c[0] * b[0] + c[1] * b[1]) * exp(c[3] * ln_wave) + c[2] * b[1];
  const double e = exp(c[4] * (ln_wave + c[5]));
  return fmax(c[0] / (e + 1 / e + c[3]) + c[1] * b[0] + c[2] * b[1], 0);
}

void sdn_dust_coefficients(const sdn_attenuation *a, const double *params, double *c)
{
  double p[SDN_DUST_MAX_PARAM] = {0};
  memset(c, 0, SDN_DUST_N_COEFFICIENT * sizeof *c);
  if (!a->law->basis) return;
  for (int i = 0; i < a->law->n_param; i++) p[i] = params[a->param[i]];
  c[0] = 1;
  if (a->law->coefficients) a->law->coefficients(p, c);
  const double norm = sdn_dust_join(a->law->form, c, a->reference, 0);
  for (int i = 0; i < SDN_DUST_N_LINEAR; i++) c[i] /= norm;
}

double sdn_attenuation_curve(const sdn_attenuation *a, const double *params, double wave_A)
{
  double c[SDN_DUST_N_COEFFICIENT], b[SDN_DUST_N_BASIS] = {0};
  if (!a->law->basis) return 0;
  sdn_dust_coefficients(a, params, c);
  a->law->basis(&a->table, wave_A, b);
  return sdn_dust_join(a->law->form, c, b, log(wave_A / SDN_DUST_REFERENCE_A));
}
