extension Exploration {
  /// The page's script: its parts share one scope, each uses what stands before it. It is plain JavaScript: the drawing is
  /// a few hundred lines on a canvas, for which a library would be ten times as large as the page.
  static let script =
    "\"use strict\";\n(() => {\n"
    + [modelScript, stateScript, canvasScript, panelScript, tableScript, exportScript, useScript]
    .joined(separator: "\n") + "\n})();"
}
