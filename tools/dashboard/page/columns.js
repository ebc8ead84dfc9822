// The columns of the table of runs, and the language of its filter.
import { number, duration, moment, plain } from '/dom.js';
import { parameterNames } from '/server.js';

const series = (run, label) => run.series.find(one => one.label === label);
export const steps = run => run.series.reduce((most, one) => one.label.startsWith('sys.') ? most : Math.max(most, one.last_step), 0);
export const took = run => (run.ended ?? run.heartbeat) - run.started;

const facts = [
  { id: 'name', value: run => run.name },
  { id: 'status', value: run => run.status },
  { id: 'kind', value: run => run.kind },
  { id: 'started', value: run => run.started, text: run => moment(run.started) },
  { id: 'took', value: took, text: run => duration(took(run)) },
  { id: 'steps', value: run => steps(run) || undefined },
  { id: 'model', value: run => run.texts.model },
  { id: 'device', value: run => run.texts.device ?? run.texts['system.hostname'] },
  { id: 'commit', value: run => run.texts['git.commit']?.slice(0, 8) },
  { id: 'tags', value: run => run.tags.join(' ') },
  { id: 'key', value: run => run.key.slice(0, 8) },
].map(column => ({ title: column.id, group: 'run', ...column }));

const of = {
  last: (label, field = 'last') => ({ id: `${field}:${label}`, title: label, group: 'metrics, last', value: run => series(run, label)?.[field] }),
  min: label => ({ ...of.last(label, 'smallest'), title: `${label} min`, group: 'metrics, smallest' }),
  max: label => ({ ...of.last(label, 'largest'), title: `${label} max`, group: 'metrics, largest' }),
  parameter: name => ({ id: `p:${name}`, title: name, group: 'parameters', value: run => run.parameters[name] }),
};

export const usual = ['name', 'status', 'started', 'took', 'steps', 'last:train/loss', 'last:validate/loss', 'largest:validate/top1', 'tags'];

// Every column that some run has something for.
export function allColumns(runs) {
  const labels = [...new Set(runs.flatMap(run => run.series.map(one => one.label)))].sort();
  return [...facts, ...labels.map(label => of.last(label)), ...labels.map(of.min), ...labels.map(of.max),
    ...parameterNames(runs).map(of.parameter)];
}

export const textOf = (column, run) => column.text ? column.text(run) : typeof column.value(run) === 'number' ? number(column.value(run)) : plain(column.value(run) ?? '');

// Numbers before texts, what is missing last, whichever way they are sorted.
export function compare(column, down) {
  const rank = value => value === undefined || value === null || value === '' ? 2 : typeof value === 'number' ? 0 : 1;
  return (a, b) => {
    const [x, y] = [column.value(a), column.value(b)];
    if (rank(x) !== rank(y)) return rank(x) - rank(y);
    const order = rank(x) === 0 ? x - y : plain(x ?? '').localeCompare(plain(y ?? ''), 'en', { numeric: true });
    return down ? -order : order;
  };
}

// "word" anywhere in name, key, tags, model or status; "field:text" contained in a column, "field=value", "field>0.5" and so
// on. A field is a column's title or the end of it: "lr" is "optimiser.lr". Returns run => boolean.
export function parseFilter(text, columns) {
  const terms = text.toLowerCase().match(/\S+/g) ?? [];
  const tests = terms.map(term => {
    const [, field, sign, wanted] = term.match(/^([^:=<>!]+)(!=|>=|<=|:|=|>|<)(.*)$/) ?? [];
    const fits = columns.filter(({ title }) => [title.toLowerCase()].some(t => t === field || t.endsWith(`/${field}`) || t.endsWith(`.${field}`)));
    if (!field || !fits.length)
      return run => [run.name, run.key, run.status, run.texts.model ?? '', ...run.tags].some(word => word.toLowerCase().includes(term));
    return run => fits.some(column => holds(column, run, sign, wanted));
  });
  return run => tests.every(test => test(run));
}

function holds(column, run, sign, wanted) {
  const value = column.value(run);
  if (value === undefined || value === null) return sign === '!=';
  const text = plain(value).toLowerCase();
  if (sign === ':') return text.includes(wanted) || textOf(column, run).toLowerCase().includes(wanted);
  const number = Number(wanted);
  const same = typeof value === 'number' && wanted !== '' ? value === number : text === wanted;
  if (sign === '=') return same;
  if (sign === '!=') return !same;
  if (typeof value !== 'number' || Number.isNaN(number)) return false;
  return { '>': value > number, '<': value < number, '>=': value >= number, '<=': value <= number }[sign];
}
