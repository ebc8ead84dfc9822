// Accuracy against what it costs, for everything that was measured, and the best there is for each price.
import { get, follow, message } from '/server.js';
import { $, element, replace, table, number, bytes, amount } from '/dom.js';
import { colour, themes } from '/theme.js';
import { axisColours, chartFigure, fewTicks, lineColour, tooltipColours } from '/chart.js';
import { address } from '/view.js';
import { front } from '/front.js';

const milliseconds = value => `${number(value, 4)} ms`;
const costs = {
  latency: { title: 'Latency', of: row => row.median_ms, text: milliseconds, axis: 'median latency, ms' },
  size: { title: 'Size', of: row => row.file_bytes ?? row.weight_bytes ?? (row.parameters ? 4 * row.parameters : undefined), text: bytes, axis: 'size of the weights' },
  parameters: { title: 'Parameters', of: row => row.parameters, text: amount, axis: 'parameters' },
  macs: { title: 'MACs', of: row => row.macs, text: amount, axis: 'multiply-adds' },
  energy: { title: 'Energy', of: row => row.mj_per_image, text: value => `${number(value, 4)} mJ`, axis: 'energy per picture, mJ' },
  memory: { title: 'Memory', of: row => row.peak_rss_bytes, text: bytes, axis: 'largest memory of the process' },
};
const accuracies = {
  measured: { title: 'measured with bench_models, else published', fits: row => row.kind === 'benchmark', of: row => row.top1 },
  trained: { title: 'of the training runs', fits: row => row.kind !== 'benchmark', of: row => row.top1 },
};
const properties = ['device', 'precision', 'threads', 'batch', 'resolution'];

let rows = [], cost = costs[address.get('cost')] ? address.get('cost') : 'latency';
let accuracy = accuracies[address.get('accuracy')] ? address.get('accuracy') : null;
let logarithmic = address.get('log') !== '0';
const wanted = Object.fromEntries(properties.map(name => [name, address.get(name) ?? '']));

const { figure, canvas } = chartFigure('Accuracy against cost');
$('#chart').replaceWith(figure);
figure.id = 'chart';
const chart = new Chart(canvas, {
  type: 'scatter',
  data: { datasets: [] },
  plugins: [{ afterDatasetsDraw: names }],
  options: { animation: false, maintainAspectRatio: false, onClick(_, items) { const row = items[0]?.element.$context.raw.row; if (row) location.href = `/run?key=${row.key}`; } },
});

const shownText = value => value === null || value === undefined ? '' : String(value);

// -- What to look at

function select(title, current, options, changed) {
  const made = element('select', { onchange: () => changed(made.value) }, ...options.map(([value, text]) => element('option', { value, selected: value === current }, text)));
  made.dataset.focus = title;
  return element('label', {}, `${title} `, made);
}

function drawChoices() {
  const set = (word, value, usual) => address.set(word, value === usual ? '' : value);
  const filters = properties.map(name => {
    const values = [...new Set(rows.filter(accuracies[accuracy].fits).map(row => shownText(row[name])))].filter(Boolean)
      .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
    if (wanted[name] && !values.includes(wanted[name])) values.push(wanted[name]);
    if (values.length < 2 && !wanted[name]) return null;
    return select(name, wanted[name], [['', 'all'], ...values.map(value => [value, value])], value => { wanted[name] = value; set(name, value, ''); draw(); });
  }).filter(Boolean);
  replace($('#choices'),
    select('Cost', cost, Object.entries(costs).map(([name, { title }]) => [name, title]), value => { cost = value; set('cost', value, 'latency'); draw(); }),
    select('Accuracy', accuracy, Object.entries(accuracies).map(([name, { title }]) => [name, title]), value => { accuracy = value; set('accuracy', value); draw(); }),
    ...filters,
    element('label', {}, element('input', { type: 'checkbox', checked: logarithmic, onchange(event) { logarithmic = event.target.checked; set('log', logarithmic ? '' : '0'); draw(); } }), 'log'));
}

// -- The chart and its table

const describe = row => [row.model, row.device, row.precision, row.threads ? `${row.threads} threads` : '', row.data ?? ''].filter(Boolean).join(' · ');

