extension Exploration {
  /// The drawing on a canvas. While it moves, and where drawing anew takes too long for a frame, the last drawing is
  /// moved instead, and drawn anew when it stands still.
  static let canvasScript = #"""
    const canvas = byId("canvas"), over = byId("over");
    const brush = canvas.getContext("2d"), overBrush = over.getContext("2d");
    const snapshot = document.createElement("canvas");
    /** From points of the drawing to pixels of the page: scale, and where the corner is. */
    const place = { scale: 1, x: 0, y: 0 };
    const drawn = { milliseconds: 0, scale: 1, x: 0, y: 0 };
    const fontFamily = "Helvetica, 'Liberation Sans', Arial, sans-serif";
    let colours = {}, hovered = null, cursor = null;

    const palette = (element) => {
      const style = getComputedStyle(element);
      const names = ["ink", "faint", "paper", "positive", "negative", "mixed", "state", "state-fill", "input",
        "input-fill", "observable", "observable-fill", "output", "output-fill", "unit", "unit-fill", "dim", "accent"];
      return Object.fromEntries(names.map((name) => [name, style.getPropertyValue("--" + name).trim()]));
    };

    // Styles, the same for the canvas and for SVG

    const levels = 12;
    const toneOf = (view, e) => {
      const size = view.size[shownMeasure(view)], sign = view.sign[shownMeasure(view)];
      if (view.isPairs && size[e] === 0) return "faint";
      return sign[e] < 0 ? "negative" : sign[e] > 0 ? "positive" : "mixed";
    };
    const lineWidth = (share) => 0.4 + 3 * Math.sqrt(share);
    const opacity = (share) => (90 + 150 * Math.sqrt(share)) / 255;
    const dashes = { dotted: [1, 3], negative: [6, 4] };
    const dashOf = (view, e, tone) => view.isDotted && view.isDotted[e] ? "dotted" : tone === "negative" ? "negative" : "";

    /** Visible edges in strokes of one style, faded ones first, weak ones before strong ones. */
    const strokes = (view) => {
      const found = new Map(), shares = view.share[shownMeasure(view)];
      for (let e = 0; e < view.count; e++) {
        if (!view.visible[e]) continue;
        const isFaded = view.lit && !view.lit[e];
        const level = isFaded ? 0 : Math.min(levels - 1, Math.floor(Math.sqrt(shares[e]) * levels));
        const tone = isFaded ? "dim" : toneOf(view, e);
        const dash = isFaded ? "" : dashOf(view, e, tone);
        const key = (isFaded ? 0 : 1) * 100000 + level * 100 + tone.length * 3 + dash.length;
        if (!found.has(key)) {
          const share = Math.pow((level + 0.5) / levels, 2);
          found.set(key, { key, tone, dash, isFaded, edges: [], path: new Path2D(),
            width: isFaded ? 0.5 : Math.max(lineWidth(share), dash === "dotted" ? 0.9 : 0),
            alpha: isFaded ? 0.35 : opacity(share) });
        }
        const stroke = found.get(key), at = 8 * e, c = view.curve;
        stroke.edges.push(e);
        stroke.path.moveTo(c[at], c[at + 1]);
        stroke.path.bezierCurveTo(c[at + 2], c[at + 3], c[at + 4], c[at + 5], c[at + 6], c[at + 7]);
      }
      return [...found.values()].sort((a, b) => a.key - b.key);
    };

    const nodeStyle = (view, n) => {
      const node = view.nodes[n];
      const isLive = view.edgesOf[n].some((e) => view.visible[e]);
      const isFaded = view.lit !== null && !view.edgesOf[n].some((e) => view.lit[e]);
      const kind = node.kind === "output" ? "output"
        : node.kind === "input" ? (inputs[node.numbers ? node.numbers[0] : node.number].role) : "unit";
      return { isLive, isFaded, kind, line: isFaded || !isLive ? "dim" : kind,
        fill: isFaded || !isLive ? "paper" : kind + "-fill", text: isFaded || !isLive ? "faint" : "ink" };
    };
    const isPinned = (view, n) => {
      const node = view.nodes[n];
      return state.unit === n || (node.kind === "input" && state.input !== undefined && holds(node, state.input))
        || (node.kind === "output" && state.output !== undefined && holds(node, state.output));
    };

