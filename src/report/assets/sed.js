/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The page of one galaxy. `data` is the object that sed_text.c writes. Lines have no width in the model: they are drawn as Gaussians of a fixed resolution. */
'use strict';

const RESOLUTION = 300, LIGHT_A_PER_S = 2.99792458e18, NJY_PER_CGS = 1e32, AB_ZERO_NJY = 31.4;

/* [{wave: µm, flux: nJy}] where there is light, from `first` to `last` (A); of very many nodes every so many-th. */
function spectrumPoints(first, last) {
  const points = [], s = data.spectrum;
  s.wave_observed_A.forEach((w, i) => {
    if (w >= first && w <= last && s.fnu_njy[i] > 0) points.push({wave: w / 1e4, flux: s.fnu_njy[i]});
  });
  return points;
}

/* The continuum at a wavelength in µm, by bisection. */
function continuumAt(points, wave) {
  let low = 0, high = points.length - 1;
  if (wave < points[low].wave || wave > points[high].wave) return 0;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (points[middle].wave > wave) high = middle; else low = middle;
  }
  const a = points[low], b = points[high], t = b.wave > a.wave ? (wave - a.wave) / (b.wave - a.wave) : 0;
  return (1 - t) * a.flux + t * b.flux;
}

/* Continuum and lines on the continuum's nodes and on extra ones across every line. */
function withLines(points) {
  if (!points.length) return [];
  const lines = data.lines.filter(l => l.flux_erg_s_cm2 > 0), half = [0.35, 0.7, 1.1, 1.6, 2.2, 2.9, 3.7, 4.5, 5.4, 6.2, 6.3], extra = [];
  const sigmas = half.map(k => -k).concat([0], half);   /* to beyond the end of the profile: from there on the continuum's own, maybe distant, nodes serve */
  const width = l => l.wave_observed_A / RESOLUTION / 2.3548;
  lines.forEach(l => sigmas.forEach(k => extra.push((l.wave_observed_A + k * width(l)) / 1e4)));
  const all = points.concat(extra.filter(w => continuumAt(points, w) > 0).map(w => ({wave: w, flux: continuumAt(points, w)})));
  all.sort((a, b) => a.wave - b.wave);
  const total = all.map(p => ({wave: p.wave, flux: p.flux}));
  lines.forEach(l => {
    const centre = l.wave_observed_A, s = width(l), peak = l.flux_erg_s_cm2 * centre * centre / LIGHT_A_PER_S / (Math.sqrt(2 * Math.PI) * s) * NJY_PER_CGS;
    let low = 0, high = all.length;
    while (low < high) { const m = (low + high) >> 1; if (all[m].wave * 1e4 < centre - 6.25 * s) low = m + 1; else high = m; }
    for (let i = low; i < all.length && all[i].wave * 1e4 < centre + 6.25 * s; i++)
      total[i].flux += peak * Math.exp(-0.5 * ((all[i].wave * 1e4 - centre) / s) ** 2);
  });
  return total;
}

/* Where the model's light ends, rest A: that of dust, of a nucleus (whose torus shines to some 100 µm), of stars. */
const lastRest = () => data.dust_emission !== 'none' ? 1e7 : data.agn !== 'none' ? 1e6 : 2.5e4;

/* Pixels of spectra are many: they make a curve each, not points and rows of a table. */
const isPixel = b => b.filter.startsWith('pixel:');

function pixelCurves() {
  const curves = new Map();
  data.photometry.filter(b => isPixel(b) && b.flux_njy > 0).forEach(b => {
    const name = b.band.startsWith('pixel:') ? 'pixels' : b.band.replace(/_\d+$/, '');
    if (!curves.has(name)) curves.set(name, []);
    curves.get(name).push({curve: name, wave: b.pivot_A / 1e4, flux: b.flux_njy});
  });
  return [].concat(...Array.from(curves.values(), c => c.sort((a, b) => a.wave - b.wave)));
}

/* Without a continuum to speak of, an equivalent width says nothing. */
const widthOf = l => l.equivalent_width_A <= Math.max(1e4, 0.1 * l.wave_rest_A) ? l.equivalent_width_A : null;

/* Wavelengths to show: from the Lyman limit to the end of the model's light, and all bands. */
function shownRange() {
  const z1 = 1 + data.redshift, bands = data.photometry.filter(b => b.pivot_A > 0);
  let first = 912 * 0.7 * z1, last = lastRest() * z1;
  bands.forEach(b => { first = Math.min(first, b.pivot_A * 0.8); last = Math.max(last, b.pivot_A * 1.25); });
  const s = data.spectrum.wave_observed_A;
  return [Math.max(first, s[0]), Math.min(last, s[s.length - 1])];
}

