/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>

#include <cmocka.h>

#include "base/parallel.h"

enum { N_TILE = 500 };

typedef struct work {
  atomic_int seen[N_TILE];
  double result[N_TILE];
  atomic_long n_run;
  volatile int *stop;
  long fail_at[2], stop_at, wait_at;   /* tiles, -1: none */
} work;

static sdn_status one_tile(void *ctx, long tile, sdn_arena *arena, sdn_err *err)
{
  work *w = ctx;
  double *scratch = sdn_arena_take(arena, 1000, sizeof *scratch, err);
  if (!scratch) return err->status;
  for (int i = 0; i < 1000; i++) scratch[i] = 1.0 / (double)(tile + i + 1);
  double sum = 0;
  for (int i = 0; i < 1000; i++) sum += scratch[i];
  w->result[tile] = sum;
  atomic_fetch_add(&w->seen[tile], 1);
  atomic_fetch_add(&w->n_run, 1);
  if (tile == w->wait_at)   /* until the next tile is through, which another worker has; not for ever, should there be no other */
    for (const double start = sdn_seconds(); !atomic_load(&w->seen[tile + 1]) && sdn_seconds() < start + 2;) continue;
  if (w->stop && tile == w->stop_at) *w->stop = 1;
  if (tile == w->fail_at[0] || tile == w->fail_at[1]) return sdn_fail_row(err, SDN_NUMERIC, tile, "tile %ld failed", tile);
  return SDN_OK;
}

static void every_tile_runs_once_for_any_thread_count(void **state)
{
  (void)state;
  static work one, many;
  sdn_err err;
  for (int n_thread = 1; n_thread <= 7; n_thread += 3) {
    work *w = n_thread == 1 ? &one : &many;
    *w = (work){.fail_at = {-1, -1}, .wait_at = -1};
    const sdn_run run = {.n_thread = n_thread};
    assert_int_equal(sdn_parallel_tiles(N_TILE, one_tile, w, &run, NULL, &err), SDN_OK);
    for (int i = 0; i < N_TILE; i++) assert_int_equal(atomic_load(&w->seen[i]), 1);
    assert_memory_equal(w->result, one.result, sizeof one.result);
  }
  assert_int_equal(sdn_parallel_tiles(0, one_tile, &one, NULL, "nothing", &err), SDN_OK);
}

static void the_lowest_failure_is_reported(void **state)
{
  (void)state;
  static work w;
  sdn_err err;
  for (int turn = 0; turn < 50; turn++) {
    w = (work){.fail_at = {41, 40}, .wait_at = turn % 2 ? 40 : -1};   /* in every other turn the higher failure comes first */
    const sdn_run run = {.n_thread = 4};
    assert_int_equal(sdn_parallel_tiles(N_TILE, one_tile, &w, &run, NULL, &err), SDN_NUMERIC);
    assert_string_equal(err.text, "tile 40 failed");
    assert_int_equal(err.row, 40);
  }
  w = (work){.fail_at = {41, 40}, .wait_at = -1};
  const sdn_run alone = {.n_thread = 1};
  assert_int_equal(sdn_parallel_tiles(N_TILE, one_tile, &w, &alone, NULL, &err), SDN_NUMERIC);
  assert_int_equal(atomic_load(&w.n_run), 41);   /* none begins after the failure; with more workers how many do is chance */
}

static void a_stop_ends_it(void **state)
{
  (void)state;
  static work w;
  volatile int stop = 0;
  sdn_err err;
  const sdn_run run = {.n_thread = 3, .stop = &stop};
  w = (work){.fail_at = {-1, -1}, .stop = &stop, .stop_at = 20, .wait_at = -1};
  const sdn_status status = sdn_parallel_tiles(N_TILE, one_tile, &w, &run, "galaxies", &err);
  assert_true(atomic_load(&w.n_run) >= 21);
  assert_int_equal(status, atomic_load(&w.n_run) < N_TILE ? SDN_INTERRUPTED : SDN_OK);   /* the others may have finished all while one was about to stop them */
  assert_true(sdn_stopped(&run));
  assert_false(sdn_stopped(NULL));
  const sdn_run alone = {.n_thread = 1, .stop = &stop};
  w = (work){.fail_at = {-1, -1}, .stop = &stop, .stop_at = 20, .wait_at = -1};
  stop = 0;
  assert_int_equal(sdn_parallel_tiles(N_TILE, one_tile, &w, &alone, "galaxies", &err), SDN_INTERRUPTED);
  assert_int_equal(atomic_load(&w.n_run), 21);
  assert_non_null(strstr(err.text, "galaxies"));
  /* a stop that comes with the last tile finds nothing to stop */
  w = (work){.fail_at = {-1, -1}, .stop = &stop, .stop_at = N_TILE - 1, .wait_at = -1};
  stop = 0;
  assert_int_equal(sdn_parallel_tiles(N_TILE, one_tile, &w, &alone, NULL, &err), SDN_OK);
}

typedef struct listener { int n, inside, overlap, backward; double last, total; const char *what; } listener;

static void listen(void *ctx, const char *what, double done, double total, const char *detail)
{
  listener *l = ctx;
  (void)detail;
  if (l->inside++) l->overlap++;
  if (done < l->last) l->backward++;
  l->last = done;
  l->total = total;
  l->what = what;
  l->n++;
  l->inside--;
}

