/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The few kinds of plot that the pages are made of, as Vega specifications. Each takes plain arrays; nothing is fetched. */
'use strict';
const page = document.getElementById('page');

function element(tag, parent, text, className) {
  const e = document.createElement(tag);
  if (text !== undefined) e.textContent = text;
  if (className) e.className = className;
  parent.appendChild(e);
  return e;
}

function number(x, digits) {
  if (x === null || x === undefined || !isFinite(x)) return '–';
  return Math.abs(x) >= 1e5 || (x !== 0 && Math.abs(x) < 1e-3) ? x.toExponential(digits - 1) : Number(x.toPrecision(digits)).toString();
}

function tableOf(parent, head, rows) {
  const table = element('table', parent);
  const top = element('tr', table);
  head.forEach(h => element('th', top, h));
  rows.forEach(row => {
    const tr = element('tr', table);
    row.forEach(cell => element('td', tr, typeof cell === 'number' ? number(cell, 4) : cell));
  });
  return table;
}

function bigNumbers(parent, pairs) {
  const box = element('div', parent, undefined, 'numbers');
  pairs.forEach(([label, value]) => {
    const d = element('div', box, value);
    element('span', d, label);
  });
}

function draw(parent, spec) {
  const box = element('div', parent);
  const whole = Object.assign({$schema: 'https://vega.github.io/schema/vega/v5.json', padding: 6, background: null,
    config: {axis: {labelColor: '#445', titleColor: '#223', gridColor: '#eef', domainColor: '#99a', tickColor: '#99a', titleFontWeight: 'normal'}}}, spec);
  new vega.View(vega.parse(whole), {renderer: 'svg', container: box, hover: true}).runAsync();
}

const xyAxes = (x, y) => [{orient: 'bottom', scale: 'x', title: x, grid: true, tickCount: 6}, {orient: 'left', scale: 'y', title: y, grid: true, tickCount: 6}];

/* Points with intervals in y against x, the diagonal, and lines at a fixed relative distance from it. values: {x, y, low, high, label}. */
function scatterOnDiagonal(parent, values, options) {
  const top = options.max, lines = [];
  [0, options.band, -options.band].forEach((b, k) => {
    lines.push({k, x: 0, y: b}, {k, x: top, y: top + b * (1 + top)});
  });
  const faint = values.length > 1000 ? 0.25 : 0.8;
  draw(parent, {width: 460, height: 460,
    data: [{name: 'points', values}, {name: 'lines', values: lines}],
    scales: [{name: 'x', type: 'linear', domain: [0, top], range: 'width'}, {name: 'y', type: 'linear', domain: [0, top], range: 'height'}],
    axes: xyAxes(options.xTitle, options.yTitle),
    marks: [
      {type: 'group', clip: true, encode: {enter: {width: {signal: 'width'}, height: {signal: 'height'}}}, marks: [
        {type: 'group', from: {facet: {name: 'one', data: 'lines', groupby: 'k'}}, marks: [{type: 'line', from: {data: 'one'},
          encode: {enter: {x: {scale: 'x', field: 'x'}, y: {scale: 'y', field: 'y'}, stroke: {value: '#999'}, strokeDash: {signal: "datum.k ? [4,4] : [1,0]"}}}}]},
        {type: 'rule', from: {data: 'points'}, encode: {enter: {x: {scale: 'x', field: 'x'}, y: {scale: 'y', field: 'low'}, y2: {scale: 'y', field: 'high'},
          stroke: {value: '#2b6cb0'}, strokeOpacity: {value: 0.4 * faint}}}},
        {type: 'symbol', from: {data: 'points'}, encode: {enter: {x: {scale: 'x', field: 'x'}, y: {scale: 'y', field: 'y'}, size: {value: values.length > 1000 ? 6 : 28},
          fill: {signal: "datum.off ? '#c0392b' : '#2b6cb0'"}, fillOpacity: {value: faint}, tooltip: {field: 'label'}}}}]}]});
}

