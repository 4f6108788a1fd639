"""How fast the viewer's SM4-GCM opens chunks, in a worker of the browser, from the very sources that it is built of."""

import subprocess
from pathlib import Path

from playwright.sync_api import Playwright

from bench.viewer_browser import browser

_CHUNK = 4096
_CHUNKS = 2000
# What a bundler of the build makes of the module, with its names kept.
_BUNDLE = """
import { rolldown } from 'rolldown';
const bundle = await rolldown({ input: 'src/decode/sm4/gcm.ts' });
const { output } = await bundle.generate({ format: 'iife', name: 'sm4' });
console.log(output[0].code);
"""
_WORK = f"""
onmessage = ({{ data: {{ sealed, nonce, key, aad }} }}) => {{
  const opener = new sm4.GcmOpener(key, aad);
  const target = new Uint8Array({_CHUNK});
  const rates = [];
  for (let round = 0; round < 6; round++) {{
    const began = performance.now();
    for (let i = 0; i < {_CHUNKS}; i++) opener.open(nonce, sealed, target, 0);
    rates.push(({_CHUNK} * {_CHUNKS}) / 1000 / (performance.now() - began));
  }}
  postMessage(rates.slice(1)); // the first round is the compiler's
}};
"""
_ASK = """async ({ code, sealed, nonce, key, aad }) => {
  const worker = new Worker(URL.createObjectURL(new Blob([code])));
  const bytes = (list) => Uint8Array.from(list);
  worker.postMessage({ sealed: bytes(sealed), nonce: bytes(nonce), key: bytes(key), aad: bytes(aad) });
  return await new Promise((done, fail) => {
    worker.onmessage = ({ data }) => done(data);
    worker.onerror = (event) => fail(event.message);
  });
}"""


def open_rates(playwright: Playwright, sealed: bytes, nonce: bytes, key: bytes, aad: bytes) -> list[float]:
    """MB/s of five rounds. `sealed`: one chunk of 4096 bytes and its tag, which must verify."""
    code = subprocess.run(
        ["node", "--input-type=module", "-e", _BUNDLE],
        cwd=Path("web"),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    with browser(playwright) as started:
        page = started.new_page()
        page.goto("about:blank")
        told = {"sealed": sealed, "nonce": nonce, "key": key, "aad": aad}
        lists = {name: list(value) for name, value in told.items()}
        rates: list[float] = page.evaluate(_ASK, {"code": code + _WORK, **lists})
        return rates
