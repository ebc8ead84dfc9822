// What the pages ask the server for.

export async function get(path, parameters = {}) {
  const response = await fetch(`${path}?${new URLSearchParams(parameters)}`);
  if (response.status === 401) location.reload();
  if (response.ok) return response.json();
  const answer = await response.text();
  let message = answer;
  try { message = JSON.parse(answer).error; } catch { /* plain text */ }
  throw new Error(message);
}

// Runs with all their parameters: those that most of them share are inherited, a thousand copies would take their time.
export async function getRuns(parameters) {
  const answer = await get('/api/runs', parameters);
  const common = Object.assign(Object.create(null), answer.common);
  for (const run of answer.runs) {
    run.parameters = Object.assign(Object.create(common), run.parameters);
    for (const name of run.lacks) run.parameters[name] = undefined;
  }
  return answer;
}

// The names of the parameters of some of the runs, sorted.
export function parameterNames(runs) {
  const names = new Set(), seen = new Set();
  for (const run of runs)
    for (let part = run.parameters; part && !seen.has(part); part = Object.getPrototypeOf(part)) {
      seen.add(part);
      for (const name of Object.keys(part)) names.add(name);
    }
  return [...names].sort();
}

// Calls `update` now and whenever somebody has written into the record: never twice at once, at most once a second.
export function follow(update) {
  let running = false, again = false;
  const run = async () => {
    if (running) { again = true; return; }
    running = true;
    again = false;
    try {
      await update();
    } catch (error) {
      message(error.message);
    }
    setTimeout(() => { running = false; if (again) run(); }, 1000);
  };
  const events = new EventSource('/api/events');
  events.addEventListener('open', () => state('live'));
  events.addEventListener('change', run);
  events.addEventListener('error', () => state('offline'));
  addEventListener('pagehide', () => events.close());
  run();
}

function state(text) {
  const live = document.getElementById('live');
  live.textContent = text;
  live.className = text;
}

// One line for the reader in place of what cannot be shown; '' takes it away.
export function message(text) {
  const hint = document.getElementById('hint');
  hint.textContent = text;
  hint.hidden = text === '';
}
