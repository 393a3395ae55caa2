/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bins of lookback time for the families that have them. YAML: n_bin, or lookback_edges_myr: [ ... ], each a number, a formula, or age_universe. */
#ifndef SDN_PHYSICS_SFH_BINS_H
#define SDN_PHYSICS_SFH_BINS_H

#include "physics/sfh_family.h"

#define SDN_SFH_RATIO_PRIOR "{prior: student_t, nu: 2, mean: 0, scale: 0.3}"   /* Leja+2019 */

/* Sets m->n_bin, which is n_bin if the file says nothing, and m->n_edge, the number of parameters that edges may need. */
sdn_status sdn_sfh_count_bins(const sdn_yaml *node, long n_bin, sdn_sfh_model *m, sdn_err *err);
/* Parameters first .. first + n_edge - 1 are those of the edges. */
sdn_status sdn_sfh_add_edges(sdn_sfh_model *m, int first, const sdn_yaml *node, sdn_prior *prior, sdn_err *err);
/* n_bin + 1 knots at the edges; rates are zero still. */
sdn_status sdn_sfh_set_edges(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, sdn_sfh *h, sdn_err *err);
/* sdn_pieces_close with a sentence. */
sdn_status sdn_sfh_close_bins(sdn_sfh *h, sdn_err *err);

#endif
