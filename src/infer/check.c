/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Is the posterior calibrated? Galaxies drawn afresh from the prior, observed once, and their posteriors set against the truths. */
#include "infer/check.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/parallel.h"
#include "infer/json.h"

static sdn_status json_path(const sdn_check_options *opt, sdn_text *path, sdn_err *err)
{
  const char *output = opt->output;
  size_t n = output ? strlen(output) : 0;
  if (n == 0 || output[n - 1] == '/')
    return sdn_fail(err, SDN_USAGE, "output \"%s\" is no file name; write for example -o check, for check.json and check.html", output ? output : "");
  sdn_text_add(path, "%s.json", output);
  sdn_status status = sdn_text_done(path, err);
  if (!status) status = sdn_check_output(path->data, 1, &opt->posterior, err);
  return status ? status : sdn_check_writable(path->data, err);
}

static sdn_status check_options(const sdn_check_options *opt, sdn_err *err)
{
  if (!opt->posterior || !*opt->posterior)
    return sdn_fail(err, SDN_USAGE, "check needs the option posterior");
  if (!(opt->n >= 1 && opt->n_draw >= 1))
    return sdn_fail(err, SDN_USAGE, "n %ld and n_draw %ld must be at least 1", opt->n, opt->n_draw);
  return SDN_OK;
}

static sdn_status wants_fix(const sdn_check_options *opt, const sdn_engine *e, bool *fix, sdn_err *err)
{
  const char *column = NULL;
  *fix = opt->fix && *opt->fix;
  if (*fix && strcmp(opt->fix, "redshift"))
    return sdn_fail(err, SDN_USAGE, "fix \"%s\": only the redshift can be given, and simulated galaxies know theirs without a column; write --fix redshift",
                    opt->fix);
  return *fix ? sdn_engine_fix(e, opt->fix, &column, err) : SDN_OK;
}

/* Rows of a data file, if there is one. */
static sdn_status held_out(const sdn_check_options *opt, const sdn_engine *e, sdn_data_pairs *pairs, bool *observed, sdn_err *err)
{
  const sdn_data_names names = {opt->theta, opt->x, opt->sigma};
  const char *noise = opt->noise ? opt->noise : "drawn";
  if (!opt->data) {
    if (e->forward) return SDN_OK;
    return sdn_fail(err, SDN_USAGE, "%s was trained on a simulator's pairs, which cannot be made here; give held-out ones: --data FILE.h5", opt->posterior);
  }
  *observed = strcmp(noise, "given") == 0;
  if (!*observed && strcmp(noise, "drawn") != 0) return sdn_fail(err, SDN_USAGE, "noise \"%s\" is not known; it is drawn or given", noise);
  if (sdn_data_read(opt->data, e->prior, e->n_band, &names, true, pairs, err)) return err->status;
  return sdn_pairs_errors(e->survey, pairs, err);
}

sdn_status sdn_check(const sdn_check_options *opt, const sdn_run *run, sdn_check_summary *summary, sdn_err *err)
{
  double start = sdn_seconds();
  sdn_engine engine = {0};
  sdn_trial *trial = NULL;
  sdn_verdict *verdict = NULL;
  sdn_text path = {0};
  sdn_data_pairs pairs = {0};
  bool fix = false, observed = false;
  sdn_status status;
  if ((status = check_options(opt, err)) || (status = json_path(opt, &path, err)) || (status = sdn_engine_open(opt->posterior, &engine, err)) ||
      (status = wants_fix(opt, &engine, &fix, err)) || (status = held_out(opt, &engine, &pairs, &observed, err)))
    goto done;
  const long n = pairs.n > 0 ? pairs.n : opt->n;
  const sdn_trial_setup setup = {n, opt->n_draw, (uint64_t)opt->seed, fix, pairs.n > 0 ? &pairs : NULL, observed};
  const sdn_check_origin origin = {path.data, run ? run->command : NULL, opt->posterior, opt->data, observed ? "given" : "drawn"};
  if ((status = sdn_trial_new(&engine, &setup, run, &trial, err)) || (status = sdn_verdict_new(trial, &verdict, err)) ||
      (status = sdn_check_write(&origin, trial, verdict, err)))
    goto done;
  *summary = (sdn_check_summary){ n, verdict->worst[1], verdict->worst[2], verdict->smallest_p, verdict->tarp.deviation, sdn_seconds() - start,
                                  verdict->calibrated, verdict->gain, verdict->gain_error };
done:
  sdn_verdict_free(verdict);
  sdn_trial_free(trial);
  sdn_data_release(&pairs);
  sdn_engine_close(&engine);
  sdn_text_free(&path);
  return status;
}
