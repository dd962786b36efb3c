extension Exploration {
  static let style = """
    :root, .light { color-scheme: light; --faint: #595959; --paper: #fff; --line: #d5d9dd; --band: #f4f6f8;
      --accent: #00598c; --dim: #bbb; --unit: #444; --unit-fill: #d5d9dd; }
    @media screen and (prefers-color-scheme: dark) { :root { color-scheme: dark; --ink: #e8e8e8; --faint: #b4b4b4;
      --paper: #16181b; --line: #3a3f45; --band: #1f2327; --accent: #7cc4f0; --dim: #565b61; --unit: #c2c7cc;
      --unit-fill: #4a4f55; --positive: #5db4ea; --negative: #f08a3c; --mixed: #cf9ac4; --state-fill: #1d3346;
      --state: #6eaee0; --input-fill: #402d10; --input: #e2a248; --observable-fill: #2e3135; --observable: #a5abb1;
      --output-fill: #123a2d; --output: #55c3a0; } }
    * { box-sizing: border-box; }
    body { margin: 0 auto; max-width: 110rem; padding: 1rem 1.2rem 2rem; color: var(--ink); background: var(--paper);
      font: 15px/1.45 "Liberation Sans", Arial, Helvetica, "DejaVu Sans", sans-serif; overflow-wrap: anywhere; }
    h1 { font-size: 1.5rem; line-height: 1.2; margin: 0; }
    h2 { font-size: 1.1rem; margin: 0 0 .5rem; line-height: 1.3; }
    h3 { font-size: .95rem; margin: .9rem 0 .3rem; }
    #summary, #left, #rows { margin: .2rem 0 .6rem; color: var(--faint); }
    #left { color: var(--ink); font-weight: bold; min-height: 1.45em; }
    button, select, input { font: inherit; color: inherit; }
    button, select, input[type=search] { background: var(--band); border: 1px solid var(--line); border-radius: 4px;
      padding: .25rem .6rem; min-height: 2rem; max-width: 100%; }
    button { cursor: pointer; }
    button:hover { border-color: var(--accent); }
    :focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
    #tools { display: flex; flex-wrap: wrap; gap: .5rem 1.1rem; align-items: end; margin-top: .6rem; }
    .field { display: flex; flex-direction: column; gap: .15rem; min-width: 0; position: relative; }
    .field label { font-size: .82rem; color: var(--faint); }
    .slide { flex: 1 1 14rem; }
    .slide input { width: 100%; accent-color: var(--accent); min-height: 2rem; margin: 0; }
    #at { color: var(--ink); font-variant-numeric: tabular-nums; }
    #found { position: absolute; top: 100%; left: 0; z-index: 3; margin: .2rem 0 0; padding: .3rem; list-style: none;
      background: var(--paper); border: 1px solid var(--line); border-radius: 4px; width: max-content;
      max-width: min(24rem, 90vw); box-shadow: 0 3px 10px #0004; }
    #found button { border: 0; background: none; text-align: left; width: 100%; }
    #found button:hover, #found button:focus-visible { background: var(--band); }
    #found li { padding: 0 .3rem; }
    #stage { display: grid; grid-template-columns: minmax(0, 1fr) minmax(19rem, 24rem); gap: 1rem;
      height: max(26rem, calc(100vh - 12.5rem)); }
    #map { position: relative; border: 1px solid var(--line); border-radius: 6px; overflow: hidden; min-width: 0; }
    #map canvas { position: absolute; inset: 0; width: 100%; height: 100%; touch-action: none; }
    #map canvas:focus-visible { outline-offset: -2px; }
    #over { pointer-events: none; }
    #zoom { position: absolute; right: .5rem; bottom: .5rem; display: flex; gap: .25rem; }
    #zoom button { background: var(--paper); min-width: 2.2rem; }
    #tip { position: absolute; z-index: 2; max-width: 22rem; padding: .2rem .5rem; background: var(--paper);
      border: 1px solid var(--line); border-radius: 4px; font-size: .85rem; pointer-events: none; }
    #panel { border: 1px solid var(--line); border-radius: 6px; padding: .8rem .9rem; overflow-y: auto; min-width: 0; }
    #pins { display: flex; flex-wrap: wrap; gap: .3rem; }
    #pins:not(:empty) { margin-bottom: .6rem; }
    .chip { border-radius: 1rem; border-color: var(--accent); }
    dl { margin: .4rem 0; font-size: .9rem; font-variant-numeric: tabular-nums; }
    dl div { display: flex; justify-content: space-between; gap: 1rem; padding: .12rem 0;
      border-bottom: 1px solid var(--line); }
    dt { color: var(--faint); flex: 0 0 auto; max-width: 50%; overflow-wrap: normal; }
    dd { margin: 0; text-align: right; flex: 0 1 auto; }
    .note { color: var(--faint); font-size: .85rem; }
    .rises { color: var(--positive); }
    .falls { color: var(--negative); }
    .pairs, .names, .routes, .legend, .inline { list-style: none; margin: .2rem 0; padding: 0; font-size: .9rem; }
    .pairs li { display: flex; flex-wrap: wrap; align-items: center; gap: .1rem .5rem; padding: .12rem 0; }
    .pairs button, .routes button { text-align: left; padding: .1rem .45rem; min-height: 1.7rem; }
    .pairs .value { flex: 1 1 4rem; text-align: right; font-variant-numeric: tabular-nums; }
    .names { display: flex; flex-wrap: wrap; gap: .3rem; }
    .names button { padding: .1rem .5rem; min-height: 1.7rem; }
    .routes { list-style: decimal; padding-left: 1.3rem; }
    .routes li { margin: .25rem 0; }
    .routes .note { display: block; }
    button[aria-pressed=true] { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
    .inline li { display: inline-block; margin-right: .9rem; font-variant-numeric: tabular-nums; }
    .legend { color: var(--faint); }
    .legend li { display: inline-block; margin-right: 1rem; }
    .sample { width: 30px; height: 8px; margin-right: .35rem; }
    .sample line { stroke-width: 2.5; }
    .sample .positive { stroke: var(--positive); }
    .sample .negative { stroke: var(--negative); stroke-dasharray: 6 4; }
    .sample .mixed { stroke: var(--mixed); }
    .sample .dotted { stroke: var(--faint); stroke-dasharray: 1.5 3; }
    figure { margin: .3rem 0; }
    figcaption { color: var(--faint); font-size: .82rem; }
    .curve { display: block; width: 100%; height: auto; }
    .curve.small { width: 84px; height: 26px; flex: none; }
    .curve polyline { fill: none; stroke: var(--state); stroke-linejoin: round; }
    .curve polyline.input { stroke: var(--input); }
    .curve polyline.observable { stroke: var(--observable); }
    .curve .mean { stroke-width: 2; }
    .curve .member { stroke-width: .9; opacity: .5; }
    .curve .zero { stroke: var(--line); }
    .curve .frame { fill: none; stroke: var(--line); }
    .curve text { fill: var(--faint); font-size: 11px; font-family: inherit; }
    #tables, #notes { margin-top: 1.6rem; }
    #tables .field { flex-direction: row; align-items: center; gap: .5rem; }
    #rows { margin-top: .5rem; }
    .table { overflow-x: auto; max-height: 40rem; overflow-y: auto; border: 1px solid var(--line); border-radius: 6px; }
    table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; width: 100%; }
    th, td { padding: .15rem .6rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
    th { font-weight: normal; }
    thead th { position: sticky; top: 0; background: var(--paper); }
    thead button { border: 0; background: none; font-weight: bold; padding: 0; }
    th.word, td.word, th[scope=row] { text-align: left; }
    th[scope=row] button { border: 0; background: none; padding: 0; text-decoration: underline; text-align: left;
      min-height: 1.6rem; text-decoration-color: var(--line); }
    th[aria-sort=ascending] button::after { content: " \\25B2"; }
    th[aria-sort=descending] button::after { content: " \\25BC"; }
    #more { margin-top: .6rem; }
    #notes ul { padding-left: 1.2rem; margin: 0; font-size: .9rem; color: var(--faint); }
    .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    #print { display: none; }
    @media (max-width: 52rem) {
      body { padding: .8rem; }
      #stage { display: block; height: auto; }
      #map { height: 60vh; min-height: 18rem; }
      #panel { margin-top: .8rem; overflow: visible; }
      .field { flex: 1 1 8rem; }
      .find, .slide { flex-basis: 100%; }
      .field button { align-self: start; }
      button, select, input[type=search] { min-height: 2.6rem; }
      .pairs button, .names button, .routes button { min-height: 2.2rem; }
    }
    @media print {
      :root { --ink: #000; --faint: #444; --line: #bbb; }
      body { max-width: none; padding: 0; font-size: 10pt; }
      #tools, #map, #pins, #more, #tables .field, .screen, .names { display: none; }
      #print { display: block; margin: .5rem 0 1rem; }
      #print svg { display: block; width: 100%; height: auto; max-height: 21cm; }
      #stage { display: block; height: auto; }
      #panel { overflow: visible; padding: .5rem; }
      figure { max-width: 9cm; }
      .table { overflow: visible; max-height: none; border: 0; }
      table { font-size: 7.5pt; }
      th, td { padding: .1rem .3rem; }
      thead th { position: static; }
      tr, figure, .pairs li { break-inside: avoid; }
      button { border: 0; background: none; padding: 0; min-height: 0; }
      .chip { display: none; }
    }
    """
}
