#include "physics/agn.h"
sdn_status sdn_agn_new(const sdn_yaml *map, sdn_prior *prior, sdn_agn **a, sdn_err *err)
{
  (void)map;
  (void)prior;
  (void)a;
  (void)err;
  return sdn_fail(err, SDN_USAGE, "agn: arrives with a later commit");
}
void sdn_agn_free(sdn_agn *a)
{
  (void)a;
}
const char *sdn_agn_name(const sdn_agn *a)
{
  (void)a;
  return 0;
}
uint64_t sdn_agn_hash(const sdn_agn *a, uint64_t hash)
{
  (void)a;
  (void)hash;
  return 0;
}
const double *sdn_agn_waves_A(const sdn_agn *a, int *n)
{
  (void)a;
  (void)n;
  return 0;
}
int sdn_agn_n_line(const sdn_agn *a)
{
  (void)a;
  return 0;
}
double sdn_agn_line_wave_A(const sdn_agn *a, int l)
{
  (void)a;
  (void)l;
  return 0;
}
double sdn_agn_line_fwhm_km_s(const sdn_agn *a, const double *params, int l)
{
  (void)a;
  (void)params;
  (void)l;
  return 0;
}
const char *sdn_agn_line_id(const sdn_agn *a, int l)
{
  (void)a;
  (void)l;
  return 0;
}
sdn_status sdn_agn_table_new(const sdn_agn *a, const sdn_prior *prior, int n, const double *wave_A, sdn_agn_table **t, sdn_err *err)
{
  (void)a;
  (void)prior;
  (void)n;
  (void)wave_A;
  (void)t;
  (void)err;
  return 0;
}
void sdn_agn_table_free(sdn_agn_table *t)
{
  (void)t;
}
sdn_status sdn_agn_table_prepare(const sdn_agn_table *t, const double *params, sdn_agn_state *s, sdn_err *err)
{
  (void)t;
  (void)params;
  (void)s;
  (void)err;
  return 0;
}
double sdn_agn_lnu_at(const sdn_agn_table *t, const sdn_agn_state *s, double wave_A)
{
  (void)t;
  (void)s;
  (void)wave_A;
  return 0;
}
double sdn_agn_power_lsun(const sdn_agn *a, const double *params)
{
  (void)a;
  (void)params;
  return 0;
}
double sdn_agn_fraction(const sdn_agn *a, const double *params)
{
  (void)a;
  (void)params;
  return 0;
}
double sdn_agn_fraction_wave_A(const sdn_agn *a)
{
  (void)a;
  return 0;
}
void sdn_agn_table_add(const sdn_agn_table *t, const sdn_agn_state *s, double power_lsun, int first, int n, float *lnu)
{
  (void)t;
  (void)s;
  (void)power_lsun;
  (void)first;
  (void)n;
  (void)lnu;
}
void sdn_agn_lines_add(const sdn_agn_table *t, const sdn_agn_state *s, double power_lsun, float *line_erg_s)
{
  (void)t;
  (void)s;
  (void)power_lsun;
  (void)line_erg_s;
}
double sdn_agn_absorbed_lsun(const sdn_agn_table *t, const sdn_agn_state *s, double power_lsun)
{
  (void)t;
  (void)s;
  (void)power_lsun;
  return 0;
}
