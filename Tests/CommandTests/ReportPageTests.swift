import Foundation
import TestSupport
import Testing

/// The report of a study in a real browser.
@Suite(
  .enabled(if: Shell.browser != nil, "FILIGREE_BROWSER names no Chromium"), .serialized)
struct ReportPageTests {
  /// A small study whose names and title are markup, if they are let.
  private static let study = Task {
    let shell = try Shell()
    try shell.write(
      """
      title: "Study of <b>two</b> & {{more}}"
      plant: duffing
      train: {trajectories: 4, samples: 400, seed: 1}
      test: {trajectories: 4, samples: 200, seed: 9}
      noise: [0, 0.001]
      sizes: [2, 4]
      members: 3
      horizons: [20, 50, 200]
      compare: {reference: dense, sparse: {cut: 1e-2, sparse: 0}}
      recipes:
        dense: {recipe: dense, hidden: [6, 5], epochs: 3}
        cut: {recipe: dense, hidden: [6, 5], epochs: 3, cuts: [0, 1e-2]}
        sparse: {hidden: 4, steps: 200}
      """, to: "plan.yaml")
    let made = try await shell.bash("filigree-study run plan.yaml --output study")
    guard made.code == 0 else { throw WorkshopFailure(text: made.error) }
    return shell
  }

  /// The page with a script after it whose result is read back.
  private func run<Value: Decodable>(
    _ script: String, as type: Value.Type, of file: String = "study/report.html", width: Int? = nil
  ) async throws -> Value {
    let shell = try await Self.study.value
    let page = try shell.text(file)
    let name = "page-\(UUID().uuidString).html"
    let whole = page.replacing(
      "</body>",
      with: (width == nil ? "<pre id=\"measured\"></pre>" : "")
        + "<script>\(script)</script></body>")
    if let width {
      // A window is at least 500 pixels wide, a frame may be as narrow as a phone.
      let source = whole.replacing("&", with: "&amp;").replacing("\"", with: "&quot;")
      try shell.write(
        "<!doctype html><meta charset=\"utf-8\"><iframe style=\"width:\(width)px;height:800px;border:0\" "
          + "srcdoc=\"\(source)\"></iframe><pre id=\"measured\"></pre>", to: name)
    } else {
      try shell.write(whole, to: name)
    }
    let dom = try await shell.browse(name)
    let begin = try #require(dom.range(of: "<pre id=\"measured\">", options: .backwards))
    let end = try #require(dom[begin.upperBound...].range(of: "</pre>"))
    let data = try #require(Data(base64Encoded: String(dom[begin.upperBound..<end.lowerBound])))
    return try JSONDecoder().decode(type, from: data)
  }

  private static let tell = """
    const tell = (value) => {
      const bytes = new TextEncoder().encode(JSON.stringify(value));
      (document.getElementById("measured") || parent.document.getElementById("measured")).textContent =
        btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(""));
    };
    """

  struct Page: Decodable {
    var title: String
    var sections: [String]
    var tables: Int
    var figures: Int
    var broken: Int
    var foreign: [String]
    var policy: String
    var duplicates: [String]
    var wide: Bool
  }

