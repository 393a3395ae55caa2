/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The page of a tuning. `data` is the object that report_study.c writes. */
'use strict';

const all = [].concat(...data.trials.map(t => t.trainings.map(g => Object.assign({trial: t.trial, options: t.options, epochs: data.rungs[g.rung].epochs + ' epochs'}, g))));
const done = all.filter(g => g.state === 'done');
const best = done.find(g => g.trial === data.best && g.rung === data.best_rung), byDefault = done.find(g => g.trial === 0 && g.rung === data.best_rung);
const optionNames = Object.keys(data.trials[data.trials.length - 1].options).filter(name => new Set(data.trials.map(t => t.options[name])).size > 1);
const describe = g => 'trial ' + g.trial + ', ' + g.epochs + ': ' + number(g.gain, 4) + ' nats, ' + number(g.seconds, 3) + ' s; ' +
  optionNames.map(name => name + ' ' + g.options[name]).join(', ');

/* The gains worth seeing: a trial that learnt nothing would press all others together. */
function gainRange() {
  const gains = done.map(g => g.gain).sort((a, b) => a - b), high = gains[gains.length - 1];
  const low = Math.max(gains[0], 2 * gains[Math.floor(gains.length / 2)] - high - 1);
  return [low - 0.05 * (high - low) - 1e-3, high + 0.05 * (high - low) + 1e-3];
}
const range = done.length ? gainRange() : [0, 1];

/* Points (x, gain), one colour for each budget, the default ringed. options: {width, height, title, type: 'linear', 'log' or 'point'} */
function gainScatter(parent, values, options) {
  const words = options.type === 'point' ? Array.from(new Set(values.map(v => v.x))).sort((a, b) => a - b || (a > b ? 1 : -1)) : null;
  const x = words ? {name: 'x', type: 'point', domain: words, range: 'width', padding: 0.5}
    : {name: 'x', type: options.type, domain: {data: 'points', field: 'x'}, range: 'width', zero: false, nice: true};
  draw(parent, {width: options.width, height: options.height,
    data: [{name: 'points', values: values.map(v => Object.assign({}, v, {y: Math.max(v.gain, range[0]), label: describe(v)}))}],
    scales: [x, {name: 'y', type: 'linear', domain: range, range: 'height', zero: false},
      {name: 'color', type: 'ordinal', domain: data.rungs.map(r => r.epochs + ' epochs'), range: {scheme: 'viridis', extent: [0.9, 0.1], count: Math.max(2, data.rungs.length)}}],
    axes: [{orient: 'bottom', scale: 'x', title: options.title, grid: true, tickCount: 5, format: words ? undefined : '~g'},
      {orient: 'left', scale: 'y', title: 'information gain [nats]', grid: true, tickCount: 5}],
    legends: options.legend ? [{fill: 'color'}] : [],
    marks: [{type: 'symbol', from: {data: 'points'}, encode: {enter: {x: {scale: 'x', field: 'x'}, y: {scale: 'y', field: 'y'}, size: {value: 45},
      fill: {scale: 'color', field: 'epochs'}, fillOpacity: {value: 0.85}, stroke: {value: '#c0392b'}, strokeWidth: {signal: 'datum.trial === 0 ? 2 : 0'}, tooltip: {field: 'label'}}}}]});
}

