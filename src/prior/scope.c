/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Several parts of a model may declare the same parameters (two populations, each with its dust): each declares in a scope of its own. */
#include <string.h>

#include "prior/store.h"

static char *joined(const char *a, const char *b, sdn_err *err)
{
  const size_t n_a = strlen(a), n_b = strlen(b);
  char *text = sdn_alloc(n_a + n_b + 1, 1, "a name", err);
  if (!text) return NULL;
  memcpy(text, a, n_a);
  memcpy(text + n_a, b, n_b);
  return text;
}

const char *sdn_prior_prefix(const sdn_prior *p) { return p->scope ? p->scope->prefix : ""; }
char *sdn_scope_name(const sdn_prior *p, const char *name, sdn_err *err) { return joined(sdn_prior_prefix(p), name, err); }

sdn_status sdn_prior_scope_enter(sdn_prior *p, const char *prefix, sdn_err *err)
{
  sdn_scope *scope = sdn_alloc(1, sizeof *scope, "a scope of names", err);
  if (!scope) return err->status;
  *scope = (sdn_scope){.prefix = joined(sdn_prior_prefix(p), prefix, err), .outer = p->scope, .before = p->last_scope};
  if (!scope->prefix) {
    sdn_release(scope);
    return err->status;
  }
  p->scope = p->last_scope = scope;
  return SDN_OK;
}

void sdn_prior_scope_leave(sdn_prior *p)
{
  if (p->scope) p->scope = p->scope->outer;
}

sdn_status sdn_prior_scope(sdn_prior *p, const char *prefix, sdn_err *err)
{
  p->scope = NULL;
  return prefix[0] ? sdn_prior_scope_enter(p, prefix, err) : SDN_OK;
}

/* Is text = prefix + name? */
static bool is_joined(const char *text, const char *prefix, const char *name)
{
  const size_t n = strlen(prefix);
  return strncmp(text, prefix, n) == 0 && strcmp(text + n, name) == 0;
}

int sdn_scope_find(const sdn_prior *p, const sdn_scope *scope, const char *name, const sdn_param *self)
{
  int own = -1;
  for (; scope; scope = scope->outer)
    for (int i = 0; i < p->n; i++) {
      if (!is_joined(p->param[i].name, scope->prefix, name)) continue;
      if (&p->param[i] != self) return i;
      own = i;
    }
  const int plain = sdn_prior_param_index(p, name);
  return plain >= 0 ? plain : own;
}

sdn_status sdn_prior_bind(sdn_prior *p, const char *name, int *index, sdn_err *err)
{
  sdn_binding made = {.name = sdn_copy_text(name, err), .scope = p->scope, .index = index};
  void *array = p->binding;
  *index = -1;
  if (!made.name) return err->status;
  if (sdn_prior_make_room(&array, p->n_binding, p->n_binding + 1, sizeof made, err)) {
    sdn_release(made.name);
    return err->status;
  }
  p->binding = array;
  p->binding[p->n_binding++] = made;
  return SDN_OK;
}

sdn_status sdn_prior_fill_bindings(sdn_prior *p, sdn_err *err)
{
  for (size_t b = 0; b < p->n_binding; b++) {
    const sdn_binding *binding = &p->binding[b];
    *binding->index = sdn_scope_find(p, binding->scope, binding->name, NULL);
    if (*binding->index < 0)
      return sdn_fail(err, SDN_USAGE, "the prior has no parameter %s%s, which a part of the model needs", binding->scope ? binding->scope->prefix : "",
                      binding->name);
  }
  return SDN_OK;
}

void sdn_prior_free_scopes(sdn_prior *p)
{
  while (p->last_scope) {
    sdn_scope *before = p->last_scope->before;
    sdn_release(p->last_scope->prefix);
    sdn_release(p->last_scope);
    p->last_scope = before;
  }
  for (size_t b = 0; b < p->n_binding; b++) sdn_release(p->binding[b].name);
  sdn_release(p->binding);
}
