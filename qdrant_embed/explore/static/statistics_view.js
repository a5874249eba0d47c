// What the chunks are like: how long, how many windows, which are equal, which say nothing, what was not finished.
import { bar, counted, empty, fill, make, number } from "./dom.js";

function histogram(spread, limit) {
  const most = Math.max(...spread.counts, 1);
  const columns = spread.counts.map((count, place) => {
    const from = spread.edges[place];
    const to = spread.edges[place + 1] - 1;
    const column = make("span", { class: from > limit ? "column over" : "column" });
    column.style.height = count ? `${Math.max(2, (count / most) * 100)}%` : "0";
    return make("span", { class: "slot", title: `${from === to ? from : `${from}–${to}`}: ${number(count)}` }, column);
  });
  return make(
    "figure", { class: "histogram" },
    make("div", { class: "columns", role: "img", "aria-label": `from ${spread.least} to ${spread.most}, median ${spread.median}` }, columns),
    make("figcaption", {}, make("span", {}, number(spread.least)), make("span", {}, `median ${number(spread.median)} · 95 % up to ${number(spread.p95)}`), make("span", {}, number(spread.most))),
  );
}

function card(title, ...children) {
  return make("section", { class: "card" }, make("h2", {}, title), children);
}

function shares(rows, all, label) {
  return make("dl", { class: "shares" }, rows.map((one) => [
    make("dt", {}, label(one)),
    make("dd", {}, bar(one.chunks / Math.max(1, all)), make("span", { class: "figure" }, number(one.chunks))),
  ]));
}

export function statisticsView(app) {
  const element = make("section", { class: "view cards" });
  let waiting = 0;

  function places(found) {
    return make("ul", { class: "places" }, found.map((one) => make(
      "li", {},
      make("button", { type: "button", class: "link", onclick: () => app.open({ source: one.source, root: one.root, chunk: one.chunk_index, query: "" }) },
        one.text === undefined ? one.source : `${one.source}, chunk ${one.chunk_index}`),
      one.times ? make("span", { class: "soft" }, ` ${number(one.times)} times`) : null,
      one.text === undefined ? null : make("div", { class: "soft clip" }, one.text || "no text"),
    )));
  }
  function failures(failed) {
    if (!failed.total) return card("Failed at ingest", make("p", { class: "soft" }, "All that was last looked at could be ingested."));
    const kinds = Object.entries(failed.kinds).map(([kind, often]) => `${number(often)} ${kind}`).join(", ");
    const more = failed.total > failed.listed.length ? `; the first ${number(failed.listed.length)} are listed` : "";
    const found = card("Failed at ingest", make("p", { class: "soft" }, `${kinds}${more}. These are not in the collection, or not as they are now.`),
      make("div", { class: "wide" }, make("table", { class: "table" },
        make("thead", {}, make("tr", {}, ["Document", "Reason", "When"].map((one) => make("th", {}, one)))),
        make("tbody", {}, failed.listed.map((one) => make("tr", {},
          make("td", {}, make("div", {}, one.source), make("div", { class: "soft" }, one.root)),
          make("td", {}, make("div", {}, one.reason), make("div", { class: "soft" }, one.kind)),
          make("td", { class: "soft" }, one.at.slice(0, 16).replace("T", " ")),
        ))))));
    found.classList.add("whole");
    return found;
  }
  function draw(found) {
    const sampled = found.total > found.chunks ? `A sample of ${number(found.chunks)} of ${number(found.total)} chunks` : `All ${counted(found.chunks, "chunk")}`;
    fill(
      element,
      card("Length in tokens", make("p", { class: "soft" }, `${sampled}; the model reads ${number(found.reads)} at once`), histogram(found.tokens, found.reads),
        found.tokens.longer ? make("p", { class: "warn" }, `${counted(found.tokens.longer, "chunk")} longer than that`) : null),
      card("Chunks of a document", make("p", { class: "soft" }, counted(found.documents, "document")), histogram(found.chunks_of_documents, Infinity)),
      card("Windows of a chunk", make("p", { class: "soft" }, `strategy ${app.about.recipe?.window ?? "unknown"}`), shares(found.windows, found.chunks, (one) => counted(one.windows, "vector"))),
      card("Kinds of files", shares(found.kinds, found.chunks, (one) => one.kind)),
      card("Equal texts", make("p", { class: "soft" }, found.duplicates.texts ? `${counted(found.duplicates.texts, "text")} more than once: ${counted(found.duplicates.chunks, "chunk")} that repeat another` : "No chunk repeats another."), places(found.duplicates.most)),
      card("Without any word", make("p", { class: "soft" }, found.wordless.chunks ? counted(found.wordless.chunks, "chunk") : "Every chunk has a word or a number."), places(found.wordless.first)),
      found.unfinished ? card("Not finished", make("p", { class: "soft" }, found.unfinished.total
        ? `An ingest of ${counted(found.unfinished.total, "document")} was cut off, or still goes on; ingest again.`
        : "Every document is whole."), places(found.unfinished.first.map((one) => ({ ...one, chunk_index: 0 })))) : null,
      failures(found.failed),
    );
  }
  async function look() {
    const found = await app.ask("statistics");
    if (found.state === "ready") draw(found);
    else if (found.error) fill(element, make("p", { class: "error" }, found.error));
    else {
      fill(element, empty("Counting", `${found.doing} … ${number(found.done * 100)} %`));
      waiting = setTimeout(look, 500);
    }
  }
  look();
  app.on("stop", () => clearTimeout(waiting));
  return { element };
}
