import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// Drawings as a browser and a reader of PDF see them. These need Chromium and pdftotext, which Scripts/test
/// installs; it names the browser in FILIGREE_BROWSER.
@Suite(
  .enabled(if: Shell.browser != nil, "FILIGREE_BROWSER names no Chromium"), .serialized)
struct BrowserTests {
  static let kinds = [
    "network": "filigree-draw cell --data cell.nc",
    "layers": "filigree-draw cell --layout layers",
    "dot": "filigree-draw cell --layout dot",
    "bath": "filigree-draw cell --focus-output T_bath --strongest 3 --crop",
    "dense": "filigree-draw cell-dense",
    "gallery": "filigree-draw cell --kind gallery",
    "dependency": "filigree-draw cell --kind dependency --data cell.nc",
    "circle": "filigree-draw cell --kind dependency --layout circle --data cell.nc",
    "judged": "filigree-draw cell --kind dependency --plant electrolysis --data cell.nc",
    "consensus": "filigree-draw cell --kind consensus",
    "difference": "filigree-draw cell-dense cell --kind difference --data cell.nc",
  ]

  /// Networks of the electrolysis cell, made once.
  private static let cell = Task {
    let shell = try Shell()
    let made = try await shell.bash(
      "filigree-simulate --trajectories 4 --samples 1500 --output cell.nc && "
        + "filigree-train cell.nc --members 3 --recipe proximal --epochs 20 --output cell && "
        + "filigree-train cell.nc --members 2 --recipe dense --epochs 2 --output cell-dense")
    guard made.code == 0 else { throw WorkshopFailure(text: made.error) }
    return shell
  }

  /// All text lies within the picture, no two texts cover each other, text in a box keeps inside it, nothing is
  /// asked of a network, and the console stays empty.
  @Test(arguments: kinds.keys.sorted())
  func nothingIsClippedOrCovered(kind: String) async throws {
    let shell = try await Self.cell.value
    let command = try #require(Self.kinds[kind])
    let drawn = try await shell.bash("\(command) --output \(kind).svg")
    #expect(drawn.code == 0, "\(drawn.error)")
    let page = try await shell.measured(svg: "\(kind).svg")
    #expect(page.outside == [] && page.overlapping == [] && page.overflowing == [])
    #expect(page.texts > 5 && page.role == "img" && page.scripts == 0 && page.links == 0)
    #expect(!page.name.isEmpty && !page.description.isEmpty)
  }

  static let names = [
    "quote \"x\"", "back\\slash\\", "a<b>&amp;</text>", "<script>alert(1)</script>", "日本語の名前",
    "שלום עולם", "درجة الحرارة", "", "line\nbreak", "'; DROP TABLE",
    String(repeating: "very long name ", count: 14),
  ]

  /// A table whose columns have names of every kind, a model of it, and all that can be drawn.
  private static let odd = Task {
    let shell = try Shell()
    var csv = "trajectory,time"
    for name in names { csv += ",\"\(name.replacing("\"", with: "\"\""))\"" }
    for sample in 0..<150 {
      let values = names.indices.map { "\(sin(0.05 * Double(sample * ($0 + 1)) + Double($0)))" }
      csv += "\n0,\(sample)," + values.joined(separator: ",")
    }
    try shell.write(csv + "\n", to: "odd.csv")
    let made = try await shell.bash(
      "filigree-train odd.csv --recipe proximal --members 2 --epochs 3 --hidden 3 --output odd")
    guard made.code == 0 else { throw WorkshopFailure(text: made.error) }
    return shell
  }

  @Test(arguments: ["network", "dependency", "consensus", "gallery"])
  func namesOfEveryKindAreShownAndInjectNothing(kind: String) async throws {
    let shell = try await Self.odd.value
    let drawn = try await shell.bash(
      "filigree-draw odd --kind \(kind) --threshold 0 --data odd.csv --output \(kind).svg && "
        + "filigree-draw odd --kind \(kind) --threshold 0 --data odd.csv --output \(kind).pdf")
    #expect(drawn.code == 0, "\(drawn.error)")
    let page = try await shell.measured(svg: "\(kind).svg")
    #expect(page.outside == [] && page.overlapping == [] && page.overflowing == [])
    #expect(page.scripts == 0 && page.links == 0)
    let shown = page.contents.joined(separator: "\n").replacing("\u{A0}", with: " ")
    for name in ["quote \"x\"", "back\\slash\\", "日本語の名前", "שלום עולם"] {
      #expect(shown.contains(name) || kind == "gallery", "\(name)")
    }
    #expect(kind == "gallery" || shown.contains("very long") && shown.contains("…"))
    let text = try await shell.start("/usr/bin/pdftotext", ["\(kind).pdf", "-"])
    #expect(text.code == 0 && text.output.contains("日本"))
    let fonts = try await shell.start("/usr/bin/pdffonts", ["\(kind).pdf"])
    let lines = fonts.output.split(separator: "\n").dropFirst(2)
    // Columns: name, type, encoding, embedded, …
    #expect(!lines.isEmpty && lines.allSatisfy { $0.contains(" yes yes ") }, "\(fonts.output)")
  }

  @Test func aPDFHoldsTheNamesAsText() async throws {
    let shell = try await Self.cell.value
    let drawn = try await shell.bash("filigree-draw cell --title 'A cell' --output cell.pdf")
    #expect(drawn.code == 0, "\(drawn.error)")
    let text = try await shell.start("/usr/bin/pdftotext", ["cell.pdf", "-"])
    for name in ["A cell", "m_Al2O3", "d/dt T_bath", "h_acd [m]", "weights"] {
      #expect(text.output.contains(name), "\(name)")
    }
  }
}

extension Shell {
  /// Chromium, where the caller provides it.
  static let browser = ProcessInfo.processInfo.environment["FILIGREE_BROWSER"]

  /// What a browser made of an SVG in a page.
  struct Measured: Decodable {
    var texts: Int
    var contents: [String]
    var outside: [String]
    var overlapping: [String]
    var overflowing: [String]
    var role: String
    var name: String
    var description: String
    var scripts: Int
    var links: Int
  }

  func measured(svg name: String) async throws -> Measured {
    let svg = try text(name)
    let root = try #require(svg.range(of: "<svg"))
    let script = try String(contentsOfFile: Fixture.path("scripts/measure_svg.js"), encoding: .utf8)
    try write(
      "<!doctype html><meta charset=\"utf-8\"><body style=\"margin:0\">\(svg[root.lowerBound...])"
        + "<pre id=\"measured\"></pre><script>\(script)</script></body>", to: "\(name).html")
    let dom = try await browse("\(name).html")
    let begin = try #require(dom.range(of: "<pre id=\"measured\">"))
    let end = try #require(dom[begin.upperBound...].range(of: "</pre>"))
    // The script writes its result in Base64, which no parser touches.
    let encoded = String(dom[begin.upperBound..<end.lowerBound])
    let data = try #require(Data(base64Encoded: encoded), "\(encoded.prefix(200))")
    return try JSONDecoder().decode(Measured.self, from: data)
  }

  /// The document after its scripts have run; fails the test where the console is not empty.
  func browse(_ page: String, _ options: [String] = []) async throws -> String {
    let result = try await start(
      try #require(Self.browser),
      [
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-extensions",
        "--user-data-dir=\(path("profile-\(UUID().uuidString)"))", "--enable-logging=stderr",
        "--virtual-time-budget=20000", "--dump-dom",
      ] + options + ["file://\(path(page))"])
    #expect(result.code == 0)
    #expect(!result.error.contains("CONSOLE"), "\(result.error)")
    return result.output
  }
}
