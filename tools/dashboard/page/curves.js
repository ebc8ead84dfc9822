// Curves: fetching their points, growing them, and how a reader wants to see them.
import { get } from '/server.js';

const rowsAtFirst = 800;

// Points of curves by the id of their series, as columns: step, epoch, time, value and, for smoothing, the mean of the
// `weight` logged points that each stands for.
export class Curves {
  #curves = new Map();
  #logarithmic = false;

  get(id) { return this.#curves.get(id); }

  // Fetches what is missing of `series`, an array of { id, count }.
  async load(series, logarithmic) {
    if (logarithmic !== this.#logarithmic) this.#curves.clear();
    this.#logarithmic = logarithmic;
    const wanted = [];
    for (const { id, count } of series) {
      const curve = this.#curves.get(id);
      if (curve && curve.step.length > 3 * rowsAtFirst) this.#curves.delete(id);  // it has grown: thin it again
      const last = this.#curves.get(id)?.last ?? 0;
      if (count > last) wanted.push(last ? `${id}:${last}` : id);
    }
    for (let begin = 0; begin < wanted.length; begin += 100) {
      const part = wanted.slice(begin, begin + 100);
      const found = await get('/api/points', { series: part, points: rowsAtFirst, spacing: logarithmic ? 'log' : 'even' });
      for (const curve of found) this.#append(curve);
    }
  }

  #append(part) {
    const curve = this.#curves.get(part.id);
    if (!curve) { this.#curves.set(part.id, part); return; }
    if (part.last <= curve.last) return;  // two requests have crossed
    for (const column of ['step', 'epoch', 'time', 'value', 'mean', 'weight']) curve[column].push(...part[column]);
    curve.last = part.last;
  }
}

// The column of places: steps; epochs with their fractions; time since the run began.
function places(curve, x, started, seconds) {
  if (x === 'step') return curve.step;
  if (x === 'time') return curve.time.map(time => (time - started) / 1000 / seconds);
  const stepsOfEpoch = Math.max(...curve.step.map((step, i) => curve.epoch[i] > 0 ? step / curve.epoch[i] : 0));
  return stepsOfEpoch > 0 ? curve.step.map(step => step / stepsOfEpoch) : [];
}

// { raw, smooth }: points for a chart. The moving average forgets by the factor `smoothing` per logged point and starts
// without a bias. What a logarithmic axis cannot show is a gap. Times are in units of so many seconds.
export function pointsOf(curve, started, view, seconds) {
  const x = places(curve, view.x, started, seconds);
  const shown = value => value === null || (view.logY && value <= 0) ? NaN : value;
  const point = (place, value) => ({ x: view.logX && place <= 0 ? NaN : place, y: shown(value) });
  const raw = x.map((place, i) => point(place, curve.value[i]));
  if (view.smoothing === 0) return { raw, smooth: null };
  let average = 0, total = 0;
  const smooth = x.map((place, i) => {
    if (curve.mean[i] === null) return point(place, null);
    const kept = view.smoothing ** curve.weight[i];
    average = kept * average + (1 - kept) * curve.mean[i];
    total = kept * total + 1 - kept;
    return point(place, average / total);
  });
  return { raw, smooth };
}
