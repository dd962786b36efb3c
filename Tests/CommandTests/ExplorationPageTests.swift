import Dynamics
import Foundation
import Interchange
import LinearAlgebra
import Networks
import TestSupport
import Testing

/// Pages to explore, written by the real binary and used in a real browser.
@Suite(
  .enabled(if: Shell.browser != nil, "FILIGREE_BROWSER names no Chromium"), .serialized)
struct ExplorationPageTests {
  /// A page of an ensemble over data, in a folder with all that it was made of.
  private static let made = Task {
    let shell = try await Workshop.shared.ready()
    let made = try await shell.bash(
      "filigree-draw sparse --data test.nc --title 'A <b>spring</b>' --output explored.html && "
        + "filigree-draw dense/member-00.onnx --output network.html && "
        + "filigree-draw dense --data test.nc --member 1 --focus-output position --output pinned.html"
    )
    guard made.code == 0 else { throw WorkshopFailure(text: made.error) }
    return shell
  }

  struct Page: Decodable {
    var title: String
    var heading: String
    var foreign: [String]
    var policy: String
    var duplicates: [String]
    var isWide: Bool
    var views: [String]
    var measures: [String]
    var left: String
    var rows: Int
    var isDrawn: Bool
    var hasPlaceholder: Bool
  }

  private static let look = """
    tell({
      title: document.title, heading: document.querySelector("h1").textContent,
      foreign: [...document.querySelectorAll("[src], [href]")]
        .map((e) => e.getAttribute("src") || e.getAttribute("href")).filter((a) => !a.startsWith("#")),
      policy: document.querySelector("meta[http-equiv]").content,
      duplicates: [...document.querySelectorAll("[id]")].map((e) => e.id)
        .filter((id, index, all) => all.indexOf(id) !== index),
      isWide: document.documentElement.scrollWidth > innerWidth,
      views: [...byId("view").options].map((o) => o.textContent),
      measures: [...byId("measure").options].map((o) => o.value),
      left: byId("left").textContent, rows: document.querySelectorAll("tbody tr").length,
      isDrawn: isDrawn(), hasPlaceholder: /undefined|NaN|\\[object/.test(document.body.innerText),
    });
    """

  @Test(arguments: [1280, 360])
  func itIsWholeAndNeedsNothing(width: Int) async throws {
    let shell = try await Self.made.value
    let page = try await shell.used(
      "explored.html", Self.look, as: Page.self, width: width)
    #expect(page.title == "A <b>spring</b>" && page.heading == page.title)
    #expect(page.foreign == [] && page.duplicates == [] && !page.isWide && !page.hasPlaceholder)
    #expect(page.policy.hasPrefix("default-src 'none'"))
    #expect(page.views == ["all 3 members", "member 0", "member 1", "member 2"])
    #expect(page.measures == ["effect", "weight", "agreement"])
    #expect(page.left.hasPrefix("all ") && page.left.contains("pairs left"))
    #expect(page.rows > 1 && page.isDrawn)
  }

  @Test func aSingleModelShowsItsNetworkByWeight() async throws {
    let shell = try await Self.made.value
    let page = try await shell.used("network.html", Self.look, as: Page.self)
    #expect(page.views == ["what drives what", "network"])
    #expect(page.measures == ["weight"] && page.isDrawn && !page.hasPlaceholder)
    #expect(page.left.contains("edges") && page.left.contains("pairs left"))
  }

  struct Slid: Decodable {
    var counts: [Int]
    var expected: [Int]
    var pixels: [Int]
    var pairs: [Int]
    var agreement: [Int]
    var votes: [Int]
  }

  /// What is left at each threshold is what the numbers in the file say.
  @Test func thresholdsSlideAndTheCountIsTrue() async throws {
    let shell = try await Self.made.value
    let slid = try await shell.used(
      "pinned.html",
      """
      const first = (text) => Number(text.replace(/^all /, "").replace(/[^0-9 ].*/, ""));
      const weights = data.views.find((v) => v.member === 1).edges.weight.map(Math.abs);
      press(document.body, "Escape");
      choose("measure", "weight");
      const result = { counts: [], expected: [], pixels: [], pairs: [], agreement: [], votes: [] };
      for (const at of [0, 300, 600, 900, 1000]) {
        await slide(at);
        const text = byId("left").textContent;
        result.counts.push(first(text));
        result.pairs.push(Number(text.match(/and (?:all )?([0-9]+)/)[1]));
        const shown = byId("at").textContent;
        const [low, high] = [Math.min(...weights.filter((w) => w > 0)), Math.max(...weights)];
        const least = at === 0 ? 0 : at === 1000 ? high : low * Math.pow(high / low, (at - 1) / 999);
        result.expected.push(weights.filter((w) => w >= least).length);
        result.pixels.push(coloured());
      }
      choose("view", "0");
      choose("measure", "agreement");
      for (const at of [0, 1, 2, 3]) {
        await slide(at);
        result.agreement.push(first(byId("left").textContent));
        result.votes.push(data.pairs.filter((p) => p.votes >= at).length);
      }
      tell(result);
      """, as: Slid.self)
    #expect(slid.counts == slid.expected && slid.counts == slid.counts.sorted(by: >))
    #expect(slid.counts.last == 1 && slid.counts[0] > 10)
    #expect(slid.pairs == slid.pairs.sorted(by: >))
    #expect(slid.pixels[0] > slid.pixels[2] && slid.pixels[2] > slid.pixels[4])
    #expect(slid.agreement == slid.votes)
  }

