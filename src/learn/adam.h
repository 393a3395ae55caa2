/* SPDX-License-Identifier: GPL-3.0-or-later */
/* AdamW (Kingma & Ba 2015, algorithm 1; decoupled decay: Loshchilov & Hutter 2019, algorithm 2) with a running average of the weights. */
#ifndef SDN_LEARN_ADAM_H
#define SDN_LEARN_ADAM_H

#include <stdbool.h>
#include <stddef.h>

typedef struct sdn_adam_step {
  float rate, decay;         /* learning rate; weight decay per unit of rate */
  float beta1, beta2;
  float correct1, correct2;  /* 1 / (1 - beta^step) */
  float scale;               /* of the gradient: clipping */
  float keep;                /* average = keep average + (1 - keep) weight */
} sdn_adam_step;

/* n numbers of each array. */
void sdn_adam_update(size_t n, const sdn_adam_step *step, const float *gradient, float *weight, float *mean, float *square, float *average);
/* total [n] = sum of n_part arrays that lie `stride` apart, added in order; returns the sum of squares. */
double sdn_sum_parts(size_t n, int n_part, size_t stride, const float *part, float *total);

#endif
