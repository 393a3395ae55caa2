/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading a finished library. The file stays open, and reads are taken in turn: HDF5 is not thread-safe as packaged. */
#include <math.h>
#include <string.h>

#include "library/library_file.h"

long sdn_library_n(const sdn_library *lib) { return lib->n; }
const char *sdn_library_model_yaml(const sdn_library *lib) { return lib->model_yaml; }
const char *sdn_library_survey_yaml(const sdn_library *lib) { return lib->survey_yaml; }
const char *sdn_library_physics_hash(const sdn_library *lib) { return lib->physics_hash; }
int sdn_library_n_free(const sdn_library *lib) { return lib->n_free; }
int sdn_library_n_band(const sdn_library *lib) { return lib->n_band; }
const char *sdn_library_free_name(const sdn_library *lib, int i) { return lib->name[i]; }
const char *sdn_library_free_unit(const sdn_library *lib, int i) { return lib->unit[i]; }

/* One block each: pointers, then the texts. */
sdn_status sdn_library_set_names(sdn_library *lib, const sdn_prior *prior, sdn_err *err)
{
  typedef const char *text_of(const sdn_prior *prior, int param);
  const struct { char ***list; text_of *text; } lists[] = {{&lib->name, sdn_prior_param_name}, {&lib->unit, sdn_prior_param_unit}};
  lib->n_free = sdn_prior_n_free(prior);
  for (int k = 0; k < 2; k++) {
    size_t room = 0;
    for (int i = 0; i < lib->n_free; i++) room += strlen(lists[k].text(prior, sdn_prior_free_param(prior, i))) + 1;
    char **list = *lists[k].list = sdn_alloc(1, (size_t)lib->n_free * sizeof *list + room, "names of parameters", err);
    if (!list) return err->status;
    char *text = (char *)(list + lib->n_free);
    for (int i = 0; i < lib->n_free; i++) {
      list[i] = strcpy(text, lists[k].text(prior, sdn_prior_free_param(prior, i)));
      text += strlen(text) + 1;
    }
  }
  return SDN_OK;
}

void sdn_library_close(sdn_library *lib)
{
  sdn_err unused;
  if (!lib) return;
  sdn_h5_lock();
  if (lib->file) sdn_h5_close(lib->file, &unused);
  sdn_h5_unlock();
  sdn_fresh_free(lib->fresh);
  sdn_release(lib->model_yaml);
  sdn_release(lib->survey_yaml);
  sdn_release(lib->physics_hash);
  sdn_release(lib->name);
  sdn_release(lib->unit);
  sdn_release(lib->z);
  sdn_release(lib->data);
  sdn_release(lib->sigma);
  sdn_release(lib);
}

/* Format, version, and that the run which wrote it came to its end. */
static sdn_status check_kind(const sdn_library *lib, const char *path, sdn_err *err)
{
  char *format = NULL;
  long version = 0, complete = 0;
  if (!sdn_h5_has_attr(lib->file, "/", "format")) return sdn_fail(err, SDN_FORMAT, "%s is no sedna library: it does not name its format", path);
  if (sdn_h5_get_text(lib->file, "/", "format", &format, err)) return err->status;
  const bool ours = !strcmp(format, SDN_LIBRARY_FORMAT);
  if (!ours) sdn_fail(err, SDN_FORMAT, "%s is no sedna library, but says it is a '%.60s'; libraries are made by sedna simulate", path, format);
  sdn_release(format);
  if (!ours) return err->status;
  if (sdn_h5_get_long(lib->file, "/", "version", &version, err)) return err->status;
  if (version != SDN_LIBRARY_VERSION)
    return sdn_fail(err, SDN_FORMAT, "%s is a library of format version %ld, and this sedna reads version %d; simulate it again", path, version,
                    SDN_LIBRARY_VERSION);
  if (sdn_h5_get_long(lib->file, "/", "complete", &complete, err)) return err->status;
  if (complete != 1)
    return sdn_fail(err, SDN_FORMAT, "%s is an unfinished library; run the sedna simulate that began it once more, and it will go on", path);
  return SDN_OK;
}

static sdn_status check_shape(const sdn_library *lib, const char *path, const char *name, int n_column, sdn_err *err)
{
  sdn_h5_shape shape;
  if (sdn_h5_shape_of(lib->file, name, &shape, err)) return err->status;
  if (shape.n_dim == 2 && shape.dim[0] == lib->n && shape.dim[1] == n_column) return SDN_OK;
  return sdn_fail(err, SDN_FORMAT, "%s: /%s should have %ld rows and %d columns as the rest of the file says; it is damaged, simulate it again",
                  path, name, lib->n, n_column);
}

