// Many points in the plane, drawn into an image point by point: fluent with 100 000 of them, and without a GPU.
// They lie in memory cell by cell of a grid, so that only those in view are gone through, and near pixels follow each
// other; while the view moves, the image has one pixel for each of the page, and less if that is not quick enough.

export const GROUP_COLORS = [
  "#4f7cac", "#d98b4a", "#5a9a72", "#c06464", "#8673b3", "#3f9b9b", "#bd9a2f", "#b0688f", "#72903f", "#7b8794", "#c97b63", "#5b72c4",
];
const SPAN = 65535;
const QUIET = 0.25;
const GRAY = [150, 155, 160];
const MOST_PIXELS = 6e6;
const CELLS = 128;
const SIDE = (SPAN + 1) / CELLS;
const SLOW = 14; // milliseconds of a drawing, above which the next ones of a movement are coarser
const COARSEST = 0.5;

function rgb(color) {
  const digits = color.match(/^#(..)(..)(..)$/);
  return digits ? digits.slice(1).map((one) => parseInt(one, 16)) : color.match(/[\d.]+/g).slice(0, 3).map(Number);
}

export function decodedMap(given) {
  const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const map = {
    ...given,
    x: new Uint16Array(bytesOf(given.x).buffer),
    y: new Uint16Array(bytesOf(given.y).buffer),
    group: bytesOf(given.group),
  };
  return { ...map, grid: gridOf(map) };
}

// The points in the order of the grid's cells, and where each cell begins.
function gridOf({ x, y, group }) {
  const cell = (at) => Math.floor(y[at] / SIDE) * CELLS + Math.floor(x[at] / SIDE);
  const starts = new Uint32Array(CELLS * CELLS + 1);
  for (let at = 0; at < x.length; at += 1) starts[cell(at) + 1] += 1;
  for (let one = 0; one < CELLS * CELLS; one += 1) starts[one + 1] += starts[one];
  const next = starts.slice();
  const order = new Uint32Array(x.length);
  for (let at = 0; at < x.length; at += 1) {
    order[next[cell(at)]] = at;
    next[cell(at)] += 1;
  }
  const sorted = (values) => values.map((_, place) => values[order[place]]);
  return { starts, order, x: sorted(x), y: sorted(y), group: sorted(group) };
}

// A disc of a radius as shares of pixels it covers, 0 to 256: soft at its edge.
function stampOf(radius) {
  const half = Math.ceil(radius);
  const cover = [];
  for (let y = -half; y <= half; y += 1) {
    for (let x = -half; x <= half; x += 1) {
      cover.push(Math.round(256 * Math.max(0, Math.min(1, radius + 0.5 - Math.hypot(x, y)))));
    }
  }
  return { half, cover };
}

export class PointCanvas {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.view = { scale: 1, x: 0, y: 0 };
    this.data = null;
    this.chosen = null;
    this.palette = GROUP_COLORS.map(rgb);
  }

  resize(width, height, ratio) {
    [this.width, this.height] = [width, height];
    this.ratio = Math.min(ratio, 2, Math.sqrt(MOST_PIXELS / Math.max(1, width * height)));
    this.quick = Math.min(this.ratio, 1);
    this.take(this.ratio);
  }

  // Begin an image of so many pixels for each of the page.
  take(ratio) {
    this.sharpness = ratio;
    this.canvas.width = Math.max(1, Math.round(this.width * ratio));
    this.canvas.height = Math.max(1, Math.round(this.height * ratio));
    this.image = this.context.createImageData(this.canvas.width, this.canvas.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  fit() {
    const size = Math.min(this.width, this.height) * 0.9;
    const extent = this.extent();
    const scale = size / Math.max(extent.x, extent.y, 1);
    this.view = { scale, x: (this.width - extent.x * scale) / 2, y: (this.height - extent.y * scale) / 2 };
    this.least = scale * 0.5;
  }

  extent() {
    if (!this.data) return { x: SPAN, y: SPAN };
    const most = (values) => values.reduce((found, one) => Math.max(found, one), 0);
    return { x: most(this.data.x), y: most(this.data.y) };
  }

  place(at) {
    const { scale, x, y } = this.view;
    return [this.data.x[at] * scale + x, this.data.y[at] * scale + y];
  }

  zoom(factor, x, y) {
    const next = Math.max(this.least, Math.min(this.least * 400, this.view.scale * factor));
    const real = next / this.view.scale;
    this.view = { scale: next, x: x - (x - this.view.x) * real, y: y - (y - this.view.y) * real };
  }

  radius() {
    const count = this.data.x.length;
    const usual = count > 50000 ? 1.1 : count > 10000 ? 1.6 : count > 2000 ? 2.3 : 3.4;
    const closer = Math.sqrt(this.view.scale / (this.least * 2));
    return Math.min(6, usual * Math.max(1, closer ** 0.7)) * this.sharpness * 0.8;
  }

  draw(background, moving = false) {
    const wanted = moving ? this.quick : this.ratio;
    if (this.sharpness !== wanted) this.take(wanted);
    const began = performance.now();
    this.paint(background);
    if (moving && performance.now() - began > SLOW) this.quick = Math.max(COARSEST, this.quick * 0.8);
  }

  paint(background) {
    const paper = rgb(background);
    this.pixels.fill((255 << 24) | (paper[2] << 16) | (paper[1] << 8) | paper[0]);
    if (this.data) {
      const quiet = this.chosen !== null;
      // What is not chosen is gray: many faint points of a color, one on another, would look like chosen ones.
      if (quiet) this.points(QUIET, 0, [GRAY]);
      this.points(quiet ? 0.95 : 0.8, quiet ? 1 : -1, this.palette);
    }
    this.context.putImageData(this.image, 0, 0);
  }

  // Draw the points whose mark is as wanted: 1 for those that are chosen, 0 for the others, -1 for all.
  points(strength, wanted, palette) {
    const { half, cover } = stampOf(this.radius());
    const side = 2 * half + 1;
    const parts = Uint16Array.from(cover, (one) => Math.round(one * strength));
    const { pixels, chosen } = this;
    const { order, x, y, group } = this.data.grid;
    const [width, height] = [this.canvas.width, this.canvas.height];
    const scale = this.view.scale * this.sharpness;
    const [left, top] = [this.view.x * this.sharpness, this.view.y * this.sharpness];
    // Red and blue are blended together, and green alone: between them is room for what a product carries.
    const outer = Uint32Array.from(palette, ([red, , blue]) => (blue << 16) | red);
    const inner = Uint32Array.from(palette, ([, green]) => green << 8);
    for (const [from, to] of this.runs(0, 0, this.width, this.height, half / this.sharpness)) {
      for (let at = from; at < to; at += 1) {
        if (wanted >= 0 && chosen[order[at]] !== wanted) continue;
        const px = Math.round(x[at] * scale + left) - half;
        const py = Math.round(y[at] * scale + top) - half;
        if (px < 0 || py < 0 || px + side > width || py + side > height) continue;
        const color = group[at] % palette.length;
        const redBlue = outer[color];
        const green = inner[color];
        for (let row = 0, part = 0; row < side; row += 1) {
          let pixel = (py + row) * width + px;
          for (let column = 0; column < side; column += 1, part += 1, pixel += 1) {
            const share = parts[part];
            if (!share) continue;
            const before = pixels[pixel];
            const out = before & 0xff00ff;
            const mid = before & 0xff00;
            pixels[pixel] =
              0xff000000 |
              ((out + (Math.imul(redBlue - out, share) >> 8)) & 0xff00ff) |
              ((mid + (Math.imul(green - mid, share) >> 8)) & 0xff00);
          }
        }
      }
    }
  }

  // Where the points of the cells lie that a rectangle of the page touches: [from, to) for each row of cells.
  *runs(left, top, right, bottom, around = 0) {
    const { scale, x, y } = this.view;
    const cell = (pixel, shift) => Math.max(0, Math.min(CELLS - 1, Math.floor((pixel - shift) / scale / SIDE)));
    const [first, last] = [cell(left - around, x), cell(right + around, x)];
    const { starts } = this.data.grid;
    for (let row = cell(top - around, y); row <= cell(bottom + around, y); row += 1) {
      const [from, to] = [starts[row * CELLS + first], starts[row * CELLS + last + 1]];
      if (from < to) yield [from, to];
    }
  }

  nearest(px, py, most = 10) {
    if (!this.data) return -1;
    const { scale } = this.view;
    const { order, x, y } = this.data.grid;
    const [gx, gy] = [(px - this.view.x) / scale, (py - this.view.y) / scale];
    let best = (most / scale) ** 2;
    let found = -1;
    for (const [from, to] of this.runs(px, py, px, py, most)) {
      for (let at = from; at < to; at += 1) {
        const far = (x[at] - gx) ** 2 + (y[at] - gy) ** 2;
        if (far < best) {
          best = far;
          found = order[at];
        }
      }
    }
    return found;
  }

  // The points inside a polygon of pixels [x, y]: those from which a ray crosses its edge an odd number of times.
  inside(polygon) {
    const { scale, x: left, y: top } = this.view;
    const { order, x, y } = this.data.grid;
    const low = [0, 1].map((axis) => Math.min(...polygon.map((one) => one[axis])));
    const high = [0, 1].map((axis) => Math.max(...polygon.map((one) => one[axis])));
    const found = [];
    for (const [from, to] of this.runs(low[0], low[1], high[0], high[1])) {
      for (let at = from; at < to; at += 1) {
        const [px, py] = [x[at] * scale + left, y[at] * scale + top];
        if (px < low[0] || px > high[0] || py < low[1] || py > high[1]) continue;
        let odd = false;
        for (let one = 0, other = polygon.length - 1; one < polygon.length; other = one, one += 1) {
          const [ax, ay] = polygon[one];
          const [bx, by] = polygon[other];
          if (ay > py !== by > py && px < ((bx - ax) * (py - ay)) / (by - ay) + ax) odd = !odd;
        }
        if (odd) found.push(order[at]);
      }
    }
    return found.sort((one, other) => one - other);
  }
}
