/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/fits_image.h"

#include <math.h>
#include <string.h>

#include "base/fits_error.h"

#define MOST_NUMBERS ((LONGLONG)1 << 31)

struct sdn_fits { fitsfile *file; char *path; int n_hdu; };

sdn_status sdn_fits_open(const char *path, sdn_fits **out, sdn_err *err)
{
  int status = 0;
  *out = NULL;
  sdn_fits *f = sdn_alloc(1, sizeof *f, "a FITS file", err);
  char *name = sdn_fits_name(path, err);
  if (!f || !name || !(f->path = sdn_copy_text(path, err))) goto done;
  if (fits_open_diskfile(&f->file, name, READONLY, &status) || fits_get_num_hdus(f->file, &f->n_hdu, &status)) {
    sdn_fits_fail(path, status, err, "cannot be opened as a FITS file");
    goto done;
  }
  *out = f;
  f = NULL;
done:
  sdn_release(name);
  sdn_fits_close(f);
  return *out ? SDN_OK : err->status;
}

void sdn_fits_close(sdn_fits *f)
{
  int status = 0;
  if (!f) return;
  if (f->file) fits_close_file(f->file, &status);
  fits_clear_errmsg();
  sdn_release(f->path);
  sdn_release(f);
}

int sdn_fits_n_hdu(const sdn_fits *f) { return f->n_hdu; }

sdn_status sdn_fits_look(sdn_fits *f, int hdu, sdn_fits_image *image, sdn_err *err)
{
  int status = 0, type, bitpix, n_dim = 0;
  LONGLONG dim[2] = {0};
  char name[FLEN_VALUE] = "";
  *image = (sdn_fits_image){0};
  if (fits_movabs_hdu(f->file, hdu + 1, &type, &status)) return sdn_fits_fail(f->path, status, err, "HDU %d cannot be read", hdu);
  if (fits_read_key(f->file, TSTRING, "EXTNAME", name, NULL, &status)) {
    status = 0;
    fits_clear_errmsg();
  }
  snprintf(image->name, sizeof image->name, "%.71s", name);
  if (type != IMAGE_HDU) return SDN_OK;
  if (fits_get_img_paramll(f->file, 2, &bitpix, &n_dim, dim, &status)) return sdn_fits_fail(f->path, status, err, "HDU %d cannot be read", hdu);
  if (n_dim < 1 || n_dim > 2) return SDN_OK;
  if (n_dim == 1) dim[1] = 1;
  if (dim[0] < 0 || dim[1] < 0 || (dim[1] > 0 && dim[0] > MOST_NUMBERS / dim[1]))
    return sdn_fail(err, SDN_FORMAT, "%s: HDU %d claims %lld x %lld numbers; the file is damaged", f->path, hdu, (long long)dim[1], (long long)dim[0]);
  image->n_row = (long)dim[1];
  image->n_column = (long)dim[0];
  return SDN_OK;
}

sdn_status sdn_fits_read_image(sdn_fits *f, int hdu, double **value, sdn_err *err)
{
  sdn_fits_image image;
  int status = 0, any_null = 0;
  *value = NULL;
  if (sdn_fits_look(f, hdu, &image, err)) return err->status;
  if (image.n_row < 1 || image.n_column < 1) return sdn_fail(err, SDN_FORMAT, "%s: HDU %d is no image of one or two dimensions", f->path, hdu);
  const size_t n = (size_t)image.n_row * (size_t)image.n_column;
  double nothing = (double)NAN, *read = sdn_alloc(n, sizeof *read, "an image", err);
  if (!read) return err->status;
  if (fits_read_img(f->file, TDOUBLE, 1, (LONGLONG)n, &nothing, read, &any_null, &status)) {
    sdn_release(read);
    return sdn_fits_fail(f->path, status, err, "HDU %d (%s) cannot be read; the file is damaged", hdu, image.name);
  }
  *value = read;
  return SDN_OK;
}
