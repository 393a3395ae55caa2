/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "physics/grid_write.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/parallel.h"
#include "physics/grid_read.h"

#define DEFLATE 4
#define DEEPEST 4   /* groups within groups that are copied */

typedef struct writing { const sdn_grid *g; sdn_h5 *file; const sdn_grid_write_options *opt; } writing;

static sdn_status describe(const writing *w, const char *dataset, const char *units, const char *text, bool log_on_read, sdn_err *err)
{
  if (sdn_h5_set_text(w->file, dataset, "Units", units, err) || sdn_h5_set_text(w->file, dataset, "Description", text, err)) return err->status;
  return sdn_h5_set_long(w->file, dataset, "log_on_read", log_on_read, err);
}

static bool is_stand_in(const sdn_grid *g, int axis) { return (axis == 0 && !g->has_ages) || (axis == 1 && !g->has_metallicities); }

static sdn_status write_axes(const writing *w, sdn_err *err)
{
  const char *names[SDN_GRID_MAX_AXIS];
  size_t n = 0;
  for (int a = 0; a < w->g->n_axis; a++) {
    const sdn_grid_axis *axis = &w->g->axis[a];
    char dataset[96];
    if (is_stand_in(w->g, a)) continue;
    names[n++] = axis->name;
    snprintf(dataset, sizeof dataset, "axes/%s", axis->name);
    if (sdn_h5_make(w->file, dataset, SDN_H5_DOUBLE, &(sdn_h5_shape){1, {axis->n}}, axis->value, err)) return err->status;
    const char *text = a == 0 ? "age of a single burst" : a == 1 ? "metal mass fraction" : "axis of the grid";
    if (describe(w, dataset, axis->unit[0] ? axis->unit : a == 0 ? "yr" : "dimensionless", text, axis->log, err)) return err->status;
  }
  if (sdn_h5_set_texts(w->file, "/", "axes", names, n, err)) return err->status;
  if (!w->g->weight[0]) return SDN_OK;
  return sdn_h5_set_text(w->file, "/", "WeightVariable", w->g->weight, err);
}

/* [ages][metallicities][extra axes it has][columns], the axes named; ages that the table leaves out are zeros. columned: the columns are a dimension, be there one. */
static sdn_status write_table(const writing *w, const char *name, const sdn_grid_table *t, bool columned, sdn_err *err)
{
  const sdn_grid *g = w->g;
  const char *names[SDN_GRID_MAX_AXIS];
  sdn_h5_shape shape = {0};
  size_t row = (size_t)t->n_metallicity * (size_t)t->n_extra * (size_t)t->n_column;
  for (int a = 0; a < g->n_axis; a++) {
    if (is_stand_in(g, a) || (a >= 2 && !t->has_extra[a])) continue;
    names[shape.n_dim] = g->axis[a].name;
    shape.dim[shape.n_dim++] = g->axis[a].n;
  }
  const size_t n_name = (size_t)shape.n_dim;
  if (columned) shape.dim[shape.n_dim++] = t->n_column;
  if (n_name == 0) {
    if (sdn_h5_make(w->file, name, SDN_H5_FLOAT, &shape, t->value, err)) return err->status;
    return sdn_h5_set_texts(w->file, name, "axes", names, 0, err);
  }
  const long n_row = shape.dim[0], n_lit = g->has_ages ? t->n_age : n_row;
  if (!g->has_ages) row = sdn_grid_table_size(t) / (size_t)n_row;
  float *dark = sdn_alloc(row, sizeof *dark, "a row of a grid", err);
  if (!dark) return err->status;
  sdn_status status = sdn_h5_make_growing(w->file, name, SDN_H5_FLOAT, &shape, 1, DEFLATE, err);
  for (long i = 0; i < n_row && !status; i++) {
    status = sdn_h5_write_rows(w->file, name, SDN_H5_FLOAT, i, 1, i < n_lit ? t->value + (size_t)i * row : dark, err);
    sdn_progress(w->opt->run, name, (double)(i + 1), (double)n_row, "");
    if (!status && sdn_stopped(w->opt->run)) status = sdn_fail(err, SDN_INTERRUPTED, "stopped while writing %s", name);
  }
  if (!status) status = sdn_h5_set_texts(w->file, name, "axes", names, n_name, err);
  sdn_release(dark);
  return status;
}

