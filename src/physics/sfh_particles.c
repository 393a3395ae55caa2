/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Particles: masses as steps of the cumulative mass, weights as the hats' values at their ages. A particle counts as younger than a limit when its age is
 * below it. */
#include "physics/sfh_particles.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/table.h"

#define OLDEST_YR 1e12
#define N_STRIP 32     /* metallicity nodes that are gathered at once, in double */

/* ------------------------------------------------------------------ from a file */

static void release(sdn_sfh_model *m)
{
  sdn_sfh_particles *p = m->own;
  if (!p) return;
  sdn_release(p->age_yr);
  sdn_release(p->ln_age);
  sdn_release(p->mass);
  sdn_release(p->mass_before);
  sdn_release(p->metallicity);
  sdn_release(p);
}

static uint64_t hash(const sdn_sfh_model *m, uint64_t seed)
{
  const sdn_sfh_particles *p = m->own;
  const size_t bytes = (size_t)p->n * sizeof(double);
  seed = sdn_hash_bytes(p->age_yr, bytes, seed);
  seed = sdn_hash_bytes(p->mass, bytes, seed);
  return sdn_hash_bytes(p->metallicity, bytes, seed);
}

typedef struct star { double age_yr, metallicity, mass; long row; } star;

/* By age; equal ages in the file's order, so that sums do not depend on the sort. */
static int by_age(const void *a, const void *b)
{
  const star *x = a, *y = b;
  if (x->age_yr < y->age_yr || x->age_yr > y->age_yr) return x->age_yr < y->age_yr ? -1 : 1;
  return x->row < y->row ? -1 : 1;
}

static sdn_status check_star(const char *path, long i, const double row[3], sdn_err *err)
{
  if (!(row[0] >= 0 && row[0] <= OLDEST_YR)) return sdn_fail(err, SDN_FORMAT, "%s row %ld: age_yr is %g; a lookback time is not negative", path, i + 1, row[0]);
  if (!(row[1] >= 0 && row[1] < 1)) return sdn_fail(err, SDN_FORMAT, "%s row %ld: metallicity is %g; a mass fraction lies in [0, 1)", path, i + 1, row[1]);
  if (!(row[2] >= 0 && row[2] < 1e100)) return sdn_fail(err, SDN_FORMAT, "%s row %ld: mass_msun is %g; a mass is not negative", path, i + 1, row[2]);
  return SDN_OK;
}

static sdn_status read_stars(sdn_table_in *t, const char *path, star *stars, sdn_err *err)
{
  static const char *const name[3] = {"age_yr", "metallicity", "mass_msun"};
  int column[3];
  for (int i = 0; i < 3; i++)
    if ((column[i] = sdn_table_find(t, name[i], err)) < 0) return err->status;
  const long n = sdn_table_n_row(t);
  double (*row)[3] = sdn_alloc((size_t)n, sizeof *row, path, err);
  sdn_status status = row ? sdn_table_read(t, 0, n, 3, column, *row, err) : err->status;
  for (long i = 0; i < n && !status; i++) {
    status = check_star(path, i, row[i], err);
    stars[i] = (star){row[i][0], row[i][1], row[i][2], i};
  }
  sdn_release(row);
  return status;
}

static sdn_status keep_stars(sdn_sfh_particles *p, long n, star *stars, const char *path, sdn_err *err)
{
  double total = 0;
  p->n = n;
  const bool have = (p->age_yr = sdn_alloc((size_t)n, sizeof(double), path, err)) && (p->ln_age = sdn_alloc((size_t)n, sizeof(double), path, err)) &&
                    (p->mass = sdn_alloc((size_t)n, sizeof(double), path, err)) && (p->mass_before = sdn_alloc((size_t)n + 1, sizeof(double), path, err)) &&
                    (p->metallicity = sdn_alloc((size_t)n, sizeof(double), path, err));
  if (!have) return err->status;
  qsort(stars, (size_t)n, sizeof *stars, by_age);
  for (long i = 0; i < n; i++) total += stars[i].mass;
  if (!(total > 0)) return sdn_fail(err, SDN_FORMAT, "%s has %ld particles without any mass", path, n);
  for (long i = 0; i < n; i++) {
    p->age_yr[i] = stars[i].age_yr;
    p->ln_age[i] = log(stars[i].age_yr);
    p->metallicity[i] = stars[i].metallicity;
    p->mass[i] = stars[i].mass / total;
    p->mass_before[i + 1] = p->mass_before[i] + p->mass[i];
  }
  return SDN_OK;
}

