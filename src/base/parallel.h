/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Work on all cores in fixed tiles. Which worker takes which tile changes from run to run; what a tile computes does not depend on it,
 * so results have the same bits for any number of threads. */
#ifndef SDN_BASE_PARALLEL_H
#define SDN_BASE_PARALLEL_H

#include "base/memory.h"

/* One tile's work. `arena` is the worker's own, emptied before each tile. */
typedef sdn_status sdn_tile_fn(void *ctx, long tile, sdn_arena *arena, sdn_err *err);

/* Run work for tile 0 .. n_tile-1. After a failure no new tile starts, and the failed tile of lowest number is reported, whatever the number
 * of threads. `what` labels progress, reported at most ten times a second (NULL: not at all); run may be NULL. err SDN_INTERRUPTED when
 * run->stop was set. */
sdn_status sdn_parallel_tiles(long n_tile, sdn_tile_fn *work, void *ctx, const sdn_run *run, const char *what, sdn_err *err);

/* The same with workers (threads and arenas) that live on between calls, for loops of short steps. */
typedef struct sdn_crew sdn_crew;
sdn_status sdn_crew_new(const sdn_run *run, sdn_crew **crew, sdn_err *err);
void sdn_crew_free(sdn_crew *crew);
sdn_status sdn_crew_tiles(sdn_crew *crew, long n_tile, sdn_tile_fn *work, void *ctx, sdn_err *err);

int sdn_n_thread(const sdn_run *run);               /* what run->n_thread means on this machine, at least 1 */
bool sdn_stopped(const sdn_run *run);
/* Report, at most ten times a second for the same `what` (the same pointer) and always when done reaches total; for loops of one thread. */
void sdn_progress(const sdn_run *run, const char *what, double done, double total, const char *detail);
double sdn_seconds(void);                           /* monotonic clock, for rates only: never for results */

#endif
