/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Damaged grid files: cut short anywhere or with flipped bits, they are refused with a sentence that names them, or read; never worse. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "physics/grid.h"
#include "support/grid_fixture.h"
#include "support/scratch.h"

static sdn_err err;
static const double wave_A[] = {100, 500, 900, 1000, 2000, 10000}, line_A[] = {1215.67, 4862.69, 6564.61};
enum { N_CUT = 60, N_FLIP = 400 };

static double light(int age, int metallicity, int u, double w) { return 1 + age + metallicity + u + w; }

static unsigned char *whole_file(size_t *n)
{
  const grid_fixture f = {.n_age = 6, .n_metallicity = 3, .n_u = 2, .n_wave = 6, .wave_A = wave_A, .incident = light, .transmitted = light, .nebular_continuum = light,
                          .lines = light, .n_line = 3, .line_A = line_A, .star_fraction = true};
  unsigned char *bytes = scratch_read(grid_fixture_write(&f, "whole.hdf5"), n);
  assert_non_null(bytes);
  return bytes;
}

/* Read, check and describe: any of them may refuse, with a sentence. */
static bool survives(const char *path)
{
  sdn_grid *g = NULL;
  sdn_grid_check_summary s;
  FILE *out = tmpfile();
  assert_non_null(out);
  const sdn_status status = sdn_grid_read(path, 0, HUGE_VAL, &g, &err);
  if (status) {
    assert_null(g);
    assert_true(err.text[0] != 0 && (status == SDN_FORMAT || status == SDN_MEMORY || status == SDN_IO));
  }
  sdn_grid_free(g);
  (void)sdn_grid_check(&(sdn_grid_check_options){.grid = path}, out, &s, &err);
  (void)sdn_grid_info(&(sdn_grid_info_options){.grid = path}, out, &err);
  fclose(out);
  return !status;
}

static void cut_files_are_refused(void **unused)
{
  size_t n;
  unsigned char *bytes = whole_file(&n);
  (void)unused;
  for (int i = 0; i < N_CUT; i++) {
    const char *path = scratch_write("cut.hdf5", bytes, n * (size_t)i / N_CUT);
    if (survives(path)) fail_msg("a grid cut to %zu of %zu bytes was read", n * (size_t)i / N_CUT, n);
    assert_non_null(strstr(err.text, "cut.hdf5"));
  }
  free(bytes);
}

static void flipped_bits_do_no_harm(void **unused)
{
  size_t n, n_refused = 0;
  unsigned char *bytes = whole_file(&n);
  (void)unused;
  for (int i = 0; i < N_FLIP; i++) {
    const size_t at = (size_t)((double)n * fmod(i * 0.6180339887498949, 1));
    const unsigned char bit = (unsigned char)(1u << (i % 8));
    bytes[at] ^= bit;
    n_refused += !survives(scratch_write("flip.hdf5", bytes, n));
    bytes[at] ^= bit;
  }
  assert_true(n_refused > 20);   /* metadata and data have checksums */
  free(bytes);
}

/* What an import or a thinning would write on a full disk: an error, and no file of the final name. */
static void full_disk_leaves_nothing(void **unused)
{
  size_t n;
  unsigned char *bytes = whole_file(&n);
  const char *path = scratch_write("source.hdf5", bytes, n), *out = scratch_file("full.hdf5");
  sdn_grid_thin_options o;
  sdn_grid_thin_summary s;
  (void)unused;
  free(bytes);
  sdn_knob_defaults(sdn_grid_thin_knobs, sdn_n_grid_thin_knob, &o);
  o.grid = path;
  o.output = out;
  o.resolution = 10;
  scratch_limit_file_size(3000);
  const sdn_status status = sdn_grid_thin(&o, NULL, &s, &err);
  scratch_limit_file_size(0);
  assert_int_equal(status, SDN_IO);
  assert_false(scratch_exists(out));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(cut_files_are_refused), cmocka_unit_test(flipped_bits_do_no_harm), cmocka_unit_test(full_disk_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
