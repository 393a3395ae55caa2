/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/parallel.h"

#include <omp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
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

/* ------------------------------------------------------------------ arenas between calls */

/* A sampler asks for one galaxy a thousand times a second: fresh memory for each, page by page from the system, would cost as much as the galaxy. So a few arenas
 * wait here for the next call, until the program ends. Who finds the lock taken does without. */
#define MAX_IDLE 64
#define MAX_IDLE_BYTES ((size_t)16 << 20)   /* larger ones are given back, so that a big task leaves no trace */
static struct { pthread_mutex_t lock; int n; sdn_arena *arena[MAX_IDLE]; } idle = {.lock = PTHREAD_MUTEX_INITIALIZER};
static pthread_once_t idle_once = PTHREAD_ONCE_INIT;

static void free_idle(void)
{
  pthread_mutex_lock(&idle.lock);
  while (idle.n > 0) sdn_arena_free(idle.arena[--idle.n]);
  pthread_mutex_unlock(&idle.lock);
}

static void free_idle_at_exit(void) { (void)atexit(free_idle); }

static sdn_arena *borrow_arena(sdn_err *err)
{
  sdn_arena *arena = NULL;
  if (pthread_mutex_trylock(&idle.lock) == 0) {
    if (idle.n > 0) arena = idle.arena[--idle.n];
    pthread_mutex_unlock(&idle.lock);
  }
  return arena ? arena : sdn_arena_new(err);
}

static void return_arena(sdn_arena *arena)
{
  if (arena && sdn_arena_bytes(arena) <= MAX_IDLE_BYTES && pthread_mutex_trylock(&idle.lock) == 0) {
    pthread_once(&idle_once, free_idle_at_exit);
    if (idle.n < MAX_IDLE) {
      sdn_arena_back(arena, (sdn_arena_mark){0});
      idle.arena[idle.n++] = arena;
      arena = NULL;
    }
    pthread_mutex_unlock(&idle.lock);
  }
  sdn_arena_free(arena);
}

/* ------------------------------------------------------------------ a crew */

/* Workers sleep between calls instead of spinning as OpenMP's do: where cores are shared with other programs, spinning workers keep the one that has
 * work from running. From OpenMP we take the number of cores alone, since it honours OMP_NUM_THREADS and the cores that a batch system grants. */
typedef struct worker { sdn_crew *crew; int index; pthread_t thread; } worker;

struct sdn_crew {
  sdn_run run;
  int n_worker;
  sdn_arena **arena;     /* [n_worker]; worker 0 is the caller's own thread */
  worker *hand;          /* [n_worker], started up to n_started */
  int n_started;
  pthread_mutex_t lock;  /* for all below */
  pthread_cond_t begin, end;
  long call;             /* counts the calls that hands were woken for */
  int n_wanted, n_busy;  /* hands 1 .. n_wanted-1 take part in this call */
  bool over;
  struct job *job;
};

/* Set in hands: a loop inside a tile runs on its own thread alone. */
static _Thread_local bool inside_tile;

void sdn_crew_free(sdn_crew *crew)
{
  if (!crew) return;
  pthread_mutex_lock(&crew->lock);
  crew->over = true;
  pthread_cond_broadcast(&crew->begin);
  pthread_mutex_unlock(&crew->lock);
  for (int i = 1; i < crew->n_started; i++) pthread_join(crew->hand[i].thread, NULL);
  for (int i = 0; crew->arena && i < crew->n_worker; i++) return_arena(crew->arena[i]);
  pthread_cond_destroy(&crew->begin);
  pthread_cond_destroy(&crew->end);
  pthread_mutex_destroy(&crew->lock);
  sdn_release(crew->arena);
  sdn_release(crew->hand);
  sdn_release(crew);
}

sdn_status sdn_crew_new(const sdn_run *run, sdn_crew **out, sdn_err *err)
{
  *out = NULL;
  sdn_crew *crew = sdn_alloc(1, sizeof *crew, "a crew of workers", err);
  if (!crew) return err->status;
  pthread_mutex_init(&crew->lock, NULL);   /* cannot fail with default attributes on Linux */
  pthread_cond_init(&crew->begin, NULL);
  pthread_cond_init(&crew->end, NULL);
  if (run) crew->run = *run;
  crew->n_started = 1;
  crew->n_worker = inside_tile ? 1 : sdn_n_thread(run);
  crew->arena = sdn_alloc((size_t)crew->n_worker, sizeof *crew->arena, "a crew's arenas", err);
  crew->hand = crew->arena ? sdn_alloc((size_t)crew->n_worker, sizeof *crew->hand, "a crew's threads", err) : NULL;
  if (!crew->hand) goto done;
  for (int i = 0; i < crew->n_worker; i++)
    if (!(crew->arena[i] = borrow_arena(err))) goto done;
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
  atomic_long n_done;
  atomic_bool failed;
  pthread_mutex_t lock;  /* for all below */
  long n_reported, failed_tile;
  double next_report;
  sdn_err *err;
} job;

static void note_failure(job *j, long tile, const sdn_err *err)
{
  atomic_store(&j->failed, true);
  pthread_mutex_lock(&j->lock);
  if (j->failed_tile < 0 || tile < j->failed_tile) {
    j->failed_tile = tile;
    *j->err = *err;
  }
  pthread_mutex_unlock(&j->lock);
}