    // Drawing

    const ratio = () => Math.min(2, window.devicePixelRatio || 1);
    const resize = () => {
      const box = byId("map").getBoundingClientRect();
      for (const each of [canvas, over]) {
        each.width = Math.max(1, Math.round(box.width * ratio()));
        each.height = Math.max(1, Math.round(box.height * ratio()));
      }
    };
    const intoPlace = (context, density) =>
      context.setTransform(place.scale * density, 0, 0, place.scale * density, place.x * density, place.y * density);

    const rough = document.createElement("canvas");
    /** All edges that are visible, on a canvas with so many pixels for one of the page. */
    const drawEdges = (context, density, hasDashes) => {
      const view = present();
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.fillStyle = colours.paper;
      context.fillRect(0, 0, context.canvas.width, context.canvas.height);
      intoPlace(context, density);
      for (const stroke of view.strokes || (view.strokes = strokes(view))) {
        context.globalAlpha = stroke.alpha;
        context.strokeStyle = colours[stroke.tone];
        // No thinner than what is still seen.
        context.lineWidth = Math.max(stroke.width, 0.35 / place.scale);
        // Dashes that are smaller than pixels take long and are not seen.
        context.setLineDash(hasDashes && stroke.dash && place.scale > 0.3 ? dashes[stroke.dash] : []);
        context.stroke(stroke.path);
      }
      context.globalAlpha = 1;
      context.setLineDash([]);
    };

    /** Of many edges a sketch while a threshold slides: half the pixels either way, no dashes. */
    const drawAll = (isSketch) => {
      const begin = performance.now();
      const view = present();
      if (isSketch) {
        rough.width = Math.ceil(canvas.width / 2);
        rough.height = Math.ceil(canvas.height / 2);
        drawEdges(rough.getContext("2d"), ratio() / 2, false);
        brush.setTransform(1, 0, 0, 1, 0, 0);
        brush.drawImage(rough, 0, 0, 2 * rough.width, 2 * rough.height);
      } else drawEdges(brush, ratio(), true);
      intoPlace(brush, ratio());
      const low = -place.y / place.scale, high = low + canvas.height / ratio() / place.scale;
      view.nodes.forEach((node, n) => {
        if (node.y + node.height >= low && node.y - node.height <= high) drawNode(view, n);
      });
      Object.assign(drawn, place);
      // What was asked for is only done once a pixel is read, or the frame is over: a copy makes it wait.
      snapshot.width = canvas.width;
      snapshot.height = canvas.height;
      snapshot.getContext("2d").drawImage(canvas, 0, 0);
      if (!isSketch) drawn.milliseconds = performance.now() - begin;
      drawOver();
    };

    const drawNode = (view, n) => {
      const node = view.nodes[n];
      const size = (node.size || 10) * place.scale;
      if (node.kind === "text") {
        if (size < 4) return;
        brush.font = (node.size || 9) + "px " + fontFamily;
        brush.fillStyle = colours[node.tone || "faint"];
        brush.textAlign = "center";
        brush.textBaseline = "middle";
        brush.fillText(node.label || "", node.x, node.y, node.width + 4);
        return;
      }
      const style = nodeStyle(view, n);
      brush.lineWidth = 1;
      brush.strokeStyle = colours[style.line];
      brush.fillStyle = colours[style.fill];
      brush.beginPath();
      if (node.kind === "unit") return drawUnit(node, style);
      brush.roundRect(node.x - node.width / 2, node.y - node.height / 2, node.width, node.height, 4);
      brush.fill();
      brush.setLineDash(style.isLive ? [] : [3, 2]);
      brush.stroke();
      brush.setLineDash([]);
      if (size < 4) return;
      brush.font = (node.size || 10) + "px " + fontFamily;
      brush.fillStyle = colours[style.text];
      brush.textAlign = "center";
      brush.textBaseline = "middle";
      brush.fillText(node.label || "", node.x, node.y, node.width - 4);
    };

