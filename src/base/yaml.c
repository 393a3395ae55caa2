/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text to tree: libyaml's events, gathered by recursion into nodes that live in one arena. */
#include "base/yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

#define MAX_TEXT ((size_t)16 << 20)
#define MAX_DEPTH 32          /* levels; ours need five */
#define MAX_NODE 1000000L     /* keeps the tree of the largest text below about 300 MB */

/* The root, and the arena that holds all nodes, this one included. */
typedef struct tree { sdn_yaml root; sdn_arena *arena; } tree;

typedef struct builder {
  yaml_parser_t parser;
  sdn_arena *arena;
  const char *origin, *source;
  bool foreign;
  long n_node;
  sdn_err *err;
} builder;

typedef struct entry entry;   /* an item of a list or map that is still being read */
struct entry { entry *next; const char *key; int key_line; sdn_yaml *item; };

static int line_of(const yaml_event_t *event) { return (int)event->start_mark.line + 1; }

static sdn_status refuse(builder *b, int line, const char *what)
{
  return sdn_fail(b->err, SDN_USAGE, "%s:%d: %s", b->origin, line, what);
}

static int line_at(const char *text, size_t offset)
{
  int line = 1;
  for (size_t i = 0; i < offset && text[i]; i++) line += text[i] == '\n';
  return line;
}

static sdn_status syntax_error(builder *b)
{
  const yaml_parser_t *p = &b->parser;
  const char *problem = p->problem ? p->problem : "unreadable";
  if (p->error == YAML_MEMORY_ERROR) return sdn_fail(b->err, SDN_MEMORY, "no memory to read %s", b->origin);
  if (p->error == YAML_READER_ERROR)
    return sdn_fail(b->err, SDN_USAGE, "%s:%d: not YAML text: %s; the file must be UTF-8", b->origin,
                    line_at(b->source, p->problem_offset), problem);
  const char *hint = strstr(problem, "cannot start any token") ? " (YAML is indented by spaces, never tabs)" : "";
  const int line = (int)p->problem_mark.line + 1;
  if (!p->context) return sdn_fail(b->err, SDN_USAGE, "%s:%d: not YAML: %s%s", b->origin, line, problem, hint);
  return sdn_fail(b->err, SDN_USAGE, "%s:%d: not YAML: %s %s that begins in line %d%s", b->origin, line, problem, p->context,
                  (int)p->context_mark.line + 1, hint);
}

static sdn_status next_event(builder *b, yaml_event_t *event)
{
  memset(event, 0, sizeof *event);
  return yaml_parser_parse(&b->parser, event) ? SDN_OK : syntax_error(b);
}

static char *keep_text(builder *b, const char *text, size_t n)
{
  char *copy = sdn_arena_take(b->arena, n + 1, 1, b->err);
  if (!copy) return NULL;
  memcpy(copy, text, n);
  copy[n] = '\0';
  return copy;
}

static sdn_yaml *new_node(builder *b, sdn_yaml_kind kind, int line)
{
  if (++b->n_node > MAX_NODE) {
    sdn_fail(b->err, SDN_USAGE, "%s:%d: more than %ld values in one file", b->origin, line, MAX_NODE);
    return NULL;
  }
  sdn_yaml *node = sdn_arena_take(b->arena, 1, sizeof *node, b->err);
  if (node) *node = (sdn_yaml){.kind = kind, .line = line, .origin = b->origin};
  return node;
}

static sdn_yaml *build_node(builder *b, const yaml_event_t *event, int depth);

static sdn_yaml *build_scalar(builder *b, const yaml_event_t *event)
{
  const char *text = (const char *)event->data.scalar.value;
  size_t n = event->data.scalar.length;
  if (memchr(text, '\0', n)) {
    refuse(b, line_of(event), "a text holds the character NUL");
    return NULL;
  }
  sdn_yaml *node = new_node(b, SDN_YAML_SCALAR, line_of(event));
  if (!node || !(node->text = keep_text(b, text, n))) return NULL;
  node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
  return node;
}

static sdn_yaml *build_alias(builder *b, const yaml_event_t *event)
{
  sdn_yaml *node = new_node(b, SDN_YAML_SCALAR, line_of(event));
  const char *name = (const char *)event->data.alias.anchor;
  size_t n = strlen(name);
  char *text = node ? sdn_arena_take(b->arena, n + 2, 1, b->err) : NULL;
  if (!text) return NULL;
  text[0] = '*';
  memcpy(text + 1, name, n + 1);
  node->text = text;
  return node;
}

