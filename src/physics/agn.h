#ifndef SDN_AGNH
#define SDN_AGNH
#include "prior/prior.h"
#define SDN_AGN_MAX_LINE 64
typedef struct sdn_agn sdn_agn;
sdn_status sdn_agn_new(const sdn_yaml *map, sdn_prior *prior, sdn_agn **a, sdn_err *err);
void sdn_agn_free(sdn_agn *a); const char *sdn_agn_name(const sdn_agn *a); uint64_t sdn_agn_hash(const sdn_agn *a, uint64_t hash);
const double *sdn_agn_waves_A(const sdn_agn *a, int *n);
int sdn_agn_n_line(const sdn_agn *a); double sdn_agn_line_wave_A(const sdn_agn *a, int l); double sdn_agn_line_fwhm_km_s(const sdn_agn *a, const double *params, int l); const char *sdn_agn_line_id(const sdn_agn *a, int l);
typedef struct sdn_agn_table sdn_agn_table;
sdn_status sdn_agn_table_new(const sdn_agn *a, const sdn_prior *prior, int n, const double *wave_A, sdn_agn_table **t, sdn_err *err);
void sdn_agn_table_free(sdn_agn_table *t);
typedef struct sdn_agn_state { double x[32]; } sdn_agn_state;
sdn_status sdn_agn_table_prepare(const sdn_agn_table *t, const double *params, sdn_agn_state *s, sdn_err *err);
double sdn_agn_lnu_at(const sdn_agn_table *t, const sdn_agn_state *s, double wave_A);
double sdn_agn_power_lsun(const sdn_agn *a, const double *params); double sdn_agn_fraction(const sdn_agn *a, const double *params); double sdn_agn_fraction_wave_A(const sdn_agn *a);
void sdn_agn_table_add(const sdn_agn_table *t, const sdn_agn_state *s, double power_lsun, int first, int n, float *lnu);
void sdn_agn_lines_add(const sdn_agn_table *t, const sdn_agn_state *s, double power_lsun, float *line_erg_s);
double sdn_agn_absorbed_lsun(const sdn_agn_table *t, const sdn_agn_state *s, double power_lsun);
#endif
