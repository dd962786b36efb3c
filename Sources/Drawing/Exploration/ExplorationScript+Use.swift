extension Exploration {
  /// Pointer, keys, fields; and the start.
  static let useScript = #"""
    const summary = (view) => [
      model.members > 1 ? counted(model.members, "member") : "", counted(inputs.length, "input"), counted(outputs.length, "output"),
      hasData ? "over " + counted(model.samples, "sample") : "by weight", view.isPairs ? "" : view.name + ": " + view.counts,
    ].filter((part) => part).join(" · ");

    const leftText = (view) => {
      const all = (left, total, noun) => (left === total ? "all " : grouped(left) + " of ") + counted(total, noun);
      if (view.isPairs) return all(view.visibleCount, view.count, "pair") + " left";
      const edges = all(view.visibleCount, view.count, view.isGroups ? "gathered edge" : "edge");
      return view.isGroups ? edges + " left" : edges + " and " + all(view.pairsLeft.size, view.pairsAtFirst, "pair") + " left";
    };
    const thresholdText = (view) => {
      if (state.measure === "agreement") {
        const least = threshold(view);
        return least === 0 ? "no member: all" : least + " of " + counted(model.members, "member");
      }
      return threshold(view) === 0 ? "0: all" : number(threshold(view), 2);
    };

    /** After any change: what is shown, said and listed follows from the state. */
    const update = (isSliding) => {
      const view = present();
      if (!view.size[state.measure]) state.measure = measures(view)[0];
      findVisible(view);
      if (view.pairsAtFirst === undefined && view.pairsLeft) view.pairsAtFirst = countAll(view);
      findLit(view);
      view.strokes = null;
      const slider = byId("threshold");
      slider.max = state.measure === "agreement" ? model.members : steps;
      slider.value = position(view);
      byId("at").textContent = thresholdText(view);
      slider.setAttribute("aria-valuetext", thresholdText(view) + ", " + leftText(view));
      byId("left").textContent = leftText(view) + (view.lit ? ", " + grouped(view.lit.reduce((sum, is) => sum + is, 0))
        + (view.isPairs ? " of them" : " edges of them") + " pinned" : "");
      byId("summary").textContent = summary(view);
      canvas.setAttribute("aria-label", "Drawing, " + view.name + ": " + leftText(view) + ". Arrow keys go from node to node, Enter pins, "
        + "Escape lets go, plus and minus zoom, Shift with arrows moves. The table below says the same.");
      // Rows are many and can wait.
      clearTimeout(update.later);
      update.later = setTimeout(() => { if (isSliding) showPanel(); showTable(); }, 120);
      if (!isSliding) showPanel();
      redraw(isSliding ? "sketch" : undefined);
    };
    const countAll = (view) => {
      const visible = view.visible;
      view.visible = new Uint8Array(view.count).fill(1);
      const count = connected(view).size;
      view.visible = visible;
      return count;
    };

    // Fields

    const fillMeasures = () => {
      const view = present();
      byId("measure").replaceChildren(...measures(view).map((measure) => make("option", measureName(measure, view), { value: measure })));
      byId("measure").value = state.measure;
    };
    const changeView = (to) => {
      Object.assign(state, { view: to, unit: undefined, edge: undefined, route: undefined });
      cursor = hovered = null;
      const view = present();
      if (!view.size[state.measure]) state.measure = measures(view)[0];
      fillMeasures();
      resize();
      fit(true);
      update();
    };
    const showView = (k) => { byId("view").value = k; changeView(k); };
    model.views.forEach((view, k) => byId("view").append(make("option", view.name, { value: k })));
    byId("view").addEventListener("change", (event) => changeView(Number(event.target.value)));
    byId("measure").addEventListener("change", (event) => { state.measure = event.target.value; update(); });
    byId("threshold").addEventListener("input", (event) => {
      sharedThresholds[present().kind][state.measure] = Number(event.target.value);
      // At most once a frame.
      cancelAnimationFrame(update.frame);
      update.frame = requestAnimationFrame(() => update(true));
    });
    byId("table").addEventListener("change", () => { table.column = null; table.rows = step; showTable(); });
    byId("more").addEventListener("click", () => { table.rows += step; showTable(); });
    byId("export").addEventListener("click", save);

    // Names

    const plain = (text) => text.toLowerCase().normalize("NFKD");
    const matches = (query) => {
      const view = present(), wanted = plain(query), found = [];
      outputs.forEach((output, o) => found.push({ name: output.label, kind: "output", act: () => pin({ output: o }) }));
      inputs.forEach((input, i) => found.push({ name: inputLabel(i) + (input.meaning ? ": " + input.meaning : ""), kind: "input", act: () => pin({ input: i }) }));
      view.nodes.forEach((node, n) => {
        if (node.kind === "unit" && node.name) found.push({ name: node.name, kind: "unit", act: () => pinNode(view, n) });
      });
      return found.filter((each) => plain(each.name).includes(wanted))
        .sort((a, b) => plain(b.name).startsWith(wanted) - plain(a.name).startsWith(wanted));
    };
    const mostFound = 12;
    const search = () => {
      const query = byId("search").value.trim(), list = byId("found");
      list.hidden = query === "";
      if (query === "") return list.replaceChildren();
      const found = matches(query);
      list.replaceChildren(...found.slice(0, mostFound).map((each) => make("li", button([each.name, make("span", " " + each.kind, { class: "note" })], () => {
        byId("search").value = "";
        search();
        each.act();
        reveal();
      }))), ...(found.length === 0 ? [make("li", "nothing of that name")] : []),
      ...(found.length > mostFound ? [make("li", "and " + (found.length - mostFound) + " more")] : []));
      speak(counted(found.length, "name") + " found");
    };
    byId("search").addEventListener("input", search);
    byId("search").addEventListener("keydown", (event) => {
      if (event.key === "Escape") { byId("search").value = ""; search(); }
      if (event.key !== "Enter") return;
      const first = byId("found").querySelector("button");
      if (first) first.click();
    });
    /** Brings what is pinned into the window. */
    const reveal = () => {
      const view = present();
      const n = view.nodes.findIndex((node, n) => node.kind !== "text" && isPinned(view, n));
      if (n >= 0) { show(n); redraw(); }
    };

    // Pointer

    const pointers = new Map();
    let travelled = 0;
    const local = (event) => {
      const box = canvas.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    };
    canvas.addEventListener("pointerdown", (event) => {
      pointers.set(event.pointerId, local(event));
      travelled = pointers.size > 1 ? 100 : 0;
      try { canvas.setPointerCapture(event.pointerId); } catch (lost) { /* a pointer that has gone */ }
      hover(null);
    });
    canvas.addEventListener("pointermove", (event) => {
      const now = local(event), before = pointers.get(event.pointerId);
      if (!before) return hover(now);
      const others = [...pointers].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
      travelled += Math.abs(now.x - before.x) + Math.abs(now.y - before.y);
      pointers.set(event.pointerId, now);
      if (others.length === 0) {
        if (travelled < 4) return;
        place.x += now.x - before.x;
        place.y += now.y - before.y;
        return redraw("moved");
      }
      const apart = (point) => Math.hypot(point.x - others[0].x, point.y - others[0].y) || 1;
      place.x += (now.x - before.x) / 2;
      place.y += (now.y - before.y) / 2;
      zoomAt((now.x + others[0].x) / 2, (now.y + others[0].y) / 2, apart(now) / apart(before));
    });
    const release = (event) => {
      const isClick = event.type === "pointerup" && pointers.has(event.pointerId) && travelled < 4;
      pointers.delete(event.pointerId);
      if (!isClick) return;
      const { x, y } = local(event), found = at(x, y), view = present();
      if (!found) return isAnythingPinned() ? unpin() : undefined;
      if (found.node !== undefined) pinNode(view, found.node); else pinEdge(view, found.edge);
    };
    canvas.addEventListener("pointerup", release);
    canvas.addEventListener("pointercancel", release);
    canvas.addEventListener("pointerleave", () => hover(null));
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const { x, y } = local(event);
      hover(null);
      zoomAt(x, y, Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.0015)));
    }, { passive: false });

    let hovering = 0;
    const hover = (point) => {
      cancelAnimationFrame(hovering);
      hovering = requestAnimationFrame(() => {
        hovered = point ? at(point.x, point.y) : null;
        const view = present(), tip = byId("tip");
        canvas.style.cursor = hovered ? "pointer" : "";
        tip.hidden = !hovered;
        if (hovered) {
          tip.textContent = hovered.node !== undefined ? nodeText(view, hovered.node)
            : edgeName(view, hovered.edge) + ": " + edgeNumbers(view, hovered.edge);
          const box = viewport();
          tip.style.left = Math.min(point.x + 12, Math.max(0, box.width - tip.offsetWidth - 4)) + "px";
          tip.style.top = (point.y + 16 + tip.offsetHeight > box.height ? point.y - tip.offsetHeight - 8 : point.y + 16) + "px";
        }
        drawOver();
      });
    };
    const nodeText = (view, n) => {
      const node = view.nodes[n];
      if (!view.isGroups && node.kind === "input") return inputLabel(node.number) + (inputs[node.number].meaning ? ": " + inputs[node.number].meaning : "");
      return nodeName(view, n) + (node.active === undefined ? "" : ": active at " + percent(node.active) + " of the samples");
    };

    // Keys

    const nearest = (view, dx, dy) => {
      const from = view.nodes[cursor];
      let best = null, least = Infinity;
      view.nodes.forEach((node, n) => {
        if (node.kind === "text" || n === cursor) return;
        const [ox, oy] = [node.x - from.x, node.y - from.y];
        const along = ox * dx + oy * dy, aside = Math.abs(ox * dy) + Math.abs(oy * dx);
        if (along <= 0.5) return;
        const cost = along + 3 * aside;
        if (cost < least) { least = cost; best = n; }
      });
      return best;
    };
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const moveCursor = (view, [dx, dy]) => {
      const first = view.nodes.findIndex((node) => node.kind !== "text");
      const next = cursor === null ? first : nearest(view, dx, dy);
      if (next === null || next < 0) return;
      cursor = next;
      show(cursor);
      redraw();
      const kind = view.nodes[cursor].kind;
      speak(nodeText(view, cursor) + ", " + kind + (isPinned(view, cursor) ? ", pinned" : ""));
    };
    canvas.addEventListener("keydown", (event) => {
      const view = present(), box = viewport();
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (arrows[event.key] && event.shiftKey) {
        place.x -= 60 * arrows[event.key][0];
        place.y -= 60 * arrows[event.key][1];
        redraw("moved");
      } else if (arrows[event.key]) moveCursor(view, arrows[event.key]);
      else if (event.key === "+" || event.key === "=") zoomAt(box.width / 2, box.height / 2, 1.25);
      else if (event.key === "-") zoomAt(box.width / 2, box.height / 2, 0.8);
      else if (event.key === "0") { fit(); redraw(); }
      else if ((event.key === "Enter" || event.key === " ") && cursor !== null) pinNode(view, cursor);
      else return;
      event.preventDefault();
    });
    addEventListener("keydown", (event) => {
      if (event.key === "Escape" && event.target !== byId("search") && isAnythingPinned()) unpin();
    });
    canvas.addEventListener("focus", drawOver);
    canvas.addEventListener("blur", drawOver);
    byId("closer").addEventListener("click", () => zoomAt(viewport().width / 2, viewport().height / 2, 1.4));
    byId("farther").addEventListener("click", () => zoomAt(viewport().width / 2, viewport().height / 2, 1 / 1.4));
    byId("fit").addEventListener("click", () => { fit(); redraw(); });

    // The start

    const recolour = () => { colours = palette(document.documentElement); redraw(); };
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
    let isFitted = { width: 0, height: 0 };
    new ResizeObserver(() => {
      const box = byId("map").getBoundingClientRect();
      if (box.width === isFitted.width && box.height === isFitted.height) return;
      isFitted = { width: box.width, height: box.height };
      resize();
      fit(true);
      drawAll();
    }).observe(byId("map"));
    const notes = [
      hasData ? "Effects are in standard deviations of an output per standard deviation of an input, means over " + counted(model.samples, "sample") + "."
        : "Without data everything is by weight: what the network could do, not what it does. filigree-draw with --data FILE shows effects, curves and activity.",
      hasVerdicts ? "What the data say, with 95 % intervals for the mean magnitude, is the evidence of all members on held-out data." : "",
      hasAgreement ? "A member has a pair if it is " + (hasData ? "connected and its " + model.rule : model.rule) + "." : "",
      ...model.notes.map((note) => "Left out: " + note + "."),
    ].filter((note) => note);
    document.querySelector("#notes ul").replaceChildren(...notes.map((note) => make("li", note)));
    byId("view").value = state.view;
    recolour();
    changeView(state.view);
    """#
}
