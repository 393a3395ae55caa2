/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sedna grid info: what a grid file holds, as text or JSON. */
#include <math.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "physics/grid_read.h"

const sdn_knob sdn_grid_info_knobs[] = {
  {.name = "grid", .kind = SDN_KNOB_TEXT, .offset = offsetof(sdn_grid_info_options, grid), .unit = "FILE", .help = "a grid file, or the name of a shipped grid"},
  {.name = "json", .kind = SDN_KNOB_FLAG, .offset = offsetof(sdn_grid_info_options, json), .help = "for machines"},
};
const size_t sdn_n_grid_info_knob = sizeof sdn_grid_info_knobs / sizeof sdn_grid_info_knobs[0];

/* g: axes alone, or all tables where the file has spectra/incident. */
typedef struct page { const sdn_h5 *file; const sdn_grid *g; double megabytes; } page;

static const char *kind_of(const sdn_grid *g)
{
  if (g->has_ages && g->has_metallicities) return "stellar populations";
  return strcmp(g->weight, "bolometric_luminosities") == 0 || sdn_grid_find_axis(g, "accretion_rates_eddington") >= 0 ? "active nuclei" : "spectra of other sources than stars";
}

static const char *medium_text(const sdn_grid *g)
{
  static const char *const text[] = {"in air above 2000 A, converted", "in vacuum, as the file says", "in vacuum, as the places of strong lines say"};
  return text[g->line_medium];
}

/* Medium of nodes per e-fold. */
static double median_resolution(const sdn_grid *g)
{
  const double low = g->wave_A[0], high = g->wave_A[g->n_wave - 1];
  return high > low ? (double)(g->n_wave - 1) / log(high / low) : 0;
}

static double table_megabytes(const sdn_grid *g)
{
  const sdn_grid_table *const all[] = {&g->incident, &g->transmitted, &g->nebular_continuum, &g->lines, &g->star_fraction, &g->log_q_hi};
  double sum = 0;
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
    if (all[i]->value) sum += 4e-6 * (double)sdn_grid_table_size(all[i]);
  return sum;
}

/* ------------------------------------------------------------------ text */

static void text_axes(const page *p, sdn_text *t)
{
  for (int a = 0; a < p->g->n_axis; a++) {
    const sdn_grid_axis *axis = &p->g->axis[a];
    if ((a == 0 && !p->g->has_ages) || (a == 1 && !p->g->has_metallicities)) continue;
    sdn_text_add(t, "  %-26s %3d values, %g to %g%s%s%s\n", axis->name, axis->n, axis->value[0], axis->value[axis->n - 1], axis->unit[0] ? " " : "", axis->unit,
                 axis->log ? " (interpolated in log10)" : "");
  }
}

static void text_tables(const page *p, sdn_text *t)
{
  const sdn_grid *g = p->g;
  if (!g->incident.value) return;
  sdn_text_add(t, "  %-26s %d nodes, %g to %g A, %.0f per e-fold\n", "wavelength", g->n_wave, g->wave_A[0], g->wave_A[g->n_wave - 1], median_resolution(g));
  sdn_text_add(t, "  nebular continuum: %s; transmitted light: %s; lines: %d", g->nebular_continuum.value ? "yes" : "no (incident light only)",
               g->transmitted_derived ? "made from incident" : g->transmitted.value ? "yes" : "no", g->n_line);
  sdn_text_add(t, "%s%s\n", g->n_line ? ", " : "", g->n_line ? medium_text(g) : "");
  if (g->has_ages) sdn_text_add(t, "  surviving mass (star_fraction): %s\n", g->star_fraction.value ? "yes" : "no: masses are masses formed, and no surviving mass can be given");
  sdn_text_add(t, "  ionising photons: %s; failed cells filled: %ld\n", g->log_q_hi.value ? "yes" : "no", g->n_failed_cell);
  sdn_text_add(t, "  in memory %.1f MB, on disk %.1f MB\n", table_megabytes(g), p->megabytes);
}

