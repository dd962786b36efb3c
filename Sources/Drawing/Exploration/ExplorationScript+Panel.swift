extension Exploration {
  /// What is known of what is pinned, in words, numbers and curves.
  static let panelScript = #"""
    const facts = (rows) => make("dl", rows.filter((row) => row && row[1] !== undefined && row[1] !== "").map(([name, value]) =>
      make("div", [make("dt", name), make("dd", value)])));
    const inColour = (value, text) => make("span", text, { class: value < 0 ? "falls" : value > 0 ? "rises" : "" });
    const said = (pair) => {
      if (!pair.said) return undefined;
      const { verdict, effect, low, high } = pair.said;
      return verdict + ": " + number(effect) + " (95 %: " + number(low) + (high === undefined ? " and more" : " to " + number(high)) + ")";
    };
    const cost = (pair) => {
      if (!pair.said) return undefined;
      const error = pair.said.costError === undefined ? "" : " ± " + number(pair.said.costError, 2);
      return signed(pair.said.cost) + error + " of the rate’s variance on held-out rows";
    };
    const size = (pair) => hasData ? pair.magnitude : pair.weight;
    const mean = (pair) => hasData ? pair.effect : pair.net;
    /** With ± where the sign varies. */
    const meanText = (value, magnitude, digits) =>
      signOf(value, magnitude) === 0 && magnitude > 0 ? "±" + number(magnitude, digits) : signed(value, digits);

    // Curves

    const svgSpace = "http://www.w3.org/2000/svg";
    const draw = (tag, attributes, content) => {
      const element = document.createElementNS(svgSpace, tag);
      for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
      for (const part of [content].flat()) if (part !== undefined && part !== null) element.append(part);
      return element;
    };

    /** What an output does over the range of an input: the mean thick, each member thin. */
    const curve = (pair, isSmall, limits) => {
      const bounds = model.bounds && model.bounds[pair.input];
      if (!bounds || !pair.curve || bounds.length < 2) return null;
      const [width, height] = isSmall ? [84, 26] : [330, 170];
      const [left, right, top, bottom] = isSmall ? [1, 1, 2, 2] : [52, 8, 8, 34];
      const all = [pair.curve, ...(pair.curves || [])].flat();
      let [low, high] = limits || [Math.min(0, ...all), Math.max(0, ...all)];
      if (low === high) [low, high] = [low - 1, high + 1];
      const x = (value) => left + (width - left - right) * (value - bounds[0]) / (bounds[bounds.length - 1] - bounds[0]);
      const y = (value) => top + (height - top - bottom) * (high - value) / (high - low);
      const line = (values, kind) => draw("polyline", { class: kind, points:
        values.map((value, k) => x(bounds[k]).toFixed(1) + "," + y(value).toFixed(1)).join(" ") });
      const output = outputs[pair.output], input = inputs[pair.input];
      const change = pair.curve[pair.curve.length - 1] - pair.curve[0];
      const words = pairName(pair) + ": as " + input.name + " goes from " + withUnit(number(bounds[0]), input.unit) + " to "
        + withUnit(number(bounds[bounds.length - 1]), input.unit) + ", it changes by " + withUnit(signed(change), output.unit);
      const role = input.role;
      const parts = [draw("title", {}, words),
        draw("line", { class: "zero", x1: left, x2: width - right, y1: y(0).toFixed(1), y2: y(0).toFixed(1) }),
        ...(pair.curves || []).map((values) => line(values, "member " + role)), line(pair.curve, "mean " + role)];
      if (!isSmall) {
        const text = (content, x, y, anchor) => draw("text", { x, y, "text-anchor": anchor }, content);
        parts.push(draw("rect", { class: "frame", x: left, y: top, width: width - left - right, height: height - top - bottom }),
          text(number(high), left - 4, top + 9, "end"), text(number(low), left - 4, height - bottom, "end"),
          low < 0 && high > 0 && y(0) > top + 22 && y(0) < height - bottom - 14 ? text("0", left - 4, y(0) + 4, "end") : null,
          text(number(bounds[0]), left, height - bottom + 14, "start"),
          text(number(bounds[bounds.length - 1]), width - right, height - bottom + 14, "end"),
          text(input.unit ? "[" + input.unit + "]" : "", (left + width - right) / 2, height - bottom + 14, "middle"),
          text(input.name, (left + width - right) / 2, height - 4, "middle"));
      }
      return draw("svg", { class: "curve" + (isSmall ? " small" : ""), viewBox: "0 0 " + width + " " + height,
        role: "img", "aria-label": words }, parts);
    };

    const figure = (pair) => {
      const drawing = curve(pair, false);
      if (!drawing) return null;
      const members = pair.curves ? pair.curves.length === model.members ? "thin: each member" : "thin: lowest and highest member" : "";
      return make("figure", [drawing, make("figcaption", "Effect on " + outputs[pair.output].label
        + (outputs[pair.output].unit ? " [" + outputs[pair.output].unit + "]" : "") + " over the range of the data"
        + (members ? "; thick: mean, " + members : ""))]);
    };

    // What is told of each kind of pin

    const tellPair = (output, input) => {
      const pair = pairs.get(pairKey(output, input));
      if (!pair) return [make("p", "No path leads from " + inputs[input].name + " to " + outputs[output].label
        + (hasAgreement ? " in any member." : "."))];
      const unit = slopeUnit(pair);
      return [
        figure(pair),
        facts([
          hasData ? ["Mean effect", meanText(pair.effect, pair.magnitude) + " deviations per deviation"] : null,
          hasData && unit ? ["In units", signed(pair.slope) + " " + unit] : null,
          hasData ? ["Mean magnitude", number(pair.magnitude)] : null,
          ["The data say", said(pair)], ["Without it", cost(pair)],
          hasAgreement ? ["Members", pair.votes + " of " + model.members + " have it (" + model.rule + ")"] : null,
          ["Weight of all paths", number(pair.weight) + (signOf(pair.net, pair.weight) === 0 ? ", of either sign" : pair.net < 0 ? ", negative" : ", positive")],
          ["Paths", pair.paths],
          outputs[output].explained === undefined ? null : ["Explained of " + outputs[output].label, explained(outputs[output])],
        ]),
        tellMembers(pair), tellRoutes((route) => route.output === output && route.input === input),
      ];
    };
    const explained = (output) => output.isNothing ? "nothing (R² " + shareWord(output.explained) + ")" : "R² " + shareWord(output.explained);

    const tellMembers = (pair) => {
      if (!hasAgreement || !pair.members) return null;
      return make("details", [make("summary", "Each member" + (hasData ? ": mean effect" : ": sum of the products of its paths")),
        make("ul", pair.members.map((value, k) => make("li", ["member " + k + " ", inColour(value, signed(value))])), { class: "inline" })]);
    };

    const tellRoutes = (isWanted) => {
      const view = present();
      const found = view.routes.filter(isWanted).slice(0, 20);
      if (found.length === 0) {
        return view.isPairs && model.views.length > 1
          ? button("Paths in " + (model.members > 1 ? "a member’s network" : "the network"), () => showView(1)) : null;
      }
      return make("div", [make("h3", "Strongest paths" + (hasData ? " by effect" : " by weight")),
        make("ol", found.map((route) => make("li", [
          button(route.nodes.map((n) => nodeName(view, n)).join(" → "), () => pin({ route: route.nodes }),
            { "aria-pressed": String(state.route === route.nodes) }),
          make("span", (route.effect === undefined ? "product " + signed(route.product) : "effect " + signed(route.effect)
            + ", active at " + percent(route.active)), { class: "note" }),
        ])), { class: "routes" })]);
    };

    const mostListed = 40;
    /** The pairs of a variable, the strongest first, each with a button that pins it. */
    const tellPairs = (list, kind) => {
      const sorted = list.sort((a, b) => size(b) - size(a));
      const shown = sorted.slice(0, mostListed);
      // Curves of one output have one scale; of several each has its own, their units differ.
      const all = kind === "input" ? shown.flatMap((pair) => [pair.curve || [], ...(pair.curves || [])].flat()) : [];
      const limits = all.length ? [Math.min(0, ...all), Math.max(0, ...all)] : null;
      const rows = shown.map((pair) => make("li", [
        button(kind === "input" ? inputLabel(pair.input) : outputs[pair.output].label,
          () => pin({ input: pair.input, output: pair.output })),
        make("span", [inColour(signOf(mean(pair), size(pair)), meanText(mean(pair), size(pair), 2)),
          pair.said && pair.said.verdict !== "present" ? " " + pair.said.verdict : ""], { class: "value" }),
        curve(pair, true, limits),
      ]));
      return make("div", [make("ul", rows, { class: "pairs" }),
        sorted.length > shown.length ? make("p", "and " + (sorted.length - shown.length) + " more in the table", { class: "note" }) : null]);
    };

    const tellInput = (i) => {
      const input = inputs[i];
      return [
        facts([["Meaning", input.meaning], ["Unit", input.unit],
          ["Range" + (hasData ? " in the data" : " in training"), input.range.length
            ? withUnit(number(input.range[0], 4) + " to " + number(input.range[1], 4), input.unit) : undefined]]),
        make("h3", "Acts on" + (hasData ? ", by mean effect in deviations" : ", by weight")),
        tellPairs(model.pairs.filter((pair) => pair.input === i), "output"),
      ];
    };
    const tellOutput = (o) => {
      const output = outputs[o];
      return [
        facts([["Meaning", output.meaning], ["Unit", output.unit],
          ["Explained on held-out data", output.explained === undefined ? undefined : explained(output)]]),
        make("h3", "Driven by" + (hasData ? ", by mean effect in deviations" : ", by weight")),
        tellPairs(model.pairs.filter((pair) => pair.output === o), "input"),
      ];
    };

    const tellEdges = (name, edges) => {
      const view = present();
      const measure = shownMeasure(view);
      const list = edges.filter((e) => view.visible[e]).sort((a, b) => view.size[measure][b] - view.size[measure][a]);
      return make("div", [make("h3", name + " (" + list.length + ")"), make("ul", list.slice(0, 15).map((e) => make("li", [
        button(edgeName(view, e), () => pinEdge(view, e)), make("span", edgeNumbers(view, e), { class: "value" })])), { class: "pairs" }),
      list.length > 15 ? make("p", "and " + (list.length - 15) + " more in the table", { class: "note" }) : null]);
    };
    const edgeNumbers = (view, e) => {
      const raw = model.views[state.view].edges;
      if (view.isPairs) {
        const pair = view.pairOf[e];
        return (hasData ? "effect " + meanText(pair.effect, pair.magnitude) : "weight " + number(pair.weight))
          + (hasAgreement ? ", " + pair.votes + " of " + model.members + " members" : "")
          + (pair.said ? ", " + pair.said.verdict : "");
      }
      return (raw.effect ? "effect " + signed(raw.effect[e]) + ", " : "")
        + (raw.count ? counted(raw.count[e], "weight") + ", together " + signed(raw.weight[e]) : "weight " + signed(raw.weight[e]));
    };

    const tellUnit = (n) => {
      const view = present(), node = view.nodes[n];
      const own = view.edgesOf[n];
      return [
        node.active === undefined ? null : facts([["Active", "at " + percent(node.active) + " of the samples"]]),
        tellEdges("Reads", own.filter((e) => view.target[e] === n)),
        tellEdges("Is read by", own.filter((e) => view.source[e] === n)),
        tellRoutes((route) => route.nodes.includes(n)),
      ];
    };
    const tellEdge = (e) => {
      const view = present();
      const [from, to] = [view.source[e], view.target[e]];
      const raw = model.views[state.view].edges;
      return [
        facts([
          raw.effect ? ["Effect over the data", signed(raw.effect[e]) + " deviations"] : null,
          ["Weight, standardised", signed(raw.weight[e])],
          raw.count ? ["Stands for", counted(raw.count[e], "weight")] : null,
          view.size.agreement ? ["Members", view.size.agreement[e] + " of " + model.members + " have a pair that it carries"] : null,
        ]),
        tellRoutes((route) => route.nodes.some((n, k) => n === from && route.nodes[k + 1] === to)),
      ];
    };
    const tellRoute = () => {
      const view = present();
      const route = view.routes.find((each) => each.nodes === state.route);
      return [
        route ? facts([["Effect", route.effect === undefined ? undefined : signed(route.effect) + " deviations per deviation"],
          ["Product of its weights", signed(route.product)],
          ["Active", route.active === undefined ? undefined : "at " + percent(route.active) + " of the samples"]]) : null,
        tellEdges("Its edges", state.route.slice(1).map((to, k) => view.edgeAt.get(state.route[k] + "-" + to))),
        route ? button("The pair " + inputs[route.input].name + " → " + outputs[route.output].label,
          () => pin({ input: route.input, output: route.output })) : null,
      ];
    };

    const tellNothing = () => {
      const view = present();
      const list = (names, act, most) => [make("ul", names.slice(0, most).map((name, k) =>
        make("li", button(name, () => act(k)))), { class: "names" }),
        names.length > most ? make("p", "and " + (names.length - most) + " more: find them by name", { class: "note" }) : null];
      return [
        make("p", "Click a name, a unit or a line to pin it and read what is known of it; click again, or press Escape, to let go. "
          + "Drag to move, turn the wheel or pinch to zoom.", { class: "screen" }),
        legend(view),
        make("h3", model.outputsWord[0].toUpperCase() + model.outputsWord.slice(1), { class: "screen" }),
        ...list(outputs.map((output) => output.label), (k) => pin({ output: k }), mostListed),
        make("h3", "Inputs of the model", { class: "screen" }), ...list(inputs.map((input) => input.name), (k) => pin({ input: k }), mostListed),
        facts([["Training", model.recipe]]),
        ...view.notes.map((note) => make("p", note, { class: "note" })),
      ];
    };

    const legend = (view) => {
      const line = (kind, text) => make("li", [draw("svg", { class: "sample", viewBox: "0 0 30 8", "aria-hidden": "true" },
        draw("line", { class: kind, x1: 0, x2: 30, y1: 4, y2: 4 })), text]);
      const measure = shownMeasure(view);
      const hasMixed = view.sign[measure].some((sign, e) => sign === 0 && view.size[measure][e] > 0);
      const hasActivity = view.nodes.some((node) => node.active !== undefined);
      return make("ul", [
        line("positive", view.isPairs && hasData ? "rises with it" : "positive"), line("negative", view.isPairs && hasData ? "falls" : "negative"),
        hasMixed ? line("mixed", "of either sign") : null,
        view.isDotted && view.isDotted.some((is) => is) ? line("dotted", "undecided by the data") : null,
        make("li", "width: " + (measure === "weight" ? "weight" : "effect over the data") + (view.isRelative ? ", relative to the largest of its tower" : "")),
        hasActivity ? make("li", "discs: filled by the share of samples at which a unit is active") : null,
      ], { class: "legend" });
    };

    const showPanel = () => {
      const view = present();
      byId("told-title").textContent = title();
      byId("told").replaceChildren(...(
        state.route ? tellRoute() : state.edge !== undefined ? tellEdge(state.edge)
        : state.unit !== undefined ? tellUnit(state.unit)
        : state.input !== undefined && state.output !== undefined ? tellPair(state.output, state.input)
        : state.input !== undefined ? tellInput(state.input)
        : state.output !== undefined ? tellOutput(state.output) : tellNothing()
      ).flat().filter((part) => part));
      const chip = (name, change) => button([name, make("span", " ×", { "aria-hidden": "true" })], () => pin(change),
        { "aria-label": "Let go of " + name, class: "chip" });
      const pins = byId("pins");
      pins.replaceChildren();
      if (state.input !== undefined) pins.append(chip(inputs[state.input].name, { input: undefined }));
      if (state.output !== undefined) pins.append(chip(outputs[state.output].label, { output: undefined }));
      if (state.unit !== undefined) pins.append(chip(nodeName(view, state.unit), { unit: undefined }));
      if (state.edge !== undefined) pins.append(chip("this line", { edge: undefined }));
      if (state.route) pins.append(chip("this path", { route: undefined }));
      if (isAnythingPinned()) pins.append(button("Let go of everything", unpin));
    };
    """#
}
