// All documents of the collection, found by parts of their names.
import { bytes, empty, fill, make, number } from "./dom.js";

export function documentsView(app) {
  const like = make("input", { type: "search", placeholder: "Part of a name or title", "aria-label": "Find documents" });
  const status = make("p", { class: "status", role: "status" });
  const rows = make("tbody");
  const table = make(
    "table", { class: "table" },
    make("thead", {}, make("tr", {}, ["Document", "Chunks", "Size"].map((one) => make("th", {}, one)))), rows,
  );
  const more = make("button", { type: "button", class: "plain" }, "More");
  more.hidden = true;
  let asked = 0;
  let after = null;

  function row(one) {
    const open = () => app.open({ source: one.source, root: one.root, chunk: 0, query: "" });
    return make(
      "tr", {},
      make("td", {}, make("button", { type: "button", class: "link", onclick: open }, one.title || one.source),
        make("div", { class: "soft" }, [one.root, one.title ? one.source : ""].filter(Boolean).join(" · "))),
      make("td", { class: "figure" }, one.chunks === null ? make("span", { class: "warn" }, "unfinished") : number(one.chunks)),
      make("td", { class: "figure soft" }, one.size === null ? "" : bytes(one.size)),
    );
  }
  async function list(from = null) {
    asked += 1;
    const own = asked;
    const found = await app.ask("documents", { like: like.value, after: from });
    if (own !== asked) return;
    status.className = found.error ? "status error" : "status";
    if (found.error) {
      status.textContent = found.error;
      return;
    }
    if (!from) fill(rows);
    rows.append(...found.documents.map(row));
    after = found.after;
    more.hidden = !after;
    const shown = rows.children.length;
    table.hidden = !shown;
    if (found.total) status.textContent = `${number(found.total)} in all${after ? `, the first ${number(shown)} are shown` : ""}`;
    else fill(status, like.value.trim() ? empty("No document is called that.") : empty("There is no document yet.", "Type: qdrant-embed ingest PATH"));
  }
  more.addEventListener("click", () => list(after));
  let waiting = 0;
  like.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => list(), 150);
  });
  list();
  return { element: make("section", { class: "view documents" }, make("div", { class: "question-line" }, like), status, table, more) };
}
