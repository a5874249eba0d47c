// The map: look around, draw around points, see them in a table, search in them, take them along as Python.
import { copyText, counted, empty, fill, make, number } from "./dom.js";
import { decodedMap, PointCanvas } from "./map_canvas.js";
import { drawOverlay, groupMiddles } from "./map_overlay.js";

const ROWS = 50;

export function mapView(app) {
  const canvas = make("canvas", { class: "points" });
  const overlay = make("canvas", { class: "overlay", tabindex: "0", "aria-label": "Map of the collection: drag to move, wheel to zoom" });
  const tip = make("div", { class: "tip" });
  const waitingFor = make("div", { class: "waiting" });
  const button = (label, title, act) => make("button", { type: "button", class: "tool", title, "aria-label": title, onclick: act }, label);
  const lasso = button("Lasso", "Draw around points", () => setTool(tool === "lasso" ? "move" : "lasso"));
  const tools = make("div", { class: "tools" }, lasso, button("+", "Closer", () => zoomBy(1.5)), button("−", "Farther", () => zoomBy(1 / 1.5)), button("Whole", "The whole map", whole));
  const note = make("p", { class: "note soft" });
  const stage = make("div", { class: "stage" }, canvas, overlay, tools, tip, waitingFor);
  const title = make("h2");
  const rows = make("ol", { class: "rows" });
  const more = make("button", { type: "button", class: "plain" }, "More");
  const copy = make("button", { type: "button", class: "plain" }, "Copy as Python");
  const actions = make("div", { class: "actions" },
    make("button", { type: "button", class: "plain", onclick: () => app.tell("search-selection") }, "Search in these"), copy,
    make("button", { type: "button", class: "plain", onclick: () => choose([]) }, "Clear"));
  const side = make("div", { class: "side" }, title, actions, rows, more);
  const element = make("section", { class: "view map" }, make("div", { class: "map-main" }, stage, note), side);
  const points = new PointCanvas(canvas);
  const none = { left: 0, right: 0, top: 0, bottom: 0 };
  const state = { hits: [], middles: [], line: [], pointed: -1, colors: {}, font: "sans-serif", tools: none };
  let [tool, selected, labels, drag, timer, told] = ["move", [], [], null, 0, new Map()];
  let [asked, moving, still] = ["", false, 0];

  // Draw what has changed in the next frame, once, however often it changes until then: `all`, or what is `over` it.
  function paint(what = "all") {
    if (!asked) requestAnimationFrame(draw);
    if (asked !== "all") asked = what;
  }
  function draw() {
    const what = asked;
    asked = "";
    if (!points.image) return;
    if (what === "all") points.draw(state.colors.paper, moving);
    labels = drawOverlay(overlay, points, state);
  }
  // The view moves: what is drawn may be coarse until it stands still.
  function move() {
    points.moved = moving = true;
    clearTimeout(still);
    still = setTimeout(() => {
      moving = false;
      paint();
    }, 150);
    paint();
  }
  function look() {
    const style = getComputedStyle(stage);
    const accent = getComputedStyle(lasso).getPropertyValue("outline-color");
    state.colors = { paper: style.backgroundColor, ink: style.color, accent };
    state.font = style.fontFamily;
    const { offsetLeft: left, offsetTop: top, offsetWidth: wide, offsetHeight: high } = tools;
    state.tools = { left, top, right: left + wide, bottom: top + high };
    paint();
  }
  function measure() {
    const { width, height } = stage.getBoundingClientRect();
    if (!width || !height) return;
    const first = !points.image;
    points.resize(width, height, devicePixelRatio || 1);
    if (first || !points.moved) points.fit();
    look();
  }
  function whole() {
    points.moved = false;
    points.fit();
    paint();
  }
  function zoomBy(factor, x = points.width / 2, y = points.height / 2) {
    if (!points.data) return;
    points.zoom(factor, x, y);
    move();
  }
  function setTool(wanted) {
    tool = wanted;
    lasso.setAttribute("aria-pressed", String(tool === "lasso"));
    stage.classList.toggle("drawing", tool === "lasso");
  }

  async function choose(found) {
    selected = found;
    points.chosen = null;
    if (found.length) {
      points.chosen = new Uint8Array(points.data.x.length);
      for (const at of found) points.chosen[at] = 1;
    }
    paint();
    fill(rows);
    actions.hidden = !found.length;
    more.hidden = true;
    title.textContent = found.length ? `${counted(found.length, "point")} selected` : "Selection";
    const answer = await app.ask("select", { points: found });
    if (answer.error) title.textContent = answer.error;
    app.selected = found.length;
    app.tell("selection", found.length);
    if (found.length) addRows();
    else rows.append(empty("Nothing is selected.", "Choose “Lasso” (or hold Shift) and draw around points, or click the words of a group."), groups());
  }
  // The groups as a list, for those who do not point.
  function groups() {
    const named = state.middles.map(({ size }, group) => [points.data.labels[group].join(" · "), size, group]);
    return make("li", { class: "groups" }, named.filter(([, size]) => size).map(([words, size, group]) =>
      make("button", { type: "button", class: "group", onclick: () => chooseGroup(group) }, make("span", { class: "clip" }, words || `group ${group + 1}`), make("span", { class: "soft figure" }, number(size)))));
  }
  const chooseGroup = (wanted) => choose([...points.data.group.keys()].filter((one) => points.data.group[one] === wanted));
  async function addRows() {
    const own = selected;
    const from = rows.children.length;
    const found = await app.ask("rows", { points: own.slice(from, from + ROWS) });
    if (own !== selected || found.error) return;
    rows.append(...found.rows.map((one) => make("li", {}, make(
      "button",
      { type: "button", class: "row", onclick: () => open(one), onmouseenter: () => point(one.at), onmouseleave: () => point(-1) },
      make("span", { class: "place" }, one.place), make("span", { class: "clip" }, one.text),
    ))));
    more.hidden = rows.children.length >= selected.length;
  }
  const open = (one) => app.open({ source: one.source, root: one.root, chunk: one.chunk_index, id: one.id, query: "" });
  function point(at) {
    if (state.pointed === at) return;
    state.pointed = at;
    paint("over");
  }
  async function rowOf(at) {
    if (!told.has(at)) {
      if (told.size > 500) told = new Map();
      told.set(at, app.ask("rows", { points: [at] }));
    }
    return (await told.get(at)).rows?.[0];
  }
  async function tell(at, x, y) {
    if (at < 0) {
      tip.hidden = true;
      return;
    }
    const row = await rowOf(at);
    if (state.pointed !== at || !row) return;
    fill(tip, make("strong", {}, row.place), make("span", {}, row.text));
    tip.hidden = false;
    tip.style.left = `${Math.max(8, Math.min(x + 14, points.width - tip.offsetWidth - 8))}px`;
    tip.style.top = `${y + 18 + tip.offsetHeight > points.height ? Math.max(8, y - tip.offsetHeight - 12) : y + 18}px`;
  }

  const at = (event) => {
    const box = overlay.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const fingers = new Map();
  overlay.addEventListener("pointerdown", (event) => {
    if (!points.data || event.button) return;
    overlay.setPointerCapture(event.pointerId);
    const [x, y] = at(event);
    fingers.set(event.pointerId, [x, y]);
    drag = { x, y, view: { ...points.view }, moved: false, drawing: tool === "lasso" || event.shiftKey };
    if (drag.drawing) state.line = [[x, y]];
    point(-1);
    tip.hidden = true;
  });
  overlay.addEventListener("pointermove", (event) => {
    const [x, y] = at(event);
    if (!drag) {
      const near = points.nearest(x, y);
      point(near);
      tell(near, x, y);
      return;
    }
    if (Math.hypot(x - drag.x, y - drag.y) > 4) drag.moved = true;
    if (fingers.size === 2) {
      const before = [...fingers.values()];
      fingers.set(event.pointerId, [x, y]);
      const now = [...fingers.values()];
      const apart = ([one, other]) => Math.hypot(one[0] - other[0], one[1] - other[1]);
      state.line = [];
      zoomBy(apart(now) / Math.max(1, apart(before)), (now[0][0] + now[1][0]) / 2, (now[0][1] + now[1][1]) / 2);
      return;
    }
    if (drag.drawing) {
      state.line.push([x, y]);
      paint("over");
    } else if (drag.moved) {
      points.view = { ...drag.view, x: drag.view.x + x - drag.x, y: drag.view.y + y - drag.y };
      move();
    }
  });
  function lift(event) {
    fingers.delete(event.pointerId);
    if (!drag || fingers.size) return;
    const [x, y] = at(event);
    const ended = drag;
    drag = null;
    if (ended.drawing && state.line.length > 2) {
      choose(points.inside(state.line));
      setTool("move");
    } else if (!ended.moved) {
      const near = points.nearest(x, y);
      const label = labels.find((one) => x > one.left && x < one.right && y > one.top && y < one.bottom);
      if (near >= 0 && !label) rowOf(near).then((row) => row && open(row));
      else if (label) chooseGroup(label.group);
    }
    state.line = [];
    paint();
  }
  overlay.addEventListener("pointerup", lift);
  overlay.addEventListener("pointercancel", lift);
  overlay.addEventListener("pointerleave", () => { point(-1); tip.hidden = true; });
  overlay.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoomBy(Math.exp(-Math.max(-120, Math.min(120, event.deltaY)) * 0.004), ...at(event));
  }, { passive: false });
  overlay.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
    if (step) {
      event.preventDefault();
      points.view = { ...points.view, x: points.view.x + step[0], y: points.view.y + step[1] };
      move();
    } else if (event.key === "+" || event.key === "-") zoomBy(event.key === "+" ? 1.5 : 1 / 1.5);
  });
  more.addEventListener("click", addRows);
  copy.addEventListener("click", async () => copyText((await app.ask("selection")).python, copy));
  app.on("hits", () => { state.hits = app.hits; paint(); });
  app.root.addEventListener("themechange", look);
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", look);
  const watcher = new ResizeObserver(measure);
  watcher.observe(stage);
  app.on("stop", () => { watcher.disconnect(); [timer, still].forEach(clearTimeout); scheme.removeEventListener("change", look); });

  async function load() {
    const found = await app.ask("map", { whole: true });
    if (found.map) {
      points.data = decodedMap(found.map);
      state.middles = groupMiddles(points.data);
      waitingFor.hidden = true;
      const { points: shown, total, kept } = found.map;
      const sample = total > shown ? `A sample of ${number(shown)} of ${number(total)} chunks` : counted(shown, "chunk");
      note.textContent = `${sample}. Near points are alike; distances between groups, and their sizes, say little. ${number(kept * 100)} % of the nearest neighbors are neighbors here, too.`;
      if (points.width) whole();
      choose([]);
    } else if (found.error) fill(waitingFor, make("p", { class: "error" }, found.error));
    else {
      const line = make("progress", { max: 1, value: found.done });
      fill(waitingFor, make("p", {}, `${found.doing[0].toUpperCase()}${found.doing.slice(1)} …`), line);
      timer = setTimeout(load, 400);
    }
  }
  tip.hidden = more.hidden = actions.hidden = true;
  title.textContent = "Selection";
  load();
  return {
    element,
    shown: () => requestAnimationFrame(measure),
    escape() {
      if (app.view !== "map" || (tool === "move" && !state.line.length)) return false;
      [drag, state.line] = [null, []];
      setTool("move");
      paint();
      return true;
    },
  };
}
