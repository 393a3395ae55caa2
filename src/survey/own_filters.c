/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A survey's own filter curves, wavelengths and resolutions: files named relative to the survey's folder (else to the current one). Their absolute paths take their place in the
 * text, which libraries and posteriors carry: it then means the same from any folder. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "physics/filter.h"
#include "survey/parse.h"

/* Whether an id needs no search: another kind of observable or a top-hat, a whole path, or a shipped filter (which comes first, as in sdn_filter_read). */
static bool stands_alone(const char *id)
{
  char name[160];
  sdn_err hidden;
  static const char *const without[] = {"tophat:", "pixel:", "line:", "line_luminosity:", "line_ew:", "/"};
  for (size_t i = 0; i < sizeof without / sizeof *without; i++)
    if (!strncmp(id, without[i], strlen(without[i]))) return true;
  if (id[0] == '.' || strlen(id) + sizeof ".dat" > sizeof name) return false;
  snprintf(name, sizeof name, "%s.dat", id);
  char *shipped = sdn_data_path("filters", name, &hidden);
  sdn_release(shipped);
  return shipped != NULL;
}

/* The whole path of `id` in `folder` ("" for the current one); false: there is no such file. */
static bool find_in(const char *folder, const char *id, char *path, size_t size)
{
  char here[2048] = "";
  if (folder[0] != '/' && !getcwd(here, sizeof here)) return false;
  int n = snprintf(path, size, "%s%s%s%s%s", here, here[0] && folder[0] ? "/" : "", folder, strcmp(folder, "/") ? "/" : "", id);
  return n > 0 && (size_t)n < size && sdn_file_exists(path);
}

/* Where the scalar `node`, whose key is or ends in `word`, stands in `text`, quotes included; NULL when its line spells it in another way. */
static const char *place_of(const char *text, const sdn_yaml *node, const char *word, size_t *length)
{
  const char *line = text;
  for (int i = 1; i < node->line && line; i++)
    if ((line = strchr(line, '\n'))) line++;
  if (!line) return NULL;
  const char *end = line + strcspn(line, "\n"), *key = strstr(line, word);
  size_t n = strlen(node->text);
  for (const char *at = strstr(key && key < end ? key : line, node->text); at && at < end; at = strstr(at + 1, node->text)) {
    if (at == text || !strchr(" \t:\"'", at[-1]) || !strchr(" \t\r\n,}\"'", at[n])) continue;
    *length = n + (node->quoted ? 2 : 0);
    return node->quoted ? at - 1 : at;
  }
  return NULL;
}

static sdn_status put_path(const sdn_yaml *node, const char *word, const char *path, char **text, sdn_err *err)
{
  size_t length = 0;
  const char *at = place_of(*text, node, word, &length);
  if (!at) return sdn_yaml_fail(node, err, "%s '%s': write this path on the line of the word %s, without escapes", word, node->text, word);
  sdn_text out = {0};
  sdn_text_add_bytes(&out, *text, (size_t)(at - *text));
  sdn_text_add_json_string(&out, path);
  sdn_text_add(&out, "%s", at + length);
  sdn_status status = sdn_text_done(&out, err);
  char *copy = status == SDN_OK ? sdn_copy_text(out.data, err) : NULL;
  sdn_text_free(&out);
  if (!copy) return err->status;
  sdn_release(*text);
  *text = copy;
  return SDN_OK;
}

static sdn_status place_filter(const sdn_yaml *node, const char *folder, char **text, sdn_err *err)
{
  sdn_filter *none = NULL;
  if (stands_alone(node->text)) return SDN_OK;
  char path[8192];
  if (find_in(folder, node->text, path, sizeof path) || find_in("", node->text, path, sizeof path)) return put_path(node, "filter", path, text, err);
  sdn_status status = sdn_filter_read(node->text, &none, err);   /* its sentence names the nearest shipped filter */
  sdn_filter_free(none);
  return status == SDN_OK ? SDN_OK : sdn_fail_in(err, "%s:%d: no such file in %s%sthe current folder, nor a shipped filter", node->origin, node->line, folder,
                                               *folder ? " or in " : "");
}

static sdn_status place_file(const sdn_yaml *node, const char *folder, char **text, sdn_err *err)
{
  char path[8192];
  if (node->text[0] == '/') return SDN_OK;
  if (find_in(folder, node->text, path, sizeof path) || find_in("", node->text, path, sizeof path)) return put_path(node, "file", path, text, err);
  return sdn_yaml_fail(node, err, "there is no file '%s' in %s%sthe current folder", node->text, folder, *folder ? " or in " : "");
}

/* Every scalar under one of the keys in the tree. */
static sdn_status place_all(const sdn_yaml *node, const char *folder, char **text, sdn_err *err)
{
  for (size_t i = 0; node->kind != SDN_YAML_SCALAR && i < node->n; i++) {
    const sdn_yaml *item = node->item[i];
    const char *key = node->kind == SDN_YAML_MAP ? node->key[i] : "";
    const bool scalar = item->kind == SDN_YAML_SCALAR && *item->text;
    sdn_status status = SDN_OK;
    if (scalar && !strcmp(key, "filter")) status = place_filter(item, folder, text, err);
    else if (scalar && (!strcmp(key, "file") || !strcmp(key, "edges_file"))) status = place_file(item, folder, text, err);
    else status = place_all(item, folder, text, err);
    if (status) return status;
  }
  return SDN_OK;
}

sdn_status sdn_survey_place_filters(const char *path, char **text, sdn_err *err)
{
  sdn_yaml *root = NULL;
  const char *slash = strrchr(path, '/');
  char *folder = slash ? sdn_copy_text_n(path, slash == path ? 1 : (size_t)(slash - path), err) : sdn_copy_text("", err);
  if (!folder) return err->status;
  sdn_status status = sdn_yaml_parse(*text, path, &root, err);
  const char *const lists[] = {"bands", "spectra"};
  for (int k = 0; k < 2 && status == SDN_OK; k++) {
    const sdn_yaml *list = sdn_yaml_get(root, lists[k]);
    if (list) status = place_all(list, folder, text, err);
  }
  sdn_yaml_free(root);
  sdn_release(folder);
  return status;
}
