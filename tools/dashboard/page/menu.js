// A menu of check boxes, by groups, with a search.
import { element } from '/dom.js';

// Fills the panel of a <details> whenever it opens. `entries` gives { id, title, group }.
export function menu(details, entries, isChosen, toggle) {
  const search = element('input', { type: 'search', placeholder: 'Search', 'aria-label': 'Search', oninput: fill });
  const list = element('div');
  function fill() {
    const groups = new Map();
    for (const entry of entries())
      if (entry.title.toLowerCase().includes(search.value.toLowerCase())) groups.set(entry.group, [...groups.get(entry.group) ?? [], entry]);
    list.replaceChildren(...[...groups].map(([group, members]) => element('fieldset', {}, element('legend', {}, group), ...members.map(box))));
  }
  const box = entry => element('label', {},
    element('input', { type: 'checkbox', checked: isChosen(entry), onchange: () => toggle(entry) }), entry.title);
  details.querySelector('.panel').replaceChildren(search, list);
  details.addEventListener('toggle', () => { if (details.open) { fill(); search.focus(); } });
}

// Menus close by Escape and by a click elsewhere.
const open = () => [...document.querySelectorAll('details.menu[open]')];
addEventListener('keydown', event => {
  if (event.key === 'Escape') open().forEach(details => { details.open = false; details.querySelector('summary').focus(); });
});
addEventListener('click', event => open().forEach(details => { if (!details.contains(event.target)) details.open = false; }));