/* Arrays of the node out of the chain of its entries. */
static sdn_status set_items(builder *b, sdn_yaml *node, const entry *first, size_t n)
{
  const bool map = node->kind == SDN_YAML_MAP;
  node->n = n;
  node->item = sdn_arena_take(b->arena, n, sizeof *node->item, b->err);
  node->key = map && node->item ? sdn_arena_take(b->arena, n, sizeof *node->key, b->err) : NULL;
  node->key_line = node->key ? sdn_arena_take(b->arena, n, sizeof *node->key_line, b->err) : NULL;
  if (!node->item || (map && !node->key_line)) return b->err->status;
  size_t i = 0;
  for (const entry *e = first; e; e = e->next, i++) {
    node->item[i] = e->item;
    if (!map) continue;
    node->key[i] = e->key;
    node->key_line[i] = e->key_line;
  }
  return SDN_OK;
}

typedef struct named_line { const char *key; int line; } named_line;

static int by_key_then_line(const void *a, const void *b)
{
  const named_line *x = a, *y = b;
  int order = strcmp(x->key, y->key);
  return order ? order : (x->line > y->line) - (x->line < y->line);
}

/* Sorted, so that a map of very many keys costs no minutes. */
static sdn_status refuse_duplicates(builder *b, const sdn_yaml *map)
{
  named_line *sorted = sdn_alloc(map->n, sizeof *sorted, "the keys of a map", b->err);
  if (!sorted) return b->err->status;
  for (size_t i = 0; i < map->n; i++) sorted[i] = (named_line){map->key[i], map->key_line[i]};
  qsort(sorted, map->n, sizeof *sorted, by_key_then_line);
  sdn_status status = SDN_OK;
  for (size_t i = 1; i < map->n && !status; i++)
    if (strcmp(sorted[i - 1].key, sorted[i].key) == 0)
      status = sdn_fail(b->err, SDN_USAGE, "%s:%d: key '%s' was given in line %d already; keep one of the two", b->origin,
                        sorted[i].line, sorted[i].key, sorted[i - 1].line);
  sdn_release(sorted);
  return status;
}

/* Takes the key out of its event and moves the event on to the value's. */
static sdn_status read_key(builder *b, yaml_event_t *event, entry *e)
{
  const sdn_yaml *key = NULL;
  e->key_line = line_of(event);
  if (event->type == YAML_SCALAR_EVENT) key = build_node(b, event, MAX_DEPTH);
  else refuse(b, e->key_line, "a key must be a plain word");
  yaml_event_delete(event);
  if (!key) return b->err->status;
  e->key = key->text;
  return next_event(b, event);
}

/* Items up to the end event of a list or map; for a map each is a key and a value. */
static sdn_yaml *build_collection(builder *b, const yaml_event_t *start, sdn_yaml_kind kind, int depth)
{
  const yaml_event_type_t end = kind == SDN_YAML_MAP ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
  sdn_yaml *node = new_node(b, kind, line_of(start));
  entry *first = NULL, **last = &first;
  size_t n = 0;
  yaml_event_t event;
  while (node) {
    if (next_event(b, &event)) return NULL;
    if (event.type == end) break;
    entry *e = sdn_arena_take(b->arena, 1, sizeof *e, b->err);
    if (e) *e = (entry){0};
    if (e && kind == SDN_YAML_MAP && read_key(b, &event, e)) return NULL;
    if (e) e->item = build_node(b, &event, depth + 1);
    yaml_event_delete(&event);
    if (!e || !e->item) return NULL;
    *last = e;
    last = &e->next;
    n++;
  }
  if (!node) return NULL;
  yaml_event_delete(&event);
  if (set_items(b, node, first, n)) return NULL;
  return kind == SDN_YAML_MAP && refuse_duplicates(b, node) ? NULL : node;
}

static bool plain(const yaml_event_t *event)
{
  switch (event->type) {
  case YAML_SCALAR_EVENT: return !event->data.scalar.anchor && !event->data.scalar.tag;
  case YAML_SEQUENCE_START_EVENT: return !event->data.sequence_start.anchor && !event->data.sequence_start.tag;
  case YAML_MAPPING_START_EVENT: return !event->data.mapping_start.anchor && !event->data.mapping_start.tag;
  default: return event->type != YAML_ALIAS_EVENT;
  }
}

/* The node that begins with this event; reads on to its end. NULL with err set. The caller deletes the event. */
static sdn_yaml *build_node(builder *b, const yaml_event_t *event, int depth)
{
  if (!b->foreign && !plain(event)) {
    refuse(b, line_of(event), "anchors (&), aliases (*) and tags (!) are not supported; write the value out, in quotes if it is text");
    return NULL;
  }
  if (event->type == YAML_SCALAR_EVENT) return build_scalar(b, event);
  if (event->type == YAML_ALIAS_EVENT) return build_alias(b, event);
  if (depth >= MAX_DEPTH) {
    sdn_fail(b->err, SDN_USAGE, "%s:%d: nested deeper than %d levels", b->origin, line_of(event), MAX_DEPTH);
    return NULL;
  }
  return build_collection(b, event, event->type == YAML_MAPPING_START_EVENT ? SDN_YAML_MAP : SDN_YAML_LIST, depth);
}

