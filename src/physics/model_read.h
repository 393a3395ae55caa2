/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files that read a model.yaml share. */
#ifndef SDN_PHYSICS_MODEL_READ_H
#define SDN_PHYSICS_MODEL_READ_H

#include "physics/model.h"

bool sdn_model_is_none(const sdn_yaml *node);   /* the word none */
/* One parameter from key `key` of a map (NULL, or without the key: the default of spec); *index will be where it stands. */
sdn_status sdn_model_add(sdn_model *m, const sdn_param_spec *spec, const sdn_yaml *map, const char *key, int *index, sdn_err *err);
/* The populations: stars: a map, or a list of maps with names. */
sdn_status sdn_model_read_stars(sdn_model *m, const sdn_yaml *root, sdn_err *err);
/* The dust before all of them, and before single ones; after the stars. */
sdn_status sdn_model_read_dust(sdn_model *m, const sdn_yaml *root, sdn_err *err);

#endif
