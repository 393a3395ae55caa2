/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Filter curves: throughput, piecewise linear in wavelength, and integrals of spectra through them that are exact for spectra piecewise linear
 * in wavelength too.
 *   photon counting  <f> = int f_nu T dlambda/lambda / int T dlambda/lambda     (Bessell & Murphy 2012, eq. A11)
 *   energy counting  <f> = int f_nu T dlambda/lambda^2 / int T dlambda/lambda^2
 * A spectrum with nodes f_j contributes sum_j w_j f_j: the weights w depend on the nodes alone, and come from running integrals of the curve. */
#ifndef SDN_PHYSICS_FILTER_H
#define SDN_PHYSICS_FILTER_H

#include "base/memory.h"

typedef struct sdn_filter {
  char id[96];
  int n;                       /* nodes of the curve; the first and last have zero throughput, or the curve ends in a jump */
  double *wave_A, *throughput; /* [n]; equal neighbours in wavelength mark a jump; gaps above 1 % of the wavelength have nodes put in */
  bool photon_counting;
  double pivot_A, low_A, high_A;   /* first and last wavelength with throughput */
  double norm;                 /* the denominator above */
  double *slope, *inverse_wave;    /* [n] slope of the throughput in the segment that begins at the node; 1 / wave_A */
  double *running[2];          /* [n] running integrals up to each node, of T w(l) and T (l - pivot) w(l); w = 1/l (photon) or 1/l^2 (energy) */
  int *lookup; int n_lookup; double lookup_per_A;   /* [n_lookup + 2] a segment at or before that of any wavelength in the bin (wave - low_A) lookup_per_A */
  int n_step;                  /* and at most so many before */
} sdn_filter;

/* id: a shipped one ("JWST/NIRCam.F444W"), a path to a curve (two columns ASCII, Angstrom and throughput, '#' comments and a line "# detector: energy";
 * or an SVO VOTable XML with its DetectorType), or "tophat:LOW:HIGH" in Angstrom. err SDN_USAGE names the nearest shipped id. */
sdn_status sdn_filter_read(const char *id, sdn_filter **f, sdn_err *err);
/* From arrays: ascending finite wavelengths, throughput >= 0, at least two nodes and some throughput. */
sdn_status sdn_filter_new(const char *id, int n, const double *wave_A, const double *throughput, bool photon_counting, sdn_filter **f, sdn_err *err);
void sdn_filter_free(sdn_filter *f);
double sdn_filter_throughput(const sdn_filter *f, double wave_A);
/* Weights of spectrum nodes wave_A [n] (ascending, equal neighbours mark a jump) stretched by `stretch` (1+z): weight [n] for nodes first..last-1, which are
 * set; returns false when the nodes do not cover the filter. sum_j weight_j f_nu,j is the band-averaged flux density. */
bool sdn_filter_weights(const sdn_filter *f, int n, const double *wave_A, double stretch, int *first, int *last, float *weight);
/* The same in double: their sum is 1 to 1e-14. */
bool sdn_filter_weights_double(const sdn_filter *f, int n, const double *wave_A, double stretch, int *first, int *last, double *weight);
/* What a line of flux F [erg/s/cm2] at observed wavelength adds to <f_nu>, per F: lambda T(lambda) / (c norm) for photon counting, T / (c norm) for energy counting
 * [1/Hz]; c in A/s. */
double sdn_filter_line_response(const sdn_filter *f, double wave_obs_A);

#endif