/* The first document's root node into *root; a second document is refused. */
static sdn_status build_document(builder *b, sdn_yaml **root)
{
  yaml_event_t event;
  *root = NULL;
  for (;;) {
    if (next_event(b, &event)) return b->err->status;
    const yaml_event_type_t type = event.type;
    if (type == YAML_DOCUMENT_START_EVENT && *root)
      refuse(b, line_of(&event), "a second document begins here; one file holds one");
    else if (type == YAML_SCALAR_EVENT || type == YAML_ALIAS_EVENT || type == YAML_SEQUENCE_START_EVENT || type == YAML_MAPPING_START_EVENT)
      *root = build_node(b, &event, 0);
    yaml_event_delete(&event);
    if (b->err->status) return b->err->status;
    if (type == YAML_STREAM_END_EVENT) break;
  }
  if (!*root) return sdn_fail(b->err, SDN_USAGE, "%s: empty; expected 'key: value' lines", b->origin);
  return SDN_OK;
}

static sdn_status parse(const char *text, const char *origin, bool foreign, sdn_yaml **root, sdn_err *err)
{
  *root = NULL;
  if (strlen(text) > MAX_TEXT)
    return sdn_fail(err, SDN_USAGE, "%s: %zu bytes of YAML; the limit is %zu", origin, strlen(text), MAX_TEXT);
  builder b = {.source = text, .foreign = foreign, .err = err};
  sdn_yaml *node = NULL;
  sdn_err_clear(err);
  b.arena = sdn_arena_new(err);
  if (!b.arena) return err->status;
  tree *t = sdn_arena_take(b.arena, 1, sizeof *t, err);
  b.origin = t ? keep_text(&b, origin, strlen(origin)) : NULL;
  if (b.origin && yaml_parser_initialize(&b.parser)) {
    yaml_parser_set_input_string(&b.parser, (const unsigned char *)text, strlen(text));
    build_document(&b, &node);
    yaml_parser_delete(&b.parser);
  } else if (b.origin) {
    sdn_fail(err, SDN_MEMORY, "no memory to read %s", origin);
  }
  if (err->status) {
    sdn_arena_free(b.arena);
    return err->status;
  }
  *t = (tree){.root = *node, .arena = b.arena};
  *root = &t->root;
  return SDN_OK;
}

sdn_status sdn_yaml_parse(const char *text, const char *origin, sdn_yaml **root, sdn_err *err)
{
  return parse(text, origin, false, root, err);
}

sdn_status sdn_yaml_parse_foreign(const char *text, const char *origin, sdn_yaml **root, sdn_err *err)
{
  return parse(text, origin, true, root, err);
}

void sdn_yaml_free(sdn_yaml *root)
{
  if (root) sdn_arena_free(((tree *)(void *)root)->arena);
}

/* Reads an open file to its end; its size as the system told it is only a guess. */
static sdn_status read_all(FILE *file, const char *path, char **text, sdn_err *err)
{
  size_t n = 0, room = (size_t)64 << 10;
  char *buffer = sdn_alloc(room, 1, "a text file", err);
  while (buffer) {
    n += fread(buffer + n, 1, room - n, file);
    if (n < room) break;
    char *larger = room > MAX_TEXT ? NULL : sdn_alloc(room * 2, 1, "a text file", err);
    if (larger) memcpy(larger, buffer, n);
    else if (room > MAX_TEXT) sdn_fail(err, SDN_FORMAT, "%s is larger than %zu MiB; is it a text file?", path, MAX_TEXT >> 20);
    sdn_release(buffer);
    buffer = larger;
    room *= 2;
  }
  if (!buffer) return err->status;
  if (ferror(file)) sdn_fail(err, SDN_IO, "cannot read %s: %s", path, strerror(errno));
  else if (n > MAX_TEXT) sdn_fail(err, SDN_FORMAT, "%s is larger than %zu MiB; is it a text file?", path, MAX_TEXT >> 20);
  else if (memchr(buffer, '\0', n)) sdn_fail(err, SDN_FORMAT, "%s is no text file: it holds NUL bytes (UTF-8 is expected)", path);
  if (err->status) {
    sdn_release(buffer);
    return err->status;
  }
  buffer[n] = '\0';   /* n < room */
  *text = buffer;
  return SDN_OK;
}

sdn_status sdn_read_text_file(const char *path, char **text, sdn_err *err)
{
  struct stat info;
  *text = NULL;
  sdn_err_clear(err);
  if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) return sdn_fail(err, SDN_IO, "cannot read %s: it is a folder", path);
  FILE *file = fopen(path, "rb");
  if (!file) return sdn_fail(err, SDN_IO, "cannot read %s: %s", path, strerror(errno));
  sdn_status status = read_all(file, path, text, err);
  fclose(file);
  return status;
}