  struct Pinned: Decodable {
    var atFirst: String
    var found: Int
    var title: String
    var panel: String
    var curves: Int
    var after: String
    var clicked: String
    var path: String
    var lit: [Int]
    var rows: [String]
    var keyed: String
  }

  @Test func whatIsPinnedIsTold() async throws {
    let shell = try await Self.made.value
    let pinned = try await shell.used(
      "pinned.html",
      """
      const told = () => byId("told-title").textContent;
      const result = { atFirst: told() };
      press(document.body, "Escape");
      byId("search").value = "VEL";
      byId("search").dispatchEvent(new Event("input"));
      result.found = byId("found").querySelectorAll("button").length;
      press(byId("search"), "Enter");
      byId("told").querySelector(".pairs button").click();
      result.title = told();
      result.panel = byId("told").innerText;
      result.curves = byId("told").querySelectorAll("svg.curve polyline.member").length;
      await settle();
      result.rows = [...document.querySelectorAll("tbody tr")].map((row) => row.cells[1].textContent);
      const path = byId("told").querySelector(".routes button");
      path.click();
      result.path = told();
      const count = () => Number(byId("left").textContent.match(/, ([0-9]+) /)[1]);
      result.lit = [count(), data.views.find((v) => v.member === 1).routes[0].nodes.length];
      press(document.body, "Escape");
      result.after = told();
      clickOn(data.views.findIndex((v) => v.member === 1), (n) => n.kind === "output" && n.number === 1);
      result.clicked = told();
      press(document.body, "Escape");
      byId("canvas").focus();
      press(byId("canvas"), "ArrowRight");
      press(byId("canvas"), "Enter");
      result.keyed = told();
      tell(result);
      """, as: Pinned.self)
    #expect(pinned.atFirst == "d/dt position" && pinned.after == "Nothing is pinned")
    #expect(pinned.found >= 1 && pinned.title.contains("→") && pinned.title.contains("d/dt"))
    for part in [
      "Mean effect", "deviations per deviation", "In units", "Members", "Paths", "member",
    ] {
      #expect(pinned.panel.localizedCaseInsensitiveContains(part), "\(part)")
    }
    #expect(pinned.curves == 3)
    #expect(pinned.path.hasPrefix("Path ") && pinned.lit[0] == pinned.lit[1] - 1)
    #expect(pinned.clicked == "d/dt velocity" && pinned.keyed != "Nothing is pinned")
    #expect(pinned.rows.count == 1)
  }

  struct Saved: Decodable {
    var svg: String
    var name: String
    var edges: Int
  }

  @Test func thePresentViewIsSaved() async throws {
    let shell = try await Self.made.value
    let saved = try await shell.used(
      "explored.html",
      """
      let blob;
      URL.createObjectURL = (made) => { blob = made; return "data:,"; };
      let name;
      HTMLAnchorElement.prototype.click = function () { name = this.download; };
      await slide(500);
      byId("export").click();
      tell({ svg: await blob.text(), name, edges: Number(byId("left").textContent.replace(/^all /, "").replace(/[^0-9].*/, "")) });
      """, as: Saved.self)
    #expect(saved.name == "sparse.svg")
    let elements = try #require(XMLDocumentCheck.elements(Data(saved.svg.utf8)))
    #expect(elements["svg"] == 1 && elements["path"] == saved.edges && saved.edges > 0)
    #expect(elements["rect", default: 0] > 4 && elements["text", default: 0] > 4)
    try shell.write(saved.svg, to: "saved.svg")
    let measured = try await shell.measured(svg: "saved.svg")
    #expect(measured.outside == [] && measured.scripts == 0 && measured.role == "img")
  }

