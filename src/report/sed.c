/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sedna sed: one galaxy of a model, to tables, a picture, JSON or the terminal. */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "report/page.h"
#include "report/sed.h"

const sdn_knob sdn_sed_knobs[] = {
  {.name = "model", .kind = SDN_KNOB_TEXT, .offset = offsetof(sdn_sed_options, model), .unit = "FILE",
   .help = "the physics: a model.yaml, or the name of a shipped model"},
  {.name = "set", .kind = SDN_KNOB_TEXT, .offset = offsetof(sdn_sed_options, set), .unit = "LIST",
   .help = "parameters as NAME=VALUE, separated by commas or blanks; further arguments NAME=VALUE are put here"},
  {.name = "survey", .kind = SDN_KNOB_TEXT, .offset = offsetof(sdn_sed_options, survey), .unit = "FILE",
   .help = "photometry in the bands of a survey.yaml, or of a shipped survey"},
  {.name = "bands", .kind = SDN_KNOB_TEXT, .offset = offsetof(sdn_sed_options, bands), .unit = "LIST",
   .help = "photometry in these filters, separated by commas, e.g. SLOAN/SDSS.r,JWST/NIRCam.F444W"},
  {.name = "output", .kind = SDN_KNOB_TEXT, .offset = offsetof(sdn_sed_options, output), .unit = "FILE",
   .help = "tables: OUT.ecsv, .csv or .fits and OUT_photometry..., or one OUT.h5"},
  {.name = "html", .kind = SDN_KNOB_TEXT, .offset = offsetof(sdn_sed_options, html), .unit = "FILE", .help = "a page with pictures, .html"},
  {.name = "json", .kind = SDN_KNOB_FLAG, .offset = offsetof(sdn_sed_options, json), .initial = "false", .help = "print JSON instead of the summary"},
  {.name = "draw", .kind = SDN_KNOB_FLAG, .offset = offsetof(sdn_sed_options, draw), .initial = "false",
   .help = "draw the free parameters from the prior instead of taking its median"},
  {.name = "seed", .kind = SDN_KNOB_LONG, .offset = offsetof(sdn_sed_options, seed), .initial = "1", .low = 0, .high = 9e15,
   .help = "names the draw"},
  {.name = "explain", .kind = SDN_KNOB_FLAG, .offset = offsetof(sdn_sed_options, explain), .initial = "false",
   .help = "print the effective model and compute nothing"},
};
const size_t sdn_n_sed_knob = sizeof sdn_sed_knobs / sizeof sdn_sed_knobs[0];

static bool ends_with(const char *path, const char *ending)
{
  const size_t n = strlen(path), m = strlen(ending);
  return n > m && !strcasecmp(path + n - m, ending);
}

static bool is_h5(const char *path) { return ends_with(path, ".h5") || ends_with(path, ".hdf5"); }

/* ------------------------------------------------------------------ asked before any work */

static sdn_status check_name(const sdn_sed_options *opt, const char *path, sdn_err *err)
{
  if (sdn_check_output(path, 2, (const char *const[]){opt->model, opt->survey}, err)) return err->status;
  return sdn_check_writable(path, err);
}

static sdn_status check_output_names(const sdn_sed_options *opt, sdn_err *err)
{
  if (opt->html && check_name(opt, opt->html, err)) return err->status;
  if (!opt->output || is_h5(opt->output)) return opt->output ? check_name(opt, opt->output, err) : SDN_OK;
  if (!ends_with(opt->output, ".ecsv") && !ends_with(opt->output, ".csv") && !ends_with(opt->output, ".fits"))
    return sdn_fail(err, SDN_USAGE, "%s: the extension says no format that sed writes; choose .ecsv, .csv, .fits or .h5", opt->output);
  sdn_status status = SDN_OK;
  for (int part = 0; part < SDN_SED_N_PART && !status; part++) {
    char *name = sdn_sed_table_name(opt->output, part, err);
    if (!name) return err->status;
    status = check_name(opt, name, err);
    sdn_release(name);
  }
  return status;
}