static void progress_is_calm_and_complete(void **state)
{
  (void)state;
  static work w;
  listener l = {0};
  sdn_err err;
  w = (work){.fail_at = {-1, -1}, .wait_at = -1};
  const sdn_run run = {.n_thread = 4, .progress = listen, .progress_ctx = &l};
  const double start = sdn_seconds();
  assert_int_equal(sdn_parallel_tiles(N_TILE, one_tile, &w, &run, "tiles", &err), SDN_OK);
  const double seconds = sdn_seconds() - start;
  assert_true(l.n >= 1 && l.n <= 2 + seconds / 0.1);
  assert_true(l.last == N_TILE && l.total == N_TILE && l.overlap == 0 && l.backward == 0);
  assert_string_equal(l.what, "tiles");
  l = (listener){0};
  for (int i = 1; i <= 10000; i++) sdn_progress(&run, "steps", i, 10000, NULL);
  assert_true(l.n >= 2 && l.n <= 20 && l.last == 10000);
  sdn_progress(&run, "steps", 10, 10000, NULL);   /* begins anew */
  assert_true(l.last == 10);
  sdn_progress(NULL, "steps", 1, 2, NULL);
}

static sdn_status remember_arena(void *ctx, long tile, sdn_arena *arena, sdn_err *err)
{
  void **place = ctx;
  place[tile] = sdn_arena_take(arena, 1 << 20, 1, err);
  return place[tile] ? SDN_OK : err->status;
}

static void a_crew_keeps_its_arenas(void **state)
{
  (void)state;
  sdn_crew *crew;
  sdn_err err;
  void *first[1], *later[1];
  const sdn_run run = {.n_thread = 2};
  assert_int_equal(sdn_crew_new(&run, &crew, &err), SDN_OK);
  assert_int_equal(sdn_crew_tiles(crew, 1, remember_arena, first, &err), SDN_OK);
  for (int i = 0; i < 10; i++) {
    assert_int_equal(sdn_crew_tiles(crew, 1, remember_arena, later, &err), SDN_OK);
    assert_ptr_equal(first[0], later[0]);
  }
  sdn_crew_free(crew);
  sdn_crew_free(NULL);
  assert_int_equal(sdn_n_thread(&run), 2);
  assert_true(sdn_n_thread(NULL) >= 1);
}

static sdn_status inner(void *ctx, long tile, sdn_arena *arena, sdn_err *err)
{
  (void)arena;
  (void)err;
  atomic_fetch_add((atomic_long *)ctx, tile);
  return SDN_OK;
}

static sdn_status outer(void *ctx, long tile, sdn_arena *arena, sdn_err *err)
{
  (void)tile;
  (void)arena;
  const sdn_run run = {.n_thread = 4};
  return sdn_parallel_tiles(10, inner, ctx, &run, NULL, err);
}

static void loops_may_be_nested(void **state)
{
  (void)state;
  atomic_long sum = 0;
  sdn_err err;
  const sdn_run run = {.n_thread = 3};
  assert_int_equal(sdn_parallel_tiles(20, outer, &sum, &run, NULL, &err), SDN_OK);
  assert_int_equal(atomic_load(&sum), 20 * 45);
}

static sdn_status note_memory(void *ctx, long tile, sdn_arena *arena, sdn_err *err)
{
  void **where = ctx;
  (void)tile;
  *where = sdn_arena_take(arena, 1000, 8, err);
  return *where ? SDN_OK : err->status;
}

/* What a sampler relies on: its thousandth call finds the memory of the first. */
static void memory_waits_for_the_next_call(void **state)
{
  (void)state;
  void *first = NULL, *again = NULL;
  sdn_err err;
  assert_int_equal(sdn_parallel_tiles(1, note_memory, &first, NULL, NULL, &err), SDN_OK);
  for (int i = 0; i < 100; i++) {
    assert_int_equal(sdn_parallel_tiles(1, note_memory, &again, NULL, NULL, &err), SDN_OK);
    assert_ptr_equal(again, first);
  }
}

/* Writes its own mark all over its memory and finds it unchanged. */
static sdn_status keep_mark(void *ctx, long tile, sdn_arena *arena, sdn_err *err)
{
  const long mark = *(const int *)ctx * 1000L + tile;
  enum { N = 3000 };
  long *mine = sdn_arena_take(arena, N, sizeof *mine, err);
  if (!mine) return err->status;
  for (int i = 0; i < N; i++) mine[i] = mark;
  for (int i = 0; i < N; i++)
    if (mine[i] != mark) return sdn_fail(err, SDN_NUMERIC, "memory is shared");
  return SDN_OK;
}

static void *call_often(void *ctx)
{
  const sdn_run run = {.n_thread = 2};
  sdn_err err;
  for (int i = 0; i < 200; i++)
    if (sdn_parallel_tiles(1 + i % 4, keep_mark, ctx, &run, NULL, &err)) return ctx;
  return NULL;
}

static void callers_share_no_memory(void **state)
{
  enum { N_CALLER = 5 };
  pthread_t caller[N_CALLER];
  int name[N_CALLER];
  (void)state;
  for (int i = 0; i < N_CALLER; i++) {
    name[i] = i;
    assert_int_equal(pthread_create(&caller[i], NULL, call_often, &name[i]), 0);
  }
  for (int i = 0; i < N_CALLER; i++) {
    void *failed = NULL;
    pthread_join(caller[i], &failed);
    assert_null(failed);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_tile_runs_once_for_any_thread_count), cmocka_unit_test(the_lowest_failure_is_reported),
    cmocka_unit_test(a_stop_ends_it),                            cmocka_unit_test(progress_is_calm_and_complete),
    cmocka_unit_test(a_crew_keeps_its_arenas),                   cmocka_unit_test(loops_may_be_nested),
    cmocka_unit_test(memory_waits_for_the_next_call),            cmocka_unit_test(callers_share_no_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
