// How values were distributed: bins that grow by a tenth away from 0, gathered into bars of one width.
import { number, replace } from '/dom.js';
import { colour } from '/theme.js';
import { byName, contents, StepSlider } from '/assets.js';
import { axisColours, chartFigure, tooltipColours } from '/chart.js';

const bars = 60, atOnce = 12;

// Where bin `index` begins and ends. Bin 775 is around 0, those above hold larger and larger values, those below are negative.
function edges(index, { start, step }) {
  const away = Math.abs(index - 775);
  if (away === 0) return [-start, start];
  const [near, far] = [start * step ** (away - 1), start * step ** away];
  return index > 775 ? [near, far] : [-far, -near];
}

// [{ from, to, count }]: a bin that reaches over several bars is shared among them.
export function barsOf(histogram) {
  const bins = histogram.index_values.map(([index, count]) => ({ count, edges: edges(index, histogram) }));
  if (!bins.length) return [];
  let low = Math.min(...bins.map(bin => bin.edges[0])), high = Math.max(...bins.map(bin => bin.edges[1]));
  if (low === high) high = low + 1;
  const width = (high - low) / bars;
  const result = Array.from({ length: bars }, (_, i) => ({ from: low + i * width, to: low + (i + 1) * width, count: 0 }));
  for (const { count, edges: [from, to] } of bins) {
    const [begin, end] = [from, to].map(edge => Math.min(bars - 1, Math.max(0, Math.floor((edge - low) / width))));
    for (let i = begin; i <= end; ++i) {
      const part = Math.min(to, result[i].to) - Math.max(from, result[i].from);
      result[i].count += begin === end ? count : count * Math.max(0, part) / (to - from);
    }
  }
  return result;
}

export class Histograms {
  #places = new Map();
  #groups = new Map();
  constructor(section) {
    this.section = section;
    this.filter = section.querySelector('input');
    this.filter.addEventListener('input', () => this.#show());
  }

  draw(assets) {
    this.#groups = byName(assets, 'histogram');
    this.section.hidden = this.#groups.size === 0;
    this.#show();
  }

  // A network has hundreds of tensors: the first of those that the filter leaves.
  #show() {
    const wanted = this.filter.value.toLowerCase();
    const found = [...this.#groups].filter(([name]) => name.toLowerCase().includes(wanted)), shown = found.slice(0, atOnce);
    for (const [name, members] of shown) {
      if (!this.#places.has(name)) this.#places.set(name, this.#place(name));
      this.#places.get(name).slider.grow(members);
    }
    replace(this.section.querySelector('.grid'), ...shown.map(([name]) => this.#places.get(name).figure));
    this.section.querySelector('.soft').textContent = found.length > atOnce ? `${atOnce} of ${found.length}: filter to see others` : '';
  }

  recolour() { for (const { chart } of this.#places.values()) { style(chart); chart.update('none'); } }

  #place(name) {
    const { figure, canvas } = chartFigure(name.replace(/\.json$/, ''));
    const chart = new Chart(canvas, {
      type: 'bar',
      data: { labels: [], datasets: [{ data: [], backgroundColor: () => colour('--accent'), categoryPercentage: 1, barPercentage: 0.95 }] },
      options: { animation: false, maintainAspectRatio: false, plugins: { legend: { display: false } } },
    });
    const slider = new StepSlider(async asset => {
      const shown = barsOf(await contents(asset));
      chart.data.labels = shown.map(bar => number((bar.from + bar.to) / 2, 3));
      chart.data.datasets[0].data = shown.map(bar => bar.count);
      style(chart);
      chart.update('none');
    });
    figure.append(slider.element);
    return { figure, chart, slider };
  }
}

function style(chart) {
  const axis = axisColours();
  chart.options.scales = { x: { ...axis, grid: { display: false }, ticks: { ...axis.ticks, maxTicksLimit: 7, maxRotation: 0, autoSkipPadding: 12 } }, y: axis };
  chart.options.plugins.tooltip = { ...tooltipColours(), callbacks: { label: item => `about ${number(Math.round(item.parsed.y))} values` } };
}
