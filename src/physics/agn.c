/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The active nucleus as a model has it: its YAML, parameters and lines; plain evaluation. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "physics/agn_own.h"

static bool is_none(const sdn_yaml *node) { return !node || (node->kind == SDN_YAML_SCALAR && !node->quoted && !strcmp(node->text, "none")); }

static sdn_status read_amplitude(sdn_agn *a, const sdn_yaml *map, sdn_prior *prior, sdn_err *err)
{
  static const sdn_param_spec l_bol = {"log_l_bol_lsun", "log10 Lsun", NULL, -10, 17, "bolometric luminosity of the disc, before its own dust; of the torus where there is no disc"};
  static const sdn_param_spec over_stars = {"l_bol_over_stars", "", NULL, 0, 1e6, "bolometric luminosity of the disc, or of the torus where there is no disc, over that of the stars before gas and dust"};
  static const sdn_param_spec fraction = {"fraction", "", NULL, 0, 0.999,
      "share of the galaxy's whole emergent continuum at fraction_wave_A that the active nucleus gives"};
  const sdn_yaml *by_l = sdn_yaml_get(map, "log_l_bol_lsun"), *by_stars = sdn_yaml_get(map, "l_bol_over_stars"), *by_fraction = sdn_yaml_get(map, "fraction"),
                 *wave = sdn_yaml_get(map, "fraction_wave_A");
  if ((by_l != NULL) + (by_stars != NULL) + (by_fraction != NULL) != 1)
    return sdn_yaml_fail(map, err, "an AGN needs exactly one of log_l_bol_lsun, l_bol_over_stars and fraction (with fraction_wave_A)");
  if (!by_fraction && wave) return sdn_yaml_fail(wave, err, "fraction_wave_A belongs to fraction; leave it out beside %s", by_l ? "log_l_bol_lsun" : "l_bol_over_stars");
  a->by_stars = by_stars != NULL;
  if (by_stars) return sdn_agn_add(prior, &over_stars, by_stars, &a->over_stars, err);
  if (by_l) return sdn_agn_add(prior, &l_bol, by_l, &a->log_l_bol, err);
  if (sdn_yaml_number(map, "fraction_wave_A", true, &a->fraction_wave_A, err)) return err->status;
  if (!(a->fraction_wave_A >= 1216 && a->fraction_wave_A <= 1e7))
    return sdn_yaml_fail(wave, err, "fraction_wave_A %g is outside [1216, 1e7] A, where both galaxy and disc shine", a->fraction_wave_A);
  return sdn_agn_add(prior, &fraction, by_fraction, &a->fraction, err);
}

static sdn_status read_line_kind(sdn_agn *a, const sdn_yaml *map, sdn_prior *prior, bool broad, sdn_err *err)
{
  static const sdn_param_spec cover[2] = {{"narrow_covering_fraction", "", NULL, 0, 1, "share of the disc's ionising photons that make narrow lines"},
                                          {"broad_covering_fraction", "", NULL, 0, 1, "share of the disc's ionising photons that make broad lines"}};
  static const sdn_param_spec fwhm[2] = {{"narrow_fwhm_km_s", "km/s", "500", 1, 3000, "full width at half maximum of narrow lines"},
                                         {"broad_fwhm_km_s", "km/s", "5000", 1, 30000, "full width at half maximum of broad lines"}};
  const sdn_yaml *node = sdn_yaml_get(map, cover[broad].name), *width = sdn_yaml_get(map, fwhm[broad].name);
  if (!node && width) return sdn_yaml_fail(width, err, "%s without %s: there are no such lines; add it or leave the width out", fwhm[broad].name,
      cover[broad].name);
  if (!node) return SDN_OK;
  if (sdn_agn_add(prior, &cover[broad], node, broad ? &a->broad : &a->narrow, err)) return err->status;
  return sdn_agn_add(prior, &fwhm[broad], width, broad ? &a->broad_fwhm : &a->narrow_fwhm, err);
}

