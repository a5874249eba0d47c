// Elements made of plain values. Texts become text nodes: nothing that a document holds is ever read as markup.

export function make(tag, given = {}, ...children) {
  const found = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) found.addEventListener(name.slice(2), value);
    else if (name === "class") found.className = value;
    else if (name in found && typeof value !== "string") found[name] = value;
    else found.setAttribute(name, value === true ? "" : value);
  }
  found.append(...children.flat(Infinity).filter((one) => one !== null && one !== undefined && one !== false));
  return found;
}

export function fill(parent, ...children) {
  parent.replaceChildren(...children.flat(Infinity).filter((one) => one !== null && one !== undefined && one !== false));
}

// A text whose spans [start, end) are marked.
export function markedText(text, marks) {
  const parts = [];
  let done = 0;
  for (const [start, end] of marks) {
    parts.push(text.slice(done, start), make("mark", {}, text.slice(start, end)));
    done = end;
  }
  parts.push(text.slice(done));
  return parts;
}

export function number(value, digits = 0) {
  return Number(value).toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function counted(value, noun) {
  return `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
}

export function bytes(value) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let size = value;
  let place = 0;
  while (size >= 1000 && place < units.length - 1) {
    size /= 1000;
    place += 1;
  }
  return `${place ? size.toFixed(size < 10 ? 1 : 0) : size} ${units[place]}`;
}

// A bar whose length is a share, 0 to 1.
export function bar(share, kind = "") {
  const inner = make("span", { class: "bar-part" });
  inner.style.width = `${Math.max(0, Math.min(1, share)) * 100}%`;
  return make("span", { class: `bar ${kind}`, "aria-hidden": "true" }, inner);
}

export function empty(title, ...more) {
  return make("div", { class: "empty" }, make("p", { class: "empty-title" }, title), more.map((one) => make("p", {}, one)));
}

export async function copyText(text, button) {
  const before = button.textContent;
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = make("textarea", { class: "copied", readonly: true });
    area.value = text;
    document.body.append(area);
    area.select();
    done = document.execCommand("copy");
    area.remove();
  }
  button.textContent = done ? "Copied" : "Not allowed";
  setTimeout(() => {
    button.textContent = before;
  }, 1400);
}
