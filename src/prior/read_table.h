/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SDN_PRIOR_READ_TABLE_H
#define SDN_PRIOR_READ_TABLE_H

#include "base/yaml.h"
#include "prior/table.h"

/* The table of {prior: tabulated, value: [...], density: [...]} or {prior: tabulated, file: PATH}: two columns of numbers, '#' starts a
 * comment; a relative PATH is looked up beside the YAML file. */
sdn_status sdn_prior_read_table(const sdn_yaml *node, sdn_dist_table **table, sdn_err *err);

#endif
