/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The network q(z | x): which weights it has, in what order they lie in one block of float32, and what can be asked of it.
 *
 *   x [F] features -> encoder -> context c [C] -> given = context weights . c [G]        once per galaxy
 *   ln q(z | x) = head(given, z)                                                          once per draw
 *
 * Encoders (encoder.h) and heads (head.h) are of several kinds behind one interface each. z are standard-normal coordinates of the prior; every head
 * writes q(z | x) = q(z_0 | x) q(the rest | z_0, x), so that the first coordinate (redshift) may also be known, and is the prior where its outputs are 0.
 * Numbers lie as [quantity][SDN_ROWS]: SDN_ROWS galaxies, or draws of one galaxy, side by side. */
#ifndef SDN_LEARN_NETWORK_H
#define SDN_LEARN_NETWORK_H

#include "base/memory.h"
#include "base/random.h"
#include "learn/dense.h"
#include "learn/kernel.h"

#define SDN_MAX_LAYER 16
#define SDN_MAX_FREE 48
#define SDN_MAX_DEPTH 12        /* hidden layers of an encoder */
#define SDN_MAX_WEIGHT 256      /* named matrices and vectors of a network */
#define SDN_MAX_WIDTH 8192      /* of any layer: keeps every size an int */

typedef enum sdn_head_kind { SDN_HEAD_SPLINE, SDN_HEAD_AFFINE, SDN_HEAD_MIXTURE, SDN_HEAD_COUPLING, SDN_N_HEAD } sdn_head_kind;
typedef enum sdn_encoder_kind { SDN_ENCODER_MLP, SDN_ENCODER_SET, SDN_ENCODER_CONVOLUTION, SDN_N_ENCODER } sdn_encoder_kind;

/* Kinds and sizes. What a kind does not use is 0 or ignored. */
typedef struct sdn_arch {
  int head, encoder;            /* sdn_head_kind, sdn_encoder_kind */
  int n_free, n_feature;
  int n_token;                  /* bands: feature k of token b is x[k n_token + b]; n_feature is a multiple of it */
  int n_encoder, n_depth, n_context;
  int n_token_hidden, n_token_depth;   /* units of a band or pixel, layers before all become one: encoders set, convolution */
  int n_present;                /* 1 + the k of the feature that is 1 where a datum is present, 0 where not; 0: there is none. Encoder set */
  int exchangeable;             /* data of each exchangeable point; 0: data are not exchangeable. Encoder set */
  int first_pixel, n_pixel;     /* tokens that are a spectrum's pixels, in order. Encoder convolution */
  int n_layer, n_hidden, n_bin, n_bin_first, n_component;
} sdn_arch;
#define SDN_N_SIZE 17
/* The sizes by their names in files and options: everything but the kinds. */
typedef struct sdn_size { const char *name; int *value; } sdn_size;
void sdn_arch_sizes(sdn_arch *arch, sdn_size size[SDN_N_SIZE]);
const char *sdn_head_name(int kind);
const char *sdn_encoder_name(int kind);
/* The kind of that name. err SDN_USAGE: none; the sentence lists what there is. */
sdn_status sdn_head_find(const char *name, int *kind, sdn_err *err);
sdn_status sdn_encoder_find(const char *name, int *kind, sdn_err *err);

/* A named matrix in the block of weights. */
typedef struct sdn_weight {
  char name[48];
  int n_row, n_col;          /* n_col 0: a vector [n_row] */
  size_t offset;             /* of the first number, from the start of the block */
  float initial;             /* standard deviation of the initial values */
  bool decays;               /* weight decay acts on it */
} sdn_weight;

typedef struct sdn_head_ops sdn_head_ops;
typedef struct sdn_encoder_ops sdn_encoder_ops;

typedef struct sdn_network {
  sdn_arch arch;
  const sdn_head_ops *head;
  const sdn_encoder_ops *encoder;
  void *head_plan, *encoder_plan;   /* sizes and matrix kernels of head and encoder; theirs */
  int n_given;                      /* G: set by the head */
  int at_encoder, at_context, at_head;   /* weights of the encoder, the context (matrix, bias) and the head begin there in the table */
  int n_weight;
  sdn_weight weight[SDN_MAX_WEIGHT];
  size_t n_number;                  /* length of the block, padding included */
  sdn_dense context;
} sdn_network;

