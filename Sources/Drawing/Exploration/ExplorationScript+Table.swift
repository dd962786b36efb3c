extension Exploration {
  /// The same as a table, for those who do not see the drawing, and for those who want numbers.
  static let tableScript = #"""
    const table = { rows: 100, column: null, isDown: true };
    const step = 100;

    const pairColumns = () => [
      { name: "Input", text: (p) => inputLabel(p.input), act: (p) => pin({ input: p.input, output: p.output }) },
      { name: "Output", text: (p) => outputs[p.output].label },
      ...(hasData ? [
        { name: "Mean effect", value: (p) => p.effect, text: (p) => meanText(p.effect, p.magnitude) },
        { name: "Mean magnitude", value: (p) => p.magnitude, text: (p) => number(p.magnitude) },
        { name: "In units", value: (p) => p.slope, text: (p) => signed(p.slope) + (slopeUnit(p) ? " " + slopeUnit(p) : "") },
      ] : []),
      { name: "Weight", value: (p) => p.weight, text: (p) => number(p.weight) },
      ...(hasAgreement ? [{ name: "Members", value: (p) => p.votes, text: (p) => p.votes + " of " + model.members }] : []),
      ...(hasVerdicts ? [
        { name: "The data say", text: (p) => p.said ? p.said.verdict : "" },
        { name: "95 % interval", value: (p) => p.said ? p.said.low : 0, text: (p) => p.said
          ? number(p.said.low) + (p.said.high === undefined ? " and more" : " to " + number(p.said.high)) : "" },
      ] : []),
      { name: "Paths", value: (p) => Number(p.paths.replace(/\D/g, "")), text: (p) => p.paths },
    ];
    const edgeColumns = (view) => {
      const raw = model.views[state.view].edges;
      return [
        { name: "From", text: (e) => nodeName(view, view.source[e]), act: (e) => pinEdge(view, e) },
        { name: "To", text: (e) => nodeName(view, view.target[e]) },
        ...(raw.effect ? [{ name: "Effect", value: (e) => raw.effect[e], text: (e) => signed(raw.effect[e]) }] : []),
        { name: "Weight", value: (e) => raw.weight[e], text: (e) => signed(raw.weight[e]) },
        ...(raw.count ? [{ name: "Weights", value: (e) => raw.count[e], text: (e) => String(raw.count[e]) }] : []),
      ];
    };

    const showsPairs = (view) => view.isPairs || byId("table").value === "pairs";
    /** What is left and, where something is pinned, belongs to it; the strongest first. */
    const tableItems = (view) => {
      if (showsPairs(view)) {
        return model.pairs.filter((pair) => isPairLeft(view, pair)
          && (state.input === undefined || pair.input === state.input)
          && (state.output === undefined || pair.output === state.output))
          .sort((a, b) => size(b) - size(a));
      }
      const sizes = view.size[shownMeasure(view)];
      const edges = [];
      for (let e = 0; e < view.count; e++) if (view.visible[e] && (!view.lit || view.lit[e])) edges.push(e);
      return edges.sort((a, b) => sizes[b] - sizes[a]);
    };

    const showTable = () => {
      const view = present();
      byId("table").disabled = view.isPairs;
      if (view.isPairs) byId("table").value = "pairs";
      const columns = showsPairs(view) ? pairColumns() : edgeColumns(view);
      const items = tableItems(view);
      const chosen = table.column !== null ? columns[table.column] : null;
      if (chosen) {
        const order = chosen.value
          ? (a, b) => chosen.value(a) - chosen.value(b) : (a, b) => chosen.text(a).localeCompare(chosen.text(b));
        items.sort((a, b) => (table.isDown ? -1 : 1) * order(a, b));
      }
      const [head, body] = [document.querySelector("#tables thead"), document.querySelector("#tables tbody")];
      head.replaceChildren(make("tr", columns.map((column, k) => {
        const cell = make("th", button(column.name, () => {
          table.isDown = table.column === k ? !table.isDown : column.value !== undefined;
          table.column = k;
          showTable();
        }), { scope: "col", class: column.value ? "" : "word" });
        if (table.column === k) cell.setAttribute("aria-sort", table.isDown ? "descending" : "ascending");
        return cell;
      })));
      body.replaceChildren(...items.slice(0, table.rows).map((item) => make("tr", columns.map((column, k) =>
        k === 0 ? make("th", button(column.text(item), () => column.act(item)), { scope: "row" })
          : make("td", column.text(item), { class: column.value ? "" : "word" })))));
      const shown = Math.min(items.length, table.rows);
      byId("rows").textContent = (shown < items.length ? grouped(shown) + " of " : "")
        + counted(items.length, showsPairs(view) ? "pair" : "edge") + " left"
        + (isAnythingPinned() ? " of what is pinned" : "") + (chosen ? "" : ", the strongest first");
      const more = byId("more");
      more.hidden = shown === items.length;
      more.textContent = "Show " + Math.min(step, items.length - shown) + " more";
    };
    """#
}
