/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Units that a table of populations states, or that its reader is told. */
#include <math.h>
#include <string.h>

#include "physics/grid_read.h"
#include "physics/ssp.h"

sdn_status sdn_ssp_wave_unit(const char *text, const char *path, double *factor, sdn_err *err)
{
  if (!text || !*text) return sdn_fail(err, SDN_USAGE, "%s does not say the unit of its wavelengths; state it: --wave-unit Angstrom", path);
  if (sdn_unit_factor(text, SDN_UNIT_WAVELENGTH, SDN_LSUN_ERG_PER_S, factor)) return SDN_OK;
  return sdn_fail(err, SDN_USAGE, "%s: '%s' is no unit of wavelength (such as Angstrom, nm, um); state it by --wave-unit", path, text);
}

sdn_status sdn_ssp_age_unit(const char *text, const char *path, double *factor, bool *log_age, sdn_err *err)
{
  char inner[64] = "";
  if (!text || !*text) return sdn_fail(err, SDN_USAGE, "%s does not say the unit of its ages; state it: --age-unit yr (Myr, Gyr, log10(yr))", path);
  const char *open = strchr(text, '(');
  const size_t n = strlen(text);
  *log_age = strncmp(text, "log", 3) == 0 && open && text[n - 1] == ')';
  if (*log_age) snprintf(inner, sizeof inner, "%.*s", (int)(n - (size_t)(open - text) - 2), open + 1);
  if (sdn_unit_factor(*log_age ? inner : text, SDN_UNIT_AGE, SDN_LSUN_ERG_PER_S, factor)) return SDN_OK;
  return sdn_fail(err, SDN_USAGE, "%s: '%s' is no unit of age (such as yr, Gyr, log10(yr)); state it by --age-unit", path, text);
}

sdn_status sdn_ssp_light_unit(const char *text, double lsun_erg_per_s, const char *path, sdn_ssp *s, sdn_err *err)
{
  if (!text || !*text) return sdn_fail(err, SDN_USAGE, "%s does not say the unit of its spectra; state it: --light-unit Lsun/Angstrom (Lsun/Hz, erg/s/Hz)", path);
  s->per_hz = !sdn_unit_factor(text, SDN_UNIT_LLAMBDA, lsun_erg_per_s, &s->unit_erg);
  if (!s->per_hz || sdn_unit_factor(text, SDN_UNIT_LNU, lsun_erg_per_s, &s->unit_erg)) return SDN_OK;
  return sdn_fail(err, SDN_USAGE, "%s: '%s' is no unit of luminosity per wavelength or frequency (such as Lsun/Angstrom, Lsun/Hz, erg/s/Hz); state it by --light-unit", path, text);
}
