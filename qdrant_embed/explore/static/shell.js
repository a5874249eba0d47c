// The frame of the page: its head, its views, the document beside them, the theme and the keyboard.
import { copyText, counted, fill, make } from "./dom.js";
import { documentPanel } from "./document_view.js";
import { documentsView } from "./documents_view.js";
import { mapView } from "./map_view.js";
import { searchView } from "./search_view.js";
import { settingsView } from "./settings_view.js";
import { statisticsView } from "./statistics_view.js";

const VIEWS = [
  ["search", "Search", searchView],
  ["map", "Map", mapView],
  ["documents", "Documents", documentsView],
  ["statistics", "Statistics", statisticsView],
  ["settings", "Settings", settingsView],
];

function kept(name, value) {
  try {
    if (value === undefined) return localStorage.getItem(name);
    localStorage.setItem(name, value);
  } catch {
    // A browser that keeps nothing for pages: the theme is chosen again the next time.
  }
  return null;
}

function themeSwitch(root) {
  const dark = () =>
    root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const button = make("button", { class: "icon", type: "button", "aria-label": "Switch between light and dark" }, "◐");
  const chosen = kept("qe-theme");
  if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    kept("qe-theme", root.dataset.theme);
    root.dispatchEvent(new Event("themechange"));
  });
  return button;
}

export function startExplorer(root, ask, { page }) {
  root.className = "qe";
  root.tabIndex = -1;
  const app = { ask, root, page, about: null, selected: 0, hits: [], query: "", listeners: {} };
  app.on = (event, act) => (app.listeners[event] ??= []).push(act);
  app.tell = (event, ...given) => (app.listeners[event] ?? []).forEach((act) => act(...given));
  const panel = documentPanel(app);
  app.open = (place) => panel.open(place);
  app.copy = copyText;

  const name = make("span", { class: "name" });
  const counts = make("span", { class: "counts" });
  const tabs = make("nav", { class: "tabs", role: "tablist", "aria-label": "Views" });
  const main = make("main", { class: "main" });
  const head = make("header", { class: "head" }, make("div", { class: "title" }, name, counts), tabs, themeSwitch(root));
  fill(root, head, make("div", { class: "body" }, main, panel.element));

  const made = new Map();
  app.go = (wanted) => {
    for (const [key, , makeView] of VIEWS) {
      if (key === wanted && !made.has(key)) {
        made.set(key, makeView(app));
        main.append(made.get(key).element);
      }
      const view = made.get(key);
      if (view) view.element.hidden = key !== wanted;
    }
    for (const tab of tabs.children) tab.setAttribute("aria-selected", String(tab.dataset.view === wanted));
    app.view = wanted;
    if (page) history.replaceState(null, "", `#${wanted}`);
    made.get(wanted).shown?.();
  };
  for (const [key, label] of VIEWS) {
    tabs.append(make("button", { type: "button", role: "tab", "data-view": key, onclick: () => app.go(key) }, label));
  }

  const onKey = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.closest?.("input, textarea, select");
    if (event.key === "/" && !typing) {
      event.preventDefault();
      app.go("search");
      made.get("search").focus();
    } else if (event.key === "Escape") {
      if (made.get("map")?.escape?.()) return;
      if (!panel.close()) event.target.blur?.();
    } else if (!typing || event.target.type === "search") {
      made.get(app.view)?.key?.(event);
    }
  };
  (page ? document : root).addEventListener("keydown", onKey);

  ask("about").then((about) => {
    if (about.error) {
      fill(main, make("p", { class: "error" }, about.error));
      return;
    }
    app.about = about;
    name.textContent = about.name;
    counts.textContent = counted(about.chunks, "chunk") + (about.documents === null ? "" : ` of ${counted(about.documents, "document")}`);
    if (page) document.title = `${about.name} · qdrant-embed`;
    const wanted = page ? location.hash.slice(1) : "";
    app.go(VIEWS.some(([key]) => key === wanted) ? wanted : "search");
    ask("warm");
  });
  return () => {
    document.removeEventListener("keydown", onKey);
    app.tell("stop");
  };
}
