/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CFITSIO's failures as sentences, and files by their plain names. */
#ifndef SDN_BASE_FITS_ERROR_H
#define SDN_BASE_FITS_ERROR_H

#include <fitsio.h>

#include "base/memory.h"

/* "PATH: what (CFITSIO's words)"; clears CFITSIO's message stack. The status follows from CFITSIO's. */
sdn_status sdn_fits_fail(const char *path, int fits_status, sdn_err *err, const char *fmt, ...) SDN_PRINTF(4, 5);
/* The name that makes CFITSIO open exactly this file: no '~', no leading blank. NULL with err when it is too long. Freed by sdn_release. */
char *sdn_fits_name(const char *path, sdn_err *err);

#endif
