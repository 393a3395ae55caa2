/* SPDX-License-Identifier: GPL-3.0-or-later */
/* YAML as a tree with line numbers, over libyaml. Anchors, tags and multiple documents are refused: the files are small and plain. */
#ifndef SDN_BASE_YAML_H
#define SDN_BASE_YAML_H

#include "base/memory.h"

typedef enum sdn_yaml_kind { SDN_YAML_SCALAR, SDN_YAML_LIST, SDN_YAML_MAP } sdn_yaml_kind;

typedef struct sdn_yaml sdn_yaml;
struct sdn_yaml {
  sdn_yaml_kind kind;
  int line;                 /* 1-based */
  const char *origin;       /* file name for messages */
  const char *text;         /* scalar */
  bool quoted;              /* scalar written in quotes */
  size_t n;                 /* items of a list or map */
  const char **key;         /* [n], map */
  int *key_line;            /* [n], map: 1-based line of each key */
  sdn_yaml **item;          /* [n] */
};

/* Duplicate keys are errors. The tree owns everything; freed by sdn_yaml_free(root). */
sdn_status sdn_yaml_parse(const char *text, const char *origin, sdn_yaml **root, sdn_err *err);
/* The same for YAML that other programs wrote (ECSV headers): tags and anchors are passed over, an alias reads as the text "*NAME". */
sdn_status sdn_yaml_parse_foreign(const char *text, const char *origin, sdn_yaml **root, sdn_err *err);
void sdn_yaml_free(sdn_yaml *root);
/* The whole file as text (<= 16 MiB), freed by sdn_release. */
sdn_status sdn_read_text_file(const char *path, char **text, sdn_err *err);

const sdn_yaml *sdn_yaml_get(const sdn_yaml *map, const char *key);      /* NULL if absent or map is NULL or no map */
bool sdn_yaml_is_number(const sdn_yaml *node);                            /* an unquoted scalar that reads as a finite number */
/* Errors of the readers below name file, line, key and what was expected. An absent key leaves *out as it is, unless required. */
sdn_status sdn_yaml_number(const sdn_yaml *map, const char *key, bool required, double *out, sdn_err *err);
sdn_status sdn_yaml_integer(const sdn_yaml *map, const char *key, bool required, long *out, sdn_err *err);
sdn_status sdn_yaml_text(const sdn_yaml *map, const char *key, bool required, const char **out, sdn_err *err);
/* A list of numbers (a lone number is a list of one): *out freed by sdn_release. */
sdn_status sdn_yaml_numbers(const sdn_yaml *map, const char *key, bool required, double **out, size_t *n, sdn_err *err);
/* err SDN_USAGE for a key that is not among `known`: names file, line, the key and the nearest known one. */
sdn_status sdn_yaml_only_keys(const sdn_yaml *map, const char *const *known, size_t n_known, sdn_err *err);
/* "FILE:LINE: " + sentence, SDN_USAGE. */
sdn_status sdn_yaml_fail(const sdn_yaml *node, sdn_err *err, const char *fmt, ...) SDN_PRINTF(3, 4);

#endif
