/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/parallel.h"

#include <omp.h>
#include <stdatomic.h>
#include <time.h>

#define REPORT_EVERY 0.1   /* seconds between two progress reports */

double sdn_seconds(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int sdn_n_thread(const sdn_run *run)
{
  const int n = run && run->n_thread > 0 ? run->n_thread : omp_get_max_threads();
  return n > 0 ? n : 1;
}

bool sdn_stopped(const sdn_run *run) { return run && run->stop && *run->stop; }

void sdn_progress(const sdn_run *run, const char *what, double done, double total, const char *detail)
{
  static _Thread_local struct { const char *what; double done, next; } last;
  if (!run || !run->progress || !what) return;
  const double now = sdn_seconds();
  const bool same = what == last.what && done >= last.done;
  last.what = what;
  last.done = done;
  if (same && now < last.next && done < total) return;
  last.next = now + REPORT_EVERY;
  run->progress(run->progress_ctx, what, done, total, detail);
}

struct sdn_crew {
  sdn_run run;
  int n_worker;
  sdn_arena **arena;   /* [n_worker] */
};

void sdn_crew_free(sdn_crew *crew)
{
  if (!crew) return;
  for (int i = 0; crew->arena && i < crew->n_worker; i++) sdn_arena_free(crew->arena[i]);
  sdn_release(crew->arena);
  sdn_release(crew);
}

sdn_status sdn_crew_new(const sdn_run *run, sdn_crew **out, sdn_err *err)
{
  *out = NULL;
  sdn_crew *crew = sdn_alloc(1, sizeof *crew, "a crew of workers", err);
  if (!crew) return err->status;
  if (run) crew->run = *run;
  crew->n_worker = sdn_n_thread(run);
  crew->arena = sdn_alloc((size_t)crew->n_worker, sizeof *crew->arena, "a crew's arenas", err);
  if (!crew->arena) goto done;
  for (int i = 0; i < crew->n_worker; i++)
    if (!(crew->arena[i] = sdn_arena_new(err))) goto done;
  *out = crew;
  crew = NULL;
done:
  sdn_crew_free(crew);
  return *out ? SDN_OK : err->status;
}

/* What the workers of one call share. Tiles are handed out in increasing order, and a worker that has one always finishes it; so when a
 * tile fails every lower one has been started, and the lowest failure is the same however many workers there are. */
typedef struct job {
  const sdn_crew *crew;
  sdn_tile_fn *work;
  void *ctx;
  const char *what;
  long n_tile;
  atomic_long next;
  atomic_bool failed;
  omp_lock_t lock;       /* for all below */
  long n_done, failed_tile;
  double next_report;
  sdn_err *err;
} job;

static void note_failure(job *j, long tile, const sdn_err *err)
{
  atomic_store(&j->failed, true);
  omp_set_lock(&j->lock);
  if (j->failed_tile < 0 || tile < j->failed_tile) {
    j->failed_tile = tile;
    *j->err = *err;
  }
  omp_unset_lock(&j->lock);
}

/* Count a finished tile, and report now and then: under the lock, so from one thread at a time and never backwards. */
static void note_done(job *j)
{
  const sdn_run *run = &j->crew->run;
  omp_set_lock(&j->lock);
  j->n_done++;
  if (j->what && run->progress) {
    const double now = sdn_seconds();
    if (now >= j->next_report || j->n_done == j->n_tile) {
      j->next_report = now + REPORT_EVERY;
      run->progress(run->progress_ctx, j->what, (double)j->n_done, (double)j->n_tile, NULL);
    }
  }
  omp_unset_lock(&j->lock);
}

static void work_through(job *j, sdn_arena *arena)
{
  sdn_err err;
  sdn_err_clear(&err);
  while (!atomic_load(&j->failed) && !sdn_stopped(&j->crew->run)) {
    const long tile = atomic_fetch_add(&j->next, 1);
    if (tile >= j->n_tile) return;
    sdn_arena_back(arena, (sdn_arena_mark){0});
    if (j->work(j->ctx, tile, arena, &err) == SDN_OK) note_done(j);
    else note_failure(j, tile, &err);
  }
}

static sdn_status run_tiles(sdn_crew *crew, long n_tile, sdn_tile_fn *work, void *ctx, const char *what, sdn_err *err)
{
  job j = {.crew = crew, .work = work, .ctx = ctx, .what = what, .n_tile = n_tile, .failed_tile = -1, .err = err};
  omp_init_lock(&j.lock);
  const int n = n_tile < crew->n_worker ? (int)(n_tile > 0 ? n_tile : 1) : crew->n_worker;
#pragma omp parallel num_threads(n) if (n > 1)
  work_through(&j, crew->arena[omp_get_thread_num()]);
  omp_destroy_lock(&j.lock);
  if (j.failed_tile >= 0) return err->status;
  if (j.n_done < n_tile)
    return sdn_fail(err, SDN_INTERRUPTED, "stopped on request after %ld of %ld tiles%s%s", j.n_done, n_tile, what ? " of " : "", what ? what : "");
  return SDN_OK;
}

sdn_status sdn_crew_tiles(sdn_crew *crew, long n_tile, sdn_tile_fn *work, void *ctx, sdn_err *err)
{
  return run_tiles(crew, n_tile, work, ctx, NULL, err);
}

sdn_status sdn_parallel_tiles(long n_tile, sdn_tile_fn *work, void *ctx, const sdn_run *run, const char *what, sdn_err *err)
{
  sdn_crew *crew = NULL;
  if (sdn_crew_new(run, &crew, err)) return err->status;
  const sdn_status status = run_tiles(crew, n_tile, work, ctx, what, err);
  sdn_crew_free(crew);
  return status;
}
