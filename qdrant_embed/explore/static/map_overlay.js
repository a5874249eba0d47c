// What stands over the points: words of groups, rings around hits, the line that is being drawn.

// The middle of each group's points, by its median, so that strays do not move the words away.
export function groupMiddles(data) {
  const members = data.labels.map(() => []);
  data.group.forEach((group, at) => members[group]?.push(at));
  const middle = (values) => values.sort((one, other) => one - other)[values.length >> 1];
  return members.map((own) => ({
    size: own.length,
    x: own.length ? middle(own.map((at) => data.x[at])) : 0,
    y: own.length ? middle(own.map((at) => data.y[at])) : 0,
  }));
}

export function drawOverlay(canvas, points, state) {
  const { ratio, width, height } = points;
  const [wide, high] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  if (!points.data) return [];
  for (const at of state.hits) {
    const [x, y] = points.place(at);
    context.beginPath();
    context.arc(x, y, 7, 0, 2 * Math.PI);
    context.lineWidth = 4;
    context.strokeStyle = state.colors.paper;
    context.stroke();
    context.lineWidth = 2;
    context.strokeStyle = state.colors.accent;
    context.stroke();
  }
  const placed = drawLabels(context, points, state);
  if (state.line.length > 1) {
    context.beginPath();
    state.line.forEach(([x, y], place) => (place ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.closePath();
    context.globalAlpha = 0.12;
    context.fillStyle = state.colors.accent;
    context.fill();
    context.globalAlpha = 1;
    context.lineWidth = 1.5;
    context.strokeStyle = state.colors.accent;
    context.stroke();
  }
  if (state.pointed >= 0) {
    const [x, y] = points.place(state.pointed);
    context.beginPath();
    context.arc(x, y, 6, 0, 2 * Math.PI);
    context.lineWidth = 1.5;
    context.strokeStyle = state.colors.ink;
    context.stroke();
  }
  return placed;
}

function shortened(word) {
  const letters = [...word];
  return letters.length > 18 ? `${letters.slice(0, 17).join("")}…` : word;
}

// The words of the largest groups first; those that would cover others are left out until there is room.
function drawLabels(context, points, state) {
  const { scale, x: left, y: top } = points.view;
  const placed = [];
  const taken = [state.tools];
  context.font = `600 12px ${state.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  state.middles.forEach((middle, group) => {
    const words = points.data.labels[group].slice(0, points.width < 520 ? 2 : 3).map(shortened).join(" · ");
    if (!middle.size || !words) return;
    const there = middle.x * scale + left;
    const y = middle.y * scale + top;
    const half = context.measureText(words).width / 2 + 6;
    if (there < 0 || there > points.width) return;
    const x = Math.max(half, Math.min(points.width - half, there));
    const box = { left: x - half, right: x + half, top: y - 11, bottom: y + 11, group };
    if (box.right < 0 || box.left > points.width || box.bottom < 0 || box.top > points.height) return;
    if (taken.some((one) => one.left < box.right && box.left < one.right && one.top < box.bottom && box.top < one.bottom)) return;
    taken.push(box);
    placed.push(box);
    context.globalAlpha = 0.85;
    context.lineWidth = 4;
    context.strokeStyle = state.colors.paper;
    context.strokeText(words, x, y);
    context.globalAlpha = 1;
    context.fillStyle = state.colors.ink;
    context.fillText(words, x, y);
  });
  return placed;
}
