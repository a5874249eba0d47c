// A document beside the view: its chunks in order with their boundaries, and the one that was found in its place.
import { counted, fill, make, markedText, number } from "./dom.js";

function chunkView(chunk, current) {
  const where = [`${number(chunk.start)}–${number(chunk.end)}`];
  if (chunk.page !== null) where.unshift(`page ${chunk.page}`);
  return make(
    "section", { class: current ? "chunk current" : "chunk", "data-index": String(chunk.chunk_index) },
    make("div", { class: "edge" }, make("span", {}, `chunk ${number(chunk.chunk_index)}`), make("span", {}, where.join(" · "))),
    make("div", { class: "chunk-text" }, markedText(chunk.text, chunk.marks)),
  );
}

export function documentPanel(app) {
  const title = make("h2");
  const facts = make("p", { class: "soft" });
  const body = make("div", { class: "document-body", tabindex: "0" });
  const close = make("button", { type: "button", class: "icon", "aria-label": "Close the document" }, "×");
  const element = make(
    "aside", { class: "document", "aria-label": "Document" },
    make("div", { class: "document-head" }, make("div", {}, title, facts), close),
    body,
  );
  element.hidden = true;
  let opened = 0;
  let before = null;

  async function load(place, around, goTo) {
    opened += 1;
    const own = opened;
    const { source, root, query } = place;
    const found = await app.ask("document", { source, root, around, query });
    if (own !== opened) return;
    if (found.error) {
      fill(body, make("p", { class: "error" }, found.error));
      return;
    }
    title.textContent = found.title || found.source;
    const names = [found.title ? found.source : null, root, found.media_type, counted(found.total, "chunk")];
    facts.textContent = names.filter(Boolean).join(" · ");
    const first = found.chunks[0]?.chunk_index ?? 0;
    const last = found.chunks.at(-1)?.chunk_index ?? 0;
    const turn = (label, next, there) =>
      make("button", { type: "button", class: "plain turn", onclick: () => load(place, next, there) }, label);
    const metadata = Object.entries(found.metadata);
    fill(
      body,
      metadata.length
        ? make("dl", { class: "facts" }, metadata.map(([name, value]) => [
            make("dt", {}, name), make("dd", {}, typeof value === "string" ? value : JSON.stringify(value)),
          ]))
        : null,
      first > 0 ? turn("Earlier chunks", Math.max(0, first - 60), first - 1) : null,
      found.chunks.map((chunk) => chunkView(chunk, place.id ? chunk.id === place.id : chunk.chunk_index === place.chunk)),
      last < found.total - 1 ? turn("Later chunks", last + 60, last + 1) : null,
    );
    const current = goTo === place.chunk ? body.querySelector(".chunk.current") : null;
    const there = current ?? body.querySelector(`[data-index="${Number(goTo)}"]`);
    if (there) body.scrollTop = there.offsetTop - body.offsetTop - 24;
  }

  function hide() {
    if (element.hidden) return false;
    opened += 1;
    element.hidden = true;
    app.root.classList.remove("with-document");
    app.tell("layout");
    before?.focus?.();
    return true;
  }
  close.addEventListener("click", hide);
  return {
    element,
    close: hide,
    open(place) {
      if (element.hidden) before = document.activeElement;
      element.hidden = false;
      app.root.classList.add("with-document");
      app.tell("layout");
      title.textContent = place.source;
      facts.textContent = "";
      fill(body, make("p", { class: "status" }, "Opening …"));
      return load(place, place.chunk ?? 0, place.chunk ?? 0);
    },
  };
}
