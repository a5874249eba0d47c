"""What is measured in a browser: scripts that run in the page, and what its processes hold in memory."""

import contextlib
import os
import time
from pathlib import Path

import numpy as np

from tests.explore.chromium import Chromium

QUESTIONS = 20
FRAMES = """
return (async () => {
  const [frames, step, drag] = arguments;
  const overlay = document.querySelector('.overlay');
  const box = overlay.getBoundingClientRect();
  const own = window.requestAnimationFrame.bind(window);
  const [draws, apart] = [[], []];
  window.requestAnimationFrame = (act) => own((now) => {
    const began = performance.now();
    act(now);
    draws.push(performance.now() - began);
  });
  const send = (kind, type, more, x, y) => overlay.dispatchEvent(new kind(type,
    {clientX: x, clientY: y, bubbles: true, cancelable: true, pointerId: 1, ...more}));
  overlay.setPointerCapture = () => {};
  const [x, y] = [box.left + box.width * 0.45, box.top + box.height * 0.45];
  if (drag) send(PointerEvent, 'pointerdown', {}, x, y);
  await new Promise(own);
  let last = performance.now();
  for (let frame = 0; frame < frames; frame += 1) {
    if (drag) send(PointerEvent, 'pointermove', {}, x + 150 * Math.sin(frame / 9), y + 150 * Math.sin(frame / 7));
    else send(WheelEvent, 'wheel', {deltaY: frame < frames / 2 ? -step : step}, x, y);
    await new Promise(own);
    const now = performance.now();
    apart.push(now - last);
    last = now;
  }
  if (drag) send(PointerEvent, 'pointerup', {}, x, y);
  window.requestAnimationFrame = own;
  return {draws, frames: apart};
})();
"""
SEARCH = """
return (async () => {
  const list = document.querySelector('.hits');
  const taken = [];
  for (const words of arguments[0]) {
    const done = new Promise((resolve) => new MutationObserver((_, watcher) => {
      if (list.querySelector('.hit')) { watcher.disconnect(); resolve(); }
    }).observe(list, {childList: true}));
    list.replaceChildren();
    document.querySelector('.question').value = words;
    const began = performance.now();
    document.querySelector('.asking').requestSubmit();
    await done;
    await new Promise(requestAnimationFrame);
    taken.push(performance.now() - began);
  }
  return taken;
})();
"""
LASSO = """
return (async () => {
  const overlay = document.querySelector('.overlay');
  const box = overlay.getBoundingClientRect();
  const [middle, radius] = [[box.left + box.width / 2, box.top + box.height / 2], arguments[0] * box.height];
  const at = (turn) => ({clientX: middle[0] + radius * Math.cos(turn), clientY: middle[1] + radius * Math.sin(turn)});
  const send = (type, turn) => overlay.dispatchEvent(
    new PointerEvent(type, {...at(turn), bubbles: true, pointerId: 1, shiftKey: true}));
  overlay.setPointerCapture = () => {};
  const rows = document.querySelector('.rows');
  rows.replaceChildren();
  send('pointerdown', 0);
  for (let step = 1; step < 90; step += 1) send('pointermove', step / 90 * 2 * Math.PI);
  const began = performance.now();
  send('pointerup', 89 / 90 * 2 * Math.PI);
  while (!rows.querySelector('.row')) await new Promise(requestAnimationFrame);
  return [performance.now() - began, document.querySelector('.side h2').textContent];
})();
"""


def spread(values: list[float]) -> dict[str, float]:
    """Return median, 95th percentile and the largest, in milliseconds."""
    low, high = np.quantile(values, [0.5, 0.95])
    return {"median_ms": round(float(low), 1), "p95_ms": round(float(high), 1), "most_ms": round(max(values), 1)}


def opened(browser: Chromium, url: str) -> dict[str, float]:
    """Open the page, and return when it was painted first, and when it could be asked."""
    browser.open("about:blank")
    began = time.perf_counter()
    browser.open(url)
    browser.wait("document.querySelector('.question') !== null", seconds=120)
    usable = time.perf_counter() - began
    (painted,) = browser.run(
        "return performance.getEntriesByType('paint').filter((one) => one.name === 'first-contentful-paint')"
        ".map((one) => one.startTime)"
    )
    return {"first_paint_ms": round(painted), "usable_ms": round(usable * 1000)}


def shown_map(browser: Chromium, url: str, size: tuple[int, int, int]) -> None:
    """Open the map in a window of a size and so many pixels for each of the page, and wait until it is drawn."""
    width, height, ratio = size
    browser.size(width, height, ratio)
    browser.open("about:blank")
    browser.open(f"{url}#map")
    browser.wait("(document.querySelector('.waiting') ?? {}).hidden", seconds=600)
    browser.run("return new Promise((done) => setTimeout(done, 500))")


def moved(browser: Chromium, frames: int) -> dict[str, dict[str, float]]:
    """Return how long frames take while the map is zoomed into and out of, and dragged, and what they take."""
    found = {}
    for name, drag in (("zoom", False), ("drag", True)):
        before = processor_seconds(browser)
        seen = browser.run(FRAMES, frames, 0 if drag else 10, drag)
        taken = 1000 * (processor_seconds(browser) - before) / frames
        found[name] = {**spread(seen["frames"]), "processor_ms": round(taken, 1)}
        found[f"{name}_drawing"] = spread(seen["draws"])
    return found


def processor_seconds(browser: Chromium) -> float:
    """Return what all of the browser's processes have taken of the processor."""
    ticks = 0
    for process in browser.processes():
        status = Path(f"/proc/{process}/stat")
        with contextlib.suppress(OSError):
            ticks += sum(map(int, status.read_text().rpartition(")")[2].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def megabytes(browser: Chromium) -> dict[str, int]:
    """Return what the browser's processes hold, what they share counted in parts, and the page's own objects."""
    browser.run("return 0")
    heap = browser.run("return performance.memory ? performance.memory.usedJSHeapSize : 0")
    held = 0
    for process in browser.processes():
        rollup = Path(f"/proc/{process}/smaps_rollup")
        rows = rollup.read_text().splitlines() if rollup.exists() else []
        held += sum(int(row.split()[1]) for row in rows if row.startswith("Pss:"))
    return {"browser": round(held / 1024), "page_objects": round(heap / 2**20)}
