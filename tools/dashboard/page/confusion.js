// A confusion matrix: a canvas, because a thousand classes have a million cells, and the worst confusions as a table.
import { element, number, table } from '/dom.js';
import { colour } from '/theme.js';
import { byName, contents, StepSlider } from '/assets.js';

const percent = share => `${(100 * share).toFixed(1)} %`;

export class Confusion {
  #places = new Map();
  constructor(section) { this.section = section; }

  draw(assets) {
    for (const [name, members] of byName(assets, 'confusion-matrix')) {
      if (!this.#places.has(name)) this.#places.set(name, new Matrix(this.section.lastElementChild));
      this.#places.get(name).slider.grow(members);
    }
    this.section.hidden = this.#places.size === 0;
  }

  recolour() { for (const matrix of this.#places.values()) matrix.paint(); }
}

class Matrix {
  #data = null;
  constructor(parent) {
    this.canvas = element('canvas', { role: 'img', onmousemove: event => this.#point(event) });
    this.worst = element('div', { className: 'scroll' });
    this.pointed = element('p', { className: 'soft' });
    this.slider = new StepSlider(async asset => { this.#data = await contents(asset); this.#list(); this.paint(); });
    parent.append(element('div', { className: 'matrix' }, element('div', {}, this.canvas, this.pointed, this.slider.element), this.worst));
    new ResizeObserver(() => this.paint()).observe(this.canvas.parentElement);
  }

  // Rows are true classes. Right answers in one colour, wrong ones in another, by their share of the row.
  paint() {
    if (!this.#data) return;
    const { labels, matrix } = this.#data;
    const named = labels.length <= 30, ratio = devicePixelRatio || 1, context = this.canvas.getContext('2d');
    const font = `${named ? 12 : 10}px system-ui, sans-serif`;
    context.font = font;
    const names = labels.map(label => label.length > 14 ? `${label.slice(0, 13)}…` : label);
    const margin = named ? Math.ceil(Math.max(...names.map(name => context.measureText(name).width))) + 10 : 0;
    const width = Math.min(this.canvas.parentElement.clientWidth, 760);
    const cell = Math.min(64, (width - margin) / labels.length);
    this.frame = { margin, cell };
    const height = margin + cell * labels.length;
    const shown = margin + cell * labels.length;
    Object.assign(this.canvas.style, { width: `${shown}px`, height: `${height}px` });
    Object.assign(this.canvas, { width: shown * ratio, height: height * ratio });
    context.scale(ratio, ratio);
    context.font = font;
    context.textBaseline = 'middle';
    const [right, wrong, ink, soft] = ['--accent', '--bad', '--ink', '--soft'].map(colour);
    matrix.forEach((row, i) => {
      const total = Math.max(1, row.reduce((sum, count) => sum + count, 0));
      row.forEach((count, j) => {
        const [x, y] = [margin + j * cell, i * cell];
        context.globalAlpha = count ? Math.min(1, i === j ? 0.1 + 0.6 * count / total : 0.1 + 3 * count / total) : 0.04;
        context.fillStyle = i === j ? right : count ? wrong : soft;
        context.fillRect(x, y, Math.max(cell - (cell > 6 ? 1 : 0), 0.5), Math.max(cell - (cell > 6 ? 1 : 0), 0.5));
        context.globalAlpha = 1;
        if (cell < 24 || !count) return;
        context.fillStyle = ink;
        context.textAlign = 'center';
        context.fillText(cell > 8 * String(count).length ? count : '', x + cell / 2, y + cell / 2);
      });
    });
    if (!named) return;
    context.fillStyle = soft;
    names.forEach((name, i) => {
      context.textAlign = 'right';
      context.fillText(name, margin - 6, (i + 0.5) * cell);
      context.save();
      context.translate(margin + (i + 0.5) * cell, labels.length * cell + 6);
      context.rotate(-Math.PI / 2);
      context.fillText(name, 0, 0);
      context.restore();
    });
  }

  #list() {
    const { labels, matrix } = this.#data;
    const totals = matrix.map(row => row.reduce((sum, count) => sum + count, 0));
    const right = matrix.reduce((sum, row, i) => sum + row[i], 0), all = totals.reduce((sum, total) => sum + total, 0);
    this.canvas.setAttribute('aria-label', `Confusion matrix of ${labels.length} classes, ${percent(right / Math.max(1, all))} right`);
    const wrong = matrix.flatMap((row, i) => row.map((count, j) => ({ i, j, count }))).filter(({ i, j, count }) => i !== j && count > 0);
    wrong.sort((a, b) => b.count - a.count);
    this.worst.replaceChildren(table(['true class', 'taken for', 'times', 'share'],
      wrong.slice(0, 12).map(({ i, j, count }) => [labels[i], labels[j], number(count), percent(count / totals[i])])));
    this.pointed.textContent = `Rows are true classes, columns predictions; ${percent(right / Math.max(1, all))} of ${number(all)} are right.`;
  }

  #point(event) {
    const { margin, cell } = this.frame ?? {};
    const [i, j] = [Math.floor(event.offsetY / cell), Math.floor((event.offsetX - margin) / cell)];
    const count = this.#data?.matrix[i]?.[j];
    if (count !== undefined) this.pointed.textContent = `${this.#data.labels[i]} taken for ${this.#data.labels[j]}: ${number(count)}`;
  }
}
