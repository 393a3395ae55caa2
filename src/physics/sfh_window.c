/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Constant rate between two lookback times, and bursts: a top-hat, or all mass at one moment. */
#include "physics/sfh_particles.h"

static sdn_status one_piece(sdn_sfh *h, double young_yr, double old_yr, sdn_arena *arena, sdn_err *err)
{
  double *knot_yr;
  if (sdn_sfh_take_knots(h, 2, true, arena, &knot_yr, err)) return err->status;
  knot_yr[0] = young_yr;
  knot_yr[1] = old_yr;
  h->knot_rate[0] = 1 / (old_yr - young_yr);
  return sdn_pieces_close(h) ? SDN_OK : sdn_fail(err, SDN_NUMERIC, "stars formed between %g and %g yr ago have no finite rate", old_yr, young_yr);
}

/* ------------------------------------------------------------------ constant */

enum { START, END, N_CONSTANT };

static sdn_status add_constant(const sdn_yaml *node, sdn_prior *prior, sdn_sfh_model *m, sdn_err *err)
{
  static const sdn_sfh_key key[N_CONSTANT] = {
    {{"lookback_start_gyr", "Gyr", NULL, 0, 100, "lookback time at which star formation set in; without it, the Big Bang"}, SDN_SFH_OPTIONAL},
    {{"lookback_end_gyr", "Gyr", NULL, 0, 100, "lookback time at which star formation stopped; without it, it goes on"}, SDN_SFH_OPTIONAL},
  };
  sdn_status status = sdn_sfh_room(m, N_CONSTANT, err);
  return status ? status : sdn_sfh_add_keys(m, node, prior, N_CONSTANT, key, 0, NULL, err);
}

static sdn_status prepare_constant(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, sdn_sfh *h, sdn_err *err)
{
  double start_yr, end_yr;
  if (sdn_sfh_window(m, galaxy, START, END, &start_yr, &end_yr, err)) return err->status;
  return one_piece(h, end_yr, start_yr, galaxy->arena, err);
}

const sdn_sfh_ops sdn_sfh_constant = {
  .name = "constant", .add = add_constant, .prepare = prepare_constant, .mass_since = sdn_pieces_mass, .rate = sdn_pieces_rate,
  .mean_age_yr = sdn_pieces_mean_age_yr, .weights = sdn_pieces_weights,
};

/* ------------------------------------------------------------------ burst */

enum { AGE, WIDTH, N_BURST };

static sdn_status add_burst(const sdn_yaml *node, sdn_prior *prior, sdn_sfh_model *m, sdn_err *err)
{
  static const sdn_sfh_key key[N_BURST] = {
    {{"age_gyr", "Gyr", NULL, 0, 100, "lookback time of the burst, or of its middle"}, SDN_SFH_REQUIRED},
    {{"width_gyr", "Gyr", NULL, 0, 100, "how long it lasted, at a constant rate; without it, no time at all"}, SDN_SFH_OPTIONAL},
  };
  sdn_status status = sdn_sfh_room(m, N_BURST, err);
  return status ? status : sdn_sfh_add_keys(m, node, prior, N_BURST, key, 0, NULL, err);
}

/* What of the top-hat lies in the future or before the Big Bang is cut off; the rest carries all the mass. */
static sdn_status prepare_burst(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, sdn_sfh *h, sdn_err *err)
{
  double age_yr;
  const double width_gyr = sdn_sfh_has(m, WIDTH) ? sdn_sfh_value(m, galaxy, WIDTH) : 0, half_yr = 0.5 * width_gyr * SDN_YR_PER_GYR;
  if (sdn_sfh_lookback(m, galaxy, (sdn_sfh_when){AGE, SDN_YR_PER_GYR, 0}, &age_yr, err)) return err->status;
  if (!(half_yr >= 0 && isfinite(half_yr))) return sdn_fail(err, SDN_RANGE, "width_gyr is %g; it must not be negative", width_gyr);
  const double young_yr = fmax(age_yr - half_yr, 0), old_yr = fmin(age_yr + half_yr, galaxy->age_universe_yr);
  if (old_yr > young_yr) return one_piece(h, young_yr, old_yr, galaxy->arena, err);
  return sdn_sfh_one_particle(h, age_yr, galaxy->arena, err);
}

const sdn_sfh_ops sdn_sfh_burst = {
  .name = "burst", .add = add_burst, .prepare = prepare_burst, .mass_since = sdn_pieces_mass, .rate = sdn_pieces_rate,
  .mean_age_yr = sdn_pieces_mean_age_yr, .weights = sdn_pieces_weights,
};
