/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Images in FITS files: their names, shapes and numbers. */
#ifndef SDN_BASE_FITS_IMAGE_H
#define SDN_BASE_FITS_IMAGE_H

#include "base/memory.h"

typedef struct sdn_fits sdn_fits;
sdn_status sdn_fits_open(const char *path, sdn_fits **f, sdn_err *err);
void sdn_fits_close(sdn_fits *f);
int sdn_fits_n_hdu(const sdn_fits *f);
/* HDU 0 is the primary one. name: its EXTNAME, "" if none. n_row 1 of a vector; both 0 of what is no image of one or two dimensions. */
typedef struct sdn_fits_image { char name[72]; long n_row, n_column; } sdn_fits_image;
sdn_status sdn_fits_look(sdn_fits *f, int hdu, sdn_fits_image *image, sdn_err *err);
/* All numbers [n_row][n_column]; freed by sdn_release. */
sdn_status sdn_fits_read_image(sdn_fits *f, int hdu, double **value, sdn_err *err);

#endif
