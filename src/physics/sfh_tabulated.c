/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A history given as a table of times and rates, straight lines between, nothing beyond its ends; two equal times make a jump. Lookback times must lie within
 * the age of the Universe; of a table in cosmic time, what lies in the galaxy's future is cut off and the rest carries all the mass. */
#include <string.h>

#include "base/file.h"
#include "base/table.h"
#include "physics/sfh_family.h"

typedef struct rates { long n; bool cosmic; double *time_yr, *sfr; } rates;   /* [n] ascending */

static const char lookback_key[] = "lookback_gyr", time_key[] = "time_gyr", rate_key[] = "sfr_msun_per_yr";

static void release(sdn_sfh_model *m)
{
  rates *r = m->own;
  if (r) sdn_release(r->time_yr);
  if (r) sdn_release(r->sfr);
  sdn_release(r);
}

static uint64_t hash(const sdn_sfh_model *m, uint64_t seed)
{
  const rates *r = m->own;
  seed = sdn_hash_bytes(r->time_yr, (size_t)r->n * sizeof *r->time_yr, seed);
  return sdn_hash_bytes(r->sfr, (size_t)r->n * sizeof *r->sfr, seed);
}

static bool has_column(const sdn_table_in *t, const char *name)
{
  for (int i = 0; i < sdn_table_n_column(t); i++)
    if (strcmp(sdn_table_column(t, i), name) == 0) return true;
  return false;
}

static sdn_status read_columns(sdn_table_in *t, const char *path, rates *r, sdn_err *err)
{
  r->cosmic = has_column(t, time_key);
  if (r->cosmic == has_column(t, lookback_key))
    return sdn_fail(err, SDN_FORMAT, "%s must have one column of times, %s or %s", path, lookback_key, time_key);
  const int time = sdn_table_find(t, r->cosmic ? time_key : lookback_key, err), rate = time < 0 ? -1 : sdn_table_find(t, rate_key, err);
  if (rate < 0) return err->status;
  r->n = sdn_table_n_row(t);
  double (*row)[2] = sdn_alloc((size_t)r->n, sizeof *row, path, err);
  r->time_yr = row ? sdn_alloc((size_t)r->n, sizeof *r->time_yr, path, err) : NULL;
  r->sfr = r->time_yr ? sdn_alloc((size_t)r->n, sizeof *r->sfr, path, err) : NULL;
  sdn_status status = r->sfr ? sdn_table_read(t, 0, r->n, 2, (const int[]){time, rate}, *row, err) : err->status;
  for (long i = 0; i < r->n && !status; i++) {
    r->time_yr[i] = row[i][0];
    r->sfr[i] = row[i][1];
  }
  sdn_release(row);
  return status;
}

static sdn_status read_file(const sdn_yaml *node, rates *r, sdn_err *err)
{
  const char *path;
  sdn_table_in *t = NULL;
  if (sdn_yaml_text(node, "file", true, &path, err)) return err->status;
  sdn_status status = sdn_table_open(path, &t, err);
  if (!status) status = read_columns(t, path, r, err);
  sdn_table_close(t);
  const sdn_yaml *at = sdn_yaml_get(node, "file");
  return status ? sdn_fail_in(err, "%s:%d", at->origin, at->line) : SDN_OK;
}

static sdn_status read_lists(const sdn_yaml *node, rates *r, sdn_err *err)
{
  size_t n_time = 0, n_rate = 0;
  r->cosmic = sdn_yaml_get(node, time_key) != NULL;
  if (r->cosmic == (sdn_yaml_get(node, lookback_key) != NULL))
    return sdn_yaml_fail(node, err, "tabulated needs file, or one list of times, %s or %s, and one of rates, %s", lookback_key, time_key, rate_key);
  if (sdn_yaml_numbers(node, r->cosmic ? time_key : lookback_key, true, &r->time_yr, &n_time, err)) return err->status;
  if (sdn_yaml_numbers(node, rate_key, true, &r->sfr, &n_rate, err)) return err->status;
  r->n = (long)n_time;
  return n_time == n_rate ? SDN_OK : sdn_yaml_fail(node, err, "there are %zu times but %zu rates", n_time, n_rate);
}

/* Ascending times that are not negative, rates that are not either and not all zero; Gyr to yr. */
static sdn_status check_table(const sdn_yaml *node, rates *r, sdn_err *err)
{
  double highest = 0;
  if (r->n < 2) return sdn_yaml_fail(node, err, "a tabulated history needs at least 2 times, here %ld", r->n);
  for (long i = 0; i < r->n; i++) {
    if (!(r->time_yr[i] >= (i > 0 ? r->time_yr[i - 1] / SDN_YR_PER_GYR : 0) && r->time_yr[i] <= 1000))
      return sdn_yaml_fail(node, err, "time %ld of the table is %g Gyr; times must ascend from 0", i + 1, r->time_yr[i]);
    if (!(r->sfr[i] >= 0 && r->sfr[i] < 1e300)) return sdn_yaml_fail(node, err, "rate %ld of the table is %g; rates must not be negative", i + 1, r->sfr[i]);
    r->time_yr[i] *= SDN_YR_PER_GYR;
    highest = fmax(highest, r->sfr[i]);
  }
  return highest > 0 && r->time_yr[r->n - 1] > r->time_yr[0] ? SDN_OK : sdn_yaml_fail(node, err, "the tabulated history forms no stars");
}

