extension Exploration {
  /// The data, words for numbers, and each view with what is needed of it again and again.
  static let modelScript = #"""
    const model = JSON.parse(document.getElementById("model").textContent);
    const byId = (id) => document.getElementById(id);

    /** An element; text in it is never markup. */
    const make = (tag, content, attributes) => {
      const element = document.createElement(tag);
      for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
      for (const part of [content].flat()) if (part !== undefined && part !== null) element.append(part);
      return element;
    };
    const button = (label, act, attributes) => {
      const element = make("button", label, { type: "button", ...attributes });
      element.addEventListener("click", act);
      return element;
    };

    // Words

    const raised = (digits) => String(digits).replace(/[-\d]/g, (c) => c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]);
    /** With three significant digits, powers of ten as people write them. */
    const number = (value, digits) => {
      if (value === undefined || value === null) return "–";
      if (value === 0) return "0";
      const [mantissa, power] = Math.abs(value).toExponential((digits || 3) - 1).split("e").map(Number);
      const sign = value < 0 ? "−" : "";
      if (power < -3 || power > 5) return sign + mantissa + "·10" + raised(power);
      return sign + Number(Math.abs(value).toPrecision(digits || 3));
    };
    const signed = (value, digits) => (value > 0 ? "+" : "") + number(value, digits);
    const counted = (count, noun) => grouped(count) + " " + noun + (count === 1 ? "" : "s");
    const grouped = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, "\u202F");
    const percent = (share) => share < 0.01 && share > 0 ? "less than 1 %" : Math.round(100 * share) + " %";
    const withUnit = (text, unit) => unit ? text + " " + unit : text;

    const inputs = model.inputs, outputs = model.outputs;
    const inputLabel = (i) => inputs[i].name + (inputs[i].unit ? " [" + inputs[i].unit + "]" : "");
    /** What a slope is measured in; empty where neither has a unit. */
    const slopeUnit = (pair) => {
      const [above, below] = [outputs[pair.output].unit, inputs[pair.input].unit];
      return above || below ? (above || "1") + " per " + (below || "1") : "";
    };
    const shareWord = (share) => share < 0 ? "below 0" : share.toFixed(2);
    const hasData = model.samples !== undefined;
    const hasAgreement = model.members > 1;
    const hasVerdicts = model.pairs.some((pair) => pair.said);

    const pairKey = (output, input) => output * inputs.length + input;
    const pairs = new Map(model.pairs.map((pair) => [pairKey(pair.output, pair.input), pair]));
    const pairName = (pair) => inputs[pair.input].name + " → " + outputs[pair.output].label;

    /** +1, −1, or 0 where there is nothing, or so little is left of a mean magnitude that the sign varies. */
    const signOf = (mean, magnitude) =>
      magnitude === 0 || Math.abs(mean) < 0.5 * magnitude ? 0 : mean < 0 ? -1 : 1;

    // Views

    /** Nodes so that every edge leads onwards, and edges by where they leave. */
    const topological = (view, source, target) => {
      const waits = new Int32Array(view.nodes.length);
      const out = view.nodes.map(() => []);
      for (let e = 0; e < source.length; e++) { waits[target[e]]++; out[source[e]].push(e); }
      const open = view.nodes.map((_, n) => n).filter((n) => waits[n] === 0);
      const edges = new Int32Array(source.length);
      let count = 0;
      for (let at = 0; at < open.length; at++) {
        for (const e of out[open[at]]) {
          edges[count++] = e;
          if (--waits[target[e]] === 0) open.push(target[e]);
        }
      }
      return edges;
    };

    /** Which parts of the view hang together: towers. */
    const components = (view, source, target) => {
      const root = Int32Array.from(view.nodes, (_, n) => n);
      const find = (n) => { while (root[n] !== n) { root[n] = root[root[n]]; n = root[n]; } return n; };
      for (let e = 0; e < source.length; e++) root[find(source[e])] = find(target[e]);
      return root.map((_, n) => find(n));
    };

    /** Whether a node is a variable, or holds it where variables are drawn in groups. */
    const holds = (node, variable) => node.numbers ? node.numbers.includes(variable) : node.number === variable;

    const prepare = (view) => {
      const { source, target } = view.edges;
      const count = source.length;
      const result = {
        ...view, source, target, count, isPairs: view.kind === "pairs", isGroups: view.kind === "groups",
        curve: new Float32Array(8 * count), order: topological(view, source, target), size: {}, sign: {},
        ends: { input: [], output: [] }, edgesOf: view.nodes.map(() => []), edgeAt: new Map(), thresholds: {},
      };
      view.nodes.forEach((node, n) => { if (result.ends[node.kind]) result.ends[node.kind].push(n); });
      for (let e = 0; e < count; e++) {
        const [from, to] = [view.nodes[source[e]], view.nodes[target[e]]];
        const part = (values) => values ? values[e] : 0;
        const [x0, y0] = [from.x + from.width / 2, from.y + part(view.edges.leaves)];
        const [x3, y3] = [to.x - to.width / 2, to.y + part(view.edges.arrives)];
        const reach = (x3 - x0) * 0.45, bend = part(view.edges.bend);
        result.curve.set([x0, y0, x0 + reach, y0 + bend, x3 - reach, y3 + bend, x3, y3], 8 * e);
        result.edgesOf[source[e]].push(e);
        result.edgesOf[target[e]].push(e);
        result.edgeAt.set(source[e] + "-" + target[e], e);
      }
      if (result.isPairs) sizePairs(result); else sizeEdges(result, view);
      scale(result);
      return result;
    };

    const sizePairs = (view) => {
      view.pairOf = Array.from(view.source, (s, e) =>
        pairs.get(pairKey(view.nodes[view.target[e]].number, view.nodes[s].number)));
      view.size.weight = Float64Array.from(view.pairOf, (pair) => pair.weight);
      view.sign.weight = Int8Array.from(view.pairOf, (pair) => signOf(pair.net, pair.weight));
      if (hasData) {
        view.size.effect = Float64Array.from(view.pairOf, (pair) => pair.magnitude);
        view.sign.effect = Int8Array.from(view.pairOf, (pair) => signOf(pair.effect, pair.magnitude));
      }
      if (hasAgreement) view.size.agreement = Float64Array.from(view.pairOf, (pair) => pair.votes);
      view.isDotted = Uint8Array.from(view.pairOf, (pair) =>
        pair.said && pair.said.verdict === "undecided" ? 1 : 0);
    };

    const sizeEdges = (view, raw) => {
      for (const measure of ["weight", "effect"]) {
        const values = raw.edges[measure];
        if (!values) continue;
        view.size[measure] = Float64Array.from(values, Math.abs);
        view.sign[measure] = Int8Array.from(values, (value) => value < 0 ? -1 : 1);
      }
      if (hasAgreement && !view.isGroups) view.size.agreement = agreement(view);
    };

    /** Of each edge the most members that have one of the pairs which it carries. */
    const agreement = (view) => {
      const result = new Float64Array(view.count);
      for (const end of view.ends.output) {
        const reaches = new Uint8Array(view.nodes.length);
        const votes = new Float64Array(view.nodes.length);
        reaches[end] = 1;
        for (let k = view.count - 1; k >= 0; k--) {
          const e = view.order[k];
          if (reaches[view.target[e]]) reaches[view.source[e]] = 1;
        }
        for (const start of view.ends.input) {
          const pair = pairs.get(pairKey(view.nodes[end].number, view.nodes[start].number));
          votes[start] = pair ? pair.votes : 0;
        }
        for (let k = 0; k < view.count; k++) {
          const e = view.order[k];
          if (!reaches[view.target[e]]) continue;
          const [from, to] = [view.source[e], view.target[e]];
          votes[to] = Math.max(votes[to], votes[from]);
          result[e] = Math.max(result[e], votes[from]);
        }
      }
      return result;
    };

    /** Sizes relative to the largest, of a tower where towers have scales of their own. */
    const scale = (view) => {
      const part = view.isRelative ? components(view, view.source, view.target) : null;
      view.share = {};
      for (const measure of ["weight", "effect"]) {
        const sizes = view.size[measure];
        if (!sizes) continue;
        const largest = new Map();
        const key = (e) => part ? part[view.target[e]] : 0;
        for (let e = 0; e < view.count; e++) largest.set(key(e), Math.max(largest.get(key(e)) || 0, sizes[e]));
        view.share[measure] = Float64Array.from(sizes, (size, e) =>
          largest.get(key(e)) > 0 ? size / largest.get(key(e)) : 0);
      }
    };
    """#
}
