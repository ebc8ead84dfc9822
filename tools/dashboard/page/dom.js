// Making elements, and what numbers and times look like.

// element('td', { className: 'number' }, 'text', child): attributes are properties, or events if they begin with "on".
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else if (key.startsWith('aria-') || key === 'role' || key === 'list') made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children.filter(child => child !== null && child !== undefined));
  return made;
}

export const $ = selector => document.querySelector(selector);

// Numbers that JSON cannot hold come as texts: "NaN", "Infinity".
export function number(value, digits = 5) {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'number') return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value).replace(/\B(?=(\d{3})+$)/g, '\u202f');
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-4 || size >= 1e9) ? value.toExponential(digits - 2) : String(Number(value.toPrecision(digits)));
}

function scaled(value, step, units) {
  let unit = 0;
  while (value >= step && unit + 1 < units.length) { value /= step; ++unit; }
  return `${Number(value.toPrecision(3))}${units[unit]}`;
}
export const bytes = value => scaled(value, 1024, [' B', ' KiB', ' MiB', ' GiB', ' TiB']);
export const amount = value => scaled(value, 1000, ['', ' k', ' M', ' G', ' T']);

export function duration(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const [d, h, m, s] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60];
  if (d) return `${d} d ${h} h`;
  if (h) return `${h} h ${m} min`;
  return m ? `${m} min ${s} s` : `${s} s`;
}

export function moment(milliseconds) {
  const two = value => String(value).padStart(2, '0');
  const t = new Date(milliseconds);
  return `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())} ${two(t.getHours())}:${two(t.getMinutes())}`;
}

// A parameter: text as it is, all else as JSON.
export const plain = value => value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);

// A table from texts and elements; columns of numbers, with units or without, stand to the right.
export function table(head, rows) {
  const row = (name, contents) => element('tr', {}, ...contents.map(content => element(name, {}, content instanceof Node ? content : plain(content ?? ''))));
  const made = element('table', {}, element('thead', {}, row('th', head)), element('tbody', {}, ...rows.map(contents => row('td', contents))));
  head.forEach((_, i) => {
    const texts = rows.map(contents => contents[i] instanceof Node ? '-' : plain(contents[i] ?? '')).filter(Boolean);
    if (texts.length && texts.every(text => /^-?\d[\d.\u202f]*(e[+-]?\d+)?( [A-Za-z%]{1,3})?$/.test(text)))
      for (const { cells } of made.rows) cells[i].className = 'number';
  });
  return made;
}

// Keeps the focus and the place where the reader was when an element gets new content.
export function replace(parent, ...children) {
  const focused = parent.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
  const { scrollTop, scrollLeft } = parent;
  parent.replaceChildren(...children.filter(Boolean));
  if (scrollTop || scrollLeft) Object.assign(parent, { scrollTop, scrollLeft });  // costs a layout
  if (focused) parent.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}
