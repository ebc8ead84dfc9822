// Charts of curves, drawn by Chart.js in the colours of the page.
import { element, number, amount, bytes } from '/dom.js';
import { colour } from '/theme.js';
import { pointsOf } from '/curves.js';

// Told apart on white and on black, and by most who see colours differently; further lines are dashed.
const palette = ['#3b82f6', '#f08a24', '#1fa97c', '#d9488f', '#8f6cf0', '#b8960b', '#14a8c4', '#dc4b4b', '#6f9a2b', '#8a8f98'];
export const lineColour = index => palette[index % palette.length];
const dash = index => [[], [6, 3], [2, 2], [8, 3, 2, 3]][Math.floor(index / palette.length) % 4];

export const axisColours = () => ({ ticks: { color: colour('--soft') }, grid: { color: colour('--line'), borderColor: colour('--line') } });

export function tooltipColours() {
  return { backgroundColor: colour('--ink'), titleColor: colour('--card'), bodyColor: colour('--card'), boxPadding: 4 };
}

export function legendColours(filter) {
  return { labels: { color: colour('--ink'), usePointStyle: true, pointStyle: 'circle', boxHeight: 6, boxWidth: 6, filter } };
}

// A figure with a title, a button that makes it large, and a canvas.
export function chartFigure(title) {
  const canvas = element('canvas', { role: 'img', 'aria-label': title });
  const figure = element('figure', { className: 'chart' });
  const button = element('button', {
    type: 'button', className: 'quiet', title: 'Larger or smaller', 'aria-label': `${title}: larger or smaller`, 'aria-pressed': 'false',
    onclick() { button.setAttribute('aria-pressed', String(figure.classList.toggle('large'))); },
  }, '⤢');
  figure.append(element('figcaption', {}, element('span', {}, title), button), element('div', {}, canvas));
  return { figure, canvas };
}

// A logarithmic axis names 1, 2 and 5 of each power of ten.
export function fewTicks(axis) {
  if (axis.type === 'logarithmic')
    axis.ticks = axis.ticks.filter(({ value }) => [1, 2, 5].includes(Number((value / 10 ** Math.floor(Math.log10(value) + 1e-9)).toPrecision(3))));
}

const scaleOf = (logarithmic, title, text) => ({
  type: logarithmic ? 'logarithmic' : 'linear', ...axisColours(), afterBuildTicks: fewTicks,
  title: { display: Boolean(title), text: title, color: colour('--soft') },
  ticks: { color: colour('--soft'), callback: value => text(value), includeBounds: false, maxRotation: 0, autoSkipPadding: 14, maxTicksLimit: 9 },
});

const short = value => Math.abs(value) >= 1e5 ? amount(value) : number(value, 4);
const isBytes = label => label.includes('.ram.') || label.endsWith('bytes');

// The unit in which `seconds` are read best.
const timeUnit = seconds => seconds < 300 ? ['s', 1] : seconds < 3 * 3600 ? ['min', 60] : seconds < 3 * 86400 ? ['h', 3600] : ['days', 86400];

// Where all but the 2 % largest and smallest values lie, with some air.
function usualRange(datasets, logarithmic) {
  const values = datasets.flatMap(({ data }) => data.map(point => point.y)).filter(Number.isFinite).sort((a, b) => a - b);
  if (values.length < 20) return {};
  const [low, high] = [values[Math.floor(0.02 * values.length)], values[Math.ceil(0.98 * values.length) - 1]];
  return logarithmic ? { min: low / 1.1, max: high * 1.1 } : { min: low - 0.05 * (high - low), max: high + 0.05 * (high - low) };
}

export class CurveChart {
  constructor(title, legend) {
    const { figure, canvas } = chartFigure(title);
    this.figure = figure;
    this.title = title;
    this.chart = new Chart(canvas, {
      type: 'line',
      data: { datasets: [] },
      options: {
        animation: false, parsing: false, normalized: true, maintainAspectRatio: false,
        interaction: { mode: 'nearest', axis: 'x', intersect: false },
        elements: { point: { radius: 0, hitRadius: 6 }, line: { borderWidth: 1.7, tension: 0 } },
      },
    });
    this.legend = legend;
  }

  // `lines`: { name, index of its colour, curve, started }.
  draw(lines, view) {
    const datasets = [], drawn = lines.filter(line => line.curve);
    const [unit, seconds] = timeUnit(Math.max(...drawn.map(({ curve, started }) => (curve.time.at(-1) - started) / 1000)));
    for (const { name, index, curve, started } of drawn) {
      const { raw, smooth } = pointsOf(curve, started, view, seconds);
      const style = { borderColor: lineColour(index), backgroundColor: lineColour(index), borderDash: dash(index) };
      if (raw.length <= 30) style.pointRadius = 2.5;
      datasets.push({ label: name, data: smooth ?? raw, ...style });
      if (smooth) datasets.push({ label: name, data: raw, ...style, borderColor: `${lineColour(index)}40`, borderWidth: 1, isShadow: true });
    }
    const { chart } = this, byTime = view.x === 'time', value = isBytes(this.title) ? bytes : short;
    chart.data.datasets = datasets;
    chart.options.scales = { x: scaleOf(view.logX, byTime ? `time, ${unit}` : view.x, short), y: scaleOf(view.logY, '', value) };
    if (view.usual) Object.assign(chart.options.scales.y, usualRange(datasets, view.logY));
    chart.options.plugins.legend = { ...legendColours(item => !datasets[item.datasetIndex].isShadow), display: this.legend && drawn.length > 1 };
    chart.options.plugins.tooltip = {
      ...tooltipColours(),
      filter: item => !item.dataset.isShadow,
      callbacks: {
        title: items => items.length ? `${view.x} ${number(items[0].parsed.x, 4)}${byTime ? ` ${unit}` : ''}` : '',
        label: item => `${item.dataset.label}: ${value === bytes ? bytes(item.parsed.y) : number(item.parsed.y, 6)}`,
      },
    };
    chart.update('none');
    const last = lines.map(({ name, curve }) => `${name} ${number(curve?.value.at(-1), 5)}`).join(', ');
    chart.canvas.setAttribute('aria-label', `${this.title} by ${view.x}; last values: ${last}`);
  }

  remove() {
    this.chart.destroy();
    this.figure.remove();
  }
}

// Charts in `parent`, one for each group: { title, lines }. Those that stay are drawn again, not made again.
export class ChartGrid {
  #charts = new Map();
  constructor(parent, { legend = false } = {}) { Object.assign(this, { parent, legend }); }

  draw(groups, view) {
    const titles = new Set(groups.map(group => group.title));
    for (const [title, chart] of this.#charts) if (!titles.has(title)) { chart.remove(); this.#charts.delete(title); }
    groups.forEach(({ title, lines }, place) => {
      let chart = this.#charts.get(title);
      if (!chart) this.#charts.set(title, chart = new CurveChart(title, this.legend));
      if (this.parent.children[place] !== chart.figure) this.parent.insertBefore(chart.figure, this.parent.children[place] ?? null);
      chart.draw(lines, view);
    });
  }
}
