/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Draws of a network that has just been trained, one data set after another. */
#ifndef TEST_SUPPORT_TRAINED_H
#define TEST_SUPPORT_TRAINED_H

#include "learn/trainer.h"

typedef struct trained {
  sdn_trainer *t;
  sdn_arena *arena;
  sdn_tile_work tile;
  sdn_draw_work draw;
  float *given;      /* [G] */
} trained;

/* Trains by the plan on the source, one thread; the test fails where training does. The source's ctx must outlive it. */
void trained_new(trained *n, const sdn_train_plan *plan, const sdn_row_source *source);
void trained_free(trained *n);
/* n_draw draws z [n_draw][D] for data x [F] as the source gives them; n_draw is a multiple of SDN_ROWS. `name` names the random numbers. */
void trained_draw(trained *n, const float *x, uint64_t name, long n_draw, float *z);

#endif
