/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One galaxy's row of a result, from its draws. */
#ifndef SDN_INFER_ROW_H
#define SDN_INFER_ROW_H

#include "infer/fit_block.h"

/* Galaxy i of the block: fills its number, z_phot and, where asked for, pixel, adds SDN_FLAG_BAD_DERIVED and SDN_FLAG_POOR_FIT to its flags. */
sdn_status sdn_row_summarise(sdn_block *b, sdn_rows *rows, long i, sdn_arena *arena, sdn_err *err);
/* chi2 = sum over used bands of (flux - mu)^2 / s^2(mu), s the survey's noise at the predicted flux mu (calibration floor included). */
double sdn_chi2(const sdn_survey *s, const float *flux_nJy, const float *sigma_nJy, const float *mu_nJy);

#endif
