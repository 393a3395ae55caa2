/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All shipped filters at many redshifts. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/yaml.h"
#include "physics/grid_thin.h"

enum { MOST_FILTERS = 2000 };

/* First words of the index's lines. */
static sdn_status read_index(char **text, const char **id, int *n, sdn_err *err)
{
  char *path = sdn_data_path("filters", "INDEX.txt", err);
  *n = 0;
  if (!path) return err->status;
  sdn_status status = sdn_read_text_file(path, text, err);
  for (char *line = status ? NULL : strtok(*text, "\n"); line; line = strtok(NULL, "\n")) {
    line[strcspn(line, " \t\r")] = 0;
    if (*line && *line != '#' && *n < MOST_FILTERS) id[(*n)++] = line;
  }
  if (!status && *n == 0) status = sdn_fail(err, SDN_FORMAT, "%s lists no filters", path);
  sdn_release(path);
  return status;
}

sdn_status sdn_thin_filters(sdn_thin_bands *b, sdn_err *err)
{
  const char *id[MOST_FILTERS];
  char *text = NULL;
  int n;
  *b = (sdn_thin_bands){0};
  sdn_status status = read_index(&text, id, &n, err);
  if (!status && !(b->filter = sdn_alloc((size_t)n, sizeof *b->filter, "filters", err))) status = err->status;
  for (int i = 0; i < n && !status; i++) {
    status = sdn_filter_read(id[i], &b->filter[i], err);
    b->n_filter += !status;
  }
  sdn_release(text);
  return status;
}

/* One filter at one redshift; a row of no nodes where the axis does not cover it. */
static sdn_status make_row(const sdn_filter *f, int n_x, const double *x, double z, double *work, sdn_thin_row *row, sdn_err *err)
{
  int last;
  row->z = z;
  row->n = 0;
  if (!sdn_filter_weights_double(f, n_x, x, 1 + z, &row->first, &last, work)) return SDN_OK;
  row->n = last - row->first;
  row->far_uv = f->low_A / (1 + z) < SDN_THIN_FAR_UV_A;
  if (!(row->weight = sdn_alloc((size_t)row->n, sizeof *row->weight, "weights of a band", err))) return err->status;
  for (int j = 0; j < row->n; j++) row->weight[j] = (float)work[row->first + j];
  return SDN_OK;
}

sdn_status sdn_thin_rows(sdn_thin_bands *b, int n_x, const double *x, long n_z, const double *z, sdn_err *err)
{
  double *work = sdn_alloc((size_t)n_x, sizeof *work, "weights of a band", err);
  b->row = sdn_alloc((size_t)b->n_filter * (size_t)n_z, sizeof *b->row, "bands", err);
  sdn_status status = work && b->row ? SDN_OK : err->status;
  b->n_row = 0;
  for (int f = 0; f < b->n_filter && !status; f++)
    for (long i = 0; i < n_z && !status; i++) {
      b->row[b->n_row].filter = f;
      status = make_row(b->filter[f], n_x, x, z[i], work, &b->row[b->n_row++], err);
    }
  sdn_release(work);
  return status;
}

void sdn_thin_free_rows(sdn_thin_bands *b)
{
  for (long r = 0; r < b->n_row; r++) sdn_release(b->row[r].weight);
  sdn_release(b->row);
  b->row = NULL;
  b->n_row = 0;
}

void sdn_thin_free_bands(sdn_thin_bands *b)
{
  sdn_thin_free_rows(b);
  for (int f = 0; f < b->n_filter; f++) sdn_filter_free(b->filter[f]);
  sdn_release(b->filter);
  *b = (sdn_thin_bands){0};
}