static void text_spectra(const page *p, sdn_text *t)
{
  char **names = NULL, dataset[200];
  size_t n = 0;
  sdn_err ignored;
  sdn_h5_shape shape;
  if (sdn_h5_kind_of(p->file, "spectra") != SDN_H5_KIND_GROUP || sdn_h5_list(p->file, "spectra", &names, &n, &ignored)) return;
  sdn_text_add(t, "  in the file:");
  for (size_t i = 0; i < n; i++) {
    snprintf(dataset, sizeof dataset, "spectra/%.120s", names[i]);
    if (sdn_h5_shape_of(p->file, dataset, &shape, &ignored)) continue;
    sdn_text_add(t, " %s [", names[i]);
    for (int d = 0; d < shape.n_dim; d++) sdn_text_add(t, "%s%ld", d ? "," : "", shape.dim[d]);
    sdn_text_add(t, "]");
  }
  sdn_text_add(t, "\n");
  sdn_release(names);
}

/* Attributes of the root and of the groups that tell where the grid comes from. visit is told of each. */
typedef void visit_fn(sdn_text *t, const char *object, const char *attr, const char *value, bool first);

static void visit_attributes(const page *p, sdn_text *t, visit_fn *visit)
{
  static const char *const objects[] = {"/", "Model", "CloudyParams", "Thinning"};
  bool first = true;
  for (size_t o = 0; o < sizeof objects / sizeof objects[0]; o++) {
    char **names = NULL;
    size_t n = 0;
    sdn_err ignored;
    if (!sdn_h5_has(p->file, objects[o]) || sdn_h5_list_attrs(p->file, objects[o], &names, &n, &ignored)) continue;
    for (size_t i = 0; i < n; i++) {
      char *value = NULL;
      if (sdn_h5_attr_text(p->file, objects[o], names[i], &value, &ignored)) continue;
      visit(t, objects[o], names[i], value, first);
      sdn_release(value);
      first = false;
    }
    sdn_release(names);
  }
}

static void text_attribute(sdn_text *t, const char *object, const char *attr, const char *value, bool first)
{
  if (first) sdn_text_add(t, "  attributes:\n");
  sdn_text_add(t, "    %s%s%s: %.300s%s\n", strcmp(object, "/") ? object : "", strcmp(object, "/") ? "/" : "", attr, value, strlen(value) > 300 ? " ..." : "");
}

static void write_text(const page *p, sdn_text *t)
{
  sdn_text_add(t, "grid of %s: %s\n", kind_of(p->g), p->g->name);
  if (p->g->old_layout) sdn_text_add(t, "  in the layout before Synthesizer 0.9\n");
  text_axes(p, t);
  text_tables(p, t);
  text_spectra(p, t);
  visit_attributes(p, t, text_attribute);
}

/* ------------------------------------------------------------------ JSON */

static void json_attribute(sdn_text *t, const char *object, const char *attr, const char *value, bool first)
{
  char key[300];
  snprintf(key, sizeof key, "%s%s%s", strcmp(object, "/") ? object : "", strcmp(object, "/") ? "/" : "", attr);
  sdn_text_add(t, "%s\n    ", first ? "" : ",");
  sdn_text_add_json_string(t, key);
  sdn_text_add(t, ": ");
  sdn_text_add_json_string(t, value);
}

static void json_axes(const page *p, sdn_text *t)
{
  bool first = true;
  sdn_text_add(t, "  \"axes\": [");
  for (int a = 0; a < p->g->n_axis; a++) {
    const sdn_grid_axis *axis = &p->g->axis[a];
    if ((a == 0 && !p->g->has_ages) || (a == 1 && !p->g->has_metallicities)) continue;
    sdn_text_add(t, "%s\n    {\"name\": ", first ? "" : ",");
    sdn_text_add_json_string(t, axis->name);
    sdn_text_add(t, ", \"unit\": ");
    sdn_text_add_json_string(t, axis->unit);
    sdn_text_add(t, ", \"log\": %s, \"values\": ", axis->log ? "true" : "false");
    sdn_text_add_json_numbers(t, axis->n, axis->value, 8);
    sdn_text_add(t, "}");
    first = false;
  }
  sdn_text_add(t, "\n  ],\n");
}

