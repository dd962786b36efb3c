/// How a report looks: on a wide screen, on a phone, in the dark, on paper.
enum ReportStyle {
  static let text = """
    :root { color-scheme: light dark; --ink: #1a1a1a; --faint: #595959; --paper: #fff; --line: #d5d9dd;
      --accent: #00598c; --band: #f4f6f8; --shade-colour: 0, 114, 178; --yes: #00694f; --no: #a63d00; --open: #595959; }
    @media (prefers-color-scheme: dark) { :root { --ink: #e8e8e8; --faint: #b4b4b4; --paper: #171717;
      --line: #3d3f42; --accent: #7cc4f0; --band: #202224; --shade-colour: 86, 180, 233; --yes: #5fd0ae;
      --no: #f0a06a; --open: #b4b4b4; } }
    * { box-sizing: border-box; }
    body { margin: 0 auto; max-width: 76rem; padding: 1.5rem; color: var(--ink); background: var(--paper);
      font: 16px/1.5 "Liberation Sans", Arial, Helvetica, "DejaVu Sans", sans-serif; overflow-wrap: anywhere; }
    h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; }
    h2 { font-size: 1.35rem; margin: 2.5rem 0 .8rem; border-bottom: 1px solid var(--line); padding-bottom: .2rem; }
    h3 { font-size: 1.05rem; margin: 1.6rem 0 .3rem; }
    p { max-width: 62rem; }
    h3 + p { margin-top: 0; }
    a { color: var(--accent); }
    header p { margin: .3rem 0; color: var(--faint); }
    nav ul { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; list-style: none; padding: 0; margin: .6rem 0; }
    .overview h2 { margin-top: 1rem; }
    .statements { margin: .4rem 0 1rem; }
    .statements div { margin-bottom: .55rem; }
    .statements dt { font-weight: bold; color: var(--faint); font-size: .88rem; }
    .statements dd { margin: 0; }
    .verdicts p { font-weight: bold; margin: .4rem 0 .2rem; }
    .verdicts ul { list-style: none; margin: 0 0 1rem; padding: 0; }
    .verdicts li { display: flex; gap: .6rem; align-items: baseline; padding: .15rem 0; border-top: 1px solid var(--line); }
    .verdicts b { flex: 0 0 3.6rem; text-align: center; border: 1px solid; border-radius: 3px; font-size: .82rem; }
    .verdicts .yes b { color: var(--yes); } .verdicts .no b { color: var(--no); }
    .verdicts .open b, .verdicts .other b { color: var(--open); border-style: dashed; }
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
    th button:focus-visible, select:focus-visible, summary:focus-visible { outline: 2px solid var(--accent); }
    th[aria-sort=ascending] button::after { content: " \\25B2"; }
    th[aria-sort=descending] button::after { content: " \\25BC"; }
    .note, figcaption, footer { color: var(--faint); font-size: .88rem; }
    details { margin: 1rem 0; border-left: 3px solid var(--line); padding-left: .8rem; }
    summary { cursor: pointer; font-weight: bold; color: var(--accent); }
    figure { margin: 1.2rem 0; }
    figure img { display: block; max-width: 100%; height: auto; }
    figure .narrow { display: none; }
    figcaption { margin-top: .2rem; }
    figure.half { display: inline-block; vertical-align: top; width: calc(50% - .6rem); margin-right: .5rem; }
    figure .graph { overflow: auto; max-height: 100rem; }
    .graph svg { display: block; max-width: 100%; height: auto; }
    .lit { min-height: 1.3em; margin: 0; font-size: .85rem; color: var(--faint); }
    .choice label { font-weight: bold; margin-right: .5rem; }
    .choice select { max-width: 100%; }
    .choice figure[hidden] { display: none; }
    .graph g.edge path { transition: opacity .1s; }
    .graph g.node:not(.text):not(.label), .graph g.edge { cursor: pointer; }
    .graph.tracing g.edge:not(.on):not(.legend):not(.divider) { opacity: .06; }
    .graph.tracing g.node:not(.on):not(.text):not(.legend) { opacity: .3; }
    .graph.tracing g.node.label:not(.on) { opacity: .06; }
    @media screen and (prefers-color-scheme: dark) {
      figure img, .graph svg { filter: invert(.91) hue-rotate(180deg); }
    }
    @media screen and (min-width: 60rem) {
      .overview { columns: 2; column-gap: 2rem; }
      .overview h2 { column-span: all; }
      .overview > figure { margin: 0 0 1rem; break-inside: avoid; }
      .overview > figure:first-of-type { break-before: column; }
    }
    @media screen and (max-width: 600px) {
      body { padding: 1rem .75rem; font-size: 15px; }
      h1 { font-size: 1.4rem; }
      nav { display: none; }
      .overview { display: flex; flex-direction: column; }
      figure.half { display: block; width: auto; margin-right: 0; }
      .overview h2, .overview .verdicts { order: -1; }
      figure:has(.narrow) .wide { display: none; }
      figure .narrow { display: block; }
      .table { overflow: visible; }
      table, caption, tbody, tr, th, td { display: block; }
      thead { display: none; }
      tr { border: 1px solid var(--line); border-radius: 4px; margin-bottom: .6rem; padding: .2rem .5rem; }
      th[scope=row] { font-weight: bold; white-space: normal; }
      td, td.word { display: flex; justify-content: space-between; gap: 1rem; padding: .12rem .6rem; white-space: normal;
        text-align: right; border: 0; }
      td::before { content: attr(data-label); color: var(--faint); text-align: left; }
    }
    @media print {
      @page { size: A4; margin: 13mm 12mm; }
      :root { color-scheme: light; --ink: #000; --faint: #444; --paper: #fff; --band: #f4f6f8; --line: #bbb;
        --accent: #00598c; --yes: #00694f; --no: #a63d00; --open: #595959; }
      body { max-width: none; padding: 0; font-size: 9.5pt; line-height: 1.35; }
      h1 { font-size: 16pt; } h2 { font-size: 13pt; margin: 1.1rem 0 .4rem; } h3 { font-size: 10.5pt; margin: .7rem 0 .1rem; }
      p { margin: .35rem 0; } figure { margin: .5rem 0; }
      nav, .choice label, .choice select, .lit { display: none; }
      .choice figure[hidden] { display: block; }
      details { border: 0; padding: 0; margin: .2rem 0; break-inside: avoid; }
      details[open] { break-inside: auto; }
      details:not([open]) > summary { font-weight: normal; color: var(--faint); }
      details:not([open]) > summary::after { content: " (folded)"; }
      table { font-size: 7.5pt; }
      th, td, th[scope=row] { padding: .1rem .3rem; white-space: normal; }
      .table { overflow: visible; margin: .5rem 0 .2rem; break-inside: avoid; }
      thead, tr, figure, .statements, .verdicts li { break-inside: avoid; }
      section { orphans: 1; widows: 1; } p, li, dd { orphans: 2; widows: 2; }
      h2, h3, caption, h3 + p { break-after: avoid; }
      h3 + p { break-inside: avoid; }
      figure .graph { max-height: none; overflow: visible; }
      .graph svg, figure img { max-height: 11cm; width: auto; max-width: 100%; }
      .overview .graph svg { max-height: 7.4cm; }
      .overview figure img { max-height: 3.9cm; }
      .verdicts li { padding: 0; } .statements div { margin-bottom: .3rem; }
      .overview figure { margin: .2rem 0; }
      figure.half { width: 49%; margin-right: .4%; }
      figcaption, .note { font-size: 8pt; }
    }
    """
}
