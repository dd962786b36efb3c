/// What a report does beside being read: tables sort, one of several figures is chosen, drawings light up.
enum ReportScript {
  static let text = """
    (() => {
      const value = (cell) => cell.dataset.number === undefined ? null : Number(cell.dataset.number);
      for (const table of document.querySelectorAll("table")) {
        const body = table.tBodies[0];
        [...table.tHead.rows[0].cells].forEach((head, column) => {
          const button = document.createElement("button");
          button.type = "button";
          button.textContent = head.textContent;
          head.textContent = "";
          head.append(button);
          button.addEventListener("click", () => {
            const down = head.getAttribute("aria-sort") === "ascending";
            for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
            head.setAttribute("aria-sort", down ? "descending" : "ascending");
            const rows = [...body.rows].map((row, place) => ({ row, place, cell: row.cells[column] }));
            const sign = down ? -1 : 1;
            rows.sort((a, b) => {
              const [x, y] = [value(a.cell), value(b.cell)];
              // What has no number comes last, whichever way.
              if ((x === null) !== (y === null)) return x === null ? 1 : -1;
              const order = x === null
                ? a.cell.textContent.localeCompare(b.cell.textContent) : x - y;
              return sign * order || a.place - b.place;
            });
            body.append(...rows.map((entry) => entry.row));
          });
        });
      }
      document.querySelectorAll(".choice").forEach((choice) => {
        const figures = [...choice.querySelectorAll("figure")];
        if (figures.length < 2) return;
        const select = document.createElement("select");
        select.id = "choice-" + choice.dataset.id;
        const label = document.createElement("label");
        label.htmlFor = select.id;
        label.textContent = choice.dataset.label;
        figures.forEach((figure, index) => {
          const option = document.createElement("option");
          option.value = index;
          option.textContent = figure.querySelector("figcaption").textContent;
          select.append(option);
        });
        const show = () => figures.forEach((figure, index) => { figure.hidden = index !== Number(select.value); });
        select.addEventListener("change", show);
        choice.prepend(label, select);
        show();
      });
      const unpins = [];
      for (const graph of document.querySelectorAll("div.graph")) {
        const told = document.createElement("p");
        told.className = "lit";
        told.setAttribute("aria-live", "polite");
        const edges = [...graph.querySelectorAll("g.edge[data-from]:not(.legend):not(.divider)")].map((element) => ({
          element, from: element.dataset.from, to: element.dataset.to }));
        const [into, out] = [new Map(), new Map()];
        const note = (map, key, entry) => { if (!map.has(key)) map.set(key, []); map.get(key).push(entry); };
        // A curve of a panel leads from the panel to itself: it belongs to it.
        const leads = edges.filter((edge) => edge.from !== edge.to);
        for (const edge of leads) { note(into, edge.to, edge); note(out, edge.from, edge); }
        const nodes = new Map([...graph.querySelectorAll("g.node")].map((node) => [node.id, node]));
        // A variable that is drawn several times has the same end of its name everywhere.
        const key = (node) => (node.dataset.node || "").replace(/^.*?((input|output|unit|cell|effect)-[0-9-]+)$/, "$1");
        const copies = new Map();
        for (const [id, node] of nodes) note(copies, key(node), id);
        const alike = (id) => nodes.has(id) && key(nodes.get(id)) ? copies.get(key(nodes.get(id))) : [id];
        const words = (element) => {
          const link = element.querySelector("a");
          return link ? link.getAttribute("xlink:title") || "" : "";
        };
        const numbers = [...graph.querySelectorAll("g.node.label")].map((element) => {
          const ends = (element.dataset.node || "").match(/label-([0-9]+)-([0-9]+)$/);
          return { element, edge: ends ? "input-" + ends[1] + "--output-" + ends[2] : "" };
        });
        const follow = (starts, map, next, found) => {
          const seen = new Set(starts);
          const open = [...starts];
          while (open.length) {
            for (const edge of map.get(open.pop()) || []) {
              found.add(edge);
              if (!seen.has(edge[next])) { seen.add(edge[next]); open.push(edge[next]); }
            }
          }
        };
        let pinned = null;
        const clear = () => {
          graph.classList.remove("tracing");
          for (const element of graph.querySelectorAll(".on")) element.classList.remove("on");
          told.textContent = "";
        };
        const trace = (found, ends, text) => {
          clear();
          graph.classList.add("tracing");
          const lit = new Set(ends);
          for (const edge of found) { edge.element.classList.add("on"); lit.add(edge.from); lit.add(edge.to); }
          const all = new Set([...lit].flatMap(alike));
          for (const id of all) if (nodes.has(id)) nodes.get(id).classList.add("on");
          for (const edge of edges) if (edge.from === edge.to && all.has(edge.from)) edge.element.classList.add("on");
          const names = [...found].map((edge) => edge.element.id);
          for (const number of numbers) {
            if (number.edge && names.some((name) => name.endsWith(number.edge))) number.element.classList.add("on");
          }
          told.textContent = text;
        };
        const light = (element, show) => {
          element.addEventListener("pointerenter", () => { if (!pinned) show(); });
          element.addEventListener("pointerleave", () => { if (!pinned) clear(); });
          element.addEventListener("click", (event) => {
            event.preventDefault();
            event.stopPropagation();
            const again = pinned === element;
            unpins.forEach((unpin) => unpin());
            if (again) return;
            show();
            pinned = element;
            told.textContent += " (pinned)";
          });
        };
        unpins.push(() => { if (pinned) { pinned = null; clear(); } });
        for (const edge of leads) {
          light(edge.element, () => {
            const found = new Set([edge]);
            follow([edge.from], into, "from", found);
            follow([edge.to], out, "to", found);
            trace(found, [], words(edge.element));
          });
        }
        for (const [id, node] of nodes) {
          if (node.matches(".text, .label, .legend, .divider") || !words(node)) continue;
          light(node, () => {
            const found = new Set();
            const starts = alike(id);
            follow(starts, into, "from", found);
            follow(starts, out, "to", found);
            trace(found, starts, words(node));
          });
        }
        graph.append(told);
      }
      const unpinAll = () => unpins.forEach((unpin) => unpin());
      document.addEventListener("click", unpinAll);
      document.addEventListener("keydown", (event) => { if (event.key === "Escape") unpinAll(); });
    })();
    """
}
