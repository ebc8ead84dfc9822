// The page of all runs: a table to choose from, the curves of the chosen ones over each other, and what differs.
import { getRuns, follow, message, parameterNames } from '/server.js';
import { $, element, replace, table, plain, number } from '/dom.js';
import { themes } from '/theme.js';
import { Curves } from '/curves.js';
import { ChartGrid, lineColour } from '/chart.js';
import { address, viewControls } from '/view.js';
import { menu } from '/menu.js';
import { allColumns, usual, textOf, compare, parseFilter, steps } from '/columns.js';

const runs = new Map();  // by id
const curves = new Curves();
const grid = new ChartGrid($('#charts'));
const places = new Map();  // key of a chosen run -> index of its colour
let columns = [], shownRows = 100, heard = 0;

// What the reader has chosen; kept in the address, columns also for the next visit.
const stored = (localStorage.getItem('linnet-columns') ?? '').split(' ').filter(Boolean);
const fromAddress = address.get('columns')?.split(' ').filter(Boolean);
let chosenColumns = fromAddress ?? (stored.length ? stored : usual);
let [sort, down] = [address.get('sort') ?? 'started', address.get('down') !== '0'];
let metrics = address.get('metrics')?.split(' ').filter(Boolean) ?? null;
let first = address.get('runs') === null;
for (const key of address.get('runs')?.split(' ').filter(Boolean) ?? []) choose(key);
let kind = address.get('kind') === 'all' ? '' : address.get('kind');
$('#filter').value = address.get('filter') ?? '';

const view = viewControls($('#view'), drawCurves);
const chosen = () => [...runs.values()].filter(run => places.has(run.key)).sort((a, b) => places.get(a.key) - places.get(b.key));

function choose(key) {
  const taken = new Set(places.values());
  let place = 0;
  while (taken.has(place)) ++place;
  places.set(key, place);
}

function chosenChanged() {
  address.set('runs', [...places.keys()].map(key => key.slice(0, 8)).join(' '));
  drawCurves();
  drawTable();
}

// -- The table

function filtered() {
  const accepts = parseFilter($('#filter').value, columns);
  const column = columns.find(one => one.id === sort) ?? columns.find(one => one.id === 'started');
  const newest = compare(columns.find(one => one.id === 'started'), true), order = compare(column, down);
  return [...runs.values()].filter(run => (!kind || run.kind === kind) && accepts(run)).sort((a, b) => order(a, b) || newest(a, b));
}

function drawTable() {
  const shown = chosenColumns.map(id => columns.find(column => column.id === id)).filter(Boolean);
  const found = filtered();
  const head = element('tr', {}, element('th', {}, allBox(found)), ...shown.map(column => {
    const title = element('th', {}, element('button', { type: 'button', onclick: () => sortBy(column.id) }, column.title, column.id === sort ? (down ? ' ↓' : ' ↑') : ''));
    title.firstChild.dataset.focus = `sort ${column.id}`;
    if (column.id === sort) title.setAttribute('aria-sort', down ? 'descending' : 'ascending');
    return title;
  }));
  const rows = found.slice(0, shownRows).map(run => element('tr', {}, element('td', {}, box(run)), ...shown.map(column => cell(column, run))));
  shown.forEach((column, i) => { if (rows.some(row => row.cells[i + 1].className === 'number')) head.cells[i + 1].className = 'number'; });
  const parts = [element('table', {}, element('thead', {}, head), element('tbody', {}, ...rows))];
  if (found.length > shownRows)
    parts.push(element('button', { type: 'button', className: 'quiet', onclick() { shownRows = found.length; drawTable(); } }, `Show all ${found.length}`));
  replace($('#runs'), ...parts);
  $('#count').textContent = `${found.length} of ${runs.size} runs`;
}

function cell(column, run) {
  const text = textOf(column, run);
  if (column.id === 'name') return element('td', { title: text }, element('a', { href: `/run?key=${run.key}` }, text));
  const status = column.id === 'status' ? run.status : '';
  return element('td', { title: run.error && status ? run.error : text, className: typeof column.value(run) === 'number' && !column.text ? 'number' : status }, text);
}

function box(run) {
  const made = element('input', {
    type: 'checkbox', checked: places.has(run.key), 'aria-label': `Show curves of ${run.name}`,
    onchange() { if (made.checked) choose(run.key); else places.delete(run.key); chosenChanged(); },
  });
  made.dataset.focus = `run ${run.id}`;
  if (places.has(run.key)) made.style.accentColor = lineColour(places.get(run.key));
  return made;
}

function allBox(found) {
  const made = element('input', {
    type: 'checkbox', 'aria-label': 'The first 20 of these runs, or none', checked: places.size > 0, title: 'The first 20 of these, or none',
    onchange() { places.clear(); if (made.checked) found.slice(0, 20).forEach(run => choose(run.key)); chosenChanged(); },
  });
  made.dataset.focus = 'all';
  return made;
}

function sortBy(id) {
  down = id === sort ? !down : id !== 'name';
  sort = id;
  address.set('sort', id);
  address.set('down', down ? '' : '0');
  drawTable();
}

menu($('#columns'), () => columns, column => chosenColumns.includes(column.id), column => {
  chosenColumns = chosenColumns.includes(column.id) ? chosenColumns.filter(id => id !== column.id) : [...chosenColumns, column.id];
  localStorage.setItem('linnet-columns', chosenColumns.join(' '));
  address.set('columns', chosenColumns.join(' '));
  drawTable();
});

