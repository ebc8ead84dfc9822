// The page of one run.
import { get, getRuns, follow, message, parameterNames } from '/server.js';
import { $, element, replace, table, plain, number, bytes, amount, duration, moment } from '/dom.js';
import { themes } from '/theme.js';
import { Curves } from '/curves.js';
import { ChartGrid } from '/chart.js';
import { viewControls } from '/view.js';
import { took, steps } from '/columns.js';
import { Confusion } from '/confusion.js';
import { Histograms } from '/histograms.js';
import { Images } from '/images.js';

const key = new URLSearchParams(location.search).get('key') ?? '';
const curves = new Curves();
const charts = new ChartGrid($('#curves .grid'), { legend: true }), system = new ChartGrid($('#system .grid'));
const confusion = new Confusion($('#confusion')), histograms = new Histograms($('#histograms')), images = new Images($('#images'));
const view = viewControls($('#view'), drawCurves);
let run = null, other = null, others = [], lastLine = 0;

const isSystem = one => one.label.startsWith('sys.');
const lastPart = label => label.slice(label.lastIndexOf('/') + 1);

function drawHead() {
  document.title = `${run.name} · Linnet`;
  const figure = (title, text) => text === undefined || text === '' ? null : element('div', {}, element('b', {}, text), element('span', { className: 'soft' }, title));
  const single = run.series.filter(one => one.count === 1 && !isSystem(one));
  replace($('#head'),
    element('div', { className: 'bar' }, element('h1', {}, run.name), element('span', { className: `pill ${run.status}` }, run.status),
      ...run.tags.map(tag => element('span', { className: 'pill' }, tag))),
    run.error ? element('p', { className: 'failed' }, run.error) : null,
    element('div', { className: 'figures' },
      figure('model', run.texts.model), figure('started', moment(run.started)), figure('took', duration(took(run))),
      figure('steps', steps(run) ? number(steps(run)) : ''), figure('device', run.texts.device ?? run.texts['system.hostname']),
      ...single.slice(0, 12).map(one => figure(one.label, one.label.endsWith('bytes') ? bytes(one.last) : one.last >= 1e5 ? amount(one.last) : number(one.last)))));
}

// One chart for curves of the same name: train/loss and validate/loss over each other.
function groups(chosen) {
  const found = new Map();
  for (const one of chosen) {
    const title = lastPart(one.label);
    if (!found.has(title)) found.set(title, []);
    found.get(title).push({ name: one.label, index: found.get(title).length, curve: curves.get(one.id), started: run.started });
  }
  return [...found].map(([title, lines]) => ({ title, lines }));
}

async function drawCurves() {
  if (!run) return;
  const shown = run.series.filter(one => one.count > 1);
  await curves.load(shown, view.logX);
  const measured = groups(shown.filter(one => !isSystem(one))), machine = groups(shown.filter(isSystem));
  $('#curves').hidden = measured.length === 0;
  $('#system').hidden = machine.length === 0;
  charts.draw(measured, view);
  system.draw(machine, { ...view, x: 'time', logX: false, logY: false });
}

// -- Parameters, and how another run differs

function drawParameters() {
  const names = parameterNames(other ? [run, other] : [run]);
  $('#parameters').hidden = names.length === 0;
  const wanted = $('#filter').value.toLowerCase();
  const rows = names.map(name => [name, plain(run.parameters[name]), ...other ? [plain(other.parameters[name])] : []])
    .filter(row => row.some(text => text.toLowerCase().includes(wanted)) && (!other || row[1] !== row[2]));
  const made = table(['parameter', run.name, ...other ? [other.name] : []], rows);
  replace($('#parameters .scroll'), rows.length ? made : element('p', { className: 'soft' }, other && !wanted ? 'No parameter differs.' : 'None.'));
}

$('#filter').addEventListener('input', drawParameters);
$('#other').addEventListener('focus', async () => {
  others = (await getRuns()).runs.filter(one => one.key !== key && one.kind === run.kind);
  const chosen = $('#other').value;
  $('#other').replaceChildren(new Option('none', ''), ...others.map(one => new Option(`${one.name} · ${moment(one.started)}`, one.key)));
  $('#other').value = chosen;
}, { once: true });
$('#other').addEventListener('change', () => {
  other = others.find(one => one.key === $('#other').value) ?? null;
  drawParameters();
});

// -- Log, files, layers, facts

async function drawLog() {
  const lines = await get('/api/output', { run: run.id, after: lastLine });
  if (!lines.length) return;
  lastLine = lines.at(-1).id;
  $('#log').hidden = false;
  const log = $('#log pre'), atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 5;
  log.append(...lines.map(line => element('span', { className: line.error ? 'error' : '', title: moment(line.time) }, line.text)));
  if (atEnd) log.scrollTop = log.scrollHeight;
}

function drawTables() {
  const show = (id, head, rows) => {
    $(id).hidden = rows.length === 0;
    replace($(`${id} .scroll`), table(head, rows));
  };
  show('#files', ['file', 'kind', 'step', 'size', 'written'], run.assets.map(asset => [
    element('a', { href: `/api/asset?id=${asset.id}` }, asset.name || asset.kind), asset.kind, asset.step ?? '', bytes(asset.bytes), moment(asset.time)]));
  const layers = run.texts.graph ? JSON.parse(run.texts.graph).layers : [];
  show('#layers', ['layer', 'operation', 'shape', 'parameters', 'MACs'], layers.map(layer => [
    layer.name, layer.op, layer.shape.join(' × '), number(layer.parameters), amount(layer.macs)]));
  const facts = Object.entries({ key: run.key, folder: run.folder, ...run.texts }).filter(([name, text]) => name !== 'graph' && text);
  show('#facts', ['fact', ''], facts);
  for (const row of $('#facts tbody').rows) row.cells[1].className = 'wrap';
}

function drawSections() {
  const shown = [...document.querySelectorAll('main > section:not([hidden])[id]:not(#head)')];
  replace($('#sections'), ...shown.map(section => element('a', { href: `#${section.id}` }, section.querySelector('h2').textContent)));
}

async function update() {
  run = await get('/api/run', { key });
  drawHead();
  await drawCurves();
  drawParameters();
  await Promise.all([drawLog(), confusion.draw(run.assets), histograms.draw(run.assets), images.draw(run.assets)]);
  drawTables();
  drawSections();
  message('');
}

themes(() => { drawCurves(); histograms.recolour(); confusion.recolour(); });
follow(update);
