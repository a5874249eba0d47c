// The question, how it is asked, and the passages found, with why.
import { bar, copyText, empty, fill, make, markedText, number } from "./dom.js";
import { filterBar } from "./filter_bar.js";

const MODE_WORDS = {
  hybrid: "Meaning and words",
  rrf: "Meaning and words, by rank",
  dense: "Meaning",
  bm25: "Words",
  sparse: "Sparse model",
  multivector: "Token by token",
};

function whyView(why) {
  const most = Math.max(...why.lists.map((one) => Math.abs(one.share)), 1e-9);
  const lists = why.lists.map((one) => [
    make("dt", {}, one.name),
    make("dd", {}, bar(one.share / most), make("span", { class: "figure" }, number(one.share, 3))),
    make("dd", { class: "soft" }, one.rank === null ? "not in its list" : `rank ${one.rank}, score ${number(one.score, 3)}`),
  ]);
  const words = why.terms.map((term) =>
    make("span", { class: "chip still" }, term.word, make("small", {}, term.idf === null ? "" : ` idf ${number(term.idf, 1)}`)),
  );
  const facts = [];
  if (why.confidence !== null) facts.push(`confidence ${number(why.confidence, 2)}`);
  if (why.dense_weight !== null) facts.push(`vectors weigh ${number(why.dense_weight, 2)}, words ${number(1 - why.dense_weight, 2)}`);
  if (why.feedback) facts.push(`question moved by ${number(why.feedback, 2)} toward the first passage`);
  if (why.reranked) facts.push(`reranked: was ${why.reranked[0]}. with ${number(why.reranked[1], 3)}`);
  return make(
    "div",
    { class: "why" },
    make("dl", { class: "shares" }, lists),
    words.length ? make("p", { class: "words" }, words) : null,
    why.sentence ? make("p", { class: "sentence" }, make("span", { class: "soft" }, "nearest sentence "), `“${why.sentence}”`) : null,
    facts.length ? make("p", { class: "soft" }, facts.join(" · ")) : null,
  );
}

export function searchView(app) {
  const input = make("input", {
    type: "search", class: "question", placeholder: "Ask, or type words", "aria-label": "Question", autocomplete: "off", spellcheck: "false",
  });
  const mode = make(
    "select", { "aria-label": "Mode" }, app.about.modes.map((one) => make("option", { value: one }, MODE_WORDS[one] ?? one)),
  );
  const grouped = make("input", { type: "checkbox" });
  const within = make("input", { type: "checkbox" });
  const withinLabel = make("label", { class: "check" }, within, "in the map’s selection");
  withinLabel.hidden = true;
  const list = make("ol", { class: "hits" });
  const status = make("p", { class: "status", role: "status" });
  const more = make("button", { type: "button", class: "plain" }, "More");
  const copy = make("button", { type: "button", class: "plain" }, "Copy as Python");
  const filters = filterBar(app.about.fields, () => input.value.trim() && ask(0));
  more.hidden = copy.hidden = true;
  let asked = 0;
  let code = "";
  let current = -1;

  function card(hit, rank) {
    const open = () => {
      select([...list.children].indexOf(item), { scroll: false });
      app.open({ source: hit.source, root: hit.root, chunk: hit.chunk_index, id: hit.id, query: app.query });
    };
    const why = make("details", {}, make("summary", {}, "Why this passage"), hit.why ? whyView(hit.why) : null);
    const item = make(
      "li", { class: "hit" },
      make(
        "button", { type: "button", class: "hit-open", onclick: open },
        make("span", { class: "hit-head" }, make("span", { class: "rank" }, rank), make("span", { class: "place" }, hit.place),
          make("span", { class: "figure score", title: "score" }, number(hit.score, 3))),
        hit.columns ? make("span", { class: "hit-text soft" }, hit.columns) : null,
        make("span", { class: "hit-text" }, markedText(hit.text, hit.marks)),
      ),
      hit.why ? why : null,
    );
    return item;
  }

  function select(place, { scroll = true } = {}) {
    list.children[current]?.classList.remove("current");
    current = place;
    const item = list.children[current];
    item?.classList.add("current");
    if (scroll) item?.scrollIntoView({ block: "nearest" });
  }

  async function ask(offset) {
    const query = input.value.trim();
    if (!query) return;
    asked += 1;
    const own = asked;
    status.className = "status";
    status.textContent = "Searching …";
    const given = { query, mode: mode.value, k: 10, offset, by_document: grouped.checked, filter: filters.value() };
    if (within.checked && !withinLabel.hidden) given.within_selection = true;
    const found = await app.ask("search", given);
    if (own !== asked) return;
    if (found.error) {
      status.className = "status error";
      status.textContent = found.error;
      return;
    }
    app.query = query;
    if (!offset) {
      fill(list);
      app.hits = [];
      current = -1;
    }
    found.hits.forEach((hit, place) => list.append(card(hit, offset + place + 1)));
    app.hits.push(...found.hits.map((hit) => hit.at).filter((at) => at !== undefined && at !== null));
    app.tell("hits");
    code = found.python;
    copy.hidden = false;
    more.hidden = found.hits.length < 10;
    const sure = found.confidence === null ? "" : `confidence ${number(found.confidence, 2)}`;
    status.textContent = list.children.length ? sure : "Nothing found.";
  }

  const form = make(
    "form", { class: "asking", onsubmit: (event) => { event.preventDefault(); ask(0); } },
    make("div", { class: "question-line" }, input, make("button", { type: "submit", class: "primary" }, "Search")),
    make("div", { class: "options" }, mode, make("label", { class: "check" }, grouped, "one per document"), withinLabel, filters.element),
  );
  mode.addEventListener("change", () => ask(0));
  grouped.addEventListener("change", () => ask(0));
  within.addEventListener("change", () => ask(0));
  more.addEventListener("click", () => ask(list.children.length));
  copy.addEventListener("click", () => copyText(code, copy));
  app.on("selection", (count) => {
    withinLabel.hidden = !count;
    if (!count) within.checked = false;
  });
  app.on("search-selection", () => {
    within.checked = true;
    app.go("search");
    input.focus();
    ask(0);
  });
  const hint = empty("What do you want to know?", "Press / to come here from anywhere, ↑ ↓ to move among passages, Enter to open one, Esc to close it.");
  list.append(hint);
  return {
    element: make("section", { class: "view search" }, form, make("div", { class: "status-line" }, status, copy), list, more),
    focus: () => input.select(),
    shown: () => app.page && matchMedia("(hover: hover)").matches && input.focus(),
    key(event) {
      const hits = list.querySelectorAll(".hit").length;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        if (!hits) return;
        event.preventDefault();
        select(Math.max(0, Math.min(hits - 1, current + (event.key === "ArrowDown" ? 1 : -1))));
      } else if (event.key === "Enter" && current >= 0 && event.target.value === app.query) {
        event.preventDefault();
        list.children[current].querySelector(".hit-open").click();
      }
    },
  };
}
