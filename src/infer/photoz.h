/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Photometric redshifts against spectroscopic ones, in memory that does not grow with the catalogue.
 * dz = (z_phot - z_spec) / (1 + z_spec); NMAD = 1.4826 median |dz - median(dz)|; outliers have |dz| > 0.15; the bias is median(dz).
 * Deviations are sorted into narrow cells that keep their sum: while no cell holds more than one of the ranks in question the medians are exact,
 * and afterwards they are off by less than 1e-3 of |dz| or 1e-7. */
#ifndef SDN_INFER_PHOTOZ_H
#define SDN_INFER_PHOTOZ_H

#include "base/memory.h"

typedef struct sdn_photoz sdn_photoz;
sdn_status sdn_photoz_new(sdn_photoz **p, sdn_err *err);
void sdn_photoz_free(sdn_photoz *p);
void sdn_photoz_add(sdn_photoz *p, double z_phot, double z_spec);   /* a pair with a non-finite number is left out */
typedef struct sdn_photoz_score { long n; double nmad, outlier_fraction, bias; } sdn_photoz_score;   /* NaN when n is 0 */
sdn_status sdn_photoz_score_of(const sdn_photoz *p, sdn_photoz_score *score, sdn_err *err);

#endif
