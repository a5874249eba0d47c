// Many points in the plane, drawn into an image point by point: fluent with 100 000 of them, and without a GPU.

export const GROUP_COLORS = [
  "#4f7cac", "#d98b4a", "#5a9a72", "#c06464", "#8673b3", "#3f9b9b", "#bd9a2f", "#b0688f", "#72903f", "#7b8794", "#c97b63", "#5b72c4",
];
const SPAN = 65535;
const QUIET = 0.25;
const GRAY = [150, 155, 160];
const MOST_PIXELS = 4096;

function rgb(color) {
  const digits = color.match(/^#(..)(..)(..)$/);
  return digits ? digits.slice(1).map((one) => parseInt(one, 16)) : color.match(/[\d.]+/g).slice(0, 3).map(Number);
}

export function decodedMap(given) {
  const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return {
    ...given,
    x: new Uint16Array(bytesOf(given.x).buffer),
    y: new Uint16Array(bytesOf(given.y).buffer),
    group: bytesOf(given.group),
  };
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
    this.width = Math.min(width, MOST_PIXELS);
    this.height = Math.min(height, MOST_PIXELS);
    this.ratio = Math.min(ratio, 2);
    this.canvas.width = Math.max(1, Math.round(width * this.ratio));
    this.canvas.height = Math.max(1, Math.round(height * this.ratio));
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
    return Math.min(6, usual * Math.max(1, closer ** 0.7)) * this.ratio * 0.8;
  }

  draw(background) {
    const paper = rgb(background);
    this.pixels.fill((255 << 24) | (paper[2] << 16) | (paper[1] << 8) | paper[0]);
    if (this.data) {
      const quiet = this.chosen !== null;
      // What is not chosen is gray: many faint points of a color, one on another, would look like chosen ones.
      if (quiet) this.points(QUIET, (at) => !this.chosen[at], [GRAY]);
      this.points(quiet ? 0.95 : 0.8, quiet ? (at) => this.chosen[at] : null);
    }
    this.context.putImageData(this.image, 0, 0);
  }

  points(strength, wanted, palette = this.palette) {
    const { half, cover } = stampOf(this.radius());
    const side = 2 * half + 1;
    const parts = Uint16Array.from(cover, (one) => Math.round(one * strength));
    const { x, y, group } = this.data;
    const [width, height, bytes] = [this.canvas.width, this.canvas.height, this.image.data];
    const scale = this.view.scale * this.ratio;
    const [left, top] = [this.view.x * this.ratio, this.view.y * this.ratio];
    const colors = palette.length;
    for (let at = 0; at < x.length; at += 1) {
      if (wanted && !wanted(at)) continue;
      const px = Math.round(x[at] * scale + left) - half;
      const py = Math.round(y[at] * scale + top) - half;
      if (px < 0 || py < 0 || px + side > width || py + side > height) continue;
      const color = palette[group[at] % colors];
      const red = color[0];
      const green = color[1];
      const blue = color[2];
      for (let row = 0, part = 0; row < side; row += 1) {
        let byte = ((py + row) * width + px) * 4;
        for (let column = 0; column < side; column += 1, part += 1, byte += 4) {
          const share = parts[part];
          if (!share) continue;
          bytes[byte] += ((red - bytes[byte]) * share) >> 8;
          bytes[byte + 1] += ((green - bytes[byte + 1]) * share) >> 8;
          bytes[byte + 2] += ((blue - bytes[byte + 2]) * share) >> 8;
        }
      }
    }
  }

  nearest(px, py, most = 10) {
    if (!this.data) return -1;
    const { scale } = this.view;
    const [gx, gy] = [(px - this.view.x) / scale, (py - this.view.y) / scale];
    let best = (most / scale) ** 2;
    let found = -1;
    for (let at = 0; at < this.data.x.length; at += 1) {
      const far = (this.data.x[at] - gx) ** 2 + (this.data.y[at] - gy) ** 2;
      if (far < best) {
        best = far;
        found = at;
      }
    }
    return found;
  }

  // The points inside a polygon of pixels [x, y]: those from which a ray crosses its edge an odd number of times.
  inside(polygon) {
    const { scale, x: left, y: top } = this.view;
    const edge = polygon.map(([px, py]) => [(px - left) / scale, (py - top) / scale]);
    const low = [0, 1].map((axis) => Math.min(...edge.map((one) => one[axis])));
    const high = [0, 1].map((axis) => Math.max(...edge.map((one) => one[axis])));
    const found = [];
    for (let at = 0; at < this.data.x.length; at += 1) {
      const [px, py] = [this.data.x[at], this.data.y[at]];
      if (px < low[0] || px > high[0] || py < low[1] || py > high[1]) continue;
      let odd = false;
      for (let one = 0, other = edge.length - 1; one < edge.length; other = one, one += 1) {
        const [ax, ay] = edge[one];
        const [bx, by] = edge[other];
        if (ay > py !== by > py && px < ((bx - ax) * (py - ay)) / (by - ay) + ax) odd = !odd;
      }
      if (odd) found.push(at);
    }
    return found;
  }
}
