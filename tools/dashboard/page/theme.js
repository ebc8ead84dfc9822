// Light and dark: as the system has it, or as the reader has chosen.

const modes = ['system', 'light', 'dark'];

function apply(mode) {
  document.documentElement.dataset.theme = mode;
  const button = document.getElementById('theme');
  button.textContent = { system: 'Auto', light: 'Light', dark: 'Dark' }[mode];
  button.setAttribute('aria-label', `Theme: ${button.textContent}`);
}

export function colour(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }

// `changed` is called whenever colours are others.
export function themes(changed) {
  let mode = localStorage.getItem('linnet-theme') ?? 'system';
  if (!modes.includes(mode)) mode = 'system';
  apply(mode);
  document.getElementById('theme').addEventListener('click', () => {
    mode = modes[(modes.indexOf(mode) + 1) % modes.length];
    localStorage.setItem('linnet-theme', mode);
    apply(mode);
    changed();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);
}
