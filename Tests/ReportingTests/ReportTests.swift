import Forecasting
import Foundation
import LinearAlgebra
import Reporting
import Testing

@Suite struct ReportTests {
  // MARK: Comparisons

  private func errors(_ seed: UInt64, members: Int, factor: Double = 1) -> BoundedErrors {
    var stream = RandomStream(seed: seed)
    let difficulty = (0..<30).map { trajectory in exp(sin(Double(trajectory))) }
    return BoundedErrors(
      values: (0..<members).map { _ in
        difficulty.map { 0.01 * factor * $0 * exp(0.1 * stream.normal()) }
      }, diverged: (0..<members).map { _ in difficulty.map { $0 > 2.5 } })
  }

  @Test func aKnownRatioIsFoundWithinItsInterval() throws {
    for seed in 1...5 as ClosedRange<UInt64> {
      let comparison = try #require(
        ErrorComparison(errors(seed, members: 8), errors(seed + 100, members: 6, factor: 0.5)))
      #expect(comparison.ratioInterval.contains(comparison.ratio))
      #expect(abs(comparison.ratio - 0.5) < 0.05)
      #expect(
        comparison.ratioInterval.upperBound < 0.6 && comparison.ratioInterval.lowerBound > 0.4)
      #expect(comparison.divergence == 0)
    }
  }

  /// The spread of the trajectories themselves, a factor of seven, drops out because they are paired.
  @Test func trajectoriesArePaired() throws {
    let (a, b) = (errors(1, members: 10), errors(2, members: 10))
    let comparison = try #require(ErrorComparison(a, b))
    #expect(comparison.ratioInterval.upperBound / comparison.ratioInterval.lowerBound < 1.15)
    #expect(comparison.ratioInterval.contains(1))
  }

  /// Ninety-five of a hundred intervals of the ratio hold the true one, up to chance (binomial, three deviations).
  @Test func intervalsHoldTheirLevel() throws {
    var held = 0
    for seed in 0..<100 as Range<UInt64> {
      let comparison = try #require(
        ErrorComparison(
          errors(1000 + seed, members: 10), errors(5000 + seed, members: 10), draws: 400))
      if comparison.ratioInterval.contains(1) { held += 1 }
    }
    #expect(held >= 86)
  }

  @Test func theOrderOfMembersDoesNotChangeAFigure() throws {
    let (a, b) = (errors(1, members: 5), errors(2, members: 4))
    let turned = BoundedErrors(values: a.values.reversed(), diverged: a.diverged.reversed())
    let (one, other) = (
      try #require(ErrorComparison(a, b)), try #require(ErrorComparison(turned, b))
    )
    #expect(abs(one.ratio - other.ratio) < 1e-12 && one.divergence == other.divergence)
  }

  @Test func nothingIsComparedWithNothing() {
    let none = BoundedErrors(values: [], diverged: [])
    #expect(ErrorComparison(none, errors(1, members: 2)) == nil)
  }

  // MARK: Documents

  private static let hostile = [
    "<script>alert(1)</script>", "\" onload=\"alert(1)", "a|b", "*x*", "`code`", "[link](http://x)",
    "&lt;",
    "{{title}}", "{{{script}}}", "日本語", "line\nbreak", "</style>", "-->",
  ]

  private func document(_ text: String) -> ReportDocument {
    ReportDocument(
      title: text, introduction: text,
      sections: [
        .init(
          text,
          [
            .paragraph(text), .list([text]),
            .table(
              .init(
                text, columns: [text, "n"],
                rows: [[.init(text), .init("1", number: 1, shade: 0.5)]], note: text)),
            .figure(.init("one", caption: text, description: text, svg: Array("<svg></svg>".utf8))),
            .choice(
              label: text,
              [.init("two", caption: text, description: text, svg: Array("<svg></svg>".utf8))]),
          ])
      ], colophon: text)
  }

  @Test(arguments: hostile)
  func namesInjectNothing(text: String) throws {
    let (plain, hostile) = (try ReportPage.html(document("x")), try ReportPage.html(document(text)))
    func tags(_ html: String) -> [String] {
      html.components(separatedBy: "<").dropFirst().map { part in
        String(part.prefix { $0 != ">" && $0 != " " && $0 != "\n" })
      }
    }
    #expect(tags(plain) == tags(hostile))
    let scripts = hostile.components(separatedBy: "<script").count
    #expect(scripts == 2)
    let markdown = document(text).markdown(figures: "figures")
    #expect(!markdown.contains("<script") && !markdown.contains("</style"))
    let rows = markdown.split(separator: "\n").filter { $0.hasPrefix("| ") }
    #expect(rows.count == 3)
  }

  @Test func markdownAndPageSayTheSame() throws {
    let html = try ReportPage.html(document("a word"))
    let markdown = document("a word").markdown(figures: "figures")
    #expect(html.components(separatedBy: "a word").count > 10)
    #expect(markdown.contains("## a word") && markdown.contains("figures/one.svg"))
    #expect(markdown.contains("| a word | n |\n| :-- | --: |\n| a word | 1 |"))
    #expect(html.contains("data-number=\"1.0\"") && html.contains("--shade:0.50"))
  }

  // MARK: Charts

  @Test func boxesAreQuantilesAndBarsStandOnTheirPlaces() async throws {
    let chart = CategoryChart(
      title: "t 'quoted'", yLabel: "y", categories: ["a", "b"], groups: ["g", "h"],
      marks: [
        [.box((0...100).map(Double.init)), .none],
        [.bar(2, low: 1, high: 3), .bar(4, low: nil, high: nil)],
      ])
    // x, lower quartile, 5th and 95th percentile, upper quartile, median.
    #expect(chart.script.contains("-0.2000 25.0 5.0 95.0 75.0 50.0"))
    #expect(
      chart.script.contains("0.8000 2.0 1.0 3.0") && chart.script.contains("1.2000 4.0 4.0 4.0"))
    #expect(chart.script.contains("'t ''quoted'''"))
    let svg = String(decoding: try await chart.svg(), as: UTF8.self)
    #expect(svg.contains("<svg") && svg.contains(">a<"))
  }

  @Test func aChartOfNothingIsDrawn() async throws {
    for isLogarithmic in [true, false] {
      let chart = CategoryChart(
        title: "t", yLabel: "y", categories: ["a"], groups: ["g"], marks: [[.box([])]],
        isLogarithmic: isLogarithmic)
      #expect(try await !chart.svg().isEmpty)
    }
  }
}

/// Some scalars, such as U+0600, make one character with what follows them.
@Suite struct PageTemplateTests {
  @Test func nothingIsMarkupThatWasAName() throws {
    let name = "\u{600}<script>alert(1)</script>\u{600}\"\u{600}&"
    let page = try PageTemplate("<p title=\"{{name}}\">{{#list}}{{name}}{{/list}}</p>{{{name}}}")
      .render(["name": name, "list": [["name": name]]])
    let safe = "\u{600}&lt;script&gt;alert(1)&lt;/script&gt;\u{600}&quot;\u{600}&amp;"
    #expect(page == "<p title=\"\(safe)\">\(safe)</p>\(name)")
    let document = ReportDocument(title: name, introduction: name, sections: [], colophon: name)
    let html = try ReportPage.html(document)
    #expect(!html.holds("<script>alert"))
    #expect(!document.markdown(figures: "figures").holds("<script>"))
  }
}

extension String {
  /// Byte by byte.
  fileprivate func holds(_ part: String) -> Bool {
    let (all, part) = (Array(utf8), Array(part.utf8))
    return all.indices.contains { all[$0...].starts(with: part) }
  }
}
