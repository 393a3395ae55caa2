/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "learn/encoder.h"

sdn_status sdn_check_tokens(const sdn_arch *a, sdn_err *err)
{
  if (sdn_check_size("data", a->n_token, 1, SDN_MAX_WIDTH, err)) return err->status;
  if (a->n_feature % a->n_token == 0) return SDN_OK;
  return sdn_fail(err, SDN_RANGE, "the encoder '%s' needs as many features of each datum as of every other, and %d features are not a multiple of %d data; use 'mlp'",
                  sdn_encoder_name(a->encoder), a->n_feature, a->n_token);
}

void sdn_tokens(const sdn_arch *a, int group, int first, int n, const float *x, float *token)
{
  const int n_kind = a->n_feature / a->n_token;
  for (int b = first; b < first + n; b++)
    for (int k = 0; k < n_kind; k++, token += group * SDN_ROWS)   /* the numbers of a group follow each other */
      memcpy(token, x + (size_t)(k * a->n_token + b * group) * SDN_ROWS, (size_t)group * SDN_ROWS * sizeof *token);
}
