/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "learn/dense.h"

sdn_status sdn_dense_new(const sdn_dense_shape *s, sdn_dense *d, sdn_err *err)
{
  *d = (sdn_dense){.n_out = s->n_out, .n_in = s->n_in};
  if (s->n_out == 0 || s->n_in == 0) return SDN_OK;
  const sdn_gemm_shape forward = {.m = s->n_out, .n = s->width, .k = s->n_in, .lda = s->ld, .ldb = s->width, .ldc = s->width};
  const sdn_gemm_shape backward = {.m = s->n_in, .n = s->width, .k = s->n_out, .lda = s->ld, .ldb = s->width, .ldc = s->width, .transpose_a = true};
  const sdn_gemm_shape gradient = {.m = s->n_out, .n = s->n_in, .k = s->width, .lda = s->width, .ldb = s->ld_x, .ldc = s->ld};
  const sdn_gemm_shape *shapes[] = {&forward, &backward, &gradient};
  sdn_gemm **plain[] = {&d->forward, &d->backward, &d->gradient}, **add[] = {&d->forward_add, &d->backward_add, &d->gradient_add};
  for (int i = 0; i < 3; i++) {
    sdn_gemm_shape adding = *shapes[i];
    adding.accumulate = true;
    if (sdn_gemm_new(shapes[i], plain[i], err) || sdn_gemm_new(&adding, add[i], err)) return err->status;
  }
  return SDN_OK;
}

void sdn_dense_clear(sdn_dense *d)
{
  sdn_gemm *all[] = {d->forward, d->forward_add, d->backward, d->backward_add, d->gradient, d->gradient_add};
  for (int i = 0; i < 6; i++) sdn_gemm_free(all[i]);
  *d = (sdn_dense){0};
}
