/* SPDX-License-Identifier: GPL-3.0-or-later */
/* BAGPIPES' nebular tables (1.3.6: models/making/make_cloudy_models.py, models/nebular_model.py): one image for each metallicity and log U, named so; its first row
 * holds wavelengths, its first column ages. The continuum is L_lambda [Lsun/A] without lines, on the stars' wavelengths, which are vacuum for it; lines are in Lsun.
 *
 * Repair. Case B gives L(H beta)/Q = 4.8e-13 erg at 1e4 K (Osterbrock & Ferland 2006); the tables have 4.8 to 5.3e-13 at Z <= 0.02 below 6 Myr. But in 238 of the 945 cells of the
 * wheel, all but one of them at Z = 0.05 and 0.1, the Lyman lines beyond alpha and the continuum below 1216 A together carry 16 to 250 times H beta, not 0.3 to
 * 2.6: light of the stars scattered in the Lyman lines seems to be counted as nebular, and the scaling to the ionising energy takes it from everything else. There
 * Ly alpha is set to 23.3 H beta (case B), the other Lyman lines and the continuum below 1216 A to what they are relative to H beta in the nearest regular
 * cell, likewise the Mg II doublet, a resonance line that scatters starlight as well (it alone would carry up to 10 times the energy that the gas takes), and the cell
 * is scaled to L(H beta)/Q = 4.9e-13 erg. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fits_image.h"
#include "physics/ssp_bagpipes.h"

#define ZSUN 0.02
#define H_BETA_A 4861.32           /* as the line table has it */
#define LYMAN_EXCESS 6.0           /* Ly beta .. theta and continuum below 1216 A over H beta; no cell is between 2.6 and 16 */
#define LYA_OVER_HB 23.3           /* case B, and the median of the regular cells at Z = 0.02 */
#define HB_PER_PHOTON_ERG 4.9e-13  /* regular cells at Z = 0.02 and 0.05, young ages: 4.92e-13 and 5.04e-13 */
#define UV_END_A 1216.0
static const double lyman_A[] = {1215.67, 1025.72, 972.537, 949.743, 937.803, 930.748, 926.226, 923.150};
static const double magnesium_A[] = {2795.53, 2802.71};
enum { N_LYMAN = 8, N_MAGNESIUM = 2, Z_STEP_WEIGHT = 25, MOST_NODES = 1000 };   /* any step of log U or age (22 in all) counts less than one of Z */

void sdn_bagpipes_free_gas(sdn_bagpipes_gas *g)
{
  sdn_release(g->metallicity);
  sdn_release(g->log_u);
  sdn_release(g->age_yr);
  sdn_release(g->wave_A);
  sdn_release(g->line_wave_A);
  sdn_release(g->line_id);
  sdn_release(g->continuum);
  sdn_release(g->line);
  sdn_release(g->rate);
  *g = (sdn_bagpipes_gas){0};
}

/* ------------------------------------------------------------------ reading */

/* The nodes that the images' names speak of, in the order of their appearance. */
typedef struct nodes { int n_z, n_u; double z[MOST_NODES], u[MOST_NODES]; } nodes;

static int find_or_add(double *list, int *n, double value)
{
  for (int i = 0; i < *n; i++)
    if (list[i] == value) return i;
  if (*n == MOST_NODES) return -1;
  list[*n] = value;
  return (*n)++;
}

static bool parse_name(const char *name, double *z, double *u) { return sscanf(name, "ZMET_%lf_LOGU_%lf", z, u) == 2 && *z > 0 && isfinite(*u); }

