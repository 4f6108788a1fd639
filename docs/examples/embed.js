/* A page of another system that embeds the film and steers it by postMessage. The calls: docs/viewer.md. */
(() => {
  const frame = document.getElementById('film');
  const output = document.getElementById('state');
  const waiting = new Map();
  let origin = '';
  let state = null;
  let lastId = 0;

  /** Asks the viewer; resolves with its answer. */
  function call(name, ...args) {
    const id = ++lastId;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      frame.contentWindow.postMessage({ cloudfilm: 1, id, call: name, args }, origin);
    });
  }

  addEventListener('message', (event) => {
    if (event.source !== frame.contentWindow || event.origin !== origin || event.data?.cloudfilm !== 1) return;
    const { id, result, error, event: name } = event.data;
    if (name === 'ready') call('state').then(show);
    else if (name === 'state') show(event.data.state);
    else if (waiting.has(id)) {
      const { resolve, reject } = waiting.get(id);
      waiting.delete(id);
      if (error) reject(new Error(error));
      else resolve(result);
    }
  });

  function show(next) {
    state = next;
    const { shown, window: voi, layout } = next;
    output.value = `${layout.rows}×${layout.columns} · ${shown ? `第 ${shown.frame + 1} 幅` : '—'} · ${voi ? `W ${Math.round(voi.width)} L ${Math.round(voi.center)}` : '彩色'}`;
  }

  const ACTIONS = {
    step: () => call('goto', state.wanted.series, state.wanted.frame + 1),
    bone: () => call('setWindow', 400, 1800),
    layout: () => call('setLayout', 2, 2),
    mpr: () => call('openMpr', state.wanted?.series ?? 0),
    reset: () => call('reset'),
  };

  document.getElementById('open').addEventListener('click', () => {
    const address = new URL(document.getElementById('address').value);
    origin = address.origin;
    frame.src = address.href;
  });
  for (const button of document.querySelectorAll('[data-call]')) {
    button.addEventListener('click', () => {
      ACTIONS[button.dataset.call]().catch((error) => {
        output.value = error.message;
      });
    });
  }
})();