/* Names and shapes: what the parts of the file say of one another must agree. */
static sdn_status read_columns(sdn_library *lib, const char *path, sdn_err *err)
{
  char **bands = NULL;
  size_t n_name = 0, n_unit = 0, n_band = 0;
  if (sdn_h5_get_texts(lib->file, "theta", "names", &lib->name, &n_name, err)) return err->status;
  if (sdn_h5_get_texts(lib->file, "theta", "units", &lib->unit, &n_unit, err)) return err->status;
  if (sdn_h5_get_texts(lib->file, "flux_njy", "bands", &bands, &n_band, err)) return err->status;
  sdn_release(bands);
  if (n_name < 1 || n_name > 10000 || n_unit != n_name || n_band < 1 || n_band > 10000)
    return sdn_fail(err, SDN_FORMAT, "%s names %zu parameters, %zu units and %zu bands; it is damaged, simulate it again", path, n_name, n_unit, n_band);
  lib->n_free = (int)n_name;
  lib->n_band = (int)n_band;
  if (check_shape(lib, path, "theta", lib->n_free, err)) return err->status;
  if (check_shape(lib, path, "z", lib->n_free, err)) return err->status;
  return check_shape(lib, path, "flux_njy", lib->n_band, err);
}

static sdn_status read_header(sdn_library *lib, const char *path, sdn_err *err)
{
  if (sdn_h5_open(path, &lib->file, err)) return err->status;
  if (check_kind(lib, path, err)) return err->status;
  if (sdn_h5_get_long(lib->file, "/", "n", &lib->n, err)) return err->status;
  if (lib->n < 1) return sdn_fail(err, SDN_FORMAT, "%s claims %ld galaxies; it is damaged, simulate it again", path, lib->n);
  if (sdn_h5_get_text(lib->file, "/", "model_yaml", &lib->model_yaml, err)) return err->status;
  if (sdn_h5_get_text(lib->file, "/", "survey_yaml", &lib->survey_yaml, err)) return err->status;
  if (sdn_h5_get_text(lib->file, "/", "physics_hash", &lib->physics_hash, err)) return err->status;
  return read_columns(lib, path, err);
}

sdn_status sdn_library_open(const char *path, sdn_library **out, sdn_err *err)
{
  *out = NULL;
  sdn_library *lib = sdn_alloc(1, sizeof *lib, "a library", err);
  if (!lib) return err->status;
  sdn_h5_lock();
  const sdn_status status = read_header(lib, path, err);
  sdn_h5_unlock();
  if (status == SDN_OK) *out = lib;
  else sdn_library_close(lib);
  return status;
}

static sdn_status read_rows(const sdn_library *lib, const char *name, long row0, long n, int n_column, float *out, sdn_err *err)
{
  sdn_h5_lock();
  const sdn_status status = sdn_h5_read_rows(lib->file, name, SDN_H5_FLOAT, row0, n, out, err);
  sdn_h5_unlock();
  if (status) return status;
  for (long i = 0; i < n * n_column; i++)
    if (!isfinite(out[i]))
      return sdn_fail_row(err, SDN_FORMAT, i / n_column, "%s: /%s holds a value that is not finite in row %ld; the file is damaged, simulate it again",
                          sdn_h5_path(lib->file), name, row0 + i / n_column);
  return SDN_OK;
}

sdn_status sdn_library_rows(const sdn_library *lib, long row0, long n, float *z, float *flux_true_nJy, sdn_err *err)
{
  if (!(row0 >= 0 && n >= 0 && row0 <= lib->n - n))
    return sdn_fail(err, SDN_RANGE, "rows %ld to %ld are asked of a library that has %ld", row0, row0 + n - 1, lib->n);
  if (lib->z) {
    if (z) memcpy(z, lib->z + row0 * lib->n_free, (size_t)(n * lib->n_free) * sizeof *z);
    if (flux_true_nJy) memcpy(flux_true_nJy, lib->data + row0 * lib->n_band, (size_t)(n * lib->n_band) * sizeof *z);
    return SDN_OK;
  }
  if (z && read_rows(lib, "z", row0, n, lib->n_free, z, err)) return err->status;
  return flux_true_nJy ? read_rows(lib, "flux_njy", row0, n, lib->n_band, flux_true_nJy, err) : SDN_OK;
}
