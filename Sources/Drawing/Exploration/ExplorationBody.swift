extension Exploration {
  /// What stands on the page before its script fills it.
  ///
  /// - Parameter title: escaped.
  static func body(title: String) -> String {
    """
    <body>
    <header><h1>\(title)</h1><p id="summary"></p></header>
    <div id="print"></div>
    <noscript><p>This page needs scripts to be shown; it loads nothing and sends nothing. Pictures that need none are \
    made by filigree-draw with an output that ends in .svg or .pdf.</p></noscript>
    <main>
    <section id="tools" aria-label="What is shown">
    <div class="field"><label for="view">Show</label><select id="view"></select></div>
    <div class="field"><label for="measure">Threshold of</label><select id="measure"></select></div>
    <div class="field slide"><label for="threshold">At least <span id="at"></span></label>\
    <input type="range" id="threshold" min="0" max="1000" step="1" value="0" aria-describedby="left"></div>
    <div class="field find"><label for="search">Find</label>\
    <input type="search" id="search" autocomplete="off" spellcheck="false" placeholder="a name" aria-controls="found">\
    <ul id="found" aria-label="Names found" hidden></ul></div>
    <div class="field"><button type="button" id="export">Save as SVG</button></div>
    </section>
    <p id="left" role="status"></p>
    <div id="stage">
    <div id="map"><canvas id="canvas" tabindex="0" role="application"></canvas><canvas id="over" aria-hidden="true"></canvas>
    <div id="zoom"><button type="button" id="closer" aria-label="Zoom in" title="Zoom in">+</button>\
    <button type="button" id="farther" aria-label="Zoom out" title="Zoom out">−</button>\
    <button type="button" id="fit">Whole</button></div>
    <div id="tip" hidden></div></div>
    <aside id="panel" aria-labelledby="told-title" tabindex="0">
    <div id="pins"></div><h2 id="told-title"></h2><div id="told"></div></aside>
    </div>
    <section id="tables" aria-labelledby="tables-title"><h2 id="tables-title">The same as a table</h2>
    <div class="field"><label for="table">Rows</label><select id="table"><option value="pairs">pairs</option>\
    <option value="edges">edges</option></select></div>
    <p id="rows"></p>
    <div class="table" role="region" aria-label="Rows of the table" tabindex="0"><table><thead></thead><tbody></tbody></table></div>
    <button type="button" id="more" hidden></button></section>
    <section id="notes" aria-labelledby="notes-title"><h2 id="notes-title">What this page holds</h2><ul></ul></section>
    </main>
    <div id="spoken" class="unseen" role="status"></div>
    <div id="paper" class="light" hidden></div>
    </body>
    """
  }
}
