/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SDN_PRIOR_READ_TABLE_H
#define SDN_PRIOR_READ_TABLE_H

#include "base/yaml.h"
#include "prior/grid_table.h"
#include "prior/table.h"

/* The table of {prior: tabulated, value: [...], density: [...]} or {prior: tabulated, file: PATH}: two columns of numbers, '#' starts a
 * comment; a relative PATH is looked up beside the YAML file. */
sdn_status sdn_prior_read_table(const sdn_yaml *node, sdn_dist_table **table, sdn_err *err);
/* The tables of {prior: tabulated, given: FORMULA, given_values: [...], value: [...], density: [[...], ...]} or {..., given: FORMULA, file: PATH}: three
 * columns, given value, value, density; all lines of one given value together, each with the same values. */
sdn_status sdn_prior_read_grid_table(const sdn_yaml *node, sdn_dist_grid **grid, sdn_err *err);

#endif