// -- The curves

const isSystem = label => label.startsWith('sys.');
const curveLabels = () => [...new Set(chosen().flatMap(run => run.series.filter(one => one.count > 1).map(one => one.label)))]
  .sort((a, b) => isSystem(a) - isSystem(b) || a.localeCompare(b));

const preferred = ['train/loss', 'validate/loss', 'train/top1', 'validate/top1', 'learning_rate', 'images_per_s'];

// Unless the reader has chosen: the usual ones, else the first four of what there is.
function shownMetrics() {
  const labels = curveLabels();
  if (metrics) return metrics.filter(label => labels.includes(label));
  const usualOnes = preferred.filter(label => labels.includes(label)).slice(0, 4);
  return usualOnes.length ? usualOnes : labels.filter(label => !isSystem(label)).slice(0, 4);
}

menu($('#metrics'), () => curveLabels().map(label => ({ id: label, title: label, group: isSystem(label) ? 'system' : 'metrics' })),
  entry => shownMetrics().includes(entry.id), entry => {
    const now = shownMetrics();
    metrics = now.includes(entry.id) ? now.filter(label => label !== entry.id) : [...now, entry.id];
    address.set('metrics', metrics.join(' '));
    drawCurves();
  });

async function drawCurves() {
  const selected = chosen(), labels = shownMetrics();
  drawLegend(selected);
  const of = (run, label) => run.series.find(one => one.label === label);
  const loaded = curves.load(selected.flatMap(run => labels.map(label => of(run, label)).filter(Boolean)), view.logX);
  drawDifferences(selected);  // while the server works
  try {
    await loaded;
  } catch (error) {
    return message(error.message);
  }
  grid.draw(labels.map(label => ({
    title: label,
    lines: selected.filter(run => of(run, label)).map(run => ({ name: run.name, index: places.get(run.key), curve: curves.get(of(run, label).id), started: run.started })),
  })), view);
  message(runs.size === 0 ? 'No runs yet: train_cli records what it does.' : selected.length === 0 ? 'Tick runs in the table to see their curves.'
    : labels.length === 0 ? 'These runs have no curves.' : '');
}

function drawLegend(selected) {
  replace($('#legend'), ...selected.map(run => {
    const dot = element('span', { className: 'dot' });
    dot.style.background = lineColour(places.get(run.key));
    const button = element('button', { type: 'button', className: 'quiet', 'aria-label': `Take ${run.name} away`, onclick() { places.delete(run.key); chosenChanged(); } }, '×');
    return element('span', {}, dot, element('a', { href: `/run?key=${run.key}`, title: run.name }, run.name), button);
  }));
}

function drawDifferences(selected) {
  $('#compare').hidden = selected.length < 2;
  if (selected.length < 2) return;
  const differing = parameterNames(selected).filter(name => new Set(selected.map(run => plain(run.parameters[name]))).size > 1);
  const rows = differing.map(name => [name, ...selected.map(run => plain(run.parameters[name]))]);
  rows.push(['steps', ...selected.map(run => number(steps(run)))]);
  for (const label of shownMetrics()) rows.push([label, ...selected.map(run => number(run.series.find(one => one.label === label)?.last))]);
  replace($('#compare .scroll'), table(['', ...selected.map(run => run.name)], rows));
}

// -- What is new

async function update() {
  const newest = Math.max(0, ...runs.keys());
  const { ids, runs: changed } = await getRuns({ since: Math.max(0, heard - 10_000), after: newest });
  for (const run of changed) {
    runs.set(run.id, run);
    heard = Math.max(heard, run.heartbeat);
  }
  const there = new Set(ids);
  for (const id of runs.keys()) if (!there.has(id)) runs.delete(id);
  columns = allColumns([...runs.values()]);
  const kinds = [...new Set([...runs.values()].map(run => run.kind))].sort();
  kind ??= kinds.includes('training') ? 'training' : '';
  if (kinds.length + 1 !== $('#kind').options.length)
    $('#kind').replaceChildren(new Option('All kinds', ''), ...kinds.map(name => new Option(name, name, false, name === kind)));
  for (const key of [...places.keys()]) {  // of the address: beginnings of keys
    const run = [...runs.values()].find(one => one.key.startsWith(key));
    if (run && run.key !== key) { places.set(run.key, places.get(key)); places.delete(key); }
  }
  if (first && runs.size) {
    [...runs.values()].filter(run => run.series.some(one => one.count > 1)).slice(0, 5).forEach(run => choose(run.key));
    first = false;
  }
  const curvesDrawn = drawCurves();  // the server thins them while the table is made
  drawTable();
  await curvesDrawn;
}

let waiting = 0;
$('#filter').addEventListener('input', () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => { address.set('filter', $('#filter').value); drawTable(); }, 100);
});
$('#kind').addEventListener('change', () => {
  kind = $('#kind').value;
  address.set('kind', kind || 'all');
  drawTable();
});
addEventListener('keydown', event => {
  const typing = event.target.matches('input, select, textarea');
  if (event.key === '/' && !typing) { event.preventDefault(); $('#filter').focus(); }
});
themes(drawCurves);
follow(update);
