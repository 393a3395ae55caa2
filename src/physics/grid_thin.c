/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sedna grid thin. */
#include "physics/grid_thin.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/parallel.h"
#include "physics/grid_light.h"
#include "physics/grid_read.h"
#include "physics/grid_write.h"

const sdn_knob sdn_grid_thin_knobs[] = {
  {.name = "grid", .kind = SDN_KNOB_TEXT, .offset = offsetof(sdn_grid_thin_options, grid), .unit = "FILE", .help = "a grid file, or the name of a shipped grid"},
  {.name = "output", .kind = SDN_KNOB_TEXT, .offset = offsetof(sdn_grid_thin_options, output), .unit = "FILE", .help = "the grid to write (HDF5)"},
  {.name = "wave_low", .kind = SDN_KNOB_DOUBLE, .offset = offsetof(sdn_grid_thin_options, wave_low), .initial = "0", .high = 1e12, .unit = "A",
   .help = "leave out shorter wavelengths (rest frame)"},
  {.name = "wave_high", .kind = SDN_KNOB_DOUBLE, .offset = offsetof(sdn_grid_thin_options, wave_high), .initial = "1e12", .high = 1e12, .unit = "A",
   .help = "leave out longer wavelengths (rest frame)"},
  {.name = "resolution", .kind = SDN_KNOB_DOUBLE, .offset = offsetof(sdn_grid_thin_options, resolution), .initial = "0", .high = 1e6, .unit = "R",
   .help = "nodes evenly spaced in ln lambda, R per e-fold; 0: where the bands need them"},
  {.name = "nodes", .kind = SDN_KNOB_LONG, .offset = offsetof(sdn_grid_thin_options, nodes), .initial = "0", .high = 1e7, .unit = "N",
   .help = "at most so many wavelengths; 0: as many as the tolerance takes"},
  {.name = "tolerance", .kind = SDN_KNOB_DOUBLE, .offset = offsetof(sdn_grid_thin_options, tolerance), .initial = "6e-4", .low = 1e-7, .high = 1, .unit = "SHARE",
   .help = "of any band's flux"},
  {.name = "z_max", .kind = SDN_KNOB_DOUBLE, .offset = offsetof(sdn_grid_thin_options, z_max), .initial = "15", .high = 100, .unit = "Z", .help = "redshifts up to here"},
};
const size_t sdn_n_grid_thin_knob = sizeof sdn_grid_thin_knobs / sizeof sdn_grid_thin_knobs[0];

#define EDGE_A 1e-3               /* nodes come in pairs this far apart at the steps that the IGM and escaping light make */
#define STEP_LN 0.01              /* of 1 + z, for the choice */
enum { N_TEST_Z = 24, SAMPLE_Z = 7, SAMPLE_AGES = 16, SAMPLE_EXTRA = 5, SAMPLE_GAS_AGES = 6 };
static const double edge_A[] = {1215.67, 1025.72, 972.537, 949.743, 937.803, 930.748, 926.226, 923.150, SDN_LYMAN_LIMIT_A};   /* Ly alpha to theta, and the limit */
enum { N_EDGE = sizeof edge_A / sizeof edge_A[0] };

/* ------------------------------------------------------------------ nodes at edges */

