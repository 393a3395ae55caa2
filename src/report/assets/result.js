/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The page of a result table. `data` is the object that report.c writes. */
'use strict';

const median = v => { const s = v.slice().sort((a, b) => a - b), n = s.length; return n ? (n % 2 ? s[(n - 1) / 2] : (s[n / 2 - 1] + s[n / 2]) / 2) : NaN; };

const NO_DATA = 1;   // bit of the flags: the answer is the prior

/* The galaxies that `sedna fit` scores too: a redshift inferred from data, and a known one. */
function redshiftPairs() {
  if (!data.z_spec || !data.z_q50 || data.meta.FIX) return [];
  const pairs = [];
  data.z_spec.forEach((z, i) => {
    if (z === null || !(z > -1) || data.z_q50[i] === null || (data.flags && data.flags[i] & NO_DATA)) return;
    const dz = (data.z_q50[i] - z) / (1 + z);
    pairs.push({x: z, y: data.z_q50[i], low: data.z_q16[i] ?? data.z_q50[i], high: data.z_q84[i] ?? data.z_q50[i], dz, off: Math.abs(dz) > 0.15,
      label: 'row ' + i * data.stride + ': z_spec ' + number(z, 4) + ', z_phot ' + number(data.z_q50[i], 4)});
  });
  return pairs;
}

function intervalName(q) { return q.low === null || q.high === null ? '' : q.low + '–' + q.high + ' %'; }

function redshiftSection() {
  const pairs = redshiftPairs();
  if (pairs.length < 2) {
    if (data.z_q50) { element('h2', page, data.meta.FIX ? 'Given redshifts' : 'Redshifts'); histogramOf(page, 'redshift (posterior medians)', data.z_q50, 40); }
    return;
  }
  const dz = pairs.map(p => p.dz), middle = median(dz), bars = intervalName(data.quantities.find(q => q.name === 'redshift'));
  element('h2', page, 'Photometric against spectroscopic redshift');
  bigNumbers(page, [['galaxies with both', pairs.length], ['σ NMAD', number(1.4826 * median(dz.map(d => Math.abs(d - middle))), 3)],
    ['outliers, |Δz|/(1+z) > 0.15', number(100 * pairs.filter(p => p.off).length / pairs.length, 3) + ' %'], ['bias', number(middle, 2)]]);
  const top = Math.max(...pairs.map(p => p.x), ...pairs.map(p => Math.min(p.y, 1.3 * Math.max(...pairs.map(q => q.x))))) * 1.05;
  scatterOnDiagonal(page, pairs, {max: top, band: 0.15, xTitle: 'spectroscopic redshift', yTitle: 'photometric redshift: posterior median' + (bars ? ', ' + bars : '')});
  element('p', page, 'Dashed: the outlier bounds.' + (bars ? ' Bars: ' + bars + ' of each posterior.' : '') + (data.stride > 1 ? ' Every ' + data.stride + '-th row of the result.' : ''), 'note');
}

function overviewSection() {
  element('h2', page, 'All galaxies: posterior medians');
  if (data.stride > 1) element('p', page, 'Every ' + data.stride + '-th of ' + data.n + ' rows.', 'note');
  const grid = element('div', page, undefined, 'grid');
  data.quantities.forEach(q => histogramOf(grid, q.name + (q.unit ? ' [' + q.unit + ']' : ''), q.median, 30));
}

function rowSection(row) {
  element('h3', page, row.id + '  (row ' + row.row + (row.z_spec !== null ? ', z_spec ' + number(row.z_spec, 4) : '') + ')');
  const grid = element('div', page, undefined, 'grid');
  sed(grid, row.bands.map(b => ({name: b.name, wave: b.v[0] === null ? null : b.v[0] / 1e4, flux: b.v[1], sigma: b.v[2], q16: b.v[3], q50: b.v[4], q84: b.v[5]})));
  const usual = data.quantities[data.quantities.length - 1], percent = p => p === null ? '' : p + ' %';   // the redshift may have more quantiles
  tableOf(grid, ['', 'median', percent(usual.low), percent(usual.high)], data.quantities.map((q, i) =>
    [q.name + (intervalName(q) === intervalName(usual) ? '' : ' (' + intervalName(q) + ')'), row.quantities[i].q[1], row.quantities[i].q[0], row.quantities[i].q[2]]));
  (row.spectra || []).forEach(s => spectrumOf(page, s));
  const marginals = element('div', page, undefined, 'grid');
  data.quantities.forEach((q, i) => {
    const r = row.quantities[i];
    if (!r.histogram) return;
    const marks = [{x: r.q[1], color: '#1b4f80'}];
    if (q.name === 'redshift' && row.z_spec !== null && row.z_spec >= r.low && row.z_spec <= r.high) marks.push({x: row.z_spec, color: '#c0392b'});
    histogram(marginals, q.name, r.low, r.high, r.histogram, marks);
  });
}

const flagged = data.flags ? data.flags.filter(f => f > 0).length : 0;
bigNumbers(page, [['galaxies', data.n], ['flagged' + (data.stride > 1 ? ' among those shown' : ''), flagged]]);
redshiftSection();
overviewSection();
element('h2', page, 'Some galaxies in full');
element('p', page, 'Black: data. Orange: posterior-predictive flux, 16–84 % and median. Blue line: posterior median; red: spectroscopic redshift.', 'note');
if (data.meta.SPECTRA && data.rows.some(r => !r.spectra))
  element('p', page, 'The spectra ' + data.meta.SPECTRA + ' are not drawn: their pixels have no columns, and the file of sedna fit --samples, which has them, is not here.', 'note');
data.rows.forEach(rowSection);
element('h2', page, 'Origin');
tableOf(page, ['', ''], Object.entries(data.meta)).querySelectorAll('td:last-child').forEach(td => { td.className = 'text'; });