static sdn_status read_lines(sdn_agn *a, const sdn_yaml *map, sdn_prior *prior, sdn_err *err)
{
  static const char *const known[] = {"broad_covering_fraction", "broad_fwhm_km_s", "narrow_covering_fraction", "narrow_fwhm_km_s"};
  if (is_none(map)) return SDN_OK;
  if (map->kind != SDN_YAML_MAP) return sdn_yaml_fail(map, err, "lines must be a map {broad_covering_fraction: ..., narrow_covering_fraction: ...}, or none");
  if (sdn_yaml_only_keys(map, known, 4, err) || read_line_kind(a, map, prior, true, err) || read_line_kind(a, map, prior, false, err)) return err->status;
  if (a->broad < 0 && a->narrow < 0 && !sdn_yaml_get(map, known[0]) && !sdn_yaml_get(map, known[2]))
    return sdn_yaml_fail(map, err, "lines need broad_covering_fraction, narrow_covering_fraction or both; or write lines: none");
  for (int l = 0; l < SDN_AGN_N_LINE; l++)
    if (sdn_yaml_get(map, sdn_agn_line_list[l].broad ? known[0] : known[2])) a->line[a->n_line++] = l;
  return SDN_OK;
}

static sdn_status read_dust(sdn_agn *a, const sdn_yaml *map, sdn_prior *prior, sdn_err *err)
{
  if (is_none(map)) return SDN_OK;
  if (map->kind != SDN_YAML_MAP) return sdn_yaml_fail(map, err, "dust of an AGN must be a map {law: ..., a_v_mag: ...}, or none");
  return sdn_attenuation_new(map, NULL, 0, prior, &a->dust, err);
}

/* A torus alone: nothing that needs a disc. */
static sdn_status check_alone(const sdn_yaml *map, sdn_err *err)
{
  static const char *const of_disc[] = {"lines", "dust", "axes", "break_wave_A", "wave_low_A", "wave_high_A", "alpha_1", "alpha_2", "alpha_3", "alpha_4", "alpha_5", "alpha_6"};
  if (is_none(sdn_yaml_get(map, "torus"))) return sdn_yaml_fail(map, err, "an AGN with neither disc nor torus shines in nothing; add torus: {law: nenkova08, tau: ...}, or leave agn out");
  for (size_t k = 0; k < sizeof of_disc / sizeof *of_disc; k++) {
    const sdn_yaml *node = sdn_yaml_get(map, of_disc[k]);
    if (!is_none(node)) return sdn_yaml_fail(node, err, "%s needs the light of a disc, but this AGN has disc: none; name a disc (broken_power_law) or leave the key out", of_disc[k]);
  }
  return SDN_OK;
}

/* Only keys that this kind of disc has. */
static sdn_status check_keys(const sdn_yaml *map, const char *disc, sdn_err *err)
{
  static const char *const known[] = {"disc", "log_l_bol_lsun", "l_bol_over_stars", "fraction", "fraction_wave_A", "lines", "torus", "dust",
                                      "axes", "break_wave_A", "wave_low_A", "wave_high_A",
                                      "alpha_1", "alpha_2", "alpha_3", "alpha_4", "alpha_5", "alpha_6"};
  const size_t n_known = sizeof known / sizeof *known, first_own = 8;
  const bool power_law = !strcmp(disc, "broken_power_law");
  if (sdn_yaml_only_keys(map, known, n_known, err)) return err->status;
  if (!strcmp(disc, "none")) return check_alone(map, err);
  for (size_t k = first_own; k < n_known; k++)
    if (sdn_yaml_get(map, known[k]) && power_law == (k == first_own))
      return sdn_yaml_fail(sdn_yaml_get(map, known[k]), err, "%s does not belong to the disc %s; leave it out", known[k], disc);
  return SDN_OK;
}

