// Pictures of a run: one place for each name.
import { element } from '/dom.js';
import { byName, StepSlider } from '/assets.js';

export class Images {
  #sliders = new Map();
  constructor(section) {
    this.section = section;
    section.lastElementChild.className = 'gallery';
  }

  draw(assets) {
    for (const [name, members] of byName(assets, 'image')) {
      if (!this.#sliders.has(name)) this.#sliders.set(name, this.#place(name));
      this.#sliders.get(name).grow(members);
    }
    this.section.hidden = this.#sliders.size === 0;
  }

  #place(name) {
    const image = element('img', { alt: name, loading: 'lazy' });
    const slider = new StepSlider(asset => { image.src = `/api/asset?id=${asset.id}`; });
    this.section.lastElementChild.append(element('figure', {}, element('figcaption', {}, name), image, slider.element));
    return slider;
  }
}