static sdn_status check_options(const sdn_sed_options *opt, sdn_err *err)
{
  if (!opt->model) return sdn_fail(err, SDN_USAGE, "sed needs a model");
  if (opt->survey && opt->bands) return sdn_fail(err, SDN_USAGE, "both a survey and bands are given; choose one");
  if (opt->output && opt->html && sdn_same_file(opt->output, opt->html)) return sdn_fail(err, SDN_USAGE, "output and html are one file, %s; name two", opt->html);
  return check_output_names(opt, err);
}

/* Files that only became known while the model was read. */
static sdn_status check_sources(const sdn_sed_options *opt, const sdn_sed_galaxy *g, sdn_err *err)
{
  const char *const outputs[] = {opt->output, opt->html};
  for (int o = 0; o < 2; o++) {
    if (!outputs[o]) continue;
    if (sdn_check_output(outputs[o], 1, (const char *const[]){g->model->grid->path}, err)) return err->status;
    if (sdn_check_output(outputs[o], (size_t)g->n_id, g->id, err)) return err->status;
  }
  return SDN_OK;
}

/* ------------------------------------------------------------------ the ways out */

static sdn_status explain(const sdn_sed_options *opt, FILE *out, sdn_err *err)
{
  enum { max_setting = 64 };
  sdn_setting setting[max_setting];
  int n = 0;
  char *copy = NULL;
  sdn_model *model = NULL;
  sdn_status status = sdn_sed_read_settings(opt->set, max_setting, setting, &n, &copy, err);
  if (!status) status = sdn_model_read_set(opt->model, n, setting, &model, err);
  if (!status) status = sdn_model_explain(model, out, err);
  sdn_model_free(model);
  sdn_release(copy);
  return status;
}

static sdn_status print(const sdn_sed_options *opt, const sdn_sed_galaxy *g, FILE *out, sdn_err *err)
{
  sdn_text text = {0};
  if (opt->json) sdn_sed_json(g, false, &text);
  else sdn_sed_summary(g, &text);
  sdn_status status = sdn_text_done(&text, err);
  if (!status && (fwrite(text.data, 1, text.n, out) != text.n || fflush(out)))
    status = sdn_fail(err, SDN_IO, "cannot print the galaxy: %s", strerror(errno));
  sdn_text_free(&text);
  return status;
}

/* NAME at redshift Z, NAME the model's file without folder and ending. */
static sdn_status write_page(const sdn_sed_options *opt, const sdn_sed_galaxy *g, sdn_err *err)
{
  const char *slash = strrchr(g->model->origin, '/'), *name = slash ? slash + 1 : g->model->origin, *dot = strrchr(name, '.');
  char title[256];
  snprintf(title, sizeof title, "%.*s at redshift %.6g", dot && dot > name ? (int)fmin((double)(dot - name), 200) : 200, name, g->redshift);
  sdn_text json = {0};
  sdn_sed_json(g, true, &json);
  sdn_status status = sdn_text_done(&json, err);
  if (!status) status = sdn_page_write(SDN_PAGE_SED, title, json.data, opt->html, err);
  sdn_text_free(&json);
  return status;
}

sdn_status sdn_sed(const sdn_sed_options *opt, FILE *out, const sdn_run *run, sdn_err *err)
{
  sdn_sed_galaxy g = {0};
  sdn_status status = opt->explain && opt->model ? SDN_OK : check_options(opt, err);
  if (status) return status;
  if (opt->explain && opt->model) return out ? explain(opt, out, err) : SDN_OK;
  status = sdn_sed_compute(opt, run, &g, err);
  if (!status) status = check_sources(opt, &g, err);
  if (!status && opt->output) status = is_h5(opt->output) ? sdn_sed_write_h5(&g, opt->output, err) : sdn_sed_write_tables(&g, opt->output, err);
  if (!status && opt->html) status = write_page(opt, &g, err);
  if (!status && out) status = print(opt, &g, out, err);
  sdn_sed_free(&g);
  return status;
}
