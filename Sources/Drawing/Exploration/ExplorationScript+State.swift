extension Exploration {
  /// What is shown: the view, the threshold, what is pinned, and what follows from them.
  static let stateScript = #"""
    const views = model.views.map(() => null);
    const state = {
      view: model.first, measure: hasData ? "effect" : "weight",
      input: model.pinned.input, output: model.pinned.output,
      // Of the present view: a unit, an edge, a path (its nodes).
      unit: undefined, edge: undefined, route: undefined,
    };
    const present = () => views[state.view] || (views[state.view] = prepare(model.views[state.view]));

    const measures = (view) => ["effect", "weight", "agreement"].filter((measure) => view.size[measure]);
    const measureName = (measure, view) => ({
      weight: view.isPairs ? "weight of all paths" : "weight", effect: "effect", agreement: "members" })[measure];
    /** What widths and signs show. */
    const shownMeasure = (view) =>
      view.size[state.measure] && state.measure !== "agreement" ? state.measure : view.size.effect ? "effect" : "weight";

    // Thresholds

    const steps = 1000;
    const range = (view) => {
      if (view.range && view.range.measure === state.measure) return view.range;
      let low = Infinity, high = 0;
      for (const size of view.size[state.measure]) if (size > 0) { low = Math.min(low, size); high = Math.max(high, size); }
      return view.range = { measure: state.measure, low, high };
    };
    const sharedThresholds = { pairs: {}, network: {}, groups: {} };
    const position = (view) => sharedThresholds[view.kind][state.measure] || 0;
    /** The least size that is shown: of sizes evenly on a logarithmic scale; 0 shows all. */
    const threshold = (view) => {
      const at = position(view);
      if (state.measure === "agreement") return at;
      const { low, high } = range(view);
      if (at === 0 || high === 0) return 0;
      if (at >= steps) return high;
      return low * Math.pow(high / low, (at - 1) / (steps - 1));
    };

    const findVisible = (view) => {
      const least = threshold(view), sizes = view.size[state.measure];
      const visible = new Uint8Array(view.count);
      let count = 0;
      for (let e = 0; e < view.count; e++) if (sizes[e] >= least) { visible[e] = 1; count++; }
      view.visible = visible;
      view.visibleCount = count;
      view.pairsLeft = view.isPairs ? null : connected(view);
    };

    /** The pairs that visible edges still connect. */
    const connected = (view) => {
      const left = new Set();
      const reaches = new Uint8Array(view.nodes.length);
      for (const end of view.ends.output) {
        reaches.fill(0);
        reaches[end] = 1;
        for (let k = view.count - 1; k >= 0; k--) {
          const e = view.order[k];
          if (view.visible[e] && reaches[view.target[e]]) reaches[view.source[e]] = 1;
        }
        for (const start of view.ends.input) {
          if (reaches[start]) left.add(pairKey(view.nodes[end].number, view.nodes[start].number));
        }
      }
      return left;
    };

    /** Whether a pair is still there in the present view. */
    const isPairLeft = (view, pair) => {
      if (view.isGroups) return true;
      if (!view.isPairs) return view.pairsLeft.has(pairKey(pair.output, pair.input));
      const least = threshold(view);
      return (state.measure === "weight" ? pair.weight : state.measure === "effect" ? pair.magnitude : pair.votes) >= least;
    };

    // Pins

    const isAnythingPinned = () =>
      [state.input, state.output, state.unit, state.edge, state.route].some((pin) => pin !== undefined);

    /** Edges on visible paths through what is pinned; null where nothing is. */
    const findLit = (view) => {
      if (!isAnythingPinned()) { view.lit = null; return; }
      const lit = new Uint8Array(view.count);
      view.lit = lit;
      if (state.route) {
        state.route.slice(1).forEach((to, k) => {
          const e = view.edgeAt.get(state.route[k] + "-" + to);
          if (e !== undefined && view.visible[e]) lit[e] = 1;
        });
        return;
      }
      const ends = (kind, pin) => view.ends[kind].filter((n) => pin === undefined || holds(view.nodes[n], pin));
      let comes = flood(view, ends("input", state.input), false);
      let leads = flood(view, ends("output", state.output), true);
      const isThrough = through(view);
      for (let e = 0; e < view.count; e++) {
        if (view.visible[e] && comes[view.source[e]] && leads[view.target[e]] && isThrough(e)) lit[e] = 1;
      }
    };

    /** Nodes that visible edges lead to from some, or back from some. */
    const flood = (view, starts, backwards) => {
      const found = new Uint8Array(view.nodes.length);
      for (const n of starts) found[n] = 1;
      for (let k = 0; k < view.count; k++) {
        const e = view.order[backwards ? view.count - 1 - k : k];
        if (!view.visible[e]) continue;
        if (backwards) { if (found[view.target[e]]) found[view.source[e]] = 1; }
        else if (found[view.source[e]]) found[view.target[e]] = 1;
      }
      return found;
    };

    const through = (view) => {
      if (state.unit === undefined && state.edge === undefined) return () => true;
      const [first, last] = state.edge === undefined
        ? [state.unit, state.unit] : [view.source[state.edge], view.target[state.edge]];
      const before = flood(view, [first], true), after = flood(view, [last], false);
      return (e) => e === state.edge || before[view.target[e]] || after[view.source[e]];
    };

    const pin = (change) => {
      const isLocal = ["unit", "edge", "route"].some((kind) => change[kind] !== undefined);
      if (isLocal || "input" in change || "output" in change) {
        state.unit = state.edge = state.route = undefined;
      }
      Object.assign(state, change);
      update();
      speak(title());
    };
    const unpin = () => pin({ input: undefined, output: undefined, unit: undefined, edge: undefined, route: undefined });
    /** A variable is pinned, and let go where it was pinned already. */
    const toggle = (kind, variable) => pin({ [kind]: state[kind] === variable ? undefined : variable });

    const pinNode = (view, n) => {
      const node = view.nodes[n];
      if (node.kind === "unit") return pin({ unit: state.unit === n ? undefined : n });
      if (node.numbers && node.numbers.length > 1) return pin({ unit: state.unit === n ? undefined : n });
      toggle(node.kind, node.numbers ? node.numbers[0] : node.number);
    };
    const pinEdge = (view, e) => {
      if (view.isPairs) {
        const pair = view.pairOf[e];
        return pin({ input: pair.input, output: pair.output });
      }
      pin({ edge: state.edge === e ? undefined : e });
    };

    const nodeName = (view, n) => {
      const node = view.nodes[n];
      if (view.isGroups) return node.name || node.label || "";
      if (node.kind === "input") return inputs[node.number].name;
      return node.kind === "output" ? outputs[node.number].label : node.name || "";
    };
    const edgeName = (view, e) => nodeName(view, view.source[e]) + " → " + nodeName(view, view.target[e]);

    /** What is pinned, in words. */
    const title = () => {
      const view = present();
      if (state.route) return "Path " + state.route.map((n) => nodeName(view, n)).join(" → ");
      const parts = [];
      if (state.unit !== undefined) parts.push("Through " + nodeName(view, state.unit));
      if (state.edge !== undefined) parts.push(edgeName(view, state.edge));
      if (state.input !== undefined && state.output !== undefined) {
        parts.push(inputs[state.input].name + " → " + outputs[state.output].label);
      } else if (state.input !== undefined) parts.push(inputs[state.input].name);
      else if (state.output !== undefined) parts.push(outputs[state.output].label);
      return parts.join(", ") || "Nothing is pinned";
    };

    const speak = (text) => { byId("spoken").textContent = text; };
    """#
}
