/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Populations as arrays in an HDF5 file: wavelengths, ages, metallicities (or one number), spectra of those dimensions in any order, and perhaps the surviving mass. */
#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/h5.h"
#include "physics/ssp.h"

enum { WAVE, AGE, METALLICITY, LIGHT, LIVING, N_WHAT, MOST_NAMES = 10 };
static const struct { const char *what, *name[MOST_NAMES]; } known[N_WHAT] = {
  {"wavelengths", {"wave", "wavelength", "wavelengths", "lam", "lambda", "wave_A"}},
  {"ages", {"age", "ages", "age_yr", "ssp_ages", "log_age", "log10age"}},
  {"metallicities", {"Z", "metallicity", "metallicities", "zlegend"}},
  {"spectra", {"spec", "spectra", "spectrum", "lnu", "llam", "light", "sed", "flux"}},
  {"surviving mass", {"mass_rem", "star_fraction", "stellar_mass", "surviving_mass"}}};

typedef struct arrays {
  const sdn_h5 *file;
  char **names; size_t n_name;
  const char *name[N_WHAT];            /* NULL: not there */
  double *value[N_WHAT];
  sdn_h5_shape shape[N_WHAT];
} arrays;

static void free_arrays(arrays *a)
{
  for (int k = 0; k < N_WHAT; k++) sdn_release(a->value[k]);
  sdn_release(a->names);
}

static const char *find(const arrays *a, int what)
{
  for (int k = 0; k < MOST_NAMES && known[what].name[k]; k++)
    for (size_t i = 0; i < a->n_name; i++)
      if (strcasecmp(a->names[i], known[what].name[k]) == 0) return a->names[i];
  return NULL;
}

static sdn_status read_all(arrays *a, sdn_err *err)
{
  if (sdn_h5_list(a->file, "/", &a->names, &a->n_name, err)) return err->status;
  for (int k = 0; k < N_WHAT; k++) {
    a->name[k] = find(a, k);
    if (!a->name[k] && k != LIVING)
      return sdn_fail(err, SDN_FORMAT, "%s holds no array of %s (a dataset named %s, %s, ...)", sdn_h5_path(a->file), known[k].what, known[k].name[0], known[k].name[1]);
    if (a->name[k] && sdn_h5_read_double(a->file, a->name[k], &a->value[k], &a->shape[k], err)) return err->status;
    if (k <= METALLICITY && (a->shape[k].n_dim > 1 || (a->shape[k].n_dim == 1 && (a->shape[k].dim[0] < 1 || a->shape[k].dim[0] > 10000000))))
      return sdn_fail(err, SDN_FORMAT, "%s: %s must be one row of numbers", sdn_h5_path(a->file), a->name[k]);
  }
  return SDN_OK;
}

/* The unit that the file states; NULL if none. Freed by sdn_release. */
static char *stated_unit(const arrays *a, int what)
{
  static const char *const keys[] = {"Units", "units", "unit", "Unit"};
  char *text = NULL;
  sdn_err ignored;
  for (size_t i = 0; i < sizeof keys / sizeof keys[0] && !text; i++)
    if (sdn_h5_has_attr(a->file, a->name[what], keys[i])) sdn_h5_get_text(a->file, a->name[what], keys[i], &text, &ignored);
  return text;
}

static long count(const arrays *a, int what) { return a->shape[what].n_dim == 0 ? 1 : a->shape[what].dim[0]; }

/* "metallicity,age,wave" in any order; what each dimension is. */
static sdn_status told_order(const char *order, const char *path, int *dim, int *n, sdn_err *err)
{
  char words[64];
  *n = 0;
  snprintf(words, sizeof words, "%.63s", order);
  for (char *word = strtok(words, ", "); word; word = strtok(NULL, ", ")) {
    const int what = strcmp(word, "metallicity") == 0 ? METALLICITY : strcmp(word, "age") == 0 ? AGE : strcmp(word, "wave") == 0 ? WAVE : -1;
    for (int d = 0; d < *n; d++)
      if (dim[d] == what) *n = 4;
    if (what < 0 || *n > 2) return sdn_fail(err, SDN_USAGE, "%s: --order names metallicity, age and wave, each once, not '%s'", path, order);
    dim[(*n)++] = what;
  }
  return SDN_OK;
}

/* What each dimension of an array is, by its length: refused where two axes have the same length. */
static sdn_status guess_order(const arrays *a, int what, int *dim, sdn_err *err)
{
  for (int d = 0; d < a->shape[what].n_dim; d++) {
    int n_fit = 0;
    for (int k = WAVE; k <= METALLICITY; k++)
      if (count(a, k) == a->shape[what].dim[d] && (what == LIGHT || k != WAVE)) {
        dim[d] = k;
        n_fit++;
      }
    if (n_fit == 0)
      return sdn_fail(err, SDN_FORMAT, "%s: dimension %d of %s has %ld elements, which is neither the number of metallicities, ages nor wavelengths", sdn_h5_path(a->file), d,
                      a->name[what], a->shape[what].dim[d]);
    if (n_fit > 1)
      return sdn_fail(err, SDN_USAGE, "%s: two of its axes have %ld elements; say the order of the spectra's dimensions, e.g. --order metallicity,age,wave", sdn_h5_path(a->file),
                      a->shape[what].dim[d]);
  }
  return SDN_OK;
}

