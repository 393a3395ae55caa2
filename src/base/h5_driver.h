/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How HDF5 reaches the disk: plain POSIX files, as by its own default driver, with one difference. A write that fails (disk full) is
 * remembered here and reported to HDF5 as done. HDF5 1.10 cannot close a file whose last writes fail: it leaves a broken handle that
 * crashes the program at its end. So HDF5 never sees the failure, and our own calls report it. */
#ifndef SDN_BASE_H5_DRIVER_H
#define SDN_BASE_H5_DRIVER_H

#include <hdf5.h>
#include <stdbool.h>

/* Make files of these access options go through the driver. */
herr_t sdn_h5_driver_set(hid_t access_options);
/* The errno of the first write that failed in an open file, 0 if none did. Valid until the file is closed. */
const int *sdn_h5_driver_trouble(hid_t file);
/* Forget, then later ask for, the errno of what this thread's last opening or closing of a file could not do. */
void sdn_h5_driver_forget(void);
int sdn_h5_driver_last(void);

#endif