  /// axe-core knows the rules of WCAG; dark and light, nothing pinned and a pair.
  @Test(
    .enabled(if: Shell.axe != nil, "FILIGREE_PYTHON has no axe-core"),
    arguments: ["light", "dark"], [false, true])
  func readersOfAllKindsCanUseIt(scheme: String, isPinned: Bool) async throws {
    let shell = try await Self.made.value
    let axe = try String(contentsOfFile: try #require(Shell.axe), encoding: .utf8)
    let pin = isPinned ? "document.querySelector('tbody th button').click(); await settle();" : ""
    let violations = try await shell.used(
      "explored.html",
      axe.replacing("</script", with: "<\\/script") + "\n" + """
        await settle();
        \(pin)
        const found = await axe.run(document, { resultTypes: ["violations"] });
        tell(found.violations.map((v) => ({ id: v.id, impact: v.impact,
          nodes: v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200)) })));
        """, as: [ReportPageTests.Violation].self, isDark: scheme == "dark")
    #expect(violations.isEmpty, "\(violations)")
  }

  struct Hostile: Decodable {
    var isHarmed: Bool
    var scripts: Int
    var foreign: Int
    var names: [String]
    var found: Int
    var svg: String
  }

  /// Names are text, also those of which some characters join with what follows.
  @Test func namesInjectNothing() async throws {
    let shell = try Shell()
    let names = [
      "</script><script>window.harmed=1</script>",
      "\u{600}</script><script>window.harmed=2</script>",
      "<img src=x onerror=window.harmed=3>", "\u{600}<img src=x onerror=window.harmed=4>",
      "{{more}} & <!--", "line\nbreak\u{1}", "שלום", "__proto__", "constructor",
      String(repeating: "very long name ", count: 14),
    ]
    var csv = "trajectory,time"
    for name in names { csv += ",\"\(name)\"" }
    for sample in 0..<150 {
      let values = names.indices.map { "\(sin(0.05 * Double(sample * ($0 + 1)) + Double($0)))" }
      csv += "\n0,\(sample)," + values.joined(separator: ",")
    }
    try shell.write(csv + "\n", to: "odd.csv")
    let made = try await shell.bash(
      "filigree-train odd.csv --recipe proximal --members 2 --epochs 3 --hidden 3 --output odd && "
        + "filigree-draw odd --data odd.csv --title '</title><script>window.harmed=5</script>' --output odd.html"
    )
    #expect(made.code == 0, "\(made.error)")
    let page = try await shell.used(
      "odd.html",
      """
      let blob;
      URL.createObjectURL = (made) => { blob = made; return "data:,"; };
      HTMLAnchorElement.prototype.click = () => {};
      byId("search").value = "harmed";
      byId("search").dispatchEvent(new Event("input"));
      const found = byId("found").querySelectorAll("button").length;
      press(byId("search"), "Enter");
      for (const button of byId("told").querySelectorAll("button")) { button.click(); break; }
      choose("view", "1");
      byId("export").click();
      await settle();
      tell({ isHarmed: window.harmed !== undefined, scripts: document.scripts.length,
        foreign: document.querySelectorAll("img, iframe, object, link").length,
        names: data.inputs.map((i) => i.name), found, svg: await blob.text() });
      """, as: Hostile.self)
    #expect(!page.isHarmed && page.foreign == 0)
    // The data, the page's own script, and two of the test's.
    #expect(page.scripts == 4)
    #expect(Set(names.prefix(4)).isSubset(of: page.names) && page.found >= 8)
    let elements = try #require(XMLDocumentCheck.elements(Data(page.svg.utf8)))
    #expect(
      elements["script"] == nil && elements["img"] == nil && elements["text", default: 0] > 10)
  }

  struct Large: Decodable {
    var edges: Int
    var left: String
    var isDrawn: Bool
    var rows: Int
    var after: String
  }

