/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Synthesizer's 124 cases computed here, and what stands beside them: for the tests galaxy_synthesizer and history_synthesizer. */
#ifndef TEST_SUPPORT_SYNTHESIZER_RUN_H
#define TEST_SUPPORT_SYNTHESIZER_RUN_H

#include <stdbool.h>

#include "physics/galaxy.h"
#include "support/synthesizer_case.h"

/* Both codes then integrate the same piecewise linear functions: float32 spectra and sums over a few hundred ages and wavelengths here, a 5e-2 A sampling
 * there where the reference is "fine". The bound is this program's promise for float32. */
#define SYN_TOL_SAME_SPECTRUM 2e-5
/* The reference reads dust curves from tables of 3 A steps, linearly; Narayanan's median curve is a spline through rounded points here (8e-5 in k). */
#define SYN_TOL_DUST 2e-4
/* Bands in the dark of the IGM count too here; the reference finds its edge to 0.05 A only. */
#define SYN_TOL_ALL_BANDS 1e-3
/* Power that dust takes. Old stars shine beyond 2.2 um, where Calzetti's law is a convention: there it ends at 3 um and is constant beyond, here it declines. Of case
 * dev-121, whose Casey spectrum outshines the stars even in the ultraviolet, that is 1.9e-3. */
#define SYN_TOL_DUST_POWER 3e-3
/* Histories: the limit that this program has set itself. */
#define SYN_TOL_HISTORY 5e-3
#define SYN_N_BAND 14

/* How a history can be put on the grid's nodes. */
enum { SYN_STEP,       /* Synthesizer: all mass between two midpoints of ages at the node; linear in Z */
       SYN_STEP_LOG_Z, /* the same, linear in log10 Z */
       SYN_HAT,        /* exact integrals over hats linear in age and log10 Z, as the file has them */
       SYN_CUBIC,      /* spectra between ages by cubics in ln age: what all others approximate; linear in log10 Z */
       SYN_N_WAY };
typedef struct syn_case { const json *c; bool has_history; float flux[SYN_N_WAY][SYN_N_BAND], own[SYN_N_BAND], own_linear[SYN_N_BAND], without_emission[SYN_N_BAND]; } syn_case;
/* nJy; own: from the history's parameters, own_linear: the same with age_interpolation: linear */

/* All cases, computed; NULL, n = 0, where the data are not there. Failures fail the test. */
const syn_case *syn_cases(size_t *n);
const json *syn_header(void);
const char *syn_band(int band);
void syn_end(void);

/* A case's model with its parameters, for the 14 bands, or for all wavelengths without any. of_weights: its history is not read. */
typedef struct syn_model { sdn_model *model; sdn_forward *forward; double params[200]; } syn_model;
void syn_make(const json *c, bool of_weights, bool dust_emission, bool bands, syn_model *m);
void syn_unmake(syn_model *m);

/* The numbers to compare with, nJy [SYN_N_BAND], valid until the next call. For masses on nodes: fine integration, exact lines where there are lines, Madau's formula as published
 * where it is asked for, dust emission at its whole power. */
const double *syn_reference(const syn_case *s);
/* The same for the history put on nodes by hats linear in age. */
const double *syn_hat_reference(const syn_case *s);

bool syn_has_dust(const json *c);
bool syn_is_two_component(const json *c);
bool syn_is_madau(const json *c);
const json *syn_well_integrated(const json *c);   /* bands; NULL: all */
/* Does the band see rest wavelengths where Calzetti's law is a convention: below 1200 A or beyond 2.2 um? */
bool syn_is_extrapolated(const json *c, int band);
double syn_tolerance(const json *c);

/* Errors of many bands: |flux - reference| / max(reference, the case's floor). */
typedef struct syn_worst { double error, sum; int n, n_case; const char *id, *band; } syn_worst;
double syn_error(const json *c, double flux, double reference);
void syn_count(syn_worst *w, double error, const json *c, int band);
/* `which`: only these bands (NULL: all), never those where the dust law is a convention. */
void syn_compare(const json *c, const float *flux, const double *reference, const json *which, syn_worst *w);
void syn_head(const char *what);
void syn_row(const char *what, const syn_worst *w);

/* Errors by name: of chosen bands and of all. */
typedef struct syn_named { const char *name; double tolerance; syn_worst chosen, every; } syn_named;
syn_named *syn_find(syn_named *list, int *n, const char *name);

#endif