/* The best gain of each budget as the study went on. */
function progressSection() {
  const first = Math.min(...done.map(g => g.ended - g.seconds)), steps = [];
  data.rungs.forEach(r => {
    let top = -Infinity;
    done.filter(g => g.epochs === r.epochs + ' epochs').sort((a, b) => a.ended - b.ended).forEach(g => {
      top = Math.max(top, g.gain);
      steps.push({x: (g.ended - first) / 60, y: Math.max(top, range[0]), epochs: g.epochs});
    });
  });
  element('h2', page, 'Best so far');
  draw(page, {width: 700, height: 240, data: [{name: 'steps', values: steps}],
    scales: [{name: 'x', type: 'linear', domain: {data: 'steps', field: 'x'}, range: 'width', zero: true, nice: true}, {name: 'y', type: 'linear', domain: range, range: 'height', zero: false},
      {name: 'color', type: 'ordinal', domain: data.rungs.map(r => r.epochs + ' epochs'), range: {scheme: 'viridis', extent: [0.9, 0.1], count: Math.max(2, data.rungs.length)}}],
    axes: xyAxes('time since the first training [min]', 'best information gain [nats]'), legends: [{stroke: 'color'}],
    marks: [{type: 'group', from: {facet: {name: 'one', data: 'steps', groupby: 'epochs'}}, marks: [
      {type: 'line', from: {data: 'one'}, encode: {enter: {x: {scale: 'x', field: 'x'}, y: {scale: 'y', field: 'y'}, interpolate: {value: 'step-after'}, stroke: {scale: 'color', field: 'epochs'}, strokeWidth: {value: 2}}}},
      {type: 'symbol', from: {data: 'one'}, encode: {enter: {x: {scale: 'x', field: 'x'}, y: {scale: 'y', field: 'y'}, size: {value: 20}, fill: {scale: 'color', field: 'epochs'}}}}]}]});
}

function optionType(values) {
  const numbers = values.map(Number), distinct = new Set(values).size;
  if (distinct <= 8 || numbers.some(x => !isFinite(x))) return 'point';
  return Math.min(...numbers) > 0 ? 'log' : 'linear';
}

function optionsSection() {
  element('h2', page, 'Gain against each option');
  element('p', page, 'Ringed: the default. Trials that fell far behind stand on the lower edge.', 'note');
  const grid = element('div', page, undefined, 'grid');
  optionNames.forEach(name => {
    const type = optionType(done.map(g => g.options[name]));
    gainScatter(grid, done.map(g => Object.assign({}, g, {x: type === 'point' ? g.options[name] : Number(g.options[name])})), {width: 270, height: 190, title: name, type});
  });
}

function tableSection() {
  element('h2', page, 'Trials');
  const last = t => t.trainings[t.trainings.length - 1];
  const rows = data.trials.filter(t => t.trainings.length).sort((a, b) => last(b).rung - last(a).rung || (last(b).gain ?? -Infinity) - (last(a).gain ?? -Infinity) || a.trial - b.trial);
  const box = element('div', page);
  box.style.overflowX = 'auto';   /* a column for each option */
  tableOf(box, ['trial', 'epochs', 'state', 'gain', 'on test', 'seconds', 'rows/s', 'weights', ...optionNames], rows.map(t => {
    const g = last(t);
    return [t.trial === 0 ? '0 (default)' : String(t.trial), String(data.rungs[g.rung].epochs), g.state, number(g.gain, 4), number(g.test_gain, 4), number(g.seconds, 3),
      number(g.rows_per_second, 3), g.n_weight === null ? '–' : String(g.n_weight), ...optionNames.map(name => t.options[name])];
  }));
  all.filter(g => g.state === 'failed').forEach(g => element('p', page, 'Trial ' + g.trial + ', ' + g.epochs + ': ' + g.note, 'bad'));
}

bigNumbers(page, [['trials', String(data.trials.length)], ['trainings done', done.length + ' of ' + data.rungs.reduce((n, r) => n + r.size, 0)]].concat(
  best ? [['best trial' + (best.trial === 0 ? ' (the default)' : ''), String(best.trial)], ['its gain, validation [nats]', number(best.gain, 4)], ['on test galaxies', number(best.test_gain, 4)]] : [],
  byDefault ? [['the default, as many epochs', number(byDefault.gain, 4)]] : []));
if (done.length) {
  progressSection();
  element('h2', page, 'Gain against time and size');
  const grid = element('div', page, undefined, 'grid');
  gainScatter(grid, done.map(g => Object.assign({x: g.seconds}, g)), {width: 400, height: 280, title: 'seconds of training', type: 'log', legend: true});
  gainScatter(grid, done.map(g => Object.assign({x: g.n_weight}, g)), {width: 400, height: 280, title: 'weights', type: 'log'});
  optionsSection();
}
tableSection();
element('h2', page, 'Origin');
tableOf(page, ['', ''], [['library', data.library], ['sedna', data.sedna_version]]).querySelectorAll('td:last-child').forEach(td => { td.className = 'text'; });
