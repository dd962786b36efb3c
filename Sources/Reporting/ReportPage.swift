import Foundation

/// A report as one self-contained HTML page, complete without scripts; with scripts tables can be sorted, paths of
/// drawings are highlighted under the pointer, and figures that belong together are shown one at a time.
public enum ReportPage {
  /// - Throws: what Mustache throws of a template that does not parse.
  public static func html(_ document: ReportDocument) throws -> String {
    let template = try PageTemplate(template)
    return template.render([
      "title": document.title, "introduction": document.introduction, "style": style,
      "script": script,
      "policy": policy, "colophon": document.colophon,
      "sections": document.sections.map { section in
        [
          "title": section.title, "anchor": section.anchor,
          "blocks": section.blocks.enumerated().map { block($1, "\(section.anchor)-\($0)") },
        ] as [String: Any]
      },
    ])
  }

  /// Nothing is loaded from elsewhere, whatever a name contains.
  private static let policy =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"

  // MARK: What the template sees

  private static func block(_ block: ReportDocument.Block, _ id: String) -> [String: Any] {
    switch block {
    case .paragraph(let text): ["paragraph": ["text": text]]
    case .list(let items): ["list": ["items": items.map { ["text": $0] }]]
    case .table(let table): ["table": self.table(table)]
    case .figure(let figure): ["figure": self.figure(figure)]
    case .choice(let label, let figures):
      [
        "choice": [
          "label": label, "id": id,
          "figures": figures.map { self.figure($0) },
        ] as [String: Any]
      ]
    }
  }

  private static func table(_ table: ReportDocument.Table) -> [String: Any] {
    var entry: [String: Any] = [
      "caption": table.caption,
      "columns": table.columns.indices.map { column -> [String: Any] in
        let isWord = table.rows.contains { row in
          row.indices.contains(column) && row[column].number == nil
            && row[column].text.first?.isLetter ?? false
        }
        return isWord
          ? ["text": table.columns[column], "word": true] : ["text": table.columns[column]]
      },
      "rows": table.rows.map { cells in
        [
          "head": cells.first?.text ?? "",
          "cells": cells.dropFirst().map { cell -> [String: Any] in
            var entry: [String: Any] = ["text": cell.text]
            if let number = cell.number {
              entry["number"] = "\(number)"
            } else if cell.text.first?.isLetter ?? false {
              entry["word"] = true
            }
            if let shade = cell.shade {
              entry["shade"] = String(format: "%.2f", min(1, max(0, shade)))
            }
            return entry
          },
        ] as [String: Any]
      },
    ]
    if !table.note.isEmpty { entry["note"] = table.note }
    return entry
  }

  private static func figure(_ figure: ReportDocument.Figure) -> [String: Any] {
    var entry: [String: Any] = [
      "id": figure.id, "caption": figure.caption, "description": figure.description,
    ]
    if figure.isGraph {
      entry["graph"] = ["svg": InlineSVG.text(figure.svg, id: figure.id)]
    } else {
      entry["picture"] = ["data": Data(figure.svg).base64EncodedString()]
    }
    return entry
  }

  // MARK: Template

  private static let template = """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta http-equiv="Content-Security-Policy" content="{{policy}}">
    <title>{{title}}</title>
    <style>{{{style}}}</style>
    </head>
    <body>
    <header><h1>{{title}}</h1><p>{{introduction}}</p></header>
    <nav aria-label="Sections"><ul>{{#sections}}<li><a href="#{{anchor}}">{{title}}</a></li>{{/sections}}</ul></nav>
    <main>
    {{#sections}}
    <section id="{{anchor}}" aria-labelledby="{{anchor}}-title">
    <h2 id="{{anchor}}-title">{{title}}</h2>
    {{#blocks}}
    {{#paragraph}}<p>{{text}}</p>{{/paragraph}}
    {{#list}}<ul>{{#items}}<li>{{text}}</li>{{/items}}</ul>{{/list}}
    {{#table}}
    <div class="table" role="region" aria-label="{{caption}}" tabindex="0"><table>
    <caption>{{caption}}</caption>
    <thead><tr>{{#columns}}<th scope="col"{{#word}} class="word"{{/word}}>{{text}}</th>{{/columns}}</tr></thead>
    <tbody>
    {{#rows}}<tr><th scope="row">{{head}}</th>{{#cells}}<td{{#number}} data-number="{{.}}"{{/number}}{{#word}} class="word"{{/word}}\
    {{#shade}} class="shaded" style="--shade:{{.}}"{{/shade}}>{{text}}</td>{{/cells}}</tr>
    {{/rows}}
    </tbody></table></div>
    {{#note}}<p class="note">{{.}}</p>{{/note}}
    {{/table}}
    {{#figure}}{{> figure}}{{/figure}}
    {{#choice}}<div class="choice" data-label="{{label}}" data-id="{{id}}">{{#figures}}{{> figure}}{{/figures}}</div>{{/choice}}
    {{/blocks}}
    </section>
    {{/sections}}
    </main>
    <footer><p>{{colophon}}</p></footer>
    <script>{{{script}}}</script>
    </body>
    </html>

    """
    // A figure is the same alone and among others.
    .replacing("{{> figure}}", with: figureTemplate)

  private static let figureTemplate =
    "<figure id=\"figure-{{id}}\">{{#graph}}<div class=\"graph\" role=\"region\" "
    + "aria-label=\"{{caption}}\" tabindex=\"0\">{{{svg}}}</div>{{/graph}}"
    + "{{#picture}}<img alt=\"{{description}}\" src=\"data:image/svg+xml;base64,{{data}}\">{{/picture}}"
    + "<figcaption>{{caption}}</figcaption></figure>"