static sdn_status write_spectra(const writing *w, sdn_err *err)
{
  static const char *const names[] = {"spectra/incident", "spectra/transmitted", "spectra/nebular_continuum"};
  static const char *const texts[] = {"the sources' light", "what leaves the gas of it when nothing escapes", "nebular continuum without lines"};
  const sdn_grid *g = w->g;
  const sdn_grid_table *const tables[] = {&g->incident, g->transmitted_derived ? NULL : &g->transmitted, &g->nebular_continuum};
  const char *spectra[3];
  size_t n = 0;
  if (sdn_h5_make(w->file, "spectra/wavelength", SDN_H5_DOUBLE, &(sdn_h5_shape){1, {g->n_wave}}, g->wave_A, err)) return err->status;
  if (describe(w, "spectra/wavelength", "Angstrom", "vacuum, ascending", false, err)) return err->status;
  for (int i = 0; i < 3; i++) {
    if (!tables[i] || !tables[i]->value) continue;
    if (write_table(w, names[i], tables[i], true, err) || describe(w, names[i], "erg/(Hz*s)", texts[i], false, err)) return err->status;
    spectra[n++] = names[i] + strlen("spectra/");
  }
  return sdn_h5_set_texts(w->file, "/", "spec_names", spectra, n, err);
}

static sdn_status write_lines(const writing *w, sdn_err *err)
{
  const sdn_grid *g = w->g;
  size_t width = 1;
  if (!g->lines.value) return SDN_OK;
  for (int l = 0; l < g->n_line; l++)
    if (strlen(g->line_id[l]) > width) width = strlen(g->line_id[l]);
  if (sdn_h5_make_growing_texts(w->file, "lines/id", width, g->n_line, 0, err)) return err->status;
  if (sdn_h5_write_row_texts(w->file, "lines/id", 0, g->n_line, (const char *const *)g->line_id, err)) return err->status;
  if (sdn_h5_make(w->file, "lines/wavelength", SDN_H5_DOUBLE, &(sdn_h5_shape){1, {g->n_line}}, g->line_wave_A, err)) return err->status;
  if (describe(w, "lines/wavelength", "Angstrom", "vacuum", false, err) || sdn_h5_set_text(w->file, "lines/wavelength", "medium", "vacuum", err)) return err->status;
  if (write_table(w, "lines/luminosity", &g->lines, true, err)) return err->status;
  return describe(w, "lines/luminosity", "erg/s", "intrinsic luminosity", false, err);
}

static sdn_status write_scalars(const writing *w, sdn_err *err)
{
  const sdn_grid *g = w->g;
  static const char rate[] = "log10_specific_ionising_luminosity/HI";
  if (g->star_fraction.value && (write_table(w, "star_fraction", &g->star_fraction, false, err) ||
                                 describe(w, "star_fraction", "dimensionless", "mass that is left in stars over mass formed", false, err))) return err->status;
  if (!g->log_q_hi.value) return SDN_OK;
  if (write_table(w, rate, &g->log_q_hi, false, err)) return err->status;
  return describe(w, rate, "dimensionless", "log10 of photons/s below the Lyman limit", false, err);
}

static sdn_status copy_scalar(const writing *w, const char *from, const char *to, sdn_err *err)
{
  sdn_grid_table t = {0};
  if (!sdn_h5_has(w->opt->source, from)) return SDN_OK;
  sdn_status status = sdn_grid_read_table(w->opt->source, w->g, &(sdn_grid_dataset){.name = from}, &t, err);
  if (!status) status = write_table(w, to, &t, false, err);
  if (!status) status = describe(w, to, "dimensionless", "as in the source", false, err);
  sdn_release(t.value);
  return status;
}