/* Counts [n] over equal bins from low to high; marks: [{x, color}] as vertical lines. */
function histogram(parent, title, low, high, counts, marks) {
  const step = (high - low) / counts.length;
  draw(parent, {width: 190, height: 90,
    data: [{name: 'bins', values: counts.map((c, i) => ({a: low + i * step, b: low + (i + 1) * step, c}))}, {name: 'marks', values: marks || []}],
    scales: [{name: 'x', type: 'linear', domain: [low, high], range: 'width', zero: false}, {name: 'y', type: 'linear', domain: {data: 'bins', field: 'c'}, range: 'height', zero: true}],
    axes: [{orient: 'bottom', scale: 'x', title, tickCount: 4}],
    marks: [
      {type: 'rect', from: {data: 'bins'}, encode: {enter: {x: {scale: 'x', field: 'a'}, x2: {scale: 'x', field: 'b'}, y: {scale: 'y', field: 'c'}, y2: {scale: 'y', value: 0}, fill: {value: '#9bbfe0'}}}},
      {type: 'rule', from: {data: 'marks'}, encode: {enter: {x: {scale: 'x', field: 'x'}, y: {value: 0}, y2: {signal: 'height'}, stroke: {field: 'color'}, strokeWidth: {value: 1.5}}}}]});
}

function histogramOf(parent, title, values, bins) {
  const v = values.filter(x => x !== null && isFinite(x)).sort((a, b) => a - b);
  if (v.length < 2) return;
  const low = v[Math.floor(0.005 * v.length)], high = v[Math.ceil(0.995 * v.length) - 1];
  if (!(high > low)) return;
  const counts = new Array(bins).fill(0);
  v.forEach(x => { if (x >= low && x <= high) counts[Math.min(bins - 1, Math.floor(bins * (x - low) / (high - low)))]++; });
  histogram(parent, title, low, high, counts);
}

/* Data with errors and predicted intervals over wavelength. bands: {name, wave, flux, sigma, q16, q50, q84}. */
function sed(parent, bands) {
  const seen = bands.filter(b => b.wave !== null && b.q50 !== null);
  const values = seen.map(b => Object.assign({low: b.flux === null ? null : b.flux - b.sigma, high: b.flux === null ? null : b.flux + b.sigma,
    label: b.name + ': ' + number(b.flux, 4) + ' ± ' + number(b.sigma, 3) + ' nJy, predicted ' + number(b.q50, 4)}, b));
  const positive = [];
  values.forEach(v => [v.flux, v.q16, v.q84].forEach(f => { if (f > 0) positive.push(f); }));
  if (!positive.length) return;
  const floor = Math.max(Math.min(...positive), Math.max(...positive) * 1e-4) * 0.6, top = Math.max(...positive) * 1.8;
  const waves = values.map(v => v.wave);
  const clip = f => Math.max(f, floor);
  draw(parent, {width: 520, height: 280,
    data: [{name: 'bands', values: values.map(v => Object.assign(v, {q16c: clip(v.q16), q84c: clip(v.q84), q50c: clip(v.q50),
      fluxc: v.flux === null ? null : clip(v.flux), lowc: v.low === null ? null : clip(v.low), highc: v.high === null ? null : clip(v.high)}))},
      {name: 'observed', source: 'bands', transform: [{type: 'filter', expr: 'datum.flux !== null'}]}],
    scales: [{name: 'x', type: 'log', domain: [Math.min(...waves) * 0.85, Math.max(...waves) * 1.15], range: 'width', nice: false},
      {name: 'y', type: 'log', domain: [floor, top], range: 'height', nice: false}],
    axes: [{orient: 'bottom', scale: 'x', title: 'observed wavelength [µm]', grid: true, tickCount: 8, format: '~g'}, {orient: 'left', scale: 'y', title: 'flux density [nJy]', grid: true, tickCount: 5, format: '~g'}],
    marks: [
      {type: 'rule', from: {data: 'bands'}, encode: {enter: {x: {scale: 'x', field: 'wave'}, y: {scale: 'y', field: 'q16c'}, y2: {scale: 'y', field: 'q84c'},
        stroke: {value: '#e0903a'}, strokeWidth: {value: 9}, strokeOpacity: {value: 0.45}, tooltip: {field: 'label'}}}},
      {type: 'symbol', from: {data: 'bands'}, encode: {enter: {x: {scale: 'x', field: 'wave'}, y: {scale: 'y', field: 'q50c'}, shape: {value: 'stroke'}, size: {value: 90}, stroke: {value: '#c0701a'}, strokeWidth: {value: 1.5}}}},
      {type: 'rule', from: {data: 'observed'}, encode: {enter: {x: {scale: 'x', field: 'wave'}, y: {scale: 'y', field: 'lowc'}, y2: {scale: 'y', field: 'highc'}, stroke: {value: '#1b1f27'}}}},
      {type: 'symbol', from: {data: 'observed'}, encode: {enter: {x: {scale: 'x', field: 'wave'}, y: {scale: 'y', field: 'fluxc'}, size: {value: 36}, fill: {value: '#1b1f27'}, tooltip: {field: 'label'}}}}]});
}