  private static let style = """
    :root { color-scheme: light dark; --ink: #1a1a1a; --faint: #595959; --paper: #fff; --line: #d5d9dd;
      --accent: #00598c; --band: #f4f6f8; --shade-colour: 0, 114, 178; }
    @media (prefers-color-scheme: dark) { :root { --ink: #e8e8e8; --faint: #b4b4b4; --paper: #16181b;
      --line: #3a3f45; --accent: #7cc4f0; --band: #1f2327; --shade-colour: 86, 180, 233; } }
    * { box-sizing: border-box; }
    body { margin: 0 auto; max-width: 76rem; padding: 1.5rem; color: var(--ink); background: var(--paper);
      font: 16px/1.5 "Liberation Sans", Arial, Helvetica, "DejaVu Sans", sans-serif; }
    h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; }
    h2 { font-size: 1.35rem; margin: 2.5rem 0 .8rem; border-bottom: 1px solid var(--line); padding-bottom: .2rem; }
    p { max-width: 62rem; }
    a { color: var(--accent); }
    nav ul { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; list-style: none; padding: 0; margin: 1rem 0; }
    .table { overflow-x: auto; margin: 1.2rem 0 .3rem; }
    table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
    caption { text-align: left; font-weight: bold; padding: .2rem 0 .5rem; }
    th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid var(--line); vertical-align: top; }
    th[scope=row], th[scope=col]:first-child { text-align: left; font-weight: normal; }
    thead th { font-weight: bold; vertical-align: bottom; white-space: nowrap; }
    td { white-space: nowrap; }
    td.word, th.word { text-align: left; white-space: normal; min-width: 6rem; }
    thead { display: table-header-group; }
    th[scope=row] { white-space: nowrap; }
    tbody tr:nth-child(even) { background: var(--band); }
    td.shaded { background: rgba(var(--shade-colour), calc(var(--shade) * .45)); }
    th button { all: unset; cursor: pointer; font-weight: bold; }
    th button:hover { text-decoration: underline; }
    th button:focus-visible, select:focus-visible { outline: 2px solid var(--accent); }
    th[aria-sort=ascending] button::after { content: " \\25B2"; }
    th[aria-sort=descending] button::after { content: " \\25BC"; }
    .note, figcaption, footer { color: var(--faint); font-size: .88rem; }
    figure { margin: 1.5rem 0; }
    figure img, figure .graph { background: #fff; border: 1px solid var(--line); border-radius: 4px;
      max-width: 100%; }
    figure img { height: auto; padding: .5rem; }
    figcaption { margin-top: .4rem; }
    figure .graph { overflow: auto; max-height: 100rem; padding: .5rem; color: #1a1a1a; }
    .graph svg { display: block; max-width: 100%; height: auto; margin: 0 auto; }
    .choice label { font-weight: bold; margin-right: .5rem; }
    .choice figure[hidden] { display: none; }
    .graph g.edge path { transition: opacity .1s; }
    .graph.tracing g.edge:not(.on) { opacity: .06; }
    .graph.tracing g.node:not(.on):not(.text):not(.legend) { opacity: .3; }
    @media print {
      :root { color-scheme: light; --ink: #000; --faint: #444; --paper: #fff; --band: #f4f6f8; --line: #bbb; }
      body { max-width: none; padding: 0; font-size: 10pt; }
      nav, .choice label, .choice select { display: none; }
      .choice figure[hidden] { display: block; }
      table { font-size: 7.5pt; }
      th, td, th[scope=row] { padding: .1rem .3rem; white-space: normal; }
      .table { overflow: visible; }
      tr, figure { break-inside: avoid; }
      h2, caption { break-after: avoid; }
      figure .graph { max-height: none; overflow: visible; }
      .graph svg, figure img { max-height: 24cm; width: auto; }
    }
    """

  private static let script = """
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
      for (const graph of document.querySelectorAll(".graph")) {
        const edges = [...graph.querySelectorAll("g.edge:not(.legend)")].map((element) => ({
          element, from: element.dataset.from, to: element.dataset.to }));
        const [into, out] = [new Map(), new Map()];
        const note = (map, key, edge) => { if (!map.has(key)) map.set(key, []); map.get(key).push(edge); };
        for (const edge of edges) { note(into, edge.to, edge); note(out, edge.from, edge); }
        const follow = (start, map, next, found) => {
          const seen = new Set([start]);
          const open = [start];
          while (open.length) {
            for (const edge of map.get(open.pop()) || []) {
              found.add(edge);
              if (!seen.has(edge[next])) { seen.add(edge[next]); open.push(edge[next]); }
            }
          }
        };
        const nodes = new Map([...graph.querySelectorAll("g.node")].map((node) => [node.id, node]));
        const clear = () => {
          graph.classList.remove("tracing");
          for (const element of graph.querySelectorAll(".on")) element.classList.remove("on");
        };
        const trace = (found, ends) => {
          clear();
          graph.classList.add("tracing");
          const lit = new Set(ends);
          for (const edge of found) { edge.element.classList.add("on"); lit.add(edge.from); lit.add(edge.to); }
          for (const id of lit) if (nodes.has(id)) nodes.get(id).classList.add("on");
        };
        for (const edge of edges) {
          edge.element.addEventListener("pointerenter", () => {
            const found = new Set([edge]);
            follow(edge.from, into, "from", found);
            follow(edge.to, out, "to", found);
            trace(found, []);
          });
          edge.element.addEventListener("pointerleave", clear);
        }
        for (const [id, node] of nodes) {
          if (!into.has(id) && !out.has(id)) continue;
          node.addEventListener("pointerenter", () => {
            const found = new Set();
            follow(id, into, "from", found);
            follow(id, out, "to", found);
            trace(found, [id]);
          });
          node.addEventListener("pointerleave", clear);
        }
      }
    })();
    """
}
