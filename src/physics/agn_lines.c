/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines of an active nucleus, as ratios that were published for averages of many.
 *
 * Broad: Vanden Berk+2001 table 2, the median quasar of SDSS, flux over that of Lyman alpha; features that are blends stand at their strongest line
 * (1033 A: O VI and Lyman beta; 1305 A: O I and Si II; 1400 A: Si IV and O IV]; C III] and H alpha hold their narrow neighbours).
 * Narrow: Richardson+2014 table 3, model a42 of their sequence of active galaxies (as Prospector carries it), over H beta; 3728 A is the sum of the doublet.
 * Vacuum wavelengths (NIST). */
#include "physics/agn_own.h"

const sdn_agn_line sdn_agn_line_list[SDN_AGN_N_LINE] = {
  {"agn_broad_o6_1033", 1033.82, .09615, true},
  {"agn_broad_ly_alpha", 1215.67, 1, true},
  {"agn_broad_n5_1240", 1240.81, .02461, true},
  {"agn_broad_o1_1305", 1305.42, .01992, true},
  {"agn_broad_c2_1335", 1335.31, .00688, true},
  {"agn_broad_si4_1400", 1399.80, .08916, true},
  {"agn_broad_c4_1549", 1549.06, .25291, true},
  {"agn_broad_he2_1640", 1640.42, .00521, true},
  {"agn_broad_o3_1663", 1663.48, .00480, true},
  {"agn_broad_al3_1857", 1857.40, .00333, true},
  {"agn_broad_si3_1892", 1892.03, .00158, true},
  {"agn_broad_c3_1909", 1908.73, .15943, true},
  {"agn_broad_mg2_2800", 2799.12, .14725, true},
  {"agn_narrow_o2_3728", 3728.48, 2.96, false},
  {"agn_narrow_h_10", 3798.98, .06, false},
  {"agn_narrow_h_9", 3836.47, .10, false},
  {"agn_narrow_ne3_3870", 3869.86, 1.00, false},
  {"agn_narrow_h_8", 3890.15, .20, false},
  {"agn_broad_h_delta", 4102.89, .01066, true},
  {"agn_narrow_h_delta", 4102.89, .25, false},
  {"agn_broad_h_gamma", 4341.68, .02616, true},
  {"agn_narrow_h_gamma", 4341.68, .48, false},
  {"agn_narrow_o3_4364", 4364.44, .13, false},
  {"agn_broad_h_beta", 4862.68, .08649, true},
  {"agn_narrow_h_beta", 4862.68, 1, false},
  {"agn_narrow_o3_4960", 4960.30, 2.87, false},
  {"agn_narrow_o3_5008", 5008.24, 8.53, false},
  {"agn_narrow_n1_5200", 5200.53, .07, false},
  {"agn_narrow_n2_5756", 5756.19, .02, false},
  {"agn_narrow_he1_5877", 5877.25, .10, false},
  {"agn_narrow_o1_6302", 6302.05, .33, false},
  {"agn_narrow_o1_6366", 6365.54, .09, false},
  {"agn_narrow_n2_6550", 6549.85, .79, false},
  {"agn_broad_h_alpha", 6564.61, .30832, true},
  {"agn_narrow_h_alpha", 6564.61, 2.86, false},
  {"agn_narrow_n2_6585", 6585.27, 2.13, false},
  {"agn_narrow_he1_6680", 6679.99, .03, false},
  {"agn_narrow_s2_6718", 6718.29, .77, false},
  {"agn_narrow_s2_6733", 6732.67, .65, false},
  {"agn_narrow_ar3_7138", 7137.77, .19, false},
};

#define LY_ALPHA_PER_PHOTON 0.68    /* case B at 1e4 K: recombinations that end in Lyman alpha (Dijkstra 2014 sect. 3.1) */
#define H_BETA_PER_PHOTON 0.117     /* and that pass through H beta: 3.03e-14 / 2.59e-13 (Osterbrock & Ferland 2006 tables 2.1, 4.4) */
#define LY_ALPHA_A 1215.67
#define H_BETA_A 4862.68

double sdn_agn_line_erg(const sdn_agn_line *line)
{
  const double hc = SDN_PLANCK_ERG_S * SDN_LIGHT_A_PER_S;
  return line->ratio * (line->broad ? LY_ALPHA_PER_PHOTON * hc / LY_ALPHA_A : H_BETA_PER_PHOTON * hc / H_BETA_A);
}
