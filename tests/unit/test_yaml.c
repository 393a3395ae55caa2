/* SPDX-License-Identifier: GPL-3.0-or-later */
/* YAML trees and the typed readers. Expected values stand in the YAML text itself. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/yaml.h"
#include "support/scratch.h"

static const char MODEL[] =
    "grid: bc03            # a comment\n"
    "redshift: {prior: uniform, low: 0.01, high: 14}\n"
    "stars:\n"
    "  mass: \"12\"\n"
    "  gaps:\n"
    "    - 1\n"
    "    - 2.5e-3\n"
    "    - -4\n"
    "count: 1e6\n"
    "lone: 7\n"
    "empty:\n"
    "words: [a, 'b c', \"d\\ne\"]\n"
    "nothing: []\n";

static sdn_err err;
static sdn_yaml *root;

static int parse_model(void **unused)
{
  (void)unused;
  return (int)sdn_yaml_parse(MODEL, "model.yaml", &root, &err);
}

static int free_model(void **unused)
{
  (void)unused;
  sdn_yaml_free(root);
  return 0;
}

static void assert_says(const char *part)
{
  if (!strstr(err.text, part)) fail_msg("'%s' is not in: %s", part, err.text);
}

static void tree_has_the_shape_and_lines_of_the_text(void **unused)
{
  (void)unused;
  assert_int_equal(root->kind, SDN_YAML_MAP);
  assert_int_equal(root->n, 8);
  assert_string_equal(root->key[1], "redshift");
  assert_int_equal(root->key_line[2], 3);
  const sdn_yaml *stars = sdn_yaml_get(root, "stars");
  assert_int_equal(stars->kind, SDN_YAML_MAP);
  const sdn_yaml *gaps = sdn_yaml_get(stars, "gaps");
  assert_int_equal(gaps->kind, SDN_YAML_LIST);
  assert_int_equal(gaps->n, 3);
  assert_int_equal(gaps->item[2]->line, 8);
  assert_string_equal(gaps->item[2]->origin, "model.yaml");
  const sdn_yaml *words = sdn_yaml_get(root, "words");
  assert_string_equal(words->item[1]->text, "b c");
  assert_string_equal(words->item[2]->text, "d\ne");
  assert_true(words->item[2]->quoted);
  assert_false(words->item[0]->quoted);
  assert_null(sdn_yaml_get(root, "mass"));
  assert_null(sdn_yaml_get(NULL, "mass"));
  assert_null(sdn_yaml_get(gaps, "mass"));
}

static void numbers_are_read_exactly(void **unused)
{
  double value = 5;
  long whole = 3;
  double *list = NULL;
  size_t n = 0;
  (void)unused;
  assert_int_equal(sdn_yaml_number(sdn_yaml_get(root, "redshift"), "low", true, &value, &err), SDN_OK);
  assert_true(value == 0.01);
  assert_int_equal(sdn_yaml_integer(root, "count", true, &whole, &err), SDN_OK);
  assert_int_equal(whole, 1000000);
  assert_int_equal(sdn_yaml_numbers(sdn_yaml_get(root, "stars"), "gaps", true, &list, &n, &err), SDN_OK);
  assert_int_equal(n, 3);
  assert_true(list[0] == 1 && list[1] == 2.5e-3 && list[2] == -4);
  sdn_release(list);
  assert_int_equal(sdn_yaml_numbers(root, "lone", true, &list, &n, &err), SDN_OK);
  assert_true(n == 1 && list[0] == 7);
  sdn_release(list);
}

static void an_absent_key_leaves_the_default(void **unused)
{
  double value = 5, *list = NULL;
  long whole = 3;
  const char *text = "kept";
  size_t n = 9;
  (void)unused;
  assert_int_equal(sdn_yaml_number(root, "absent", false, &value, &err), SDN_OK);
  assert_int_equal(sdn_yaml_number(NULL, "absent", false, &value, &err), SDN_OK);
  assert_int_equal(sdn_yaml_integer(root, "absent", false, &whole, &err), SDN_OK);
  assert_int_equal(sdn_yaml_text(root, "absent", false, &text, &err), SDN_OK);
  assert_int_equal(sdn_yaml_numbers(root, "absent", false, &list, &n, &err), SDN_OK);
  assert_true(value == 5 && whole == 3 && !strcmp(text, "kept") && !list && n == 9);
  assert_int_equal(sdn_yaml_number(root, "absent", true, &value, &err), SDN_USAGE);
  assert_says("model.yaml:1: key 'absent' is missing; expected a number");
}

static void wrong_kinds_are_named_with_their_line(void **unused)
{
  double value = 5, *list = NULL;
  long whole = 3;
  const char *text = NULL;
  size_t n = 0;
  (void)unused;
  assert_int_equal(sdn_yaml_number(root, "grid", true, &value, &err), SDN_USAGE);
  assert_says("model.yaml:1: key 'grid' is 'bc03'; expected a number");
  assert_int_equal(sdn_yaml_number(sdn_yaml_get(root, "stars"), "mass", true, &value, &err), SDN_USAGE);
  assert_says("model.yaml:4: key 'mass' is \"12\"; expected a number without quotes");
  assert_int_equal(sdn_yaml_number(root, "stars", true, &value, &err), SDN_USAGE);
  assert_says("holds a map");
  assert_int_equal(sdn_yaml_number(root, "empty", true, &value, &err), SDN_USAGE);
  assert_says("model.yaml:11: key 'empty' holds nothing; expected a number");
  assert_int_equal(sdn_yaml_integer(sdn_yaml_get(root, "redshift"), "low", true, &whole, &err), SDN_USAGE);
  assert_says("expected a whole number");
  assert_int_equal(sdn_yaml_text(root, "words", true, &text, &err), SDN_USAGE);
  assert_says("holds a list; expected text");
  assert_int_equal(sdn_yaml_numbers(root, "words", true, &list, &n, &err), SDN_USAGE);
  assert_says("'a'");
  assert_int_equal(sdn_yaml_numbers(root, "nothing", true, &list, &n, &err), SDN_USAGE);
  assert_says("empty list");
  assert_true(value == 5 && whole == 3 && !text && !list);
}

static void is_number_means_unquoted_and_finite(void **unused)
{
  static const struct { const char *yaml; bool number; } known[] = {
      {"1", true}, {"-1.5e3", true}, {"'1'", false}, {".inf", false}, {".nan", false}, {"nan", false}, {"0x10", false}, {"a + 1", false}, {"[1]", false}, {"1e999", false}};
  (void)unused;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    sdn_yaml *node;
    assert_int_equal(sdn_yaml_parse(known[i].yaml, "x", &node, &err), SDN_OK);
    if (sdn_yaml_is_number(node) != known[i].number) fail_msg("%s", known[i].yaml);
    sdn_yaml_free(node);
  }
  assert_false(sdn_yaml_is_number(NULL));
}

static void an_unknown_key_is_answered_by_the_nearest(void **unused)
{
  static const char *const all[] = {"grid", "redshift", "stars", "count", "lone", "empty", "words", "nothing"};
  static const char *const fewer[] = {"grid", "redshfit", "stars", "count", "lone", "empty", "words", "nothing"};
  (void)unused;
  assert_int_equal(sdn_yaml_only_keys(root, all, 8, &err), SDN_OK);
  assert_int_equal(sdn_yaml_only_keys(NULL, all, 8, &err), SDN_OK);
  assert_int_equal(sdn_yaml_only_keys(root, fewer, 8, &err), SDN_USAGE);
  assert_says("model.yaml:2: unknown key 'redshift'; did you mean 'redshfit'?");
  assert_int_equal(sdn_yaml_only_keys(root, all + 1, 2, &err), SDN_USAGE);
  assert_says("model.yaml:1: unknown key 'grid'; the keys known here are redshift, stars");
  assert_int_equal(sdn_yaml_only_keys(sdn_yaml_get(root, "words"), all, 8, &err), SDN_USAGE);
  assert_says("model.yaml:12: expected a map of keys and values, found a list");
}

static void foreign_yaml_may_have_tags_and_anchors(void **unused)
{
  sdn_yaml *tree;
  const char *text = "meta: !!omap\n- {a: &x 1}\n- {b: *x}\n";
  (void)unused;
  assert_int_equal(sdn_yaml_parse(text, "f", &tree, &err), SDN_USAGE);
  assert_says("f:1:");
  assert_int_equal(sdn_yaml_parse_foreign(text, "f", &tree, &err), SDN_OK);
  const sdn_yaml *list = sdn_yaml_get(tree, "meta");
  assert_string_equal(sdn_yaml_get(list->item[0], "a")->text, "1");
  assert_string_equal(sdn_yaml_get(list->item[1], "b")->text, "*x");
  sdn_yaml_free(tree);
}

static void a_text_file_is_read_whole(void **unused)
{
  char *text = NULL;
  const size_t n = 300000;
  char *long_text = malloc(n);
  (void)unused;
  memset(long_text, 'x', n);
  assert_int_equal(sdn_read_text_file(scratch_write("long.txt", long_text, n), &text, &err), SDN_OK);
  assert_int_equal(strlen(text), n);
  assert_memory_equal(text, long_text, n);
  sdn_release(text);
  assert_int_equal(sdn_read_text_file(scratch_write_text("empty.txt", ""), &text, &err), SDN_OK);
  assert_string_equal(text, "");
  sdn_release(text);
  free(long_text);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tree_has_the_shape_and_lines_of_the_text),
      cmocka_unit_test(numbers_are_read_exactly),
      cmocka_unit_test(an_absent_key_leaves_the_default),
      cmocka_unit_test(wrong_kinds_are_named_with_their_line),
      cmocka_unit_test(is_number_means_unquoted_and_finite),
      cmocka_unit_test(an_unknown_key_is_answered_by_the_nearest),
      cmocka_unit_test(foreign_yaml_may_have_tags_and_anchors),
      cmocka_unit_test(a_text_file_is_read_whole),
  };
  return cmocka_run_group_tests(tests, parse_model, free_model);
}