/* Count a finished tile, and report now and then: under the lock, so from one thread at a time and never backwards. Who does not report needs no lock: tiles
 * may be of microseconds. */
static void note_done(job *j)
{
  const sdn_run *run = &j->crew->run;
  atomic_fetch_add(&j->n_done, 1);
  if (!j->what || !run->progress) return;
  pthread_mutex_lock(&j->lock);
  const long n_done = atomic_load(&j->n_done);
  const double now = sdn_seconds();
  if (n_done > j->n_reported && (now >= j->next_report || n_done == j->n_tile)) {
    j->n_reported = n_done;
    j->next_report = now + REPORT_EVERY;
    run->progress(run->progress_ctx, j->what, (double)n_done, (double)j->n_tile, NULL);
  }
  pthread_mutex_unlock(&j->lock);
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

static void *hand_main(void *arg)
{
  const worker *self = arg;
  sdn_crew *crew = self->crew;
  long seen = 0;
  inside_tile = true;
  pthread_mutex_lock(&crew->lock);
  for (;;) {
    while (!crew->over && (crew->call == seen || self->index >= crew->n_wanted)) {
      seen = crew->call;
      pthread_cond_wait(&crew->begin, &crew->lock);
    }
    if (crew->over) break;
    seen = crew->call;
    job *j = crew->job;
    pthread_mutex_unlock(&crew->lock);
    work_through(j, crew->arena[self->index]);
    pthread_mutex_lock(&crew->lock);
    if (--crew->n_busy == 0) pthread_cond_signal(&crew->end);
  }
  pthread_mutex_unlock(&crew->lock);
  return NULL;
}

/* Hands are started when first wanted; where the system refuses one, the others do its work. */
static int start_hands(sdn_crew *crew, int n)
{
  while (crew->n_started < n) {
    worker *hand = &crew->hand[crew->n_started];
    *hand = (worker){.crew = crew, .index = crew->n_started};
    if (pthread_create(&hand->thread, NULL, hand_main, hand)) break;
    crew->n_started++;
  }
  return crew->n_started < n ? crew->n_started : n;
}

static void work_together(sdn_crew *crew, job *j, int n)
{
  pthread_mutex_lock(&crew->lock);
  n = start_hands(crew, n);
  crew->job = j;
  crew->n_wanted = n;
  crew->n_busy = n - 1;
  crew->call++;
  pthread_cond_broadcast(&crew->begin);
  pthread_mutex_unlock(&crew->lock);
  const bool outer = inside_tile;
  inside_tile = true;
  work_through(j, crew->arena[0]);
  inside_tile = outer;
  pthread_mutex_lock(&crew->lock);
  while (crew->n_busy > 0) pthread_cond_wait(&crew->end, &crew->lock);
  pthread_mutex_unlock(&crew->lock);
}

/* How a job has ended. */
static sdn_status outcome(const job *j)
{
  if (j->failed_tile >= 0) return j->err->status;
  const long n_done = atomic_load(&j->n_done);
  if (n_done < j->n_tile)
    return sdn_fail(j->err, SDN_INTERRUPTED, "stopped on request after %ld of %ld tiles%s%s", n_done, j->n_tile, j->what ? " of " : "", j->what ? j->what : "");
  return SDN_OK;
}

static sdn_status run_tiles(sdn_crew *crew, long n_tile, sdn_tile_fn *work, void *ctx, const char *what, sdn_err *err)
{
  job j = {.crew = crew, .work = work, .ctx = ctx, .what = what, .n_tile = n_tile, .failed_tile = -1, .err = err};
  const int n = n_tile < crew->n_worker ? (int)(n_tile > 0 ? n_tile : 1) : crew->n_worker;
  pthread_mutex_init(&j.lock, NULL);
  if (n > 1) work_together(crew, &j, n);
  else work_through(&j, crew->arena[0]);
  pthread_mutex_destroy(&j.lock);
  return outcome(&j);
}

sdn_status sdn_crew_tiles(sdn_crew *crew, long n_tile, sdn_tile_fn *work, void *ctx, sdn_err *err)
{
  return run_tiles(crew, n_tile, work, ctx, NULL, err);
}

/* The caller's thread alone: a crew in name. */
static sdn_status run_alone(long n_tile, sdn_tile_fn *work, void *ctx, const sdn_run *run, const char *what, sdn_err *err)
{
  sdn_arena *arena = borrow_arena(err);
  if (!arena) return err->status;
  sdn_crew crew = {.n_worker = 1, .arena = &arena};
  if (run) crew.run = *run;
  const sdn_status status = run_tiles(&crew, n_tile, work, ctx, what, err);
  return_arena(arena);
  return status;
}

sdn_status sdn_parallel_tiles(long n_tile, sdn_tile_fn *work, void *ctx, const sdn_run *run, const char *what, sdn_err *err)
{
  if (n_tile <= 1 || inside_tile || sdn_n_thread(run) == 1) return run_alone(n_tile, work, ctx, run, what, err);
  sdn_crew *crew = NULL;
  if (sdn_crew_new(run, &crew, err)) return err->status;
  const sdn_status status = run_tiles(crew, n_tile, work, ctx, what, err);
  sdn_crew_free(crew);
  return status;
}
