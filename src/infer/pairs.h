/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of a data file as a posterior takes them. */
#ifndef SDN_INFER_PAIRS_H
#define SDN_INFER_PAIRS_H

#include "library/data_file.h"

/* Errors where the file has none: the survey's middle one of each number (1 where it has no error at all). */
sdn_status sdn_pairs_errors(const sdn_survey *survey, sdn_data_pairs *pairs, sdn_err *err);

#endif