function spectrumSection() {
  const [first, last] = shownRange(), continuum = spectrumPoints(first, last), total = withLines(continuum);
  element('h2', page, 'Spectrum');
  if (!total.length) { element('p', page, 'The galaxy gives no light here.', 'note'); return; }
  const pixels = pixelCurves();
  const bands = data.photometry.filter(b => b.flux_njy > 0 && !isPixel(b)).map(b => ({wave: b.pivot_A / 1e4, flux: b.flux_njy,
    label: b.band + ': ' + number(b.flux_njy, 5) + ' nJy, ' + number(b.mag_ab, 5) + ' AB'}));
  const fluxes = continuum.map(p => p.flux).concat(bands.map(b => b.flux)).sort((a, b) => a - b);
  const top = Math.max(...total.map(p => p.flux)), typical = fluxes[Math.floor(0.5 * fluxes.length)];
  const low = Math.max(fluxes[Math.floor(0.02 * fluxes.length)], Math.min(typical, fluxes[fluxes.length - 1]) * 1e-3) * 0.5, high = Math.min(top, typical * 1e4) * 2;
  const shown = total.map(p => ({wave: p.wave, flux: Math.max(p.flux, low * 0.5), c: Math.max(continuumAt(continuum, p.wave), low * 0.5)}));
  draw(page, {width: 900, height: 400,
    data: [{name: 'spectrum', values: shown}, {name: 'bands', values: bands}, {name: 'pixels', values: pixels}],
    scales: [{name: 'x', type: 'log', domain: [first / 1e4, last / 1e4], range: 'width', nice: false},
      {name: 'y', type: 'log', domain: [low, high], range: 'height', nice: false},
      {name: 'rest', type: 'log', domain: [first / 1e4 / (1 + data.redshift), last / 1e4 / (1 + data.redshift)], range: 'width', nice: false},
      {name: 'mag', type: 'linear', domain: [AB_ZERO_NJY - 2.5 * Math.log10(low), AB_ZERO_NJY - 2.5 * Math.log10(high)], range: 'height', nice: false, zero: false}],
    axes: [{orient: 'bottom', scale: 'x', title: 'observed wavelength [µm]', grid: true, tickCount: 10, format: '~g'},
      {orient: 'top', scale: 'rest', title: 'rest wavelength [µm]', tickCount: 10, format: '~g'},
      {orient: 'left', scale: 'y', title: 'flux density [nJy]', grid: true, tickCount: 6, format: '~g'},
      {orient: 'right', scale: 'mag', title: 'AB magnitude', tickCount: 8}],
    marks: [{type: 'group', clip: true, encode: {enter: {width: {signal: 'width'}, height: {signal: 'height'}}}, marks: [
      {type: 'line', from: {data: 'spectrum'}, encode: {enter: {x: {scale: 'x', field: 'wave'}, y: {scale: 'y', field: 'flux'}, stroke: {value: '#e0903a'}, strokeWidth: {value: 1}}}},
      {type: 'line', from: {data: 'spectrum'}, encode: {enter: {x: {scale: 'x', field: 'wave'}, y: {scale: 'y', field: 'c'}, stroke: {value: '#2b6cb0'}, strokeWidth: {value: 1.2}}}},
      {type: 'group', from: {facet: {name: 'one', data: 'pixels', groupby: 'curve'}}, marks: [{type: 'line', from: {data: 'one'},
        encode: {enter: {x: {scale: 'x', field: 'wave'}, y: {scale: 'y', field: 'flux'}, stroke: {value: '#1b1f27'}, strokeWidth: {value: 1.3}}}}]},
      {type: 'symbol', from: {data: 'bands'}, encode: {enter: {x: {scale: 'x', field: 'wave'}, y: {scale: 'y', field: 'flux'}, size: {value: 60}, fill: {value: '#fff'},
        stroke: {value: '#1b1f27'}, strokeWidth: {value: 1.6}, tooltip: {field: 'label'}}}}]}]});
  element('p', page, 'Blue: continuum, with the intergalactic medium. Orange: with lines, drawn at a resolution of ' + RESOLUTION +
    '. Circles: mean flux density in each band, at its pivot wavelength.' + (pixels.length ? ' Black: the ' + pixels.length + ' pixels of spectra.' : ''), 'note');
}