function draw() {
  accuracy ??= rows.some(accuracies.measured.fits) ? 'measured' : 'trained';
  const { of, text, axis } = costs[cost];
  const candidates = rows.filter(row => accuracies[accuracy].fits(row) && properties.every(name => !wanted[name] || shownText(row[name]) === wanted[name]));
  const points = candidates.filter(row => of(row) > 0 && typeof row.top1 === 'number').map(row => ({ x: of(row), y: row.top1, row }));
  const best = front(points);
  const onFront = new Set(best);
  drawChoices();
  const by = accuracy === 'trained' ? row => row.data ?? '' : row => `${row.device} ${row.precision}`;
  const groups = [...new Set(points.map(({ row }) => by(row)))].sort();
  chart.data.datasets = [
    ...groups.map((group, i) => ({
      label: group, data: points.filter(({ row }) => by(row) === group), borderColor: lineColour(i), borderWidth: 2, pointRadius: 6, pointHoverRadius: 9,
      backgroundColor: context => context.raw?.row.top1_source === 'published' ? 'transparent' : lineColour(i),
    })),
    { label: 'Pareto front', data: best, type: 'line', pointStyle: 'line', borderColor: colour('--ink'), borderWidth: 1.5, borderDash: [5, 4], pointRadius: 0, pointHitRadius: 0, stepped: 'before', order: 1 },
  ];
  const axes = axisColours();
  const title = words => ({ display: true, text: words, color: colour('--soft') });
  chart.options.scales = {
    x: { ...axes, type: logarithmic ? 'logarithmic' : 'linear', afterBuildTicks: fewTicks, title: title(axis), ticks: { ...axes.ticks, callback: value => text(value), maxTicksLimit: 8, maxRotation: 0, autoSkipPadding: 16 } },
    y: { ...axes, title: title('top-1, %') },
  };
  chart.options.plugins = {
    legend: { labels: { color: colour('--ink'), usePointStyle: true, boxHeight: 7 } },
    tooltip: { ...tooltipColours(), filter: item => Boolean(item.raw.row) && item.dataset.type !== 'line', callbacks: { label: ({ raw: { x, y, row } }) => `${describe(row)}: ${number(y, 4)} % (${row.top1_source}), ${text(x)}` } },
  };
  chart.update('none');
  canvas.setAttribute('aria-label', `Top-1 accuracy against ${axis}: ${points.length} points, ${best.length} of them on the Pareto front; the same in the table below`);
  $('#chart figcaption span').textContent = `Accuracy against ${costs[cost].title.replace(/^[A-Z](?=[a-z])/, letter => letter.toLowerCase())}`;
  drawTable(points, onFront);
  message(rows.length === 0 ? 'Nothing measured yet: bench_models --json FILE, then linnet runs import FILE.'
    : points.length === 0 ? `None of these ${candidates.length} runs has both an accuracy and this cost.` : '');
}

// Names beside the points of the front, where there is room for them.
function names({ ctx, data, chartArea, scales }) {
  const line = data.datasets.length - 1;
  let free = Infinity;  // everything above this height is
  ctx.save();
  ctx.font = '12px system-ui, sans-serif';
  ctx.fillStyle = colour('--ink');
  for (const { x, y, row } of data.datasets[line]?.data ?? []) {
    const [left, top] = [scales.x.getPixelForValue(x), scales.y.getPixelForValue(y)];
    if (top > free - 14) continue;
    free = top;
    const fits = left + 10 + ctx.measureText(row.model).width < chartArea.right;
    ctx.textAlign = fits ? 'left' : 'right';
    ctx.fillText(row.model, left + (fits ? 10 : -10), top - 6);
  }
  ctx.restore();
}

function drawTable(points, onFront) {
  points.sort((a, b) => a.x - b.x);
  const known = Object.values(costs).filter(({ of }) => points.some(({ row }) => of(row) > 0));
  const head = ['model', 'device', 'precision', 'threads', 'top-1 %', 'by', ...known.map(({ title }) => title)];
  const made = table(head, points.map(({ row }) => [
    element('a', { href: `/run?key=${row.key}` }, row.model || row.name), row.device, row.precision, row.threads ?? '', number(row.top1, 4), row.top1_source,
    ...known.map(({ of, text }) => of(row) > 0 ? text(of(row)) : '')]));
  points.forEach((point, i) => { if (onFront.has(point)) made.tBodies[0].rows[i].className = 'different'; });
  replace($('#models'), made);
  $('#explanation').textContent = `Marked: on the Pareto front, nothing shown is both cheaper and better. ${points.some(({ row }) => row.top1_source === 'published') ? 'Empty circles: accuracy as published on ImageNet, not measured here.' : ''}`;
}

themes(draw);
follow(async () => { rows = await get('/api/tradeoff'); draw(); });