    /** A disc, filled by the share of samples at which it is active; grey where that is not known. */
    const drawUnit = (node, style) => {
      brush.arc(node.x, node.y, node.width / 2, 0, 2 * Math.PI);
      if (node.active !== undefined) brush.fillStyle = colours.paper;
      brush.fill();
      if (node.active > 0 && !style.isFaded) {
        brush.beginPath();
        brush.moveTo(node.x, node.y);
        brush.arc(node.x, node.y, node.width / 2, -Math.PI / 2, (2 * node.active - 0.5) * Math.PI);
        brush.fillStyle = colours[style.line];
        brush.fill();
        brush.beginPath();
        brush.arc(node.x, node.y, node.width / 2, 0, 2 * Math.PI);
      }
      brush.stroke();
    };

    /** What changes with the pointer and the keys: it lies on a canvas of its own. */
    const drawOver = () => {
      const view = present();
      overBrush.setTransform(1, 0, 0, 1, 0, 0);
      overBrush.clearRect(0, 0, over.width, over.height);
      intoPlace(overBrush, ratio());
      const ring = (n, width, colour) => {
        const node = view.nodes[n];
        overBrush.strokeStyle = colour;
        overBrush.lineWidth = width;
        overBrush.beginPath();
        if (node.kind === "unit") overBrush.arc(node.x, node.y, node.width / 2 + 2, 0, 2 * Math.PI);
        else overBrush.roundRect(node.x - node.width / 2 - 2, node.y - node.height / 2 - 2, node.width + 4, node.height + 4, 6);
        overBrush.stroke();
      };
      if (hovered && hovered.edge !== undefined) {
        const c = view.curve, at = 8 * hovered.edge;
        overBrush.strokeStyle = colours[toneOf(view, hovered.edge)];
        overBrush.lineWidth = Math.max(3, 3 / place.scale);
        overBrush.beginPath();
        overBrush.moveTo(c[at], c[at + 1]);
        overBrush.bezierCurveTo(c[at + 2], c[at + 3], c[at + 4], c[at + 5], c[at + 6], c[at + 7]);
        overBrush.stroke();
      }
      // Copies of an input that have no part in what is pinned are no part of it.
      view.nodes.forEach((node, n) => {
        if (node.kind !== "text" && isPinned(view, n) && !nodeStyle(view, n).isFaded) ring(n, 2, colours.ink);
      });
      if (hovered && hovered.node !== undefined) ring(hovered.node, 1.5, colours.ink);
      if (cursor !== null && document.activeElement === canvas) ring(cursor, 3, colours.accent);
    };

    let isWaiting = false, rest = 0, way = "anew";
    /**
     * At the next frame: anew; or, where that takes longer than a frame, the last drawing moved, or a sketch, until it
     * stands still.
     */
    const redraw = (change) => {
      clearTimeout(rest);
      way = change && drawn.milliseconds > 12 ? change : "anew";
      if (way !== "anew") rest = setTimeout(() => redraw(), 150);
      if (isWaiting) return;
      isWaiting = true;
      requestAnimationFrame(() => {
        isWaiting = false;
        if (way === "moved") moveDrawing(); else drawAll(way === "sketch");
      });
    };
    const moveDrawing = () => {
      const by = place.scale / drawn.scale;
      brush.setTransform(1, 0, 0, 1, 0, 0);
      brush.fillStyle = colours.paper;
      brush.fillRect(0, 0, canvas.width, canvas.height);
      brush.drawImage(snapshot, (place.x - drawn.x * by) * ratio(), (place.y - drawn.y * by) * ratio(),
        snapshot.width * by, snapshot.height * by);
      drawOver();
    };

