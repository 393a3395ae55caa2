/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Marks of our tables in HDF5 that a plain file does not have; files without them are read too. */
#ifndef SDN_BASE_TABLE_H5_H
#define SDN_BASE_TABLE_H5_H

#include <stdint.h>

#define SDN_TABLE_H5_ATTR_NULL "missing_value"   /* of an integer column: the value that stands for none */
#define SDN_TABLE_H5_NULL INT64_MIN
#define SDN_TABLE_H5_ATTR_COLUMNS "columns"      /* of the root: the names in their order; HDF5 itself sorts them */

#endif