  @Test func thePageIsWholeAndNeedsNothing() async throws {
    let page = try await run(
      Self.tell + """
        addEventListener("load", () => {
          const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
          tell({
            title: document.title,
            sections: [...document.querySelectorAll("h2")].map((h) => h.textContent),
            tables: document.querySelectorAll("table").length,
            figures: document.querySelectorAll("figure").length,
            broken: [...document.images].filter((i) => !(i.complete && i.naturalWidth > 0)).length,
            foreign: [...document.querySelectorAll("[src], [href]")]
              .map((e) => e.getAttribute("src") || e.getAttribute("href"))
              .filter((a) => !a.startsWith("#") && !a.startsWith("data:")),
            policy: document.querySelector("meta[http-equiv]").content,
            duplicates: ids.filter((id, index) => ids.indexOf(id) !== index),
            wide: document.documentElement.scrollWidth > innerWidth,
          });
        });
        """, as: Page.self)
    #expect(page.title == "Study of <b>two</b> & {{more}}")
    #expect(
      page.sections == [
        "At a glance", "What drives what", "Forecasts", "Agreement", "Recipes compared",
        "Measurement noise", "What the data cannot tell", "How it was made",
      ])
    #expect(page.tables >= 9 && page.figures >= 8 && page.broken == 0)
    #expect(page.foreign == [] && page.duplicates == [] && !page.wide)
    #expect(page.policy.hasPrefix("default-src 'none'"))
  }

  struct Use: Decodable {
    var order: [Double]
    var reversed: [Double]
    var sorted: String
    var shown: [Int]
    var lit: Int
    var edges: Int
    var isTracing: Bool
    var after: Int
  }

  @Test func tablesSortFiguresSwitchAndPathsComeOut() async throws {
    let use = try await run(
      Self.tell + """
        const table = [...document.querySelectorAll("table")].find((t) => t.caption.textContent === "Surviving weights");
        const column = 2;
        const head = table.tHead.rows[0].cells[column];
        const values = () => [...table.tBodies[0].rows].map((r) => Number(r.cells[column].dataset.number));
        head.querySelector("button").click();
        const order = values();
        const sorted = head.getAttribute("aria-sort");
        head.querySelector("button").click();
        const reversed = values();
        const choice = document.querySelector(".choice");
        const visible = () => [...choice.querySelectorAll("figure")].filter((f) => !f.hidden).length;
        const select = choice.querySelector("select");
        const shown = [visible()];
        select.value = "1";
        select.dispatchEvent(new Event("change"));
        shown.push(visible());
        const graph = document.querySelector("#figure-member-best .graph");
        const edges = [...graph.querySelectorAll("g.edge:not(.legend)")];
        edges[0].dispatchEvent(new PointerEvent("pointerenter"));
        const lit = graph.querySelectorAll("g.edge.on").length;
        const isTracing = graph.classList.contains("tracing");
        edges[0].dispatchEvent(new PointerEvent("pointerleave"));
        tell({ order, reversed, sorted, shown, lit, edges: edges.length, isTracing,
          after: graph.querySelectorAll(".on").length });
        """, as: Use.self)
    #expect(use.order.count >= 6 && use.order == use.order.sorted())
    #expect(use.reversed == Array(use.order.sorted().reversed()) && use.sorted == "ascending")
    #expect(use.shown == [1, 1])
    #expect(use.isTracing && use.lit >= 1 && use.lit < use.edges && use.after == 0)
  }

  struct Pinned: Decodable {
    var copies: Int
    var litCopies: Int
    var numbers: Int
    var told: String
    var keeps: Bool
    var pinned: String
    var afterEscape: Int
  }

  /// All copies of an input come out together, their numbers stay, and a click keeps them.
  @Test func whatIsLitKeepsItsNumbersAndAClickPins() async throws {
    let pinned = try await run(
      Self.tell + """
        const graph = document.querySelector("#figure-member-best .graph");
        const inputs = [...graph.querySelectorAll("g.node")].filter((n) => /input-0$/.test(n.dataset.node || ""));
        const enter = (e) => e.dispatchEvent(new PointerEvent("pointerenter"));
        const leave = (e) => e.dispatchEvent(new PointerEvent("pointerleave"));
        enter(inputs[0]);
        const result = { copies: inputs.length, litCopies: inputs.filter((n) => n.classList.contains("on")).length };
        leave(inputs[0]);
        const pairs = document.querySelector("#figure-dependency .graph");
        const edge = pairs.querySelector("g.edge[data-from]:not(.legend)");
        const told = pairs.querySelector(".lit");
        enter(edge);
        result.numbers = pairs.querySelectorAll("g.node.label.on").length;
        result.told = told.textContent;
        edge.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
        leave(edge);
        result.keeps = pairs.classList.contains("tracing") && edge.classList.contains("on");
        result.pinned = told.textContent;
        document.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
        result.afterEscape = document.querySelectorAll(".on").length;
        tell(result);
        """, as: Pinned.self)
    #expect(pinned.copies >= 2 && pinned.litCopies == pinned.copies)
    #expect(pinned.numbers >= 1 && pinned.told.contains("→"))
    #expect(pinned.keeps && pinned.pinned.hasSuffix("(pinned)") && pinned.afterEscape == 0)
  }

  struct Phone: Decodable {
    var width: Int
    var page: Int
    var sideways: [String]
    var first: String
    var shown: Int
  }

  /// On a phone nothing scrolls sideways, neither the page nor a part of it, and verdicts come first.
  @Test(arguments: ["study/report.html", "study/compare.html"])
  func itFitsAPhone(file: String) async throws {
    let shell = try await Self.study.value
    let made = try await shell.bash(
      "filigree-study compare study study --recipes dense,sparse --output study/compare.html --force >/dev/null"
    )
    #expect(made.code == 0, "\(made.error)")
    let phone = try await run(
      Self.tell + """
        addEventListener("load", () => {
          for (const folded of document.querySelectorAll("details")) folded.open = true;
          const all = [...document.querySelectorAll("body, main, section, div, p, td, th, figure, li")];
          const top = (e) => e.getBoundingClientRect().top;
          const blocks = [...document.querySelector(".overview").children].filter((e) => e.tagName !== "H2");
          blocks.sort((a, b) => top(a) - top(b));
          tell({ width: innerWidth, page: document.documentElement.scrollWidth,
            sideways: all.filter((e) => e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1)
              .map((e) => e.tagName + "." + e.className + " " + e.textContent.slice(0, 40)),
            first: blocks[0].className,
            shown: [...document.querySelectorAll(".narrow")].filter((e) => e.clientWidth > 0).length });
        });
        """, as: Phone.self, of: file, width: 390)
    #expect(phone.width == 390 && phone.page <= 390 && phone.sideways == [])
    #expect(phone.first == "verdicts" && phone.shown >= 2)
  }

  @Test func itPrintsAsWholePages() async throws {
    let shell = try await Self.study.value
    let (pages, text) = try await shell.printed("study/report.html")
    #expect((3...8).contains(pages))
    for part in [
      "At a glance", "What drives what", "How well it forecasts", "Recipes compared",
      "How it was made", "Made by",
    ] { #expect(text.contains(part), "\(part)") }
  }

  /// The shipped plan for data of one's own, on a plant of eight states: at most eight pages.
  @Test func thePlanForOnesOwnDataIsEightPages() async throws {
    let shell = try await Self.study.value
    let made = try await shell.bash(
      """
      mkdir own && cd own
      filigree-simulate --trajectories 8 --samples 2000 --seed 5 --output train.csv -q
      filigree-simulate --trajectories 3 --samples 2000 --seed 77 --output test.csv -q
      filigree-study plan own | sed -e 's/inputs: .*/inputs: [f_Al2O3, I_line, f_AlF3, f_tap, h_acd]/' \
        -e 's/members: 5/members: 2/' -e 's/sparse: {}/sparse: {steps: 200}/' \
        -e 's/dense: {recipe: smooth-dense}/dense: {recipe: smooth-dense, steps: 200}/' > own.yaml
      filigree-study run own.yaml --output own -q > /dev/null
      """)
    #expect(made.code == 0, "\(made.error)")
    let (pages, text) = try await shell.printed("own/own/report.html")
    #expect((3...8).contains(pages), "\(pages) pages")
    #expect(text.contains("d/dt T_bath"))
  }

  struct Violation: Decodable {
    var id: String
    var impact: String?
    var nodes: [String]
  }

  /// axe-core knows the rules of WCAG; dark and light.
  @Test(
    .enabled(if: Shell.axe != nil, "FILIGREE_PYTHON has no axe-core"), arguments: ["light", "dark"])
  func readersOfAllKindsCanUseIt(scheme: String) async throws {
    let axe = try String(contentsOfFile: try #require(Shell.axe), encoding: .utf8)
    let shade =
      scheme == "dark"
      ? "for (const s of document.styleSheets) for (const r of [...s.cssRules]) "
        + "if (r.media && r.media.mediaText.includes('dark')) r.media.mediaText = 'screen';" : ""
    let violations = try await run(
      Self.tell + axe.replacing("</script", with: "<\\/script") + "\n" + shade + """

        axe.run(document, { resultTypes: ["violations"] }).then((found) => tell(
          found.violations.map((v) => ({ id: v.id, impact: v.impact,
            nodes: v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200)) }))));
        """, as: [Violation].self)
    let serious = violations.filter { ["serious", "critical"].contains($0.impact ?? "") }
    #expect(serious.isEmpty, "\(serious)")
  }

  @Test func theSameStudyHasTheSameReport() async throws {
    let shell = try await Self.study.value
    let again = try await shell.bash(
      "filigree-study run plan.yaml --output again -q --threads 1 >/dev/null && "
        + "for f in report.html report.md members.csv recipes.csv; do cmp study/$f again/$f || exit 1; done; "
        + "diff -r study/figures again/figures")
    #expect(again.code == 0, "\(again.output) \(again.error)")
    #expect(try shell.text("study/provenance.md").contains("- seed: 1"))
  }

  /// One member agrees with nobody, and no interval comes from it.
  @Test func nothingIsClaimedOfOneMember() async throws {
    let shell = try await Self.study.value
    try shell.write(
      try shell.text("plan.yaml").replacing("members: 3", with: "members: 1"), to: "one.yaml")
    let made = try await shell.bash("filigree-study run one.yaml --output one -q >/dev/null")
    #expect(made.code == 0, "\(made.error)")
    let report = try shell.text("one/report.md")
    #expect(report.contains("less than half of the dense models' weights"))
    #expect(!report.contains("agree on the structure") && !report.contains("all agree"))
    #expect(!report.contains("95 % over members"))
  }

  /// Without units, in a folder that was copied: said, and nothing written.
  @Test func aReportOfNothingIsShort() async throws {
    let shell = try await Self.study.value
    let result = try await shell.bash(
      "mkdir bare && cp study/plan.yaml study/study.json bare/ && filigree-study report bare")
    #expect(result.code == 65, "\(result.error)")
    #expect(result.error.contains("nothing has been trained"))
    #expect(!shell.exists("bare/report.html"))
  }
}

extension Shell {
  /// Pages and text of a page as Chromium prints it.
  func printed(_ page: String) async throws -> (pages: Int, text: String) {
    let name = "printed-\(UUID().uuidString).pdf"
    _ = try await browse(page, ["--print-to-pdf=\(path(name))", "--no-pdf-header-footer"])
    let facts = try await start("/usr/bin/pdfinfo", [name])
    let pages = facts.output.split(separator: "\n").first { $0.hasPrefix("Pages:") }
      .flatMap { Int($0.split(separator: " ").last ?? "") }
    let text = try await start("/usr/bin/pdftotext", [name, "-"])
    return (try #require(pages), text.output)
  }

  /// axe-core, beside Python's packages.
  static let axe: String? = python.flatMap { python in
    let folder = URL(fileURLWithPath: python).deletingLastPathComponent()
      .deletingLastPathComponent()
      .appendingPathComponent("lib").path
    let versions = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return versions.map { "\(folder)/\($0)/site-packages/axe_playwright_python/axe.min.js" }
      .first { FileManager.default.fileExists(atPath: $0) }
  }
}
