/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tori: spectra tabulated in optical depth and perhaps viewing angle, each brought to unit power; L_nu linear in ln tau and in the angle (left out one at a
 * time, ln tau predicts Nenkova's spectra better than tau does: 1 to 2 % of the peak against 2 to 3 at tau 30 to 100). */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/fits_error.h"
#include "base/h5.h"
#include "physics/agn_own.h"

static sdn_status make_space(sdn_agn_torus *t, sdn_err *err)
{
  t->wave_A = sdn_alloc((size_t)t->n_wave, sizeof *t->wave_A, "torus spectra", err);
  t->ln_tau = sdn_alloc((size_t)t->n_tau, sizeof *t->ln_tau, "torus spectra", err);
  t->angle_deg = sdn_alloc((size_t)t->n_angle, sizeof *t->angle_deg, "torus spectra", err);
  t->value = sdn_alloc((size_t)t->n_angle * (size_t)t->n_tau * (size_t)t->n_wave, sizeof *t->value, "torus spectra", err);
  return t->wave_A && t->ln_tau && t->angle_deg && t->value ? SDN_OK : err->status;
}

static bool ascending(int n, const double *x)
{
  for (int i = 1; i < n; i++)
    if (!(x[i] > x[i - 1])) return false;
  return n > 0 && isfinite(x[0]) && isfinite(x[n - 1]);
}

/* Every spectrum to unit power, exactly for L_nu linear in wavelength. */
static sdn_status normalise(const char *path, sdn_agn_torus *t, sdn_err *err)
{
  const double *w = t->wave_A;
  if (t->n_wave < 2 || !ascending(t->n_wave, w) || !(w[0] > 0))
    return sdn_fail(err, SDN_FORMAT, "%s: its wavelengths are not ascending positive numbers", path);
  if (!ascending(t->n_tau, t->ln_tau) || !ascending(t->n_angle, t->angle_deg))
    return sdn_fail(err, SDN_FORMAT, "%s: its optical depths or angles are not ascending", path);
  for (int cell = 0; cell < t->n_angle * t->n_tau; cell++) {
    double *y = t->value + (size_t)cell * (size_t)t->n_wave, power = 0;
    for (int j = 0; j + 1 < t->n_wave; j++) {
      const double slope = (y[j + 1] - y[j]) / (w[j + 1] - w[j]);
      power += (y[j] - slope * w[j]) * (1 / w[j] - 1 / w[j + 1]) + slope * log(w[j + 1] / w[j]);
      if (!(y[j] >= 0)) power = NAN;
    }
    power *= SDN_LIGHT_A_PER_S;
    if (!(power > 0 && isfinite(power) && y[t->n_wave - 1] >= 0))
      return sdn_fail(err, SDN_FORMAT, "%s: the spectrum at optical depth %g, angle %g has negative or no light", path, exp(t->ln_tau[cell % t->n_tau]),
          t->angle_deg[cell / t->n_tau]);
    for (int j = 0; j < t->n_wave; j++) y[j] /= power;
  }
  return SDN_OK;
}

/* ------------------------------------------------------------------ Nenkova+2008, shipped */

static sdn_status fill_nenkova(const sdn_h5 *file, sdn_agn_torus *t, sdn_err *err)
{
  double *tau = NULL, *wave = NULL, *lnu = NULL;
  sdn_h5_shape n_wave, n_tau, shape;
  sdn_status status = sdn_h5_read_double(file, "wavelength", &wave, &n_wave, err);
  if (!status) status = sdn_h5_read_double(file, "tau", &tau, &n_tau, err);
  if (!status) status = sdn_h5_read_double(file, "lnu", &lnu, &shape, err);
  if (status) goto done;
  if (n_wave.n_dim != 1 || n_tau.n_dim != 1 || shape.n_dim != 2 || shape.dim[0] != n_tau.dim[0] || shape.dim[1] != n_wave.dim[0] || n_wave.dim[0] > 100000
      || n_tau.dim[0] > 1000) {
    status = sdn_fail(err, SDN_FORMAT, "%s: lnu does not have the shape of tau and wavelength", sdn_h5_path(file));
    goto done;
  }
  t->n_wave = (int)n_wave.dim[0];
  t->n_tau = (int)n_tau.dim[0];
  t->n_angle = 1;
  if ((status = make_space(t, err))) goto done;
  memcpy(t->wave_A, wave, (size_t)t->n_wave * sizeof *wave);
  memcpy(t->value, lnu, (size_t)t->n_tau * (size_t)t->n_wave * sizeof *lnu);
  for (int i = 0; i < t->n_tau; i++) t->ln_tau[i] = log(tau[i]);
done:
  sdn_release(tau);
  sdn_release(wave);
  sdn_release(lnu);
  return status;
}

static sdn_status read_nenkova(sdn_agn_torus *t, sdn_err *err)
{
  sdn_h5 *file = NULL;
  sdn_err hidden;
  char *path = sdn_data_path("agn", "nenkova08.h5", err);
  sdn_status status = path ? sdn_h5_open(path, &file, err) : err->status;
  if (!status) status = fill_nenkova(file, t, err);
  if (!status) status = sdn_hash_file(path, &t->hash, err);
  if (!status) status = normalise(path, t, err);
  if (file) sdn_h5_close(file, &hidden);
  sdn_release(path);
  return status;
}

/* ------------------------------------------------------------------ SKIRTOR, a table that the user has */

typedef struct skirtor { long n_row; int n_wave; double *angle, *tau, *wave_um, *lnu; } skirtor;   /* [n_row], [n_row][n_wave] */

static sdn_status read_column(fitsfile *f, const char *path, const char *name, long n, double **out, sdn_err *err)
{
  int column = 0, status = 0;
  double none = NAN;
  char key[FLEN_VALUE];
  snprintf(key, sizeof key, "%s", name);
  *out = sdn_alloc((size_t)n, sizeof **out, name, err);
  if (!*out) return err->status;
  fits_get_colnum(f, CASEINSEN, key, &column, &status);
  fits_read_col(f, TDOUBLE, column, 1, 1, n, &none, *out, NULL, &status);
  return status ? sdn_fits_fail(path, status, err, "column %s cannot be read as %ld numbers", name, n) : SDN_OK;
}

static sdn_status read_table(const char *path, skirtor *s, sdn_err *err)
{
  fitsfile *f = NULL;
  int status = 0, column = 0, closing = 0, type = 0;
  long repeat = 0, width = 0;
  char *name = sdn_fits_name(path, err), wave[] = "WAVE_REST";
  sdn_status result = name ? SDN_OK : err->status;
  if (result) return result;
  fits_open_table(&f, name, READONLY, &status);
  if (!status) fits_get_num_rows(f, &s->n_row, &status);
  if (!status) fits_get_colnum(f, CASEINSEN, wave, &column, &status);
  if (!status) fits_get_coltype(f, column, &type, &repeat, &width, &status);
  if (status) result = sdn_fits_fail(path, status, err, "not a table of SKIRTOR spectra (columns INCLINATION, TAU, WAVE_REST, LNU_DUST_TOTAL)");
  if (!result && !(s->n_row > 0 && s->n_row < 100000 && repeat > 1 && repeat < 100000))
    result = sdn_fail(err, SDN_FORMAT, "%s: %ld rows of %ld wavelengths are no table of tori", path, s->n_row, repeat);
  s->n_wave = (int)repeat;
  if (!result) result = read_column(f, path, "INCLINATION", s->n_row, &s->angle, err);
  if (!result) result = read_column(f, path, "TAU", s->n_row, &s->tau, err);
  if (!result) result = read_column(f, path, "WAVE_REST", s->n_row * repeat, &s->wave_um, err);
  if (!result) result = read_column(f, path, "LNU_DUST_TOTAL", s->n_row * repeat, &s->lnu, err);
  if (f) fits_close_file(f, &closing);
  sdn_release(name);
  return result;
}

/* x's different values, ascending, into out [n] (NULL: only counted). */
static int distinct(long n, const double *x, double *out)
{
  int found = 0;
  for (double last = -HUGE_VAL;;) {
    double next = HUGE_VAL;
    for (long i = 0; i < n; i++)
      if (x[i] > last && x[i] < next) next = x[i];
    if (!(next < HUGE_VAL)) return found;
    if (out) out[found] = next;
    found++;
    last = next;
  }
}

static sdn_status fill_skirtor(const char *path, const skirtor *s, sdn_agn_torus *t, sdn_err *err)
{
  t->n_wave = s->n_wave;
  t->n_tau = distinct(s->n_row, s->tau, NULL);
  t->n_angle = distinct(s->n_row, s->angle, NULL);
  if ((long)t->n_tau * t->n_angle != s->n_row)
    return sdn_fail(err, SDN_FORMAT, "%s: its %ld rows are not all combinations of %d inclinations and %d optical depths", path, s->n_row, t->n_angle,
        t->n_tau);
  if (make_space(t, err)) return err->status;
  distinct(s->n_row, s->tau, t->ln_tau);
  distinct(s->n_row, s->angle, t->angle_deg);
  for (int j = 0; j < t->n_wave; j++) t->wave_A[j] = 1e4 * s->wave_um[j];
  for (int i = 0; i < t->n_angle * t->n_tau; i++) t->value[(size_t)i * (size_t)t->n_wave] = NAN;   /* a combination that is missing shows */
  for (long row = 0; row < s->n_row; row++) {
    int a = 0, k = 0;
    while (t->angle_deg[a] < s->angle[row]) a++;
    while (t->ln_tau[k] < s->tau[row]) k++;
    if (memcmp(s->wave_um + row * s->n_wave, s->wave_um, (size_t)s->n_wave * sizeof *s->wave_um))
      return sdn_fail(err, SDN_FORMAT, "%s: row %ld has other wavelengths than row 1", path, row + 1);
    memcpy(t->value + (size_t)(a * t->n_tau + k) * (size_t)t->n_wave, s->lnu + row * s->n_wave, (size_t)s->n_wave * sizeof *s->lnu);
  }
  for (int k = 0; k < t->n_tau; k++) t->ln_tau[k] = log(t->ln_tau[k]);
  return SDN_OK;
}

static sdn_status read_skirtor(const char *path, sdn_agn_torus *t, sdn_err *err)
{
  skirtor s = {0};
  sdn_status status = read_table(path, &s, err);
  if (!status) status = fill_skirtor(path, &s, t, err);
  if (!status) status = sdn_hash_file(path, &t->hash, err);
  if (!status) status = normalise(path, t, err);
  sdn_release(s.angle);
  sdn_release(s.tau);
  sdn_release(s.wave_um);
  sdn_release(s.lnu);
  return status;
}

/* ------------------------------------------------------------------ from YAML */

static sdn_status add_parameters(const sdn_yaml *map, bool alone, sdn_prior *prior, sdn_agn_torus *t, sdn_err *err)
{
  const sdn_param_spec cover = {"torus_covering_fraction", "", NULL, 0, 10, "power of the torus over that of the disc"};
  const sdn_param_spec tau = {"torus_tau", "", NULL, exp(t->ln_tau[0]), exp(t->ln_tau[t->n_tau - 1]),
      "optical depth of the torus (of one cloud at 5500 A, or at 9.7 um), as the table counts it"};
  const sdn_param_spec angle = {"torus_inclination_deg", "deg", NULL, t->angle_deg[0], t->angle_deg[t->n_angle - 1],
      "between the line of sight and the torus' axis"};
  const sdn_yaml *share = sdn_yaml_get(map, "covering_fraction");
  t->angle = t->cover = -1;
  if (alone && share) return sdn_yaml_fail(share, err, "covering_fraction is of the disc's power, but this AGN has disc: none, so that its power is the torus'; leave it out");
  if (!alone && sdn_agn_add(prior, &cover, share, &t->cover, err)) return err->status;
  if (sdn_agn_add(prior, &tau, sdn_yaml_get(map, "tau"), &t->tau, err)) return err->status;
  return t->n_angle > 1 ? sdn_agn_add(prior, &angle, sdn_yaml_get(map, "inclination_deg"), &t->angle, err) : SDN_OK;
}

static sdn_status read_law(const sdn_yaml *map, sdn_agn_torus *t, sdn_err *err)
{
  static const char *const of_nenkova[] = {"law", "covering_fraction", "tau"};
  static const char *const of_skirtor[] = {"law", "covering_fraction", "tau", "inclination_deg", "file"};
  static const char *const law_name[] = {"nenkova08", "skirtor"};
  const char *law, *path = NULL;
  if (sdn_yaml_text(map, "law", true, &law, err)) return err->status;
  if (!strcmp(law, law_name[0])) return sdn_yaml_only_keys(map, of_nenkova, 3, err) ? err->status : read_nenkova(t, err);
  if (strcmp(law, law_name[1])) {
    const char *near = sdn_nearest(law, law_name, 2);
    return sdn_yaml_fail(map, err, "unknown torus '%s'%s%s%s; known are nenkova08, skirtor", law, near ? ", did you mean '" : "", near ? near : "",
        near ? "'?" : "");
  }
  if (sdn_yaml_only_keys(map, of_skirtor, 5, err)) return err->status;
  if (!sdn_yaml_get(map, "file")) return sdn_yaml_fail(map, err, "skirtor is not shipped: name a table of its spectra under file");
  if (sdn_yaml_text(map, "file", true, &path, err)) return err->status;
  return read_skirtor(path, t, err) ? sdn_fail_in(err, "%s:%d", map->origin, map->line) : SDN_OK;
}

sdn_status sdn_agn_torus_read(const sdn_yaml *map, bool alone, sdn_prior *prior, sdn_agn_torus **out, sdn_err *err)
{
  *out = NULL;
  if (map->kind != SDN_YAML_MAP) return sdn_yaml_fail(map, err, "torus must be a map {law: ..., tau: ..., covering_fraction: ...}, or none");
  sdn_agn_torus *t = sdn_alloc(1, sizeof *t, "torus", err);
  if (!t) return err->status;
  sdn_status status = read_law(map, t, err);
  if (!status) status = add_parameters(map, alone, prior, t, err);
  *out = t;   /* even when that failed: the prior may point into it */
  return status;
}

void sdn_agn_torus_free(sdn_agn_torus *t)
{
  if (!t) return;
  sdn_release(t->wave_A);
  sdn_release(t->ln_tau);
  sdn_release(t->angle_deg);
  sdn_release(t->value);
  sdn_release(t);
}

/* ------------------------------------------------------------------ one galaxy */

static bool place(int n, const double *x, double at, int *i, double *t)
{
  const double slack = 1e-9 * (1 + fabs(at));
  *i = 0;
  *t = 0;
  if (!(at >= x[0] - slack && at <= x[n - 1] + slack)) return false;
  if (n == 1) return true;
  *i = sdn_agn_interval(n, x, at);
  *t = fmin(fmax((at - x[*i]) / (x[*i + 1] - x[*i]), 0), 1);
  return true;
}

sdn_status sdn_agn_torus_place(const sdn_agn_torus *torus, const double *params, sdn_agn_state *s, sdn_err *err)
{
  const double tau = params[torus->tau], angle = torus->angle < 0 ? torus->angle_deg[0] : params[torus->angle], cover = torus->cover < 0 ? 1 : params[torus->cover];
  double t, u;
  const bool inside = place(torus->n_tau, torus->ln_tau, log(tau), &s->torus_tau, &t) && place(torus->n_angle, torus->angle_deg, angle, &s->torus_angle, &u);
  if (!(cover >= 0 && isfinite(cover)) || !inside)
    return sdn_fail(err, SDN_RANGE, "agn_torus_tau %g, inclination %g, covering fraction %g are outside the torus' table: tau %g to %g, %g to %g degrees",
        tau, angle, cover,
                    exp(torus->ln_tau[0]), exp(torus->ln_tau[torus->n_tau - 1]), torus->angle_deg[0], torus->angle_deg[torus->n_angle - 1]);
  const double share[4] = {(1 - u) * (1 - t), (1 - u) * t, u * (1 - t), u * t};
  for (int k = 0; k < 4; k++) s->torus_share[k] = cover * share[k];
  return SDN_OK;
}

double sdn_agn_torus_at(const sdn_agn_torus *t, int angle, int tau, double wave_A)
{
  const double *w = t->wave_A, *y = t->value + (size_t)(angle * t->n_tau + tau) * (size_t)t->n_wave;
  if (!(wave_A >= w[0] && wave_A <= w[t->n_wave - 1])) return 0;
  const int i = sdn_agn_interval(t->n_wave, w, wave_A);
  const double u = (wave_A - w[i]) / (w[i + 1] - w[i]);
  return (1 - u) * y[i] + u * y[i + 1];
}
