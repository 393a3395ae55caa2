/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A catalogue in, a result table out, block by block: read -> nJy and flags -> draws -> parameters -> derived quantities -> quantiles -> rows.
 * Memory does not depend on the catalogue's length, and the result not on the number of threads. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/h5.h"
#include "base/parallel.h"
#include "infer/fit_block.h"
#include "infer/photoz.h"
#include "infer/result_meta.h"
#include "infer/samples.h"
#include "learn/posterior.h"

typedef struct fit_job {
  const sdn_fit_options *opt;
  sdn_run inner;                 /* threads and stop of the caller's run, but silent: progress is told in galaxies */
  sdn_engine engine;
  const char *fix_column;
  sdn_catalogue *catalogue;
  sdn_rows *rows;
  sdn_layout *columns;
  sdn_range *range;
  sdn_block *block;
  sdn_photoz *photoz;
  sdn_table_out *table;
  sdn_samples *samples;
  const char **texts;            /* [block][n_text] */
  int n_text;
} fit_job;

/* ------------------------------------------------------------------ before the work */

static sdn_status check_one_path(const char *path, const char *role, const sdn_fit_options *opt, sdn_err *err)
{
  if (sdn_same_file(opt->catalogue, path) || sdn_same_file(opt->posterior, path))
    return sdn_fail(err, SDN_USAGE, "%s %s is also the catalogue or the posterior, which it would replace; choose another name", role, path);
  return sdn_check_writable(path, err);
}

static sdn_status check_options(const sdn_fit_options *opt, sdn_err *err)
{
  const char *const given[] = {opt->posterior, opt->catalogue, opt->output, opt->derived, opt->quantiles};
  static const char *const name[] = {"posterior", "catalogue", "output", "derived", "quantiles"};
  for (size_t i = 0; i < sizeof name / sizeof *name; i++)
    if (!given[i] || !*given[i])
      return sdn_fail(err, SDN_USAGE, "fit needs the option %s", name[i]);
  if (!(opt->n_draw >= 1 && opt->n_spectral >= 0))
    return sdn_fail(err, SDN_USAGE, "n_draw %ld and n_spectral %ld must be at least 1 and 0", opt->n_draw, opt->n_spectral);
  sdn_status status = check_one_path(opt->output, "output", opt, err);
  if (status || !opt->samples)
    return status;
  if (sdn_same_file(opt->samples, opt->output))
    return sdn_fail(err, SDN_USAGE, "output and samples are both %s; give them two names", opt->samples);
  return check_one_path(opt->samples, "samples", opt, err);
}

static bool is_posterior(const char *path)
{
  sdn_err ignored;
  sdn_h5 *file = NULL;
  char *format = NULL;
  bool is = sdn_h5_open(path, &file, &ignored) == SDN_OK && sdn_h5_get_text(file, "/", "format", &format, &ignored) == SDN_OK &&
            strcmp(format, SDN_POSTERIOR_FORMAT) == 0;
  sdn_release(format);
  if (file)
    sdn_h5_close(file, &ignored);
  return is;
}

static sdn_status open_posterior(fit_job *job, sdn_err *err)
{
  const sdn_fit_options *opt = job->opt;
  sdn_status status = sdn_engine_open(opt->posterior, &job->engine, err);
  if (status && !is_posterior(opt->posterior) && is_posterior(opt->catalogue))
    return sdn_fail(err, SDN_USAGE, "%s is not a posterior but %s is; the first argument is the posterior, the second the catalogue: write fit %s %s",
                    opt->posterior, opt->catalogue, opt->catalogue, opt->posterior);
  if (!status && !job->engine.forward)
    return sdn_fail(err, SDN_USAGE, "%s is of a simulator's numbers, not of galaxies; `sedna sample` draws from it", opt->posterior);
  return status;
}

static sdn_status open_inputs(fit_job *job, sdn_err *err)
{
  const sdn_fit_options *opt = job->opt;
  sdn_status status = open_posterior(job, err);
  if (!status && opt->fix) {
    status = sdn_engine_fix(&job->engine, opt->fix, &job->fix_column, err);
    if (!status && !job->fix_column)
      status = sdn_fail(err, SDN_USAGE, "fix \"%s\" names no column of the catalogue; write redshift=COLUMN", opt->fix);
  }
  if (status)
    return status;
  const sdn_catalogue_request request = {opt->catalogue, job->fix_column, opt->copy, sdn_block_size(opt->n_draw)};
  const sdn_layout_request columns = {opt->quantiles, opt->derived, opt->n_spectral, opt->n_draw};
  if ((status = sdn_catalogue_open(&request, job->engine.survey, &job->catalogue, err)) || (status = sdn_rows_new(job->catalogue, &job->rows, err)) ||
      (status = sdn_layout_new(&columns, &job->engine, job->catalogue, &job->columns, err)))
    return status;
  return sdn_range_new(&job->engine, &job->inner, &job->range, err);
}

static sdn_status make_room(fit_job *job, sdn_err *err)
{
  const sdn_fit_options *opt = job->opt;
  const sdn_block_setup set = { .engine = &job->engine, .columns = job->columns, .range = job->range, .run = &job->inner, .n_carried = job->catalogue->n_carried,
                                .n_galaxy = job->catalogue->n_block, .n_draw = opt->n_draw, .seed = (uint64_t)opt->seed, .fix = job->fix_column != NULL, .pixels = opt->samples != NULL };
  for (int k = 0; k < job->catalogue->n_carried; k++)
    job->n_text += job->catalogue->carried[k].text != NULL;
  job->texts = sdn_alloc((size_t)(job->catalogue->n_block * job->n_text), sizeof *job->texts, "a block of texts", err);
  sdn_status status = job->texts ? sdn_photoz_new(&job->photoz, err) : err->status;
  return status ? status : sdn_block_new(&set, &job->block, err);
}