/* Strides of an array along metallicity, age and wavelength, in numbers. */
static sdn_status strides(const arrays *a, int what, const char *order, size_t *stride, sdn_err *err)
{
  const sdn_h5_shape *s = &a->shape[what];
  int dim[SDN_H5_MAX_DIM], n_told = 0, n = 0;
  if (s->n_dim > 3) return sdn_fail(err, SDN_FORMAT, "%s: %s has %d dimensions", sdn_h5_path(a->file), a->name[what], s->n_dim);
  if (order) {
    int told[3];
    if (told_order(order, sdn_h5_path(a->file), told, &n_told, err)) return err->status;
    for (int d = 0; d < n_told; d++)
      if (what == LIGHT || told[d] != WAVE) dim[n++] = told[d];
    if (n != s->n_dim) return sdn_fail(err, SDN_USAGE, "%s: %s has %d dimensions, not those of --order %s", sdn_h5_path(a->file), a->name[what], s->n_dim, order);
  } else if (guess_order(a, what, dim, err)) {
    return err->status;
  }
  size_t step = 1;
  for (int d = s->n_dim - 1; d >= 0; d--) {
    if (stride[dim[d]] || s->dim[d] != count(a, dim[d]))
      return sdn_fail(err, SDN_FORMAT, "%s: the dimensions of %s are not those of its axes", sdn_h5_path(a->file), a->name[what]);
    stride[dim[d]] = step;
    step *= (size_t)s->dim[d];
  }
  for (int k = WAVE; k <= METALLICITY; k++)
    if (!stride[k] && count(a, k) > 1 && (what == LIGHT || k != WAVE))
      return sdn_fail(err, SDN_FORMAT, "%s: %s has no dimension for its %ld %s", sdn_h5_path(a->file), a->name[what], count(a, k), known[k].what);
  return SDN_OK;
}

static sdn_status fill(const arrays *a, const char *order, sdn_ssp *s, sdn_err *err)
{
  size_t light[N_WHAT] = {0}, living[N_WHAT] = {0};
  if (strides(a, LIGHT, order, light, err) || (s->living && strides(a, LIVING, order, living, err))) return err->status;
  for (int m = 0; m < s->n_metallicity; m++)
    for (int t = 0; t < s->n_age; t++) {
      const size_t cell = (size_t)m * (size_t)s->n_age + (size_t)t;
      const double *from = a->value[LIGHT] + (size_t)m * light[METALLICITY] + (size_t)t * light[AGE];
      for (int j = 0; j < s->n_wave; j++) s->light[cell * (size_t)s->n_wave + (size_t)j] = (float)from[(size_t)j * light[WAVE]];
      if (s->living) s->living[cell] = a->value[LIVING][(size_t)m * living[METALLICITY] + (size_t)t * living[AGE]];
    }
  return SDN_OK;
}

static sdn_status set_units(const arrays *a, const sdn_ssp_units *told, sdn_ssp *s, sdn_err *err)
{
  char *unit[N_WHAT] = {NULL};
  double wave_factor = 1, age_factor = 1;
  bool log_age = false;
  const char *path = sdn_h5_path(a->file);
  for (int k = 0; k < N_WHAT; k++) unit[k] = a->name[k] ? stated_unit(a, k) : NULL;
  sdn_status status = sdn_ssp_wave_unit(told->wave ? told->wave : unit[WAVE], path, &wave_factor, err);
  if (!status) status = sdn_ssp_age_unit(told->age ? told->age : unit[AGE], path, &age_factor, &log_age, err);
  if (!status) status = sdn_ssp_light_unit(told->light ? told->light : unit[LIGHT], told->lsun_erg_per_s, path, s, err);
  for (int k = 0; k < N_WHAT; k++) sdn_release(unit[k]);
  for (int j = 0; j < s->n_wave; j++) s->wave_A[j] = wave_factor * a->value[WAVE][j];
  for (int t = 0; t < s->n_age; t++) s->age_yr[t] = age_factor * (log_age ? pow(10, a->value[AGE][t]) : a->value[AGE][t]);
  memcpy(s->metallicity, a->value[METALLICITY], (size_t)s->n_metallicity * sizeof *s->metallicity);
  return status;
}

sdn_status sdn_ssp_read_arrays(const char *path, const sdn_ssp_units *units, sdn_ssp **out, sdn_err *err)
{
  sdn_h5 *file;
  sdn_ssp *s = NULL;
  *out = NULL;
  if (sdn_h5_open(path, &file, err)) return err->status;
  arrays a = {.file = file};
  sdn_status status = read_all(&a, err);
  if (!status) status = sdn_ssp_new((int)count(&a, METALLICITY), (int)count(&a, AGE), (int)count(&a, WAVE), a.name[LIVING] != NULL, &s, err);
  if (!status) status = set_units(&a, units, s, err);
  if (!status) status = fill(&a, units->order, s, err);
  if (!status) {
    *out = s;
    s = NULL;
  }
  sdn_ssp_free(s);
  free_arrays(&a);
  sdn_err ignored;
  sdn_h5_close(file, &ignored);
  return status;
}