/* The share of remnants, and photons that ionise other atoms. */
static sdn_status copy_scalars(const writing *w, sdn_err *err)
{
  static const char *const groups[] = {"log10_specific_ionising_luminosity", "log10_specific_ionising_lum", "log10Q"};
  char **ions = NULL, from[160], to[160];
  size_t n = 0;
  const char *group = NULL;
  if (copy_scalar(w, "remnant_fraction", "remnant_fraction", err)) return err->status;
  for (size_t i = 0; i < sizeof groups / sizeof groups[0] && !group; i++)
    if (sdn_h5_has(w->opt->source, groups[i])) group = groups[i];
  if (!group) return SDN_OK;
  sdn_status status = sdn_h5_list(w->opt->source, group, &ions, &n, err);
  for (size_t i = 0; i < n && !status; i++) {
    if (strcmp(ions[i], "HI") == 0 || strlen(ions[i]) > 64) continue;
    snprintf(from, sizeof from, "%s/%s", group, ions[i]);
    snprintf(to, sizeof to, "%s/%s", groups[0], ions[i]);
    status = copy_scalar(w, from, to, err);
  }
  sdn_release(ions);
  return status;
}

/* Attributes of a source's group, and of the groups in it: numbers stay numbers, all else is text. */
static sdn_status copy_attributes(const writing *w, const char *group, int depth, sdn_err *err)
{
  const sdn_h5 *from = w->opt->source;
  char **names = NULL, inner[256], *text;
  size_t n = 0;
  double number;
  sdn_err ignored;
  if (depth > DEEPEST || sdn_h5_kind_of(from, group) != SDN_H5_KIND_GROUP) return SDN_OK;
  sdn_status status = sdn_h5_list_attrs(from, group, &names, &n, err);
  for (size_t i = 0; i < n && !status; i++) {
    if (!sdn_h5_get_double(from, group, names[i], &number, &ignored)) status = sdn_h5_set_double(w->file, group, names[i], number, err);
    else if (!(status = sdn_h5_attr_text(from, group, names[i], &text, err))) {
      status = sdn_h5_set_text(w->file, group, names[i], text, err);
      sdn_release(text);
    }
  }
  sdn_release(names);
  names = NULL;
  if (!status) status = sdn_h5_list(from, group, &names, &n, err);
  for (size_t i = 0; i < n && !status; i++)
    if (strlen(names[i]) < 64 && snprintf(inner, sizeof inner, "%s/%s", group, names[i]) > 0) status = copy_attributes(w, inner, depth + 1, err);
  sdn_release(names);
  return status;
}

/* Notes on the whole grid that older files have at the root. */
static sdn_status write_notes(const writing *w, sdn_err *err)
{
  if (w->opt->source && (copy_attributes(w, "Model", 0, err) || copy_attributes(w, "CloudyParams", 0, err) || copy_scalars(w, err))) return err->status;
  for (size_t i = 0; i < w->opt->n_note; i++) {
    const sdn_grid_note *n = &w->opt->note[i];
    if (n->text ? sdn_h5_set_text(w->file, n->object, n->key, n->text, err) : sdn_h5_set_double(w->file, n->object, n->key, n->number, err)) return err->status;
  }
  if (sdn_h5_set_text(w->file, "/", "sedna_version", SDN_VERSION, err)) return err->status;
  const char *command = w->opt->run ? w->opt->run->command : NULL;
  return command ? sdn_h5_set_text(w->file, "/", "command", command, err) : SDN_OK;
}

sdn_status sdn_grid_write(const sdn_grid *g, const char *path, const sdn_grid_write_options *opt, sdn_err *err)
{
  char *part = sdn_part_name(path, err);
  writing w = {g, NULL, opt};
  if (!part) return err->status;
  sdn_status status = sdn_h5_create(part, &w.file, err);
  if (status) goto done;
  status = write_axes(&w, err);
  if (!status) status = write_spectra(&w, err);
  if (!status) status = write_lines(&w, err);
  if (!status) status = write_scalars(&w, err);
  if (!status) status = write_notes(&w, err);
  sdn_err closing;
  if (sdn_h5_close(w.file, &closing) && !status) {
    *err = closing;
    status = closing.status;
  }
  if (!status) status = sdn_part_finish(part, path, err);
  if (status) remove(part);
done:
  sdn_release(part);
  return status;
}
