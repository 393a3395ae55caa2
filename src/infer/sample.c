/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `sedna sample`: draws for the rows of an HDF5 file of data, with no catalogue, no derived quantities, no quantiles: the posterior and nothing else. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "infer/draws.h"
#include "infer/pairs.h"
#include "infer/samples.h"

#define BLOCK_DRAWS (1l << 17)
#define FIELD(kind, field, initial, low, high, unit, help) {#field, kind, offsetof(sdn_sample_options, field), initial, low, high, unit, help}

const sdn_knob sdn_sample_knobs[] = {
  FIELD(SDN_KNOB_TEXT, posterior, NULL, 0, 0, "FILE", "posterior, from `sedna train`"),
  FIELD(SDN_KNOB_TEXT, data, NULL, 0, 0, "FILE", "HDF5 file with x [n][C], as observed, and perhaps sigma [n][C] or [C]"),
  FIELD(SDN_KNOB_TEXT, output, NULL, 0, 0, "FILE", "HDF5 file to write: theta [n][n_draw][D], ln_q [n][n_draw]"),
  FIELD(SDN_KNOB_LONG, n_draw, "1000", 1, 1e8, "", "draws for each row"),
  FIELD(SDN_KNOB_TEXT, x, "x", 0, 0, "NAME", "dataset of data"),
  FIELD(SDN_KNOB_TEXT, sigma, "sigma", 0, 0, "NAME", "dataset of errors; without it each number has the survey's middle error"),
  FIELD(SDN_KNOB_LONG, seed, "1", 0, 9007199254740992.0, "", "names every random number"),
};
const size_t sdn_n_sample_knob = sizeof sdn_sample_knobs / sizeof *sdn_sample_knobs;

typedef struct work { float *z, *ln_q; double *params; long n_block; } work;

static sdn_status make_work(const sdn_engine *e, long n, long n_draw, work *w, sdn_err *err)
{
  w->n_block = BLOCK_DRAWS / n_draw < 1 ? 1 : BLOCK_DRAWS / n_draw;
  if (w->n_block > n) w->n_block = n;
  const size_t draws = (size_t)(w->n_block * n_draw);
  const bool had = (w->z = sdn_alloc(draws * (size_t)e->n_free, sizeof *w->z, "draws", err)) && (w->ln_q = sdn_alloc(draws, sizeof *w->ln_q, "draws", err)) &&
                   (w->params = sdn_alloc(draws * (size_t)e->n_param, sizeof *w->params, "draws", err));
  return had ? SDN_OK : err->status;
}

static sdn_status sample_rows(const sdn_engine *e, const sdn_sample_options *opt, const sdn_data_pairs *data, const work *w, sdn_samples *out, const sdn_run *run, sdn_err *err)
{
  const sdn_run inner = run ? (sdn_run){.n_thread = run->n_thread, .stop = run->stop} : (sdn_run){0};
  for (long row = 0; row < data->n; row += w->n_block) {
    const long n = data->n - row < w->n_block ? data->n - row : w->n_block, at = row * e->n_band;
    if (sdn_stopped(run)) return sdn_fail(err, SDN_INTERRUPTED, "stopped after %ld of %ld rows; nothing was written, run again", row, data->n);
    if (sdn_posterior_sample(e->posterior, n, data->x + at, data->sigma + at, NULL, opt->n_draw, (uint64_t)opt->seed, row, w->z, w->ln_q, &inner, err) ||
        sdn_draws_params(e, n * opt->n_draw, w->z, w->params, &inner, err) || sdn_samples_append(out, n, &(sdn_samples_rows){w->params, w->ln_q, NULL}, err))
      return err->status;
    sdn_progress(run, "sampling", (double)(row + n), (double)data->n, "");
  }
  return SDN_OK;
}

static sdn_status check_options(const sdn_sample_options *opt, sdn_err *err)
{
  const char *inputs[] = {opt->posterior, opt->data};
  if (!opt->posterior || !opt->data || !opt->output) return sdn_fail(err, SDN_USAGE, "sampling needs a posterior, data and an output to write");
  if (!(opt->n_draw >= 1)) return sdn_fail(err, SDN_USAGE, "n_draw %ld must be at least 1", opt->n_draw);
  return sdn_check_output(opt->output, 2, inputs, err) ? err->status : sdn_check_writable(opt->output, err);
}

sdn_status sdn_sample(const sdn_sample_options *opt, const sdn_run *run, sdn_sample_summary *summary, sdn_err *err)
{
  const double start = sdn_seconds();
  sdn_engine engine = {0};
  sdn_data_pairs data = {0};
  sdn_samples *out = NULL;
  work w = {0};
  sdn_status status;
  if ((status = check_options(opt, err)) || (status = sdn_engine_open(opt->posterior, &engine, err))) goto done;
  const sdn_data_names names = {.x = opt->x, .sigma = opt->sigma};
  const sdn_samples_origin origin = {run ? run->command : NULL, opt->posterior, opt->data, opt->n_draw, 0};
  if ((status = sdn_data_read(opt->data, engine.prior, engine.n_band, &names, false, &data, err)) || (status = sdn_pairs_errors(engine.survey, &data, err)) ||
      (status = make_work(&engine, data.n, opt->n_draw, &w, err)) || (status = sdn_samples_create(opt->output, &engine, &origin, &out, err)) ||
      (status = sample_rows(&engine, opt, &data, &w, out, run, err)))
    goto done;
  status = sdn_samples_finish(out, err);
  out = NULL;
  if (summary) *summary = (sdn_sample_summary){data.n, sdn_seconds() - start};
done:
  sdn_samples_abandon(out);
  sdn_release(w.z);
  sdn_release(w.ln_q);
  sdn_release(w.params);
  sdn_data_release(&data);
  sdn_engine_close(&engine);
  return status;
}
