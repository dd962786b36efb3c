extension Exploration {
  /// The present view as an SVG in the colours of paper.
  static let exportScript = #"""
    /** Without what no XML may hold. */
    const clean = (text) => Array.from(text, (c) => /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\uFFFE\uFFFF]|^[\uD800-\uDFFF]$/.test(c) ? "\uFFFD" : c).join("");

    /** Everything, or what the window shows of it. */
    const drawing = (isWhole) => {
      const view = present(), paper = palette(byId("paper")), box = viewport(), margin = 12;
      const frame = isWhole
        ? { x: -margin, y: -margin, width: view.width + 2 * margin, height: view.height + 2 * margin }
        : { x: -place.x / place.scale, y: -place.y / place.scale, width: box.width / place.scale, height: box.height / place.scale };
      const isInside = (low, high, left, right) => high >= frame.y && low <= frame.y + frame.height
        && right >= frame.x && left <= frame.x + frame.width;
      const words = [clean(model.title), clean(summary(view)), byId("left").textContent, title()];
      const parts = [draw("title", {}, words[0]), draw("desc", {}, clean(words.slice(1).join(". "))),
        draw("rect", { x: frame.x, y: frame.y, width: frame.width, height: frame.height, fill: paper.paper })];
      for (const stroke of view.strokes || (view.strokes = strokes(view))) {
        const group = draw("g", { fill: "none", stroke: paper[stroke.tone], "stroke-width": stroke.width.toFixed(2),
          "stroke-opacity": stroke.alpha.toFixed(2), class: stroke.isFaded ? "faded" : stroke.tone });
        if (stroke.dash) group.setAttribute("stroke-dasharray", dashes[stroke.dash].join(" "));
        for (const e of stroke.edges) {
          const c = Array.from(view.curve.subarray(8 * e, 8 * e + 8), (value) => Math.round(value * 10) / 10);
          if (!isInside(Math.min(c[1], c[3], c[5], c[7]), Math.max(c[1], c[3], c[5], c[7]), c[0], c[6])) continue;
          group.append(draw("path", { d: "M" + c[0] + "," + c[1] + "C" + c.slice(2).join(" ") },
            draw("title", {}, clean(edgeName(view, e) + ": " + edgeNumbers(view, e)))));
        }
        if (group.childNodes.length) parts.push(group);
      }
      view.nodes.forEach((node, n) => {
        if (isInside(node.y - node.height, node.y + node.height, node.x - node.width, node.x + node.width)) {
          parts.push(...drawingOf(view, n, paper));
        }
      });
      return draw("svg", { xmlns: svgSpace, viewBox: [frame.x, frame.y, frame.width, frame.height].map((v) => v.toFixed(1)).join(" "),
        width: frame.width.toFixed(1) + "pt", height: frame.height.toFixed(1) + "pt", role: "img" }, parts);
    };

    const drawingOf = (view, n, paper) => {
      const node = view.nodes[n];
      const text = (colour) => {
        const label = draw("text", { x: node.x, y: (node.y + 0.35 * (node.size || 10)).toFixed(1), "text-anchor": "middle",
          "font-family": fontFamily, "font-size": node.size || 10, fill: colour }, clean(node.label || ""));
        // Labels are made for Helvetica; where it is replaced they still fit.
        const letters = Array.from(node.label || "").length;
        const most = node.width - (node.kind === "text" ? 0 : 6);
        if (letters * 0.56 * (node.size || 10) > most) {
          label.setAttribute("textLength", most.toFixed(1));
          label.setAttribute("lengthAdjust", "spacingAndGlyphs");
        }
        return label;
      };
      if (node.kind === "text") return [text(paper[node.tone || "faint"])];
      const style = nodeStyle(view, n);
      const name = draw("title", {}, clean(nodeName(view, n)));
      const look = { stroke: paper[style.line], fill: paper[style.fill], "stroke-width": isPinned(view, n) && !style.isFaded ? 2 : 1 };
      if (!style.isLive) look["stroke-dasharray"] = "3 2";
      if (node.kind === "unit") return discOf(node, style, look, paper, name);
      return [draw("rect", { x: (node.x - node.width / 2).toFixed(1), y: (node.y - node.height / 2).toFixed(1), width: node.width,
        height: node.height, rx: 4, ...look }, name), text(paper[style.text])];
    };
    const discOf = (node, style, look, paper, name) => {
      const radius = node.width / 2;
      if (node.active !== undefined) look.fill = paper.paper;
      const parts = [draw("circle", { cx: node.x, cy: node.y, r: radius, ...look }, name)];
      if (!(node.active > 0) || style.isFaded) return parts;
      if (node.active > 0.995) { parts[0].setAttribute("fill", paper[style.line]); return parts; }
      const angle = 2 * Math.PI * node.active;
      parts.push(draw("path", { fill: paper[style.line], d: "M" + node.x + "," + node.y + "v" + -radius + "A" + radius + "," + radius
        + ",0," + (node.active > 0.5 ? 1 : 0) + ",1," + (node.x + radius * Math.sin(angle)).toFixed(2) + ","
        + (node.y - radius * Math.cos(angle)).toFixed(2) + "Z" }));
      return parts;
    };

    const save = () => {
      const text = new XMLSerializer().serializeToString(drawing(false));
      const address = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
      const name = model.name.replace(/[^\p{L}\p{N}_-]+/gu, "-").slice(0, 60) || "model";
      const link = make("a", "", { href: address, download: name + ".svg" });
      link.click();
      setTimeout(() => URL.revokeObjectURL(address), 10000);
      speak("Saved as " + name + ".svg");
    };

    /** On paper all of the drawing stands in place of the canvas. */
    addEventListener("beforeprint", () => { byId("print").replaceChildren(drawing(true)); });
    addEventListener("afterprint", () => { byId("print").replaceChildren(); });
    """#
}
