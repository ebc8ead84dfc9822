// Assets of a run by name, each with a slider over its steps.
import { element } from '/dom.js';

// Map from name to the assets of `kind` with it, in the order in which they were written.
export function byName(assets, kind) {
  const groups = new Map();
  for (const asset of assets.filter(one => one.kind === kind)) groups.set(asset.name, [...groups.get(asset.name) ?? [], asset]);
  return groups;
}

// Calls show(asset) for the last of `assets`, then for whichever is chosen. Grows with grow(assets): who looks at the last one
// goes on to the new last one.
export class StepSlider {
  #assets = [];
  constructor(show) {
    this.show = show;
    this.label = element('span');
    this.input = element('input', { type: 'range', min: 0, 'aria-label': 'Step', oninput: () => this.#choose(Number(this.input.value)) });
    this.element = element('div', { className: 'slider' }, this.input, this.label);
  }

  grow(assets) {
    const atEnd = Number(this.input.value) >= this.#assets.length - 1;
    if (assets.length === this.#assets.length) return;
    this.#assets = assets;
    this.input.max = assets.length - 1;
    this.input.hidden = assets.length === 1;
    if (atEnd) {
      this.input.value = assets.length - 1;
      this.#choose(assets.length - 1);
    }
  }

  #choose(place) {
    const asset = this.#assets[place];
    this.label.textContent = asset.step === null ? '' : `step ${asset.step}`;
    this.show(asset);
  }
}

// The JSON of an asset.
export async function contents(asset) {
  const response = await fetch(`/api/asset?id=${asset.id}`);
  if (!response.ok) throw new Error(`${asset.name} cannot be read`);
  return response.json();
}