/* Pixels of one spectrum with errors, and the predicted interval. s: {name, wave, flux, sigma, q16, q50, q84}, lists; um and nJy. */
function spectrumOf(parent, s) {
  const values = s.wave.map((wave, i) => ({wave, flux: s.flux[i], q16: s.q16[i], q50: s.q50[i], q84: s.q84[i],
    low: s.flux[i] === null || s.sigma[i] === null ? null : s.flux[i] - s.sigma[i], high: s.flux[i] === null || s.sigma[i] === null ? null : s.flux[i] + s.sigma[i]}));
  const all = s.flux.concat(s.q16, s.q84).filter(f => f !== null).sort((a, b) => a - b);
  if (!all.length) return;
  const low = Math.min(0, all[Math.floor(0.01 * all.length)]), high = 1.15 * all[Math.ceil(0.995 * all.length) - 1];
  if (!(high > low)) return;
  const at = y => ({x: {scale: 'x', field: 'wave'}, y: {scale: 'y', field: y}});
  draw(parent, {width: 900, height: 240, title: {text: s.name, fontWeight: 'normal', fontSize: 13},
    data: [{name: 'pixels', values}, {name: 'observed', source: 'pixels', transform: [{type: 'filter', expr: 'datum.flux !== null'}]},
      {name: 'errors', source: 'observed', transform: [{type: 'filter', expr: 'datum.low !== null'}]},
      {name: 'predicted', source: 'pixels', transform: [{type: 'filter', expr: 'datum.q50 !== null'}]}],
    scales: [{name: 'x', type: 'linear', domain: [Math.min(...s.wave), Math.max(...s.wave)], range: 'width', zero: false, nice: false},
      {name: 'y', type: 'linear', domain: [low, high], range: 'height', nice: true}],
    axes: [{orient: 'bottom', scale: 'x', title: 'observed wavelength [µm]', grid: true, tickCount: 10}, {orient: 'left', scale: 'y', title: 'flux density [nJy]', grid: true, tickCount: 5}],
    marks: [{type: 'group', clip: true, encode: {enter: {width: {signal: 'width'}, height: {signal: 'height'}}}, marks: [
      {type: 'rule', from: {data: 'errors'}, encode: {enter: Object.assign(at('low'), {y2: {scale: 'y', field: 'high'}, stroke: {value: '#889'}, strokeOpacity: {value: 0.6}})}},
      {type: 'symbol', from: {data: 'observed'}, encode: {enter: Object.assign(at('flux'), {size: {value: 6}, fill: {value: '#1b1f27'}})}},
      {type: 'area', from: {data: 'predicted'}, encode: {enter: Object.assign(at('q16'), {y2: {scale: 'y', field: 'q84'}, fill: {value: '#e0903a'}, fillOpacity: {value: 0.45}})}},
      {type: 'line', from: {data: 'predicted'}, encode: {enter: Object.assign(at('q50'), {stroke: {value: '#c0701a'}, strokeWidth: {value: 1.2}})}}]}]});
}

/* Lines in the unit square with the diagonal. series: [{name, x: [], y: []}]. */
function unitLines(parent, title, xTitle, yTitle, series) {
  const values = [];
  series.forEach(s => s.x.forEach((x, i) => values.push({name: s.name, x, y: s.y[i]})));
  draw(parent, {width: 300, height: 300, title: {text: title, fontWeight: 'normal', fontSize: 13},
    data: [{name: 'points', values}, {name: 'diagonal', values: [{x: 0, y: 0}, {x: 1, y: 1}]}],
    scales: [{name: 'x', type: 'linear', domain: [0, 1], range: 'width'}, {name: 'y', type: 'linear', domain: [0, 1], range: 'height'},
      {name: 'color', type: 'ordinal', domain: {data: 'points', field: 'name'}, range: {scheme: 'tableau10'}}],
    axes: xyAxes(xTitle, yTitle), legends: series.length > 1 ? [{fill: 'color'}] : [],
    marks: [{type: 'line', from: {data: 'diagonal'}, encode: {enter: {x: {scale: 'x', field: 'x'}, y: {scale: 'y', field: 'y'}, stroke: {value: '#999'}, strokeDash: {value: [4, 4]}}}},
      {type: 'group', from: {facet: {name: 'one', data: 'points', groupby: 'name'}}, marks: [{type: 'line', from: {data: 'one'},
        encode: {enter: {x: {scale: 'x', field: 'x'}, y: {scale: 'y', field: 'y'}, stroke: {scale: 'color', field: 'name'}, strokeWidth: {value: 1.6}}}}]}]});
}