    // Places

    const viewport = () => ({ width: canvas.width / ratio(), height: canvas.height / ratio() });
    /** The whole of it; at first, of what is far too tall or wide, the beginning as large as it can be read. */
    const fit = (isAtFirst) => {
      const view = present(), box = viewport(), margin = 16;
      const across = (box.width - 2 * margin) / Math.max(1, view.width);
      const down = (box.height - 2 * margin) / Math.max(1, view.height);
      const whole = Math.min(3, across, down);
      place.scale = isAtFirst && whole < 0.12 ? Math.min(1, Math.max(across, down)) : whole;
      const start = (room, length) => length > room ? margin : (room - length) / 2;
      place.x = start(box.width, view.width * place.scale);
      place.y = start(box.height, view.height * place.scale);
    };
    const zoomAt = (x, y, factor) => {
      const scale = Math.min(40, Math.max(0.01, place.scale * factor));
      place.x = x - (x - place.x) * scale / place.scale;
      place.y = y - (y - place.y) * scale / place.scale;
      place.scale = scale;
      redraw("moved");
    };
    const show = (n) => {
      const view = present(), node = view.nodes[n], box = viewport();
      const [x, y] = [node.x * place.scale + place.x, node.y * place.scale + place.y];
      if (x < 20 || x > box.width - 20) place.x += box.width / 2 - x;
      if (y < 20 || y > box.height - 20) place.y += box.height / 2 - y;
    };

    /** The node or edge at a place of the page; a node rather than an edge. */
    const at = (x, y) => {
      const view = present(), reach = 6 / place.scale;
      const [px, py] = [(x - place.x) / place.scale, (y - place.y) / place.scale];
      const n = view.nodes.findIndex((node) => node.kind !== "text"
        && Math.abs(px - node.x) <= node.width / 2 + reach / 2 && Math.abs(py - node.y) <= node.height / 2 + reach / 2);
      if (n >= 0) return { node: n };
      let best = null, least = reach * reach;
      for (let e = view.count - 1; e >= 0; e--) {
        if (!view.visible[e] || (view.lit && !view.lit[e])) continue;
        const distance = distanceTo(view.curve, 8 * e, px, py, least);
        if (distance < least) { least = distance; best = e; }
      }
      return best === null ? null : { edge: best };
    };
    /** Squared, from a point to a curve; the limit where it is farther. */
    const distanceTo = (c, at, px, py, limit) => {
      const reach = Math.sqrt(limit);
      const [x0, x3] = [c[at], c[at + 6]];
      if (px < x0 - reach || px > x3 + reach) return limit;
      let low = Infinity, high = -Infinity;
      for (let k = 1; k < 8; k += 2) { low = Math.min(low, c[at + k]); high = Math.max(high, c[at + k]); }
      if (py < low - reach || py > high + reach) return limit;
      let least = limit, ox = x0, oy = c[at + 1];
      for (let step = 1; step <= 16; step++) {
        const t = step / 16, s = 1 - t, a = s * s * s, b = 3 * s * s * t, d = 3 * s * t * t, f = t * t * t;
        const x = a * x0 + b * c[at + 2] + d * c[at + 4] + f * x3;
        const y = a * c[at + 1] + b * c[at + 3] + d * c[at + 5] + f * c[at + 7];
        const [dx, dy] = [x - ox, y - oy];
        const along = Math.min(1, Math.max(0, ((px - ox) * dx + (py - oy) * dy) / (dx * dx + dy * dy || 1)));
        const [ex, ey] = [px - ox - along * dx, py - oy - along * dy];
        least = Math.min(least, ex * ex + ey * ey);
        [ox, oy] = [x, y];
      }
      return least;
    };
    """#
}