/* A share of light needs light: the disc's, or redward of it the torus'. */
static sdn_status check_fraction_wave(const sdn_agn *a, const sdn_yaml *map, sdn_err *err)
{
  const sdn_agn_disc *d = &a->disc;
  const bool alone = !sdn_agn_has_disc(d);
  const double low = alone ? a->torus->wave_A[0] : d->grid ? d->grid->wave_A[0] : d->edge_A[0], high = d->grid ? d->grid->wave_A[d->grid->n_wave - 1] : d->edge_A[d->n_piece];
  const double red = a->torus ? fmax(high, a->torus->wave_A[a->torus->n_wave - 1]) : high, wave = a->fraction_wave_A;
  if (!(wave < low || wave > red)) return SDN_OK;   /* NaN: no fraction */
  return sdn_yaml_fail(sdn_yaml_get(map, "fraction_wave_A"), err, "fraction_wave_A %g is outside %g to %g A, where this nucleus shines", wave, low, red);
}

static sdn_status read_all(sdn_agn *a, const sdn_yaml *map, sdn_prior *prior, sdn_err *err)
{
  const char *disc = "broken_power_law";
  const sdn_yaml *torus = sdn_yaml_get(map, "torus");
  if (map->kind != SDN_YAML_MAP) return sdn_yaml_fail(map, err, "agn must be a map {disc: ..., log_l_bol_lsun: ...}, or be left out");
  if (sdn_yaml_text(map, "disc", false, &disc, err) || check_keys(map, disc, err) || !(a->name = sdn_copy_text(strcmp(disc, "none") ? disc : "torus alone", err))) return err->status;
  if (read_amplitude(a, map, prior, err) || sdn_agn_disc_read(map, disc, prior, &a->disc, err)) return err->status;
  if (read_lines(a, sdn_yaml_get(map, "lines"), prior, err)) return err->status;
  if (!is_none(torus) && sdn_agn_torus_read(torus, !sdn_agn_has_disc(&a->disc), prior, &a->torus, err)) return err->status;
  if (check_fraction_wave(a, map, err)) return err->status;
  return read_dust(a, sdn_yaml_get(map, "dust"), prior, err);
}

sdn_status sdn_agn_new(const sdn_yaml *map, sdn_prior *prior, sdn_agn **out, sdn_err *err)
{
  *out = NULL;
  sdn_agn *a = sdn_alloc(1, sizeof *a, "AGN", err);
  if (!a) return err->status;
  a->prior = prior;
  a->log_l_bol = a->over_stars = a->fraction = a->broad = a->narrow = a->broad_fwhm = a->narrow_fwhm = -1;
  a->fraction_wave_A = NAN;
  a->nodes = sdn_alloc(1, sizeof *a->nodes, "AGN", err);
  sdn_status status = a->nodes ? sdn_prior_scope_enter(prior, "agn_", err) : err->status;
  if (!status) {
    status = read_all(a, map, prior, err);
    sdn_prior_scope_leave(prior);
  }
  if (!status) {
    *out = a;
    a = NULL;
  }
  sdn_agn_free(a);
  return status;
}

void sdn_agn_free(sdn_agn *a)
{
  if (!a) return;
  sdn_agn_disc_clear(&a->disc);
  sdn_agn_torus_free(a->torus);
  sdn_attenuation_free(a->dust);
  if (a->nodes) sdn_release(a->nodes->wave_A);
  sdn_release(a->nodes);
  sdn_release(a->name);
  sdn_release(a);
}

const char *sdn_agn_name(const sdn_agn *a) { return a->name; }

uint64_t sdn_agn_hash(const sdn_agn *a, uint64_t hash)
{
  hash = sdn_hash_bytes(a->name, strlen(a->name), hash);
  if (a->disc.grid) hash = sdn_hash_bytes(&a->disc.grid->hash, sizeof a->disc.grid->hash, hash);
  if (a->torus) hash = sdn_hash_bytes(&a->torus->hash, sizeof a->torus->hash, hash);
  return a->dust ? sdn_attenuation_hash(a->dust, hash) : hash;
}