static sdn_status find_nodes(sdn_fits *f, const char *path, nodes *at, sdn_fits_image *shape, sdn_err *err)
{
  sdn_fits_image image;
  double z, u;
  *shape = (sdn_fits_image){0};
  for (int h = 0; h < sdn_fits_n_hdu(f); h++) {
    if (sdn_fits_look(f, h, &image, err)) return err->status;
    if (!parse_name(image.name, &z, &u)) continue;
    if (find_or_add(at->z, &at->n_z, z) < 0 || find_or_add(at->u, &at->n_u, u) < 0) return sdn_fail(err, SDN_FORMAT, "%s has too many images", path);
    if (shape->n_row == 0) *shape = image;
    if (image.n_row != shape->n_row || image.n_column != shape->n_column || image.n_row < 2 || image.n_column < 2)
      return sdn_fail(err, SDN_FORMAT, "%s: image %s has another shape than the first", path, image.name);
  }
  for (int i = 1; i < at->n_z || i < at->n_u; i++)
    if ((i < at->n_z && !(at->z[i] > at->z[i - 1])) || (i < at->n_u && !(at->u[i] > at->u[i - 1])))
      return sdn_fail(err, SDN_FORMAT, "%s: the images do not ascend in metallicity and log U", path);
  if (at->n_z > 0) return SDN_OK;
  return sdn_fail(err, SDN_FORMAT, "%s holds no images named ZMET_.._LOGU_.., so it is no nebular table of BAGPIPES", path);
}

typedef struct cube { int n_z, n_u, n_age, n_column; double *metallicity, *log_u, *age_yr, *column, *value; } cube;

static void free_cube(cube *c)
{
  sdn_release(c->metallicity);
  sdn_release(c->log_u);
  sdn_release(c->age_yr);
  sdn_release(c->column);
  sdn_release(c->value);
}

static sdn_status new_cube(const nodes *at, const sdn_fits_image *shape, cube *c, sdn_err *err)
{
  *c = (cube){at->n_z, at->n_u, (int)shape->n_row - 1, (int)shape->n_column - 1, NULL, NULL, NULL, NULL, NULL};
  c->metallicity = sdn_alloc((size_t)c->n_z, sizeof *c->metallicity, "metallicities", err);
  c->log_u = sdn_alloc((size_t)c->n_u, sizeof *c->log_u, "ionisation parameters", err);
  c->age_yr = sdn_alloc((size_t)c->n_age, sizeof *c->age_yr, "ages", err);
  c->column = sdn_alloc((size_t)c->n_column, sizeof *c->column, "wavelengths", err);
  c->value = sdn_alloc((size_t)c->n_z * (size_t)c->n_u * (size_t)c->n_age, (size_t)c->n_column * sizeof *c->value, "nebular tables", err);
  if (!c->metallicity || !c->log_u || !c->age_yr || !c->column || !c->value) return err->status;
  for (int i = 0; i < c->n_z; i++) c->metallicity[i] = ZSUN * at->z[i];
  memcpy(c->log_u, at->u, (size_t)c->n_u * sizeof *c->log_u);
  return SDN_OK;
}

static sdn_status fill_cube(sdn_fits *f, const char *path, nodes *at, cube *c, sdn_err *err)
{
  const size_t n_row = (size_t)c->n_column + 1, n_cell = (size_t)c->n_age * (size_t)c->n_column;
  long n_filled = 0;
  for (int h = 0; h < sdn_fits_n_hdu(f); h++) {
    sdn_fits_image image;
    double z, u, *value;
    if (sdn_fits_look(f, h, &image, err)) return err->status;
    if (!parse_name(image.name, &z, &u)) continue;
    if (sdn_fits_read_image(f, h, &value, err)) return err->status;
    double *to = c->value + ((size_t)find_or_add(at->z, &at->n_z, z) * (size_t)c->n_u + (size_t)find_or_add(at->u, &at->n_u, u)) * n_cell;
    for (int a = 0; a < c->n_age; a++) {
      memcpy(to + (size_t)a * (size_t)c->n_column, value + ((size_t)a + 1) * n_row + 1, (size_t)c->n_column * sizeof *to);
      c->age_yr[a] = value[((size_t)a + 1) * n_row];
    }
    memcpy(c->column, value + 1, (size_t)c->n_column * sizeof *c->column);
    sdn_release(value);
    n_filled++;
  }
  if (n_filled != (long)c->n_z * c->n_u) return sdn_fail(err, SDN_FORMAT, "%s holds %ld images for %d metallicities and %d values of log U", path, n_filled, c->n_z, c->n_u);
  for (size_t i = 0, n = (size_t)n_filled * n_cell; i < n; i++)
    if (!isfinite(c->value[i])) return sdn_fail(err, SDN_FORMAT, "%s holds a number that is not finite", path);
  return SDN_OK;
}