sdn_status sdn_network_new(const sdn_arch *arch, sdn_network **net, sdn_err *err);
void sdn_network_free(sdn_network *net);
/* Initial weights, a function of seed and member: q starts as the prior. */
void sdn_network_initialise(const sdn_network *net, uint64_t seed, int member, float *weights);
/* Set to zero what the head's order of coordinates forbids, in weights or in a gradient. */
void sdn_network_mask(const sdn_network *net, float *block);
long sdn_network_n_weight(const sdn_network *net);   /* numbers, without padding */

/* -- density, for a tile of SDN_ROWS galaxies -- */

/* Scratch of one tile, from its worker's arena. */
typedef struct sdn_tile_work {
  float *x_t;                       /* [SDN_ROWS][F] standardised features: input */
  float *z;                         /* [D][SDN_ROWS] coordinates: input; kept */
  float *context;                   /* [C][SDN_ROWS] */
  float *given;                     /* [G][SDN_ROWS] without its bias, which the head adds as it reads it */
  float *turned, *by_context;       /* backward: [SDN_ROWS][C], [C][SDN_ROWS] */
  void *encoder, *head;
} sdn_tile_work;

sdn_status sdn_tile_work_new(const sdn_network *net, sdn_arena *arena, sdn_tile_work *w, sdn_err *err);
/* w->x_t -> w->given. */
void sdn_network_encode(const sdn_network *net, const float *weights, sdn_tile_work *w);
/* w->given (used up) and w->z -> ln_q [SDN_ROWS] = ln q(z | x). */
void sdn_network_head_density(const sdn_network *net, const float *weights, sdn_tile_work *w, double *ln_q);
/* Both: w->x_t and w->z -> ln_q [SDN_ROWS]. */
void sdn_network_density(const sdn_network *net, const float *weights, sdn_tile_work *w, double *ln_q);
/* After sdn_network_density: the gradient of sum_r weight_r (-ln q_r), row_weight [SDN_ROWS], is set in the block `gradient` (or added to it).
 * Forbidden weights may get a gradient: sdn_network_mask takes it away. Numbers between the matrices are not written. */
void sdn_network_gradient(const sdn_network *net, const float *weights, sdn_tile_work *w, const float *row_weight, bool add, float *gradient);
/* w->given (used up) and z0 [SDN_ROWS] -> P(first coordinate < z0 | x) and ln q(z0 | x); either may be NULL. */
void sdn_network_first(const sdn_network *net, const float *weights, sdn_tile_work *w, const float *z0, double *cdf, double *ln_q);

/* -- draws of one galaxy after another -- */

typedef struct sdn_draw_work {
  float *y;                         /* [D][SDN_ROWS] standard normals in, coordinates out */
  float *pick;                      /* [SDN_ROWS] uniform in (0, 1): input, for heads that choose (sdn_network_picks) */
  void *head;
} sdn_draw_work;

bool sdn_network_picks(const sdn_network *net);
sdn_status sdn_draw_work_new(const sdn_network *net, sdn_arena *arena, sdn_draw_work *w, sdn_err *err);
/* What all draws of a galaxy share, from given [G], its column of sdn_network_encode's result. first: the first coordinate if it is known, or NULL. */
void sdn_draw_galaxy(const sdn_network *net, const float *weights, sdn_draw_work *w, const float *given, const float *first);
/* SDN_ROWS draws; ln_q [SDN_ROWS]: of all coordinates, or of all but the known first. */
void sdn_draw(const sdn_network *net, const float *weights, sdn_draw_work *w, double *ln_q);

/* -- for encoders and heads -- */

/* Adds a matrix to the table; n_col 0: a vector of n_row. */
void sdn_add_weight(sdn_network *net, const char *name, int n_row, int n_col, float initial);
/* Is low <= value <= high? err SDN_RANGE, with the sentence. */
sdn_status sdn_check_size(const char *name, int value, int low, int high, sdn_err *err);
/* Gradient of the matrix `weight` of the table, and of the bias that follows it, from by_y [n_out][SDN_ROWS] and the layer's input x_t [SDN_ROWS][n_in]. */
void sdn_dense_gradient(const sdn_network *net, const sdn_dense *d, int weight, const float *by_y, const float *x_t, bool add, float *gradient);

#endif