static sdn_status read_file(const char *path, sdn_sfh_particles *p, sdn_err *err)
{
  sdn_table_in *t = NULL;
  star *stars = NULL;
  sdn_status status = sdn_table_open(path, &t, err);
  if (status) goto done;
  const long n = sdn_table_n_row(t);
  stars = sdn_alloc((size_t)n, sizeof *stars, path, err);
  status = stars ? read_stars(t, path, stars, err) : err->status;
  if (!status) status = keep_stars(p, n, stars, path, err);
done:
  sdn_release(stars);
  sdn_table_close(t);
  return status;
}

static sdn_status add(const sdn_yaml *node, sdn_prior *prior, sdn_sfh_model *m, sdn_err *err)
{
  static const char *const more[] = {"file"};
  const char *path;
  sdn_sfh_particles *p = m->own = sdn_alloc(1, sizeof *p, "particles", err);
  if (!p || sdn_sfh_add_keys(m, node, prior, 0, NULL, 1, more, err) || sdn_yaml_text(node, "file", true, &path, err)) return err->status;
  const sdn_yaml *at = sdn_yaml_get(node, "file");
  return read_file(path, p, err) ? sdn_fail_in(err, "%s:%d", at->origin, at->line) : SDN_OK;
}

/* ------------------------------------------------------------------ one galaxy */

/* The whole age of the Universe, with a knot where a single burst is; the steps of many particles are not told. */
static sdn_status take_span(sdn_sfh *h, double burst_yr, sdn_arena *arena, sdn_err *err)
{
  double *knot_yr;
  if (sdn_sfh_take_knots(h, 3, false, arena, &knot_yr, err)) return err->status;
  knot_yr[0] = 0;
  knot_yr[1] = burst_yr;
  knot_yr[2] = h->age_universe_yr;
  return SDN_OK;
}

static sdn_status prepare(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, sdn_sfh *h, sdn_err *err)
{
  const sdn_sfh_particles *p = m->own;
  const double last_yr = p->age_yr[p->n - 1], oldest_yr = galaxy->age_universe_yr;
  if (!(last_yr <= oldest_yr * (1 + SDN_SFH_ROUNDING)))
    return sdn_fail(err, SDN_RANGE, "the oldest particle formed %g Gyr ago but the Universe is %g Gyr old at this redshift; lower the highest redshift",
                    last_yr / SDN_YR_PER_GYR, oldest_yr / SDN_YR_PER_GYR);
  h->particles = p;
  return take_span(h, 0, galaxy->arena, err);
}

sdn_status sdn_sfh_one_particle(sdn_sfh *h, double age_yr, sdn_arena *arena, sdn_err *err)
{
  sdn_sfh_particles *p = sdn_arena_take(arena, 1, sizeof *p, err);
  double *value = p ? sdn_arena_take(arena, 5, sizeof *value, err) : NULL;
  if (!value) return err->status;
  *p = (sdn_sfh_particles){.n = 1, .age_yr = value, .ln_age = value + 1, .mass = value + 2, .mass_before = value + 3};
  p->age_yr[0] = age_yr;
  p->ln_age[0] = log(age_yr);
  p->mass[0] = p->mass_before[1] = 1;
  p->mass_before[0] = 0;
  h->ops = &sdn_sfh_from_particles;
  h->particles = p;
  return take_span(h, age_yr, arena, err);
}

/* How many are younger than an age. */
static long count_younger(const sdn_sfh_particles *p, double age_yr)
{
  long low = 0, high = p->n;   /* all before low are, none from high on */
  while (low < high) {
    const long middle = low + (high - low) / 2;
    if (p->age_yr[middle] < age_yr) low = middle + 1;
    else high = middle;
  }
  return low;
}

/* All of them once the limit is the end of the history: a particle may be exactly as old as the Universe. */
static long count_until(const sdn_sfh *h, double until_yr) { return until_yr >= h->knot_yr[2] ? h->particles->n : count_younger(h->particles, until_yr); }

static double mass_since(const sdn_sfh *h, int segment, double age_yr)
{
  (void)segment;
  return h->particles->mass_before[count_younger(h->particles, age_yr)];
}

static double rate(const sdn_sfh *h, int segment, double age_yr)
{
  (void)h;
  (void)segment;
  (void)age_yr;
  return 0;
}

static double mean_age_yr(const sdn_sfh *h)
{
  double sum = 0;
  for (long i = 0; i < h->particles->n; i++) sum += h->particles->mass[i] * h->particles->age_yr[i];
  return sum;
}

/* The bin between nodes where a particle lies, and how far along; they come in ascending order. */
typedef struct place { const sdn_sfh *h; int bin; double from, inverse_width; } place;