static sdn_status create_outputs(fit_job *job, const char *command, sdn_err *err)
{
  const sdn_fit_options *opt = job->opt;
  sdn_result_meta *meta = NULL;
  sdn_status status = sdn_result_meta_new(opt, &job->engine, job->columns, command, &meta, err);
  if (!status)
    status = sdn_table_create(opt->output, job->columns->n_column, job->columns->column, meta->n, meta->pair, &job->table, err);
  if (!status && opt->samples) {
    const sdn_samples_origin origin = {command, opt->posterior, opt->catalogue, opt->n_draw, job->columns->n_pixel};
    status = sdn_samples_create(opt->samples, &job->engine, &origin, &job->samples, err);
  }
  sdn_result_meta_free(meta);
  return status;
}

/* ------------------------------------------------------------------ the work */

static void count(const fit_job *job, sdn_fit_summary *summary)
{
  const sdn_rows *rows = job->rows;
  summary->n += rows->n;
  for (long i = 0; i < rows->n; i++) {
    summary->n_flagged += rows->flags[i] != 0;
    summary->n_no_data += (rows->flags[i] & SDN_FLAG_NO_DATA) != 0;
    sdn_photoz_add(job->photoz, job->block->z_phot[i], rows->z_spec[i]);
  }
}

static sdn_status write_block(fit_job *job, sdn_err *err)
{
  const sdn_rows *rows = job->rows;
  for (long i = 0; i < rows->n; i++)
    for (int k = 0, at = 0; k < job->catalogue->n_carried; k++)
      if (rows->text[k])
        job->texts[i * job->n_text + at++] = rows->text[k][i];
  sdn_status status = sdn_table_append(job->table, rows->n, job->block->number, job->n_text ? job->texts : NULL, err);
  if (!status && job->samples)
    status = sdn_samples_append(job->samples, rows->n, &(sdn_samples_rows){job->block->params, job->block->ln_q, job->block->pixel}, err);
  return status;
}

static void tell(const sdn_run *run, long done, long total, double since)
{
  char detail[64];
  double seconds = sdn_seconds() - since;
  snprintf(detail, sizeof detail, "%.0f galaxies/s", (double)done / (seconds > 1e-9 ? seconds : 1e-9));
  sdn_progress(run, "fit", (double)done, (double)total, detail);
}

static sdn_status fit_rows(fit_job *job, const sdn_run *run, sdn_fit_summary *summary, sdn_err *err)
{
  sdn_status status = SDN_OK;
  double start = sdn_seconds();
  long total = job->catalogue->n_row;
  for (long row = 0; row < total && !status; row += job->catalogue->n_block) {
    long n = total - row < job->catalogue->n_block ? total - row : job->catalogue->n_block;
    status = sdn_stopped(run) ? SDN_INTERRUPTED : sdn_catalogue_read(job->catalogue, row, n, job->rows, err);
    if (!status)
      status = sdn_block_run(job->block, job->rows, err);
    if (!status)
      status = write_block(job, err);
    if (!status) {
      count(job, summary);
      tell(run, row + n, total, start);
    }
  }
  summary->seconds = sdn_seconds() - start;
  summary->galaxies_per_second = summary->n > 0 ? (double)summary->n / summary->seconds : 0;
  return status;
}

static sdn_status finish(fit_job *job, sdn_fit_summary *summary, sdn_err *err)
{
  sdn_photoz_score score;
  sdn_status status = sdn_photoz_score_of(job->photoz, &score, err);
  summary->n_spec = score.n;
  summary->nmad = score.nmad;
  summary->outlier_fraction = score.outlier_fraction;
  summary->bias = score.bias;
  if (!status && job->samples) {
    status = sdn_samples_finish(job->samples, err);
    job->samples = NULL;
  }
  if (!status) {
    status = sdn_table_finish(job->table, err);
    job->table = NULL;
  }
  return status;
}

/* What a stopped step says is about its own tiles; the user counts galaxies. */
static void tell_stopped(const fit_job *job, long done, sdn_err *err)
{
  long total = job->catalogue ? job->catalogue->n_row : 0;
  sdn_fail(err, SDN_INTERRUPTED, "stopped after %ld of %ld galaxies; nothing was written, run again from the start", done, total);
}

static void release(fit_job *job)
{
  if (job->table)
    sdn_table_abandon(job->table);
  sdn_samples_abandon(job->samples);
  sdn_block_free(job->block);
  sdn_photoz_free(job->photoz);
  sdn_release(job->texts);
  sdn_range_free(job->range);
  sdn_layout_free(job->columns);
  if (job->catalogue)
    sdn_rows_free(job->catalogue, job->rows);
  sdn_catalogue_close(job->catalogue);
  sdn_engine_close(&job->engine);
}

sdn_status sdn_fit(const sdn_fit_options *opt, const sdn_run *run, sdn_fit_summary *summary, sdn_err *err)
{
  fit_job job = {.opt = opt};
  sdn_fit_summary s = {.nmad = NAN, .outlier_fraction = NAN, .bias = NAN};
  if (run)
    job.inner = (sdn_run){.n_thread = run->n_thread, .stop = run->stop};
  sdn_status status;
  if ((status = check_options(opt, err)) || (status = open_inputs(&job, err)) || (status = make_room(&job, err)) ||
      (status = create_outputs(&job, run ? run->command : NULL, err)) || (status = fit_rows(&job, run, &s, err)) || (status = finish(&job, &s, err)))
    goto done;
  *summary = s;
done:
  if (status == SDN_INTERRUPTED)
    tell_stopped(&job, s.n, err);
  release(&job);
  return status;
}