function historySection() {
  if (!data.history.sfr_msun_per_yr.some(sfr => sfr > 0)) return;   /* no stars, or an age that one moment decides */
  const h = data.history, values = h.sfr_msun_per_yr.map((sfr, i) => ({a: h.lookback_low_yr[i] / 1e9, b: h.lookback_high_yr[i] / 1e9, sfr}));
  const formed = [], total = values.reduce((sum, v) => sum + v.sfr * (v.b - v.a), 0);
  let left = total;
  values.forEach(v => { formed.push({t: v.a, m: total > 0 ? left / total : 0}); left -= v.sfr * (v.b - v.a); });
  formed.push({t: values[values.length - 1].b, m: 0});
  element('h2', page, 'Star formation history');
  const grid = element('div', page, undefined, 'grid'), steps = [];
  values.forEach(v => { steps.push({t: v.a, sfr: v.sfr}); steps.push({t: v.b, sfr: v.sfr}); });
  const base = {width: 410, height: 230}, x = {name: 'x', type: 'linear', domain: [data.age_universe_yr / 1e9, 0], range: 'width', zero: false};
  const bottom = {orient: 'bottom', scale: 'x', title: 'lookback time [Gyr]', grid: true, tickCount: 7};
  draw(grid, Object.assign({}, base, {data: [{name: 'steps', values: steps}],
    scales: [x, {name: 'y', type: 'linear', domain: {data: 'steps', field: 'sfr'}, range: 'height', zero: true, nice: true}],
    axes: [bottom, {orient: 'left', scale: 'y', title: 'star formation rate [M☉/yr]', grid: true, tickCount: 5, format: '~r'}],
    marks: [{type: 'area', from: {data: 'steps'}, encode: {enter: {x: {scale: 'x', field: 't'}, y: {scale: 'y', field: 'sfr'}, y2: {scale: 'y', value: 0},
      fill: {value: '#9bbfe0'}, stroke: {value: '#2b6cb0'}}}}]}));
  draw(grid, Object.assign({}, base, {data: [{name: 'formed', values: formed}],
    scales: [x, {name: 'y', type: 'linear', domain: [0, 1], range: 'height'}],
    axes: [bottom, {orient: 'left', scale: 'y', title: 'share of the mass formed', grid: true, tickCount: 5}],
    marks: [{type: 'line', from: {data: 'formed'}, encode: {enter: {x: {scale: 'x', field: 't'}, y: {scale: 'y', field: 'm'}, stroke: {value: '#2b6cb0'}, strokeWidth: {value: 1.6}}}}]}));
}

function tables() {
  const grid = element('div', page, undefined, 'grid');
  const titled = (title, head, rows) => { const box = element('div', grid); element('h2', box, title); tableOf(box, head, rows); };
  titled('Parameters', ['', 'value', 'unit', 'from'], data.parameters.map(p => [p.name, p.value, p.unit, p.origin]));
  titled('Derived quantities', ['', 'value', 'unit'], data.derived.map(d => [d.name, d.value, d.unit]));
  const bands = data.photometry.filter(b => !isPixel(b));
  if (bands.length) titled('Photometry', ['', 'pivot [Å]', 'flux [nJy]', 'AB mag'], bands.map(b => [b.band, b.pivot_A, b.flux_njy, b.mag_ab]));
  if (data.measurements.length) titled('Measurements', ['', 'value', 'unit'], data.measurements.map(m => [m.name, m.value, m.unit]));
  const strongest = data.lines.filter(l => l.luminosity_erg_s > 0).sort((a, b) => b.luminosity_erg_s - a.luminosity_erg_s).slice(0, 20);
  if (strongest.length) titled('Strongest lines', ['', 'observed [Å]', 'L [erg/s]', 'F [erg/s/cm²]', 'EW, rest [Å]'],
    strongest.map(l => [l.line, number(l.wave_observed_A, 7), l.luminosity_erg_s, l.flux_erg_s_cm2, number(widthOf(l), 4)]));
}

const found = name => { const d = data.derived.find(q => q.name === name); return d && d.value !== null ? number(d.value, 4) : null; };
data.warnings.forEach(w => element('p', page, w, 'bad'));
bigNumbers(page, [['redshift', number(data.redshift, 6)], ['age of the Universe [Gyr]', number(data.age_universe_yr / 1e9, 4)],
  ['log surviving mass [M☉]', found('log_mass_surviving_msun')], ['log SFR, 10 Myr [M☉/yr]', found('log_sfr_10myr_msun_per_yr')],
  ['M UV [AB]', found('m_uv_ab')], ['β UV', found('beta_uv')]].filter(p => p[1] !== null));
spectrumSection();
historySection();
tables();
element('h2', page, 'Origin');
tableOf(page, ['', ''], [['command', data.command], ['model', data.model], ['sedna', data.sedna_version]])
  .querySelectorAll('td:last-child').forEach(td => { td.className = 'text'; });
