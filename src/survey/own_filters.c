/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A survey's own filter curves: files named relative to the survey's folder (else to the current one). Their absolute paths take their place in the
 * text, which libraries and posteriors carry: it then means the same from any folder. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "physics/filter.h"
#include "survey/parse.h"

/* Whether an id needs no search: a top-hat, a whole path, or a shipped filter (which comes first, as in sdn_filter_read). */
static bool stands_alone(const char *id)
{
  char name[160];
  sdn_err hidden;
  if (!strncmp(id, "tophat:", 7) || id[0] == '/') return true;
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

/* Where the scalar `node` stands in `text`, quotes included; NULL when its line spells it in another way. */
static const char *place_of(const char *text, const sdn_yaml *node, size_t *length)
{
  const char *line = text;
  for (int i = 1; i < node->line && line; i++)
    if ((line = strchr(line, '\n'))) line++;
  if (!line) return NULL;
  const char *end = line + strcspn(line, "\n"), *key = strstr(line, "filter");
  size_t n = strlen(node->text);
  for (const char *at = strstr(key && key < end ? key : line, node->text); at && at < end; at = strstr(at + 1, node->text)) {
    if (at == text || !strchr(" \t:\"'", at[-1]) || !strchr(" \t\r\n,}\"'", at[n])) continue;
    *length = n + (node->quoted ? 2 : 0);
    return node->quoted ? at - 1 : at;
  }
  return NULL;
}

static sdn_status put_path(const sdn_yaml *node, const char *path, char **text, sdn_err *err)
{
  size_t length = 0;
  const char *at = place_of(*text, node, &length);
  if (!at) return sdn_yaml_fail(node, err, "filter '%s': write this path on the line of the word filter, without escapes", node->text);
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
  if (find_in(folder, node->text, path, sizeof path) || find_in("", node->text, path, sizeof path)) return put_path(node, path, text, err);
  sdn_status status = sdn_filter_read(node->text, &none, err);   /* its sentence names the nearest shipped filter */
  sdn_filter_free(none);
  return status == SDN_OK ? SDN_OK : sdn_fail_in(err, "%s:%d: no such file in %s%sthe current folder, nor a shipped filter", node->origin, node->line, folder,
                                               *folder ? " or in " : "");
}

sdn_status sdn_survey_place_filters(const char *path, char **text, sdn_err *err)
{
  sdn_yaml *root = NULL;
  const char *slash = strrchr(path, '/');
  char *folder = slash ? sdn_copy_text_n(path, slash == path ? 1 : (size_t)(slash - path), err) : sdn_copy_text("", err);
  if (!folder) return err->status;
  sdn_status status = sdn_yaml_parse(*text, path, &root, err);
  const sdn_yaml *bands = status == SDN_OK ? sdn_yaml_get(root, "bands") : NULL;
  for (size_t b = 0; bands && bands->kind == SDN_YAML_LIST && b < bands->n && status == SDN_OK; b++) {
    const sdn_yaml *filter = sdn_yaml_get(bands->item[b], "filter");
    if (filter && filter->kind == SDN_YAML_SCALAR && *filter->text) status = place_filter(filter, folder, text, err);
  }
  sdn_yaml_free(root);
  sdn_release(folder);
  return status;
}
