/* SPDX-License-Identifier: GPL-3.0-or-later */
/* YAML that is broken, hostile or no YAML at all: a sentence with file and line, never a crash, a hang or a tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/yaml.h"
#include "support/scratch.h"

static sdn_err err;

static void assert_refused(const char *text, const char *says)
{
  sdn_yaml *root = NULL;
  const sdn_status status = sdn_yaml_parse(text, "bad.yaml", &root, &err);
  if (status != SDN_USAGE) fail_msg("status %d for: %.60s", status, text);
  assert_null(root);
  if (!strstr(err.text, says)) fail_msg("'%s' is not in: %s", says, err.text);
}

static void mistakes_are_named_with_their_line(void **unused)
{
  (void)unused;
  assert_refused("", "bad.yaml: empty");
  assert_refused("# only a comment\n", "bad.yaml: empty");
  assert_refused("a: 1\nb: 2\na: 3\n", "bad.yaml:3: key 'a' was given in line 1 already");
  assert_refused("a:\n\tb: 1\n", "bad.yaml:2: ");
  assert_refused("a:\n\tb: 1\n", "tabs");
  assert_refused("a: [1, 2\nb: 3\n", "bad.yaml:2:");
  assert_refused("a: 'open\n", "bad.yaml:");
  assert_refused("a: 1\n---\nb: 2\n", "bad.yaml:2: a second document");
  assert_refused("a: &x 1\n", "bad.yaml:1: anchors");
  assert_refused("a: 1\nb: *x\n", "bad.yaml:2:");
  assert_refused("a: !!float 1\n", "bad.yaml:1:");
  assert_refused("? [1, 2]\n: 3\n", "bad.yaml:1: a key must be a plain word");
  assert_refused("a: \"x\\0y\"\n", "NUL");
  assert_refused("a: 1\nb: \xff\xfe\n", "bad.yaml:2: not YAML text");
}

static void depth_is_limited(void **unused)
{
  const size_t n = 2000000;
  char *text = malloc(n + 1);
  (void)unused;
  memset(text, '[', n);
  text[n] = '\0';
  assert_refused(text, "nested deeper than 32 levels");
  for (size_t i = 0; i < n; i++) text[i] = i % 2 ? ' ' : '-';
  assert_refused(text, "nested deeper than 32 levels");
  free(text);
}

static void the_number_of_values_is_limited(void **unused)
{
  const size_t n = 4 << 20;
  char *text = malloc(n + 2);
  (void)unused;
  for (size_t i = 0; i < n; i++) text[i] = i % 2 ? ',' : '1';
  text[0] = '[';
  text[n] = ']';
  text[n + 1] = '\0';
  text[1] = '1';
  assert_refused(text, "more than 1000000 values");
  free(text);
}

/* Quadratic work on 200 000 keys would take minutes. */
static void many_keys_take_no_time(void **unused)
{
  const int n = 200000;
  char *text = malloc((size_t)n * 16 + 1), *at = text;
  (void)unused;
  for (int i = 0; i < n; i++) at += sprintf(at, "k%d: 1\n", i);
  sdn_yaml *root = NULL;
  assert_int_equal(sdn_yaml_parse(text, "many.yaml", &root, &err), SDN_OK);
  assert_int_equal(root->n, n);
  sdn_yaml_free(root);
  free(text);
}

static const char MODEL[] =
    "grid: bc03-miles-kroupa\nredshift: {prior: uniform, low: 0.01, high: 14}\nstars:\n  log_mass: {prior: uniform, low: 4, high: 12}\n"
    "  sfh:\n    family: \"dense_basis\"\n    gaps: {prior: dirichlet, alpha: [1, 1, 1, 1]}\ndust: {law: calzetti, slope: 0}\nigm: inoue14\n";

/* Cut anywhere, or with any byte changed, a file gives a tree or a sentence. */
static void damaged_files_give_a_tree_or_a_sentence(void **unused)
{
  char text[sizeof MODEL];
  int n_refused = 0;
  (void)unused;
  for (size_t i = 0; i < sizeof MODEL; i++)
    for (int way = 0; way < 5; way++) {
      static const char other[] = {0, '\t', '{', '\x80', '&'};
      sdn_yaml *root = NULL;
      memcpy(text, MODEL, sizeof MODEL);
      if (text[i]) text[i] = other[way];
      memset(&err, 0, sizeof err);
      const sdn_status status = sdn_yaml_parse(text, "cut.yaml", &root, &err);
      assert_int_equal(status == SDN_OK, root != NULL);
      assert_true(status == SDN_OK || strncmp(err.text, "cut.yaml:", 9) == 0);
      n_refused += status != SDN_OK;
      sdn_yaml_free(root);
    }
  assert_true(n_refused > 100);
}

static void files_that_cannot_be_text_are_refused(void **unused)
{
  char *text = NULL;
  (void)unused;
  assert_int_equal(sdn_read_text_file(scratch_file("absent.yaml"), &text, &err), SDN_IO);
  assert_non_null(strstr(err.text, "No such file"));
  assert_int_equal(sdn_read_text_file("/", &text, &err), SDN_IO);
  assert_non_null(strstr(err.text, "folder"));
  assert_int_equal(sdn_read_text_file(scratch_write("nul.yaml", "a: \0", 4), &text, &err), SDN_FORMAT);
  assert_non_null(strstr(err.text, "NUL"));
  const size_t n = ((size_t)16 << 20) + 1;
  char *large = malloc(n);
  memset(large, '#', n);
  assert_int_equal(sdn_read_text_file(scratch_write("large.yaml", large, n), &text, &err), SDN_FORMAT);
  assert_non_null(strstr(err.text, "larger than 16 MiB"));
  free(large);
  assert_null(text);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(mistakes_are_named_with_their_line),
      cmocka_unit_test(depth_is_limited),
      cmocka_unit_test(the_number_of_values_is_limited),
      cmocka_unit_test(many_keys_take_no_time),
      cmocka_unit_test(damaged_files_give_a_tree_or_a_sentence),
      cmocka_unit_test(files_that_cannot_be_text_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
