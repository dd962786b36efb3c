import Foundation

/// A report as one self-contained HTML page, complete without scripts; with scripts tables can be sorted, what belongs
/// together in drawings is lit under the pointer and kept by a click, and figures that belong together are shown one at
/// a time.
public enum ReportPage {
  /// - Throws: what Mustache throws of a template that does not parse.
  public static func html(_ document: ReportDocument) throws -> String {
    let template = try PageTemplate(template)
    return template.render([
      "title": document.title, "introduction": document.introduction, "style": ReportStyle.text,
      "script": ReportScript.text,
      "policy": policy, "colophon": document.colophon,
      "sections": document.sections.map { section in
        [
          "title": section.title, "anchor": section.anchor, "overview": section.isOverview,
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
    case .heading(let text): ["heading": ["text": text]]
    case .statements(let statements):
      ["statements": ["all": statements.map { ["label": $0.label, "text": $0.text] }]]
    case .verdicts(let question, let verdicts):
      [
        "verdicts": [
          "question": question,
          "all": verdicts.map {
            ["answer": $0.answer, "text": $0.text, "kind": Self.kinds[$0.answer] ?? "other"]
          },
        ] as [String: Any]
      ]
    case .folded(let title, let blocks):
      [
        "folded": [
          "title": title, "parts": blocks.enumerated().map { Self.block($1, "\(id)-\($0)") },
        ] as [String: Any]
      ]
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

  /// How verdicts look.
  private static let kinds = ["yes": "yes", "no": "no", "open": "open"]

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
          "cells": zip(table.columns, cells).dropFirst().map { column, cell -> [String: Any] in
            var entry: [String: Any] = ["text": cell.text, "label": column]
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
    func content(_ svg: [UInt8], _ suffix: String) -> [String: Any] {
      let width = figure.narrow == nil ? "" : suffix.isEmpty ? "wide" : "narrow"
      var entry: [String: Any] = [
        "label": figure.caption.isEmpty ? figure.description : figure.caption,
        "description": figure.description, "width": width,
      ]
      if figure.isGraph {
        entry["graph"] = ["svg": InlineSVG.text(svg, id: figure.id + suffix)]
      } else {
        entry["picture"] = ["data": Data(svg).base64EncodedString()]
      }
      return entry
    }
    var entry: [String: Any] = [
      "id": figure.id, "half": figure.isHalf,
      "sizes": [content(figure.svg, "")] + (figure.narrow.map { [content($0, "-narrow")] } ?? []),
    ]
    if !figure.caption.isEmpty { entry["caption"] = figure.caption }
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
    <section id="{{anchor}}" aria-labelledby="{{anchor}}-title"{{#overview}} class="overview"{{/overview}}>
    <h2 id="{{anchor}}-title">{{title}}</h2>
    {{#blocks}}
    {{> block}}
    {{#folded}}<details><summary>{{title}}</summary>
    {{#parts}}
    {{> block}}
    {{/parts}}
    </details>{{/folded}}
    {{/blocks}}
    </section>
    {{/sections}}
    </main>
    <footer><p>{{colophon}}</p></footer>
    <script>{{{script}}}</script>
    </body>
    </html>

    """
    // A block is the same alone and folded, a figure alone and among others.
    .replacing("{{> block}}", with: blockTemplate)
    .replacing("{{> figure}}", with: figureTemplate)

  private static let blockTemplate = """
    {{#heading}}<h3>{{text}}</h3>{{/heading}}
    {{#paragraph}}<p>{{text}}</p>{{/paragraph}}
    {{#statements}}<dl class="statements">{{#all}}<div><dt>{{label}}</dt><dd>{{text}}</dd></div>{{/all}}</dl>{{/statements}}
    {{#verdicts}}<div class="verdicts"><p>{{question}}</p><ul>\
    {{#all}}<li class="{{kind}}"><b>{{answer}}</b> <span>{{text}}</span></li>{{/all}}</ul></div>{{/verdicts}}
    {{#list}}<ul>{{#items}}<li>{{text}}</li>{{/items}}</ul>{{/list}}
    {{#table}}
    <div class="table" role="region" aria-label="{{caption}}" tabindex="0"><table>
    <caption>{{caption}}</caption>
    <thead><tr>{{#columns}}<th scope="col"{{#word}} class="word"{{/word}}>{{text}}</th>{{/columns}}</tr></thead>
    <tbody>
    {{#rows}}<tr><th scope="row">{{head}}</th>{{#cells}}<td data-label="{{label}}"{{#number}} data-number="{{.}}"{{/number}}\
    {{#word}} class="word"{{/word}}{{#shade}} class="shaded" style="--shade:{{.}}"{{/shade}}>{{text}}</td>{{/cells}}</tr>
    {{/rows}}
    </tbody></table></div>
    {{#note}}<p class="note">{{.}}</p>{{/note}}
    {{/table}}
    {{#figure}}{{> figure}}{{/figure}}
    {{#choice}}<div class="choice" data-label="{{label}}" data-id="{{id}}">{{#figures}}{{> figure}}{{/figures}}</div>{{/choice}}
    """

  private static let figureTemplate =
    "<figure id=\"figure-{{id}}\"{{#half}} class=\"half\"{{/half}}>{{#sizes}}<div class=\"{{#graph}}graph{{/graph}} {{width}}\""
    + "{{#graph}} role=\"region\" aria-label=\"{{label}}\" tabindex=\"0\">{{{svg}}}</div>{{/graph}}"
    + "{{#picture}}><img alt=\"{{description}}\" src=\"data:image/svg+xml;base64,{{data}}\"></div>{{/picture}}"
    + "{{/sizes}}{{#caption}}<figcaption>{{.}}</figcaption>{{/caption}}</figure>"
}