static sdn_status read_cube(const char *path, cube *c, sdn_err *err)
{
  sdn_fits *f = NULL;
  sdn_fits_image shape;
  *c = (cube){0};
  nodes *at = sdn_alloc(1, sizeof *at, "nodes of nebular tables", err);
  if (!at) return err->status;
  sdn_status status = sdn_fits_open(path, &f, err);
  if (!status) status = find_nodes(f, path, at, &shape, err);
  if (!status) status = new_cube(at, &shape, c, err);
  if (!status) status = fill_cube(f, path, at, c, err);
  if (status) free_cube(c);
  if (status) *c = (cube){0};
  sdn_fits_close(f);
  sdn_release(at);
  return status;
}

/* Blanks at the ends dropped, runs of them within reduced to one. */
static void squeeze_blanks(char *text)
{
  char *to = text;
  for (const char *c = text; *c; c++)
    if (!isspace((unsigned char)*c)) {
      if (c > text && isspace((unsigned char)c[-1]) && to > text) *to++ = ' ';
      *to++ = *c;
    }
  *to = 0;
}

/* Cloudy's names, one a line. */
static sdn_status read_names(const char *path, int n_line, char ***names, sdn_err *err)
{
  enum { WIDTH = 32 };
  FILE *in = fopen(path, "r");
  char line[256];
  int n = 0;
  if (!in) return sdn_fail(err, SDN_IO, "cannot open %s, which names the lines", path);
  char **block = sdn_alloc((size_t)n_line, sizeof *block + WIDTH, "names of lines", err);
  while (block && n < n_line && fgets(line, sizeof line, in)) {
    squeeze_blanks(line);
    if (!*line) continue;
    block[n] = (char *)(block + n_line) + (size_t)n * WIDTH;
    snprintf(block[n++], WIDTH, "%.31s", line);
  }
  fclose(in);
  if (!block) return err->status;
  if (n < n_line) {
    sdn_release(block);
    return sdn_fail(err, SDN_FORMAT, "%s names %d lines, but the line table has %d", path, n, n_line);
  }
  *names = block;
  return SDN_OK;
}

sdn_status sdn_bagpipes_read_gas(const char *const path[3], sdn_bagpipes_gas *gas, sdn_err *err)
{
  cube c = {0}, l = {0};
  *gas = (sdn_bagpipes_gas){0};
  sdn_status status = read_cube(path[0], &c, err);
  if (!status) status = read_cube(path[1], &l, err);
  if (!status && (c.n_z != l.n_z || c.n_u != l.n_u || c.n_age != l.n_age || memcmp(c.age_yr, l.age_yr, (size_t)c.n_age * sizeof *c.age_yr) != 0))
    status = sdn_fail(err, SDN_FORMAT, "%s and %s have different axes", path[0], path[1]);
  if (!status) status = read_names(path[2], l.n_column, &gas->line_id, err);
  if (!status && !(gas->rate = sdn_alloc((size_t)c.n_z * (size_t)c.n_age, sizeof *gas->rate, "rates of photons", err))) status = err->status;
  if (!status) {
    char **id = gas->line_id;
    double *rate = gas->rate;
    *gas = (sdn_bagpipes_gas){.n_z = c.n_z, .n_u = c.n_u, .n_age = c.n_age, .n_wave = c.n_column, .n_line = l.n_column, .metallicity = c.metallicity, .log_u = c.log_u,
                              .age_yr = c.age_yr, .wave_A = c.column, .line_wave_A = l.column, .line_id = id, .continuum = c.value, .line = l.value, .rate = rate};
    c = (cube){0};
    l.column = l.value = NULL;
  }
  free_cube(&c);
  free_cube(&l);
  if (status) sdn_bagpipes_free_gas(gas);
  return status;
}

/* ------------------------------------------------------------------ repair */

