/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a result file says about itself. No time, no machine: the same run writes the same bytes. Keys:
 *   FORMAT "sedna result", VERSION 1, SEDNAVER (program version), COMMAND, POSTERIO (file), POSTHASH (FNV-1a of that file), CATALOG (file),
 *   SAMPLES (file, "" if none), SURVEY (its name), EVIDENCE (the kind that a ln Z of this survey is), PRIMARY and DERIVED (names of quantities,
 *   comma-separated), NDRAW, NPREDICT, QUANTILE, FIX, SEED, and for each band k with columns, counted from 1: BANDk, FILTk (id), PIVOTk [Angstrom; of lines in the rest frame]. */
#ifndef SDN_INFER_RESULT_META_H
#define SDN_INFER_RESULT_META_H

#include "base/table.h"
#include "infer/layout.h"

typedef struct sdn_result_meta {
  int n;
  sdn_meta *pair;                               /* [n] */
  char (*key)[9], **value;                      /* [n] what the pairs point to */
} sdn_result_meta;

sdn_status sdn_result_meta_new(const sdn_fit_options *opt, const sdn_engine *e, const sdn_layout *c, const char *command, sdn_result_meta **meta,
                               sdn_err *err);
void sdn_result_meta_free(sdn_result_meta *meta);

#endif