  @Test func tenThousandEdgesAreShown() async throws {
    let shell = try Shell()
    var stream = RandomStream(seed: 3, path: [1])
    let network = ExampleNetworks.random([20, 90, 90, 10], density: 1, skip: false, &stream)
    let model = Model(
      network: network, inputs: (0..<20).map { Variable("u\($0)", role: .control) },
      outputs: (0..<10).map { Variable("y\($0)", role: .observable) },
      inputScaling: .identity(20), outputScaling: .identity(10), timeStep: nil)
    try Data(try model.onnx(path: "large.onnx")).write(
      to: URL(fileURLWithPath: shell.path("large.onnx")))
    let made = try await shell.bash("filigree-draw large.onnx --output large.html")
    #expect(made.code == 0, "\(made.error)")
    #expect(try shell.bytes("large.html").count < 1_500_000)
    let page = try await shell.used(
      "large.html",
      """
      const edges = data.views[1].edges.weight.length;
      const left = byId("left").textContent, rows = document.querySelectorAll("tbody tr").length;
      byId("canvas").dispatchEvent(new WheelEvent("wheel", { deltaY: -300, clientX: 300, clientY: 400, cancelable: true }));
      await slide(800);
      tell({ edges, left, isDrawn: isDrawn(), rows, after: byId("left").textContent });
      """, as: Large.self)
    #expect(page.edges == 20 * 90 + 90 * 90 + 90 * 10 && page.isDrawn && page.rows == 100)
    #expect(page.left.contains("10\u{202F}800 edges") && page.left.contains("200 pairs"))
    #expect(page.after.contains(" of 10\u{202F}800 edges"))
  }

  /// What is too large is gathered, and the page says what it lacks.
  @Test func largerOnesSayWhatIsLeftOut() async throws {
    let shell = try await Self.made.value
    let made = try await shell.bash(
      "filigree-draw dense/member-00.onnx --most-edges 10 --output groups.html")
    #expect(made.code == 0 && made.error.contains("drawn by groups of units"), "\(made.error)")
    let notes = try await shell.used(
      "groups.html", "tell([byId('notes').innerText, byId('left').textContent]);", as: [String].self
    )
    #expect(notes[0].contains("Left out: network has more than 10 weights"))
    #expect(notes[1].contains("gathered edges left"))
  }

  @Test(arguments: [
    "gemm_tanh", "matmul_relu", "silu_skip_standardised", "two_towers",
  ])
  func modelsOfOthersOpen(name: String) async throws {
    let shell = try Shell()
    let made = try await shell.bash(
      "filigree-draw \(Fixture.path("foreign/\(name).onnx")) --output page.html")
    #expect(made.code == 0, "\(made.error)")
    let page = try await shell.used("page.html", Self.look, as: Page.self)
    #expect(page.isDrawn && page.rows > 0 && !page.hasPlaceholder)
    #expect(page.left.contains("pairs left") || page.left.contains("pair left"))
  }

  @Test func itPrintsWithDrawingAndTable() async throws {
    let shell = try await Self.made.value
    _ = try await shell.browse(
      "explored.html",
      ["--print-to-pdf=\(shell.path("page.pdf"))", "--no-pdf-header-footer"])
    let text = try await shell.start("/usr/bin/pdftotext", ["page.pdf", "-"])
    for part in [
      "A <b>spring</b>", "d/dt position", "pairs left", "Mean magnitude", "What this page holds",
    ] {
      #expect(text.output.contains(part), "\(part)")
    }
  }

  @Test(arguments: [
    ("sparse --kind dependency --data test.nc", "leave --kind out"),
    ("sparse --strongest 3", "--strongest: for pictures"),
    ("sparse --width 85mm", "--width: for pictures"),
    ("sparse --member 3", "has members 0 to 2"),
    ("sparse --focus-input nothing", "there is no such variable"),
    ("sparse dense", "2 models or ensembles were given"),
  ])
  func whatAPageHasNoUseForIsRefused(arguments: String, message: String) async throws {
    let shell = try await Workshop.shared.ready()
    let refused = try await shell.bash("filigree-draw \(arguments) --output refused.html")
    #expect(refused.code == 64 && refused.error.contains(message), "\(refused.error)")
    #expect(!shell.exists("refused.html"))
  }

  @Test func itIsTheSameForAnyNumberOfThreads() async throws {
    let shell = try await Self.made.value
    let again = try await shell.bash(
      "filigree-draw sparse --data test.nc --title 'A <b>spring</b>' --threads 1 --output - --format html "
        + "| cmp - explored.html")
    #expect(again.code == 0, "\(again.output) \(again.error)")
  }

  /// The system's program is started with an absolute name; where there is none, the file is there and that is said.
  @Test func itOpens() async throws {
    let shell = try await Workshop.shared.ready()
    let opened = try await shell.bash(
      """
      mkdir -p tools && printf '#!/bin/sh\\necho "$1" > opened.txt\\n' > tools/xdg-open && chmod +x tools/xdg-open
      PATH="$PWD/tools:$PATH" filigree-draw sparse --open --output open.html && cat opened.txt
      """)
    #expect(
      opened.code == 0 && opened.output.hasPrefix("/") && opened.output.contains("/open.html"))
    let without = try await shell.bash(
      "printf '#!/bin/sh\\nexit 3\\n' > tools/xdg-open; "
        + "PATH=\"$PWD/tools:$PATH\" filigree-draw sparse --open --force --output open.html")
    #expect(without.code == 0 && without.error.contains("xdg-open could not show"))
    let none = try await shell.bash("filigree-draw sparse --open --output - --format html")
    #expect(none.code == 64 && none.error.contains("--open shows a file"))
  }
}