const double *sdn_agn_waves_A(const sdn_agn *a, int *n)
{
  sdn_err hidden;
  *n = 0;
  if (!a->nodes->wave_A && sdn_agn_make_nodes(a, &hidden)) return NULL;
  *n = a->nodes->n;
  return a->nodes->wave_A;
}

double sdn_agn_power_lsun(const sdn_agn *a, const double *params) { return a->log_l_bol < 0 ? NAN : pow(10, params[a->log_l_bol]); }
bool sdn_agn_is_by_stars(const sdn_agn *a) { return a->by_stars; }
double sdn_agn_over_stars(const sdn_agn *a, const double *params) { return a->over_stars < 0 ? NAN : params[a->over_stars]; }
double sdn_agn_fraction(const sdn_agn *a, const double *params) { return a->fraction < 0 ? NAN : params[a->fraction]; }
double sdn_agn_fraction_wave_A(const sdn_agn *a) { return a->fraction_wave_A; }

int sdn_agn_n_line(const sdn_agn *a) { return a->n_line; }
double sdn_agn_line_wave_A(const sdn_agn *a, int line) { return sdn_agn_line_list[a->line[line]].wave_A; }
const char *sdn_agn_line_id(const sdn_agn *a, int line) { return sdn_agn_line_list[a->line[line]].id; }
double sdn_agn_line_fwhm_km_s(const sdn_agn *a, const double *params, int line)
{
  return params[sdn_agn_line_list[a->line[line]].broad ? a->broad_fwhm : a->narrow_fwhm];
}

/* ------------------------------------------------------------------ plain */

static double grid_disc_lnu(const sdn_agn *a, const double *params, double wave_A)
{
  const sdn_grid *g = a->disc.grid;
  int node[SDN_AGN_MAX_AXIS];
  double t[SDN_AGN_MAX_AXIS], sum = 0;
  sdn_err hidden;
  if (sdn_agn_grid_place(&a->disc, params, node, t, &hidden)) return NAN;
  for (int corner = 0; corner < 1 << g->n_axis; corner++) {
    int at[SDN_AGN_MAX_AXIS];
    double share = 1;
    for (int k = 0; k < g->n_axis; k++) {
      at[k] = node[k] + (corner >> k & 1);
      share *= corner >> k & 1 ? t[k] : 1 - t[k];
    }
    if (share > 0) sum += share * sdn_agn_grid_lnu(g, at, wave_A) / sdn_agn_grid_power(g, at);
  }
  return SDN_LSUN_ERG_S * sum;
}

double sdn_agn_disc_lnu(const sdn_agn *a, const double *params, double wave_A)
{
  double alpha[SDN_AGN_MAX_PIECE], value[SDN_AGN_MAX_PIECE], slope[SDN_AGN_MAX_PIECE], photons;
  if (!sdn_agn_has_disc(&a->disc)) return 0;
  if (a->disc.grid) return grid_disc_lnu(a, params, wave_A);
  for (int i = 0; i < a->disc.n_piece; i++) alpha[i] = params[a->disc.alpha[i]];
  sdn_agn_power_law(&a->disc, alpha, value, slope, &photons);
  const int p = sdn_agn_piece(&a->disc, wave_A);
  return p < 0 ? 0 : SDN_LSUN_ERG_S * exp(value[p] + slope[p] * log(wave_A / a->disc.edge_A[p]));
}

double sdn_agn_torus_lnu(const sdn_agn *a, const double *params, double wave_A)
{
  sdn_agn_state s;
  sdn_err hidden;
  double sum = 0;
  if (!a->torus) return 0;
  if (sdn_agn_torus_place(a->torus, params, &s, &hidden)) return NAN;
  for (int k = 0; k < 4; k++)
    if (s.torus_share[k] > 0) sum += s.torus_share[k] * sdn_agn_torus_at(a->torus, s.torus_angle + (k >> 1), s.torus_tau + (k & 1), wave_A);
  return SDN_LSUN_ERG_S * sum;
}