static int by_value(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static bool has_node(const sdn_grid *g, double at_A)
{
  int low = 0, high = g->n_wave - 1;
  while (high - low > 1) {
    const int mid = (low + high) / 2;
    if (g->wave_A[mid] <= at_A) low = mid; else high = mid;
  }
  return fabs(g->wave_A[low] - at_A) < 0.2 * EDGE_A || fabs(g->wave_A[high] - at_A) < 0.2 * EDGE_A;
}

static sdn_status interpolate_table(const sdn_grid *g, int n, const double *x, sdn_grid_table *t, sdn_err *err)
{
  if (!t->value) return SDN_OK;
  const size_t n_row = sdn_grid_table_size(t) / (size_t)t->n_column;
  float *value = sdn_alloc(n_row * (size_t)n, sizeof *value, "a grid table", err);
  if (!value) return err->status;
  for (size_t r = 0; r < n_row; r++) {
    const float *from = t->value + r * (size_t)t->n_column;
    float *to = value + r * (size_t)n;
    for (int i = 0, j = 0; i < n; i++) {
      if (j < g->n_wave && x[i] == g->wave_A[j]) to[i] = from[j++];   /* old nodes keep their bits, jumps their sides */
      else to[i] = (float)sdn_lnu_at(g->n_wave, g->wave_A, from, x[i]);
    }
  }
  sdn_release(t->value);
  t->value = value;
  t->n_column = n;
  return SDN_OK;
}

/* The jump that the reader put in becomes two wavelengths that all readers of the layout understand; pairs of nodes at the other edges. The functions stay what they are. */
static sdn_status add_edges(sdn_grid *g, sdn_err *err)
{
  for (int j = 0; j + 1 < g->n_wave; j++)
    if (g->wave_A[j + 1] - g->wave_A[j] < 0.5 * EDGE_A && (j == 0 || g->wave_A[j] - g->wave_A[j - 1] > 2 * EDGE_A)) g->wave_A[j] = g->wave_A[j + 1] - EDGE_A;
  double *x = sdn_alloc((size_t)g->n_wave + 2 * N_EDGE, sizeof *x, "wavelengths", err);
  int n = g->n_wave;
  if (!x) return err->status;
  memcpy(x, g->wave_A, (size_t)n * sizeof *x);
  for (int k = 0; k < N_EDGE; k++)
    for (int side = 0; side < 2; side++) {
      const double at = edge_A[k] - (side ? EDGE_A : 0);
      if (at > g->wave_A[0] && at < g->wave_A[g->n_wave - 1] && !has_node(g, at)) x[n++] = at;
    }
  qsort(x, (size_t)n, sizeof *x, by_value);
  sdn_status status = interpolate_table(g, n, x, &g->incident, err);
  if (!status) status = interpolate_table(g, n, x, &g->transmitted, err);
  if (!status) status = interpolate_table(g, n, x, &g->nebular_continuum, err);
  if (status) {
    sdn_release(x);
    return status;
  }
  sdn_release(g->wave_A);
  g->wave_A = x;
  g->n_wave = n;
  return SDN_OK;
}

/* ------------------------------------------------------------------ spectra that stand for all */

/* The i-th of n indices spread over 0 .. size - 1. */
static int spread(int i, int n, int size) { return n > 1 ? (int)((long)i * (size - 1) / (n - 1)) : 0; }

static int at_most(int n, int most) { return n < most ? n : most; }

/* Some spectra of a table; its light goes to columns *n and on. s->light NULL: only counted. */
static void add_sample(const sdn_grid *g, const sdn_grid_table *t, int n_age, int capacity, sdn_thin_sample *s)
{
  if (!t->value) return;
  const int na = at_most(t->n_age, n_age), nz = at_most(t->n_metallicity, SAMPLE_Z), ne = at_most(t->n_extra, SAMPLE_EXTRA);
  for (int z = 0; z < nz; z++)
    for (int a = 0; a < na; a++)
      for (int e = 0; e < ne; e++, s->n++) {
        if (!s->light) continue;
        const int age = spread(a, na, t->n_age), metal = spread(z, nz, t->n_metallicity), extra = spread(e, ne, t->n_extra);
        const float *row = sdn_grid_row(t, age, metal, extra);
        for (int i = 0; i < g->n_wave; i++) s->light[(size_t)i * (size_t)capacity + (size_t)s->n] = row[i];
        s->scale[s->n] = sdn_lnu_at(g->n_wave, g->wave_A, sdn_grid_row(&g->incident, age, metal, g->incident.n_extra == t->n_extra ? extra : 0), SDN_THIN_SCALE_A);
      }
}

static void add_all_samples(const sdn_grid *g, int capacity, sdn_thin_sample *s)
{
  s->n = 0;
  add_sample(g, &g->incident, SAMPLE_AGES, capacity, s);
  if (!g->transmitted_derived) add_sample(g, &g->transmitted, SAMPLE_AGES, capacity, s);
  add_sample(g, &g->nebular_continuum, SAMPLE_GAS_AGES, capacity, s);
}

static sdn_status make_sample(const sdn_grid *g, sdn_thin_sample *s, sdn_err *err)
{
  *s = (sdn_thin_sample){0};
  add_all_samples(g, 0, s);
  const int capacity = s->n;
  s->light = sdn_alloc((size_t)g->n_wave, (size_t)capacity * sizeof *s->light, "sample spectra", err);
  s->scale = sdn_alloc((size_t)capacity, sizeof *s->scale, "sample spectra", err);
  if (!s->light || !s->scale) return err->status;
  add_all_samples(g, capacity, s);
  return SDN_OK;
}

/* ------------------------------------------------------------------ the steps */

typedef struct thinning {
  const sdn_grid_thin_options *opt; const sdn_run *run;
  sdn_grid *g;
  sdn_thin_bands bands, thin;
  sdn_thin_sample sample;
  sdn_thin_fit fit;
  sdn_thin_error error;
  long n_z;
  char worst_filter[96]; double worst_z;
} thinning;

static void free_thinning(thinning *t)
{
  sdn_grid_free(t->g);
  sdn_thin_free_bands(&t->bands);
  sdn_thin_free_rows(&t->thin);   /* its filters are those of bands */
  sdn_release(t->sample.light);
  sdn_release(t->sample.scale);
  sdn_thin_fit_free(&t->fit);
}

static sdn_status choose(thinning *t, sdn_err *err)
{
  const double span = log1p(t->opt->z_max);
  const long n_z = t->opt->resolution > 0 ? 0 : 1 + (long)(span / STEP_LN);
  const sdn_thin_wish wish = {t->opt->tolerance, t->opt->resolution, t->opt->nodes};
  int *node = NULL, n_node;
  double *z = sdn_alloc((size_t)n_z, sizeof *z, "redshifts", err);
  if (!z) return err->status;
  for (long i = 0; i < n_z; i++) z[i] = expm1((double)i * STEP_LN);
  sdn_status status = sdn_thin_filters(&t->bands, err);
  if (!status) status = sdn_thin_rows(&t->bands, t->g->n_wave, t->g->wave_A, n_z, z, err);
  if (!status) status = make_sample(t->g, &t->sample, err);
  if (!status) status = sdn_thin_choose(t->g->n_wave, t->g->wave_A, &t->bands, &t->sample, &wish, t->run, &node, &n_node, err);
  if (!status) status = sdn_thin_fit_new(t->g->n_wave, t->g->wave_A, n_node, node, &t->fit, err);
  sdn_thin_free_rows(&t->bands);
  sdn_release(node);
  sdn_release(z);
  return status;
}

/* At redshifts that the choice did not see: one at random in each of N_TEST_Z equal parts of ln(1 + z). */
static sdn_status measure(thinning *t, sdn_err *err)
{
  const double span = log1p(t->opt->z_max);
  double z[N_TEST_Z], *wave = sdn_alloc((size_t)t->fit.n_node, sizeof *wave, "wavelengths", err);
  if (!wave) return err->status;
  t->n_z = span > 0 ? N_TEST_Z : 1;
  for (int i = 0; i < N_TEST_Z; i++) z[i] = expm1(span * (i + fmod((i + 1) * 0.6180339887498949, 1)) / N_TEST_Z);   /* golden ratio: evenly scattered */
  for (int k = 0; k < t->fit.n_node; k++) wave[k] = t->g->wave_A[t->fit.node[k]];
  t->thin.n_filter = t->bands.n_filter;
  t->thin.filter = t->bands.filter;
  sdn_status status = sdn_thin_rows(&t->bands, t->g->n_wave, t->g->wave_A, t->n_z, z, err);
  if (!status) status = sdn_thin_rows(&t->thin, t->fit.n_node, wave, t->n_z, z, err);
  if (!status) status = sdn_thin_measure(t->g, &t->fit, &t->bands, &t->thin, t->run, &t->error, err);
  if (!status && t->bands.n_row > 0) {
    const sdn_thin_row *row = &t->bands.row[t->error.worst_row];
    snprintf(t->worst_filter, sizeof t->worst_filter, "%s", t->bands.filter[row->filter]->id);
    t->worst_z = row->z;
  }
  sdn_release(wave);
  return status;
}

static sdn_status project_table(const thinning *t, sdn_grid_table *table, sdn_err *err)
{
  if (!table->value) return SDN_OK;
  const int n = t->fit.n_node;
  const size_t n_row = sdn_grid_table_size(table) / (size_t)table->n_column;
  double *work = sdn_alloc((size_t)n, sizeof *work, "a spectrum", err), *value = sdn_alloc((size_t)n, sizeof *value, "a spectrum", err);
  const bool ok = work && value;
  for (size_t r = 0; r < n_row && ok; r++) {   /* in place: a row shrinks and moves forward */
    sdn_thin_project(&t->fit, table->value + r * (size_t)table->n_column, work, value);
    for (int k = 0; k < n; k++) table->value[r * (size_t)n + (size_t)k] = (float)value[k];
  }
  table->n_column = n;
  sdn_release(work);
  sdn_release(value);
  return ok ? SDN_OK : err->status;
}

static sdn_status project(thinning *t, sdn_err *err)
{
  sdn_grid *g = t->g;
  if (project_table(t, &g->incident, err) || project_table(t, &g->transmitted, err) || project_table(t, &g->nebular_continuum, err)) return err->status;
  for (int k = 0; k < t->fit.n_node; k++) g->wave_A[k] = g->wave_A[t->fit.node[k]];
  g->n_wave = t->fit.n_node;
  return SDN_OK;
}

static sdn_status write_it(const thinning *t, int n_before, const char *path, sdn_err *err)
{
  sdn_h5 *source = NULL;
  sdn_err ignored;
  const sdn_grid_note note[] = {
    {"Thinning", "source", t->g->name, 0}, {"Thinning", "n_wavelength_before", NULL, n_before}, {"Thinning", "tolerance", NULL, t->opt->resolution > 0 ? (double)NAN : t->opt->tolerance},
    {"Thinning", "resolution", NULL, t->opt->resolution}, {"Thinning", "z_max", NULL, t->opt->z_max}, {"Thinning", "n_filter", NULL, t->bands.n_filter},
    {"Thinning", "n_redshift", NULL, (double)t->n_z}, {"Thinning", "n_spectrum", NULL, (double)t->error.n_spectrum}, {"Thinning", "band_error_median", NULL, t->error.median},
    {"Thinning", "band_error_999", NULL, t->error.percentile_999}, {"Thinning", "band_error_max", NULL, t->error.largest},
    {"Thinning", "worst_filter", t->worst_filter, 0}, {"Thinning", "worst_redshift", NULL, t->worst_z}, {"Thinning", "n_failed_cell_filled", NULL, (double)t->g->n_failed_cell}};
  if (sdn_h5_open(t->g->path, &source, err)) return err->status;
  const sdn_grid_write_options w = {.source = source, .n_note = sizeof note / sizeof note[0], .note = note, .run = t->run};
  sdn_status status = sdn_grid_write(t->g, path, &w, err);
  sdn_h5_close(source, &ignored);
  return status;
}

static sdn_status check_options(const sdn_grid_thin_options *opt, sdn_err *err)
{
  if (!opt->output || !*opt->output) return sdn_fail(err, SDN_USAGE, "name the grid to write: --output FILE");
  if (!(opt->wave_high > opt->wave_low)) return sdn_fail(err, SDN_USAGE, "--wave-high %g is not above --wave-low %g", opt->wave_high, opt->wave_low);
  char *input = sdn_named_file("grids", ".hdf5", opt->grid, err);
  if (!input) return err->status;
  sdn_status status = sdn_check_output(opt->output, 1, (const char *const *)&input, err);
  if (!status) status = sdn_check_writable(opt->output, err);
  sdn_release(input);
  return status;
}

static void sum_up(const thinning *t, int n_before, double began, sdn_grid_thin_summary *s)
{
  struct stat file;
  *s = (sdn_grid_thin_summary){.n_wave_before = n_before, .n_wave = t->fit.n_node, .n_band = t->bands.n_filter, .n_redshift = t->n_z, .n_spectrum = t->error.n_spectrum,
                               .error_median = t->error.median, .error_999 = t->error.percentile_999, .error_max = t->error.largest, .worst_z = t->worst_z,
                               .megabytes = stat(t->opt->output, &file) ? 0 : (double)file.st_size / 1e6, .seconds = sdn_seconds() - began};
  memcpy(s->worst_filter, t->worst_filter, sizeof s->worst_filter);
}

sdn_status sdn_grid_thin(const sdn_grid_thin_options *opt, const sdn_run *run, sdn_grid_thin_summary *summary, sdn_err *err)
{
  const double began = sdn_seconds();
  thinning t = {.opt = opt, .run = run};
  int n_before = 0;
  sdn_status status = check_options(opt, err);
  if (!status) status = sdn_grid_read(opt->grid, opt->wave_low, opt->wave_high, &t.g, err);
  if (!status) n_before = t.g->n_wave;
  if (!status) status = add_edges(t.g, err);
  if (!status) status = choose(&t, err);
  if (!status) status = measure(&t, err);
  if (!status) status = project(&t, err);
  if (!status) status = write_it(&t, n_before, opt->output, err);
  if (!status) sum_up(&t, n_before, began, summary);
  free_thinning(&t);
  return status;
}