extension Shell {
  private static let helpers = """
    const data = JSON.parse(document.getElementById("model").textContent);
    const byId = (id) => document.getElementById(id);
    const tell = (value) => {
      const bytes = new TextEncoder().encode(JSON.stringify(value));
      let text = "";
      for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
      (parent === window ? document : parent.document).getElementById("measured").textContent = btoa(text);
    };
    const settle = () => new Promise((done) => setTimeout(() => requestAnimationFrame(() => setTimeout(done, 50)), 250));
    const slide = async (at) => {
      byId("threshold").value = at;
      byId("threshold").dispatchEvent(new Event("input"));
      await settle();
    };
    const choose = (id, value) => { byId(id).value = value; byId(id).dispatchEvent(new Event("change")); };
    const press = (element, key) => element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    const pixels = () => {
      const canvas = byId("canvas"), copy = document.createElement("canvas");
      [copy.width, copy.height] = [canvas.width, canvas.height];
      const context = copy.getContext("2d", { willReadFrequently: true });
      context.drawImage(canvas, 0, 0);
      return context.getImageData(0, 0, copy.width, copy.height).data;
    };
    /** Pixels of a colour, that is of lines and boxes. */
    const coloured = () => {
      let count = 0;
      const all = pixels();
      for (let k = 0; k < all.length; k += 4) if (Math.max(all[k], all[k + 1], all[k + 2]) - Math.min(all[k], all[k + 1], all[k + 2]) > 40) count++;
      return count;
    };
    const isDrawn = () => coloured() > 50;
    /** A click on a node of a view that is shown whole. */
    const clickOn = (view, isWanted) => {
      const { nodes, width, height } = data.views[view];
      const node = nodes.find(isWanted), box = byId("canvas").getBoundingClientRect();
      const scale = Math.min(3, (box.width - 32) / width, (box.height - 32) / height);
      const clientX = box.left + (box.width - width * scale) / 2 + node.x * scale;
      const clientY = box.top + (box.height - height * scale) / 2 + node.y * scale;
      for (const type of ["pointerdown", "pointerup"]) {
        byId("canvas").dispatchEvent(new PointerEvent(type, { clientX, clientY, pointerId: 1, bubbles: true }));
      }
    };
    """

  /// Time is virtual, and would pass before the next frame.
  private static let frames =
    "<script>requestAnimationFrame = (act) => setTimeout(() => act(performance.now()), 16); "
    + "cancelAnimationFrame = clearTimeout;</script>"

  /// What a script finds in a page that it uses as a reader does. It may await, and ends with `tell`.
  ///
  /// - Parameter width: of the window; below 500 in a frame, because Chromium's windows are no narrower.
  func used<Value: Decodable>(
    _ page: String, _ script: String, as type: Value.Type, width: Int = 1280, isDark: Bool = false
  ) async throws -> Value {
    var text = try self.text(page).replacing("<head>", with: "<head>" + Self.frames)
    if isDark {
      text = text.replacing("screen and (prefers-color-scheme: dark)", with: "screen")
    }
    let run =
      "<script>addEventListener(\"load\", async () => { \(Self.helpers)\ntry { await settle(); \(script)\n} "
      + "catch (error) { console.error(error.stack); } });</script>"
    let name = "used-\(UUID().uuidString).html"
    let result = "<pre id=\"measured\"></pre>"
    if width < 500 {
      let whole = (text + run).replacing("&", with: "&amp;").replacing("\"", with: "&quot;")
      try write(
        "<!doctype html><meta charset=\"utf-8\"><iframe style=\"width:\(width)px;height:740px;border:0\" "
          + "srcdoc=\"\(whole)\"></iframe>\(result)", to: name)
    } else {
      try write(text.replacing("</html>", with: "\(result)\(run)</html>"), to: name)
    }
    let dom = try await browse(name, ["--window-size=\(max(500, width)),900"])
    let begin = try #require(dom.range(of: "<pre id=\"measured\">", options: .backwards))
    let end = try #require(dom[begin.upperBound...].range(of: "</pre>"))
    let found = try #require(Data(base64Encoded: String(dom[begin.upperBound..<end.lowerBound])))
    return try JSONDecoder().decode(type, from: found)
  }
}
