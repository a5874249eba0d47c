// Filters as chips: a field and what it has to be, in the words of the library's plain filters.
import { fill, make } from "./dom.js";

// Numbers are numbers; what begins like a list or an object is JSON; everything else is a text, perhaps with stars.
function valueOf(text) {
  if (/^-?\d+(\.\d+)?$/.test(text) || /^[[{"]/.test(text)) {
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  }
  return text;
}

export function filterBar(fields, changed) {
  const chosen = [];
  const chips = make("span", { class: "chips" });
  const field = make("input", { class: "field", placeholder: "field", "aria-label": "Field to filter by", list: "qe-fields", autocomplete: "off" });
  const value = make("input", { class: "value", placeholder: "guide/* or 3", "aria-label": "Value of the field", autocomplete: "off" });
  const known = make("datalist", { id: "qe-fields" }, fields.map((one) => make("option", { value: one })));
  const editor = make("span", { class: "filter-editor" }, field, "=", value, make("button", { type: "button", class: "plain", onclick: add }, "Add"));
  const begin = make("button", { type: "button", class: "plain", onclick: () => open(editor.hidden) }, "+ Filter");
  editor.hidden = true;

  function open(wanted) {
    editor.hidden = !wanted;
    if (wanted) field.focus();
  }
  function draw() {
    fill(chips, chosen.map(([name, text], place) => make(
      "button",
      { type: "button", class: "chip", title: "Remove this filter", onclick: () => { chosen.splice(place, 1); draw(); changed(); } },
      `${name} = ${text} ×`,
    )));
  }
  function add() {
    const name = field.value.trim();
    if (!name || !value.value.trim()) return;
    chosen.push([name, value.value.trim()]);
    field.value = value.value = "";
    open(false);
    draw();
    changed();
  }
  for (const one of [field, value]) {
    one.addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        event.preventDefault();
        add();
      } else if (event.key === "Escape") {
        event.stopPropagation();
        open(false);
        begin.focus();
      }
    });
  }
  return {
    element: make("span", { class: "filters" }, known, chips, begin, editor),
    value() {
      const every = chosen.map(([name, text]) => ({ [name]: valueOf(text) }));
      return every.length ? (every.length > 1 ? { all: every } : every[0]) : null;
    },
  };
}