static sdn_status add(const sdn_yaml *node, sdn_prior *prior, sdn_sfh_model *m, sdn_err *err)
{
  static const char *const more[] = {"file", lookback_key, time_key, rate_key};
  rates *r = m->own = sdn_alloc(1, sizeof *r, "a tabulated history", err);
  const sdn_yaml *file = sdn_yaml_get(node, "file");
  if (!r || sdn_sfh_add_keys(m, node, prior, 0, NULL, 4, more, err)) return err->status;
  if (file && (sdn_yaml_get(node, lookback_key) || sdn_yaml_get(node, time_key) || sdn_yaml_get(node, rate_key)))
    return sdn_yaml_fail(file, err, "a tabulated history comes from a file or from lists, not from both");
  if (file ? read_file(node, r, err) : read_lists(node, r, err)) return err->status;
  return check_table(node, r, err);
}

/* Row `i` of n in order of lookback time. */
static void put_row(sdn_sfh *h, double *knot_yr, int i, double lookback_yr, double rate)
{
  knot_yr[i] = lookback_yr;
  h->knot_rate[i] = rate;
}

static sdn_status fill_lookback(const rates *r, sdn_sfh *h, double *knot_yr, sdn_err *err)
{
  const double last_yr = r->time_yr[r->n - 1], oldest_yr = h->age_universe_yr;
  if (!(last_yr <= oldest_yr * (1 + SDN_SFH_ROUNDING)))
    return sdn_fail(err, SDN_RANGE, "the tabulated history reaches back %g Gyr but the Universe is %g Gyr old at this redshift; tabulate in %s, or lower the "
                    "highest redshift", last_yr / SDN_YR_PER_GYR, oldest_yr / SDN_YR_PER_GYR, time_key);
  for (long i = 0; i < r->n; i++) put_row(h, knot_yr, (int)i, fmin(r->time_yr[i], oldest_yr), r->sfr[i]);
  return SDN_OK;
}

/* From the last time that has passed to the first; before it the rate now, if the table goes on. */
static void fill_cosmic(const rates *r, sdn_sfh *h, double *knot_yr)
{
  const double now_yr = h->age_universe_yr;
  int n = 0;
  long last = r->n - 1;
  while (last > 0 && r->time_yr[last] > now_yr) last--;
  if (last + 1 < r->n && r->time_yr[last] <= now_yr) {
    const double share = (now_yr - r->time_yr[last]) / (r->time_yr[last + 1] - r->time_yr[last]);
    put_row(h, knot_yr, n++, 0, r->sfr[last] + share * (r->sfr[last + 1] - r->sfr[last]));
  }
  for (long i = last; i >= 0; i--) put_row(h, knot_yr, n++, fmax(now_yr - r->time_yr[i], 0), r->sfr[i]);
  h->n_knot = n;
}

static sdn_status prepare(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, sdn_sfh *h, sdn_err *err)
{
  const rates *r = m->own;
  double *knot_yr;
  if (sdn_sfh_take_knots(h, (int)r->n + 1, true, galaxy->arena, &knot_yr, err)) return err->status;
  h->n_knot = (int)r->n;
  if (!r->cosmic && fill_lookback(r, h, knot_yr, err)) return err->status;
  if (r->cosmic) fill_cosmic(r, h, knot_yr);
  for (int k = 0; k + 1 < h->n_knot; k++) {
    const double width_yr = knot_yr[k + 1] - knot_yr[k];
    h->knot_bend[k] = width_yr > 0 ? (h->knot_rate[k + 1] - h->knot_rate[k]) / width_yr : 0;
  }
  if (sdn_pieces_close(h)) return SDN_OK;
  return sdn_fail(err, SDN_RANGE, "the tabulated history has formed no stars by cosmic time %g Gyr; lower the highest redshift", h->age_universe_yr / SDN_YR_PER_GYR);
}

const sdn_sfh_ops sdn_sfh_tabulated = {
  .name = "tabulated", .add = add, .release = release, .hash = hash, .prepare = prepare, .mass_since = sdn_pieces_mass, .rate = sdn_pieces_rate,
  .mean_age_yr = sdn_pieces_mean_age_yr, .weights = sdn_pieces_weights,
};
