/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One galaxy's spectrum as a telescope would see it, without lines. */
#include <math.h>
#include <string.h>

#include "physics/galaxy.h"

/* params -> fnu [n_wave], everything needed from the arena. */
static sdn_status observed_fnu(const sdn_forward *f, const double *params, double *fnu_nJy, double *stretch, sdn_arena *arena, sdn_err *err)
{
  const sdn_columns *c = &f->columns;
  const size_t n_column = (size_t)c->n_block * SDN_BLOCK;
  sdn_galaxy g;
  sdn_light light;
  unsigned char *need = sdn_arena_take(arena, (size_t)c->n_block, 1, err);
  float *scratch = sdn_arena_take(arena, SDN_SCRATCH, sizeof *scratch, err);
  sdn_emergent emergent = {.spectrum = sdn_arena_take(arena, n_column, sizeof *emergent.spectrum, err)};
  float *transmission = sdn_arena_take(arena, (size_t)f->n_igm + 1, sizeof *transmission, err);
  if (!need || !scratch || !emergent.spectrum || !transmission) return err->status;
  memset(need, 1, (size_t)c->n_block);
  if (sdn_galaxy_prepare(f, params, 0, &g, arena, err) || sdn_galaxies_light(f, 1, &g, need, &light, arena, err)) return err->status;
  if (sdn_galaxy_emerge(f, &g, &light, 0, need, scratch, &emergent, err)) return err->status;
  if (f->igm) sdn_igm_table_transmission(f->igm, g.redshift, g.igm_scale, transmission);
  const double njy = g.mass_msun * sdn_cosmology_njy_per_lnu(f->model->cosmology, g.redshift);
  for (int j = 0; j < c->n_wave; j++) fnu_nJy[j] = njy * (double)emergent.spectrum[j] * (j < f->n_igm ? (double)transmission[j] : 1);
  *stretch = 1 + g.redshift;
  return SDN_OK;
}

sdn_status sdn_forward_spectrum(const sdn_forward *f, const double *params, long *n_wave, double *wave_obs_A, double *fnu_nJy, sdn_err *err)
{
  double stretch;
  *n_wave = f->columns.n_wave;
  if (!wave_obs_A) return SDN_OK;
  sdn_arena *arena = sdn_arena_new(err);
  if (!arena) return err->status;
  const sdn_status status = observed_fnu(f, params, fnu_nJy, &stretch, arena, err);
  sdn_arena_free(arena);
  if (status) return status;
  for (long j = 0; j < *n_wave; j++) wave_obs_A[j] = stretch * f->columns.wave_A[j];
  return SDN_OK;
}