static int nearest_line(const sdn_bagpipes_gas *g, double wave_A)
{
  int best = 0;
  for (int l = 1; l < g->n_line; l++)
    if (fabs(g->line_wave_A[l] - wave_A) < fabs(g->line_wave_A[best] - wave_A)) best = l;
  return best;
}

typedef struct places { int h_beta, lyman[N_LYMAN], magnesium[N_MAGNESIUM], n_uv; } places;

static bool is_odd(const sdn_bagpipes_gas *g, const places *p, long cell)
{
  const double *line = g->line + cell * g->n_line, *c = g->continuum + cell * g->n_wave;
  double light = 0;
  for (int k = 1; k < N_LYMAN; k++) light += line[p->lyman[k]];
  for (int j = 1; j < p->n_uv; j++) light += 0.5 * (c[j] + c[j - 1]) * (g->wave_A[j] - g->wave_A[j - 1]);
  return light > LYMAN_EXCESS * line[p->h_beta];
}

static long nearest_regular(const sdn_bagpipes_gas *g, const unsigned char *odd, int z, int u, int a)
{
  long best = -1, best_distance = 0, cell = 0;
  for (int i = 0; i < g->n_z; i++)
    for (int j = 0; j < g->n_u; j++)
      for (int k = 0; k < g->n_age; k++, cell++) {
        const long distance = Z_STEP_WEIGHT * labs((long)i - z) + labs((long)j - u) + labs((long)k - a);
        if (!odd[cell] && (best < 0 || distance < best_distance)) {
          best = cell;
          best_distance = distance;
        }
      }
  return best;
}

static void mend(sdn_bagpipes_gas *g, const places *p, long cell, long model, double rate)
{
  double *line = g->line + cell * g->n_line, *c = g->continuum + cell * g->n_wave;
  const double *model_line = g->line + model * g->n_line, *model_c = g->continuum + model * g->n_wave;
  const double h_beta = line[p->h_beta], scale = h_beta / model_line[p->h_beta], factor = HB_PER_PHOTON_ERG * rate / (h_beta * SDN_BAGPIPES_LSUN);
  if (!(h_beta > 0 && scale < HUGE_VAL)) return;   /* nothing to hold on to: a failed cell */
  for (int k = 1; k < N_LYMAN; k++) line[p->lyman[k]] = model_line[p->lyman[k]] * scale;
  for (int k = 0; k < N_MAGNESIUM; k++) line[p->magnesium[k]] = model_line[p->magnesium[k]] * scale;
  line[p->lyman[0]] = LYA_OVER_HB * h_beta;
  for (int j = 0; j < p->n_uv; j++) c[j] = model_c[j] * scale;
  for (int l = 0; l < g->n_line; l++) line[l] *= factor;
  for (int j = 0; j < g->n_wave; j++) c[j] *= factor;
}

long sdn_bagpipes_repair(sdn_bagpipes_gas *g)
{
  const long n_cell = (long)g->n_z * g->n_u * g->n_age;
  sdn_err ignored;
  places p = {.h_beta = nearest_line(g, H_BETA_A)};
  long n_odd = 0;
  for (int k = 0; k < N_LYMAN; k++) p.lyman[k] = nearest_line(g, lyman_A[k]);
  for (int k = 0; k < N_MAGNESIUM; k++) p.magnesium[k] = nearest_line(g, magnesium_A[k]);
  while (p.n_uv < g->n_wave && g->wave_A[p.n_uv] < UV_END_A) p.n_uv++;
  unsigned char *odd = sdn_alloc((size_t)n_cell, 1, "marks of odd cells", &ignored);
  if (!odd) return -1;
  for (long cell = 0; cell < n_cell; cell++) n_odd += odd[cell] = is_odd(g, &p, cell);
  for (long cell = 0; cell < n_cell; cell++) {
    const int a = (int)(cell % g->n_age), u = (int)(cell / g->n_age % g->n_u), z = (int)(cell / g->n_age / g->n_u);
    const long model = odd[cell] ? nearest_regular(g, odd, z, u, a) : -1;
    if (model >= 0) mend(g, &p, cell, model, g->rate[(long)z * g->n_age + a]);
  }
  sdn_release(odd);
  return n_odd;
}
