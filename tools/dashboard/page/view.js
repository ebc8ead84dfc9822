// The controls that say how curves are drawn. Their state lies in the address of the page.
import { element } from '/dom.js';

const query = new URLSearchParams(location.search);

// What the address says; `set` of null or '' takes a word away.
export const address = {
  get: name => query.get(name),
  set(name, value) {
    if (value === null || value === '') query.delete(name);
    else query.set(name, value);
    history.replaceState(null, '', `${location.pathname}${query.size ? '?' : ''}${query}`);
  },
};

// Fills `parent` with the controls and returns { x, smoothing, logX, logY, usual }, which changes with them.
export function viewControls(parent, changed) {
  const view = {
    x: ['epoch', 'time'].includes(address.get('x')) ? address.get('x') : 'step',
    smoothing: Math.min(0.999, Math.max(0, Number(address.get('smoothing')) || 0)),
    logX: address.get('logx') === '1',
    logY: address.get('logy') === '1',
    usual: address.get('outliers') === '0',
  };
  const x = element('select', { 'aria-label': 'Horizontal axis', onchange: () => set('x', 'x', x.value, x.value === 'step' ? '' : x.value) },
    ...['step', 'epoch', 'time'].map(name => element('option', { value: name, selected: name === view.x }, name)));
  // The slider's middle is 0.9: what matters lies near 1.
  const shown = element('output', {}, view.smoothing.toFixed(2));
  const slider = element('input', {
    type: 'range', id: 'smoothing', min: 0, max: 1, step: 0.01, value: slide(view.smoothing),
    oninput() {
      const value = Number(slider.value) === 0 ? 0 : 1 - 0.01 ** Number(slider.value);
      shown.textContent = value.toFixed(2);
      set('smoothing', 'smoothing', value, value ? value.toFixed(3) : '');
    },
  });
  const box = (key, word, mark, title) => element('label', {}, element('input', {
    type: 'checkbox', checked: view[key], onchange(event) { set(key, word, event.target.checked, event.target.checked ? mark : ''); },
  }), title);
  function set(key, word, value, text) {
    view[key] = value;
    address.set(word, text);
    changed();
  }
  parent.replaceChildren(element('label', {}, 'x ', x), element('label', {}, 'Smoothing ', slider, shown),
    box('logX', 'logx', '1', 'log x'), box('logY', 'logy', '1', 'log y'), box('usual', 'outliers', '0', 'hide outliers'));
  return view;
}

function slide(smoothing) { return Math.log(1 - smoothing) / Math.log(0.01); }