static void write_json(const page *p, sdn_text *t)
{
  const sdn_grid *g = p->g;
  sdn_text_add(t, "{\n  \"grid\": ");
  sdn_text_add_json_string(t, g->path);
  sdn_text_add(t, ",\n  \"kind\": ");
  sdn_text_add_json_string(t, kind_of(g));
  sdn_text_add(t, ",\n  \"old_layout\": %s,\n", g->old_layout ? "true" : "false");
  json_axes(p, t);
  if (g->incident.value) {
    sdn_text_add(t, "  \"n_wave\": %d, \"wave_low_A\": ", g->n_wave);
    sdn_text_add_json_number(t, g->wave_A[0], 8);
    sdn_text_add(t, ", \"wave_high_A\": ");
    sdn_text_add_json_number(t, g->wave_A[g->n_wave - 1], 8);
    sdn_text_add(t, ",\n  \"nebular_continuum\": %s, \"transmitted\": %s, \"n_line\": %d,\n", g->nebular_continuum.value ? "true" : "false",
                 g->transmitted.value && !g->transmitted_derived ? "true" : "false", g->n_line);
    sdn_text_add(t, "  \"star_fraction\": %s, \"ionising_photons\": %s, \"n_failed_cell\": %ld,\n  \"memory_MB\": %.3f,\n", g->star_fraction.value ? "true" : "false",
                 g->log_q_hi.value ? "true" : "false", g->n_failed_cell, table_megabytes(g));
  }
  sdn_text_add(t, "  \"attributes\": {");
  visit_attributes(p, t, json_attribute);
  sdn_text_add(t, "\n  }\n}\n");
}

/* ------------------------------------------------------------------ all */

/* All of a grid, or the axes alone of one that holds other spectra than a model of stars uses. */
static sdn_status read_what_there_is(const char *name, sdn_h5 **file, sdn_grid **g, sdn_err *err)
{
  char *path = sdn_named_file("grids", ".hdf5", name, err);
  *g = NULL;
  *file = NULL;
  if (!path) return err->status;
  sdn_status status = sdn_h5_open(path, file, err);
  if (!status && (sdn_h5_has(*file, "spectra/incident") || sdn_h5_has(*file, "spectra/stellar"))) status = sdn_grid_read(name, 0, HUGE_VAL, g, err);
  else if (!status && !(*g = sdn_alloc(1, sizeof **g, "a grid", err))) status = err->status;
  else if (!status) {
    (*g)->path = path;
    path = NULL;
    if (!((*g)->name = sdn_copy_text(name, err))) status = err->status;
    if (!status) status = sdn_grid_read_axes(*file, *g, err);
  }
  sdn_release(path);
  return status;
}

sdn_status sdn_grid_info(const sdn_grid_info_options *opt, FILE *out, sdn_err *err)
{
  sdn_h5 *file = NULL;
  sdn_grid *g = NULL;
  sdn_text t = {0};
  struct stat s;
  sdn_status status = read_what_there_is(opt->grid, &file, &g, err);
  if (status) goto done;
  const page p = {file, g, stat(g->path, &s) ? 0 : (double)s.st_size / 1e6};
  if (opt->json) write_json(&p, &t);
  else write_text(&p, &t);
  status = sdn_text_done(&t, err);
  if (!status) fwrite(t.data, 1, t.n, out);
done:
  sdn_text_free(&t);
  sdn_grid_free(g);
  sdn_err ignored;
  if (file) sdn_h5_close(file, &ignored);
  return status;
}
