/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The page of a calibration check. `data` is the JSON file of sedna check (docs/formats.md). */
'use strict';

const percent = x => number(100 * x, 3) + ' %';

function verdictSection() {
  const v = data.verdict, line = element('p', page);
  element('strong', line, v.calibrated ? 'Calibrated' : 'Not calibrated', v.calibrated ? 'good' : 'bad');
  line.append(' on ' + data.n + ' fresh galaxies of the survey ' + data.survey + (data.fix ? ', ' + data.fix + ' given' : '') + '.');
  bigNumbers(page, [['information gain [nats]', number(data.information_gain.nats, 4) + ' ± ' + number(data.information_gain.error, 2)],
    ['worst coverage of 68 %', percent(v.worst_coverage_68)], ['worst coverage of 95 %', percent(v.worst_coverage_95)],
    ['smallest SBC p-value', number(v.smallest_sbc_p, 2)], ['TARP deviation (typical ' + number(data.tarp.typical_deviation, 2) + ')', number(v.tarp_deviation, 2)]]);
}

function recoverySection() {
  element('h2', page, 'Recovery: posterior medians against truths');
  element('p', page, 'S/N is the mean over bands of flux / background error. R² = 1 says that the median is the truth, 0 that it is no better than the mean of all truths.', 'note');
  const bins = data.parameters[0].recovery.map(r => r.snr);
  const head = ['', ...bins.map(b => 'S/N ' + b + ' (' + data.parameters[0].recovery.find(r => r.snr === b).n + ')')];
  [['r2', 'R²'], ['rmse', 'RMSE'], ['nmad', 'NMAD'], ['bias', 'bias']].forEach(([key, title]) => {
    element('h3', page, title);
    tableOf(page, head, data.parameters.map(p => [p.name, ...p.recovery.map(r => number(r[key], 3))]));
  });
  const grid = element('div', page, undefined, 'grid');
  data.parameters.forEach(p => truthScatter(grid, p));
}

/* At most 2000 points; the axes hold the central 99 % of the truths. */
function truthScatter(parent, p) {
  const step = Math.ceil(p.points.truth.length / 2000), values = [];
  for (let i = 0; i < p.points.truth.length; i += step)
    if (p.points.truth[i] !== null && p.points.median[i] !== null) values.push({x: p.points.truth[i], y: p.points.median[i], s: p.points.snr[i] > 5});
  const sorted = values.map(v => v.x).sort((a, b) => a - b);
  const low = sorted[Math.floor(0.005 * sorted.length)], high = sorted[Math.ceil(0.995 * sorted.length) - 1];
  if (!(high > low)) return;
  draw(parent, {width: 220, height: 220, title: {text: p.name + (p.unit ? ' [' + p.unit + ']' : ''), fontWeight: 'normal', fontSize: 12},
    data: [{name: 'points', values}, {name: 'diagonal', values: [{v: low}, {v: high}]}],
    scales: [{name: 'x', type: 'linear', domain: [low, high], range: 'width', zero: false}, {name: 'y', type: 'linear', domain: [low, high], range: 'height', zero: false}],
    axes: [{orient: 'bottom', scale: 'x', title: 'truth', tickCount: 5}, {orient: 'left', scale: 'y', title: 'posterior median', tickCount: 5}],
    marks: [{type: 'group', clip: true, encode: {enter: {width: {signal: 'width'}, height: {signal: 'height'}}}, marks: [
      {type: 'symbol', from: {data: 'points'}, encode: {enter: {x: {scale: 'x', field: 'x'}, y: {scale: 'y', field: 'y'}, size: {value: 8},
        fill: {signal: "datum.s ? '#2b6cb0' : '#bbb'"}, fillOpacity: {value: 0.5}}}},
      {type: 'line', from: {data: 'diagonal'}, encode: {enter: {x: {scale: 'x', field: 'v'}, y: {scale: 'y', field: 'v'}, stroke: {value: '#999'}}}}]}]});
}

function coverageSection() {
  element('h2', page, 'Coverage of central credible intervals');
  element('p', page, 'The share of truths inside, and its binomial error. A calibrated posterior gives the level itself.', 'note');
  const levels = data.parameters[0].coverage.map(c => percent(c.level));
  tableOf(page, ['', ...levels, 'SBC p-value'], data.parameters.map(p =>
    [p.name, ...p.coverage.map(c => percent(c.fraction) + ' ± ' + number(100 * c.error, 2)), number(p.sbc.p, 2)]));
}

function ranksSection() {
  element('h2', page, 'Ranks of the truth among the draws');
  element('p', page, 'Flat when the posterior is right; a hill when it is too wide, a valley when too narrow, a slope when biased (Talts+2018).', 'note');
  const grid = element('div', page, undefined, 'grid');
  data.parameters.forEach(p => histogram(grid, p.name, 0, 1, p.sbc.counts));
}

function tarpSection() {
  element('h2', page, 'All parameters together: TARP');
  element('p', page, 'Expected coverage of regions around random points (Lemos+2023); p-value ' + number(data.tarp.p, 2) + '.', 'note');
  unitLines(page, '', 'credibility', 'expected coverage', [{name: 'TARP', x: data.tarp.alpha, y: data.tarp.ecp}]);
}

verdictSection();
recoverySection();
coverageSection();
ranksSection();
tarpSection();
element('h2', page, 'Origin');
tableOf(page, ['', ''], [['command', data.command], ['posterior', data.posterior + ' (' + data.posterior_hash + ')'], ['sedna', data.sedna_version]])
  .querySelectorAll('td:last-child').forEach(td => { td.className = 'text'; });