static double move_to(place *at, int n_age, const double *age_yr, double age, double ln_age)
{
  bool moved = at->bin < 0;
  if (moved) at->bin = 0;
  for (; at->bin < n_age - 2 && age >= age_yr[at->bin + 1]; at->bin++) moved = true;
  if (moved && n_age > 1) {
    at->from = at->h->linear_age ? age_yr[at->bin] : log(age_yr[at->bin]);
    at->inverse_width = 1 / sdn_sfh_stretch(at->h, age_yr[at->bin], age_yr[at->bin + 1]);
  }
  if (n_age == 1 || age <= age_yr[at->bin]) return 0;
  return age >= age_yr[at->bin + 1] ? 1 : ((at->h->linear_age ? age : ln_age) - at->from) * at->inverse_width;
}

static void weights(const sdn_sfh *h, double until_yr, double total, int n_age, const double *age_yr, double *weight)
{
  const sdn_sfh_particles *p = h->particles;
  const long n = count_until(h, until_yr);
  place at = {.h = h, .bin = -1};
  (void)total;
  for (int i = 0; i < n_age; i++) weight[i] = 0;
  for (long i = 0; i < n; i++) {
    const double up = move_to(&at, n_age, age_yr, p->age_yr[i], p->ln_age[i]);
    weight[at.bin] += (1 - up) * p->mass[i];
    if (up > 0) weight[at.bin + 1] += up * p->mass[i];
  }
}

bool sdn_sfh_has_metallicity(const sdn_sfh *h) { return h->particles && h->particles->metallicity; }

bool sdn_sfh_model_has_metallicity(const sdn_sfh_model *m)
{
  const sdn_sfh_particles *p = m->own;
  return m->ops == &sdn_sfh_from_particles && p->metallicity;
}

double sdn_sfh_mean_metallicity(const sdn_sfh *h)
{
  double sum = 0;
  if (!sdn_sfh_has_metallicity(h)) return NAN;
  for (long i = 0; i < h->particles->n; i++) sum += h->particles->mass[i] * h->particles->metallicity[i];
  return sum;
}

/* Where a metallicity lies between nodes: constant beyond the ends. */
static int find_node(int n_z, const double *z_coordinate, double x, double *up)
{
  int low = 0, high = n_z - 1;
  *up = 0;
  if (n_z == 1 || !(x > z_coordinate[0])) return 0;
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    *(x >= z_coordinate[middle] ? &low : &high) = middle;
  }
  *up = fmin((x - z_coordinate[low]) / (z_coordinate[low + 1] - z_coordinate[low]), 1);
  return low;
}

/* Rows of a strip of metallicity nodes at two neighbouring age nodes, in double until the particles have passed. */
typedef struct strip { int first, n; double young[N_STRIP], old[N_STRIP]; } strip;

static void put_strip(strip *s, int node, double mass, double older)
{
  if (node < s->first || node >= s->first + s->n) return;
  s->young[node - s->first] += mass * (1 - older);
  s->old[node - s->first] += mass * older;
}

static void flush_strip(strip *s, int bin, int n_age, float *weight)
{
  for (int k = 0; k < s->n; k++) {
    float *row = weight + (size_t)(s->first + k) * (size_t)n_age;
    row[bin] = (float)((double)row[bin] + s->young[k]);
    if (bin + 1 < n_age) row[bin + 1] = (float)((double)row[bin + 1] + s->old[k]);
    s->young[k] = s->old[k] = 0;
  }
}

void sdn_sfh_particle_weights(const sdn_sfh *h, double limit_yr, int n_age, const double *age_yr, int n_z, const double *z_coordinate, float *weight)
{
  const sdn_sfh_particles *p = h->particles;
  const long n = count_until(h, limit_yr);
  const bool logarithm = z_coordinate[0] < 0;
  memset(weight, 0, (size_t)n_age * (size_t)n_z * sizeof *weight);
  for (int first = 0; first < n_z; first += N_STRIP) {
    strip s = {.first = first, .n = n_z - first < N_STRIP ? n_z - first : N_STRIP};
    place at = {.h = h, .bin = -1};
    for (long i = 0; i < n; i++) {
      const int before = at.bin;
      const double older = move_to(&at, n_age, age_yr, p->age_yr[i], p->ln_age[i]);
      if (before >= 0 && before != at.bin) flush_strip(&s, before, n_age, weight);
      double up;
      const int node = find_node(n_z, z_coordinate, logarithm ? log10(p->metallicity[i]) : p->metallicity[i], &up);
      put_strip(&s, node, p->mass[i] * (1 - up), older);
      if (up > 0) put_strip(&s, node + 1, p->mass[i] * up, older);
    }
    if (at.bin >= 0) flush_strip(&s, at.bin, n_age, weight);
  }
}

const sdn_sfh_ops sdn_sfh_from_particles = {
  .name = "particles", .add = add, .release = release, .hash = hash, .prepare = prepare, .mass_since = mass_since, .rate = rate,
  .mean_age_yr = mean_age_yr, .weights = weights,
};
