// How the collection was made, and what it takes.
import { bytes, counted, make, number } from "./dom.js";

function values(title, given) {
  const shown = Object.entries(given).map(([name, value]) => {
    const text = value === null || value === "" ? "–" : typeof value === "object" ? JSON.stringify(value) : String(value);
    return [make("dt", {}, name), make("dd", {}, text)];
  });
  return make("section", { class: "card" }, make("h2", {}, title), make("dl", { class: "facts" }, shown));
}

export function settingsView(app) {
  const about = app.about;
  const size = { chunks: number(about.chunks), documents: about.documents === null ? "not counted" : number(about.documents) };
  if (about.foreign_points) size["foreign points"] = `${number(about.foreign_points)}, written by another program; left out`;
  if (about.vectors) {
    size["ranked by"] = counted(about.vectors.dimensions, "dimension");
    size["such vectors as float32"] = bytes(about.vectors.float32_bytes);
  }
  if (about.disk_bytes) {
    size["on disk"] = bytes(about.disk_bytes.taken);
    size["apparent size of its files"] = bytes(about.disk_bytes.apparent);
  }
  const element = make(
    "section", { class: "view cards" },
    values("Recipe", about.recipe ?? {}),
    about.layout ? values("Layout, as it was found", about.layout) : null,
    values("Size", { compression: about.recipe?.compression ?? "", ...size, roots: (about.roots ?? []).join(", ") }),
    make("section", { class: "card" }, make("h2", {}, "Capacity"), make("p", {}, about.capacity)),
    about.model ? values("Model", about.model) : null,
    about.server ? values("Server", about.server) : null,
    about.fingerprint ? make("section", { class: "card" }, make("h2", {}, "Fingerprint"), make("p", { class: "code" }, about.fingerprint)) : null,
  );
  return { element };
}
