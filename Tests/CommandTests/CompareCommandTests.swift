import Foundation
import TestSupport
import Testing

/// Two studies or ensembles side by side, by the real binary.
@Suite struct CompareCommandTests {
  private static let made = Task {
    let shell = try Shell()
    try shell.write(
      """
      plant: duffing
      train: {trajectories: 4, samples: 300, seed: 1}
      test: {trajectories: 3, samples: 200, seed: 9}
      sizes: [4]
      members: 3
      horizons: [20, 200]
      compare: {reference: dense, sparse: {sparse: 0}}
      recipes:
        dense: {recipe: dense, hidden: [6, 5], epochs: 3}
        sparse: {hidden: 4, steps: 200}
      """, to: "plan.yaml")
    let made = try await shell.bash(
      """
      filigree-study run plan.yaml --output S -q >/dev/null &&
      filigree-simulate --plant duffing --trajectories 3 --samples 200 --seed 9 --output test.nc -q &&
      filigree-simulate --plant springs --trajectories 3 --samples 200 --output springs.nc -q &&
      filigree-train springs.nc --members 1 --recipe linear --output other -q
      """)
    guard made.code == 0 else { throw WorkshopFailure(text: made.error) }
    return shell
  }

  struct Result: Decodable {
    struct Side: Decodable {
      var verdict: String?
      var selected: Int
      var members: Int
      var explained: Double?
    }
    struct Pair: Decodable {
      var output: String
      var input: String
      var change: String
      var first: Side
      var second: Side
    }
    struct Errors: Decodable {
      struct Interval: Decodable {
        var low: Double?
        var high: Double?
      }
      var horizon: Int
      var ratio: Double
      var ratioInterval: Interval
      var verdict: String
    }
    var version: Int
    var sentences: [String]
    var changes: [String: Int]
    var pairs: [Pair]
    var errors: [Errors]
  }

  private func json(_ arguments: String) async throws -> Result {
    let shell = try await Self.made.value
    let result = try await shell.bash("filigree-study compare \(arguments) --format json")
    #expect(result.code == 0, "\(result.error)")
    return try JSONDecoder().decode(Result.self, from: Data(result.output.utf8))
  }

  @Test func aStudyAndItsOwnCopyDoNotDiffer() async throws {
    let same = try await json("S S")
    #expect(same.version == 1 && same.pairs.count == 6)
    #expect(same.changes["same"] == 6 - (same.changes["nothing explained"] ?? 0))
    #expect(same.errors.map(\.horizon) == [20, 200])
    #expect(same.errors.allSatisfy { $0.ratio == 1 && $0.verdict == "open" })
  }

  @Test func recipesAndEnsemblesAreComparedAlike() async throws {
    let recipes = try await json("S S --recipes dense,sparse")
    #expect(recipes.errors.last.map { $0.ratio < 1 && $0.verdict == "better" } ?? false)
    #expect(recipes.errors.allSatisfy { ($0.ratioInterval.low ?? 9) <= $0.ratio })
    // Dense members were not tested, so nothing counts as gained or lost.
    #expect(recipes.changes["gained"] == 0 && recipes.changes["lost"] == 0)
    #expect(recipes.sentences[1].contains("not tested"))
    #expect(recipes.pairs.allSatisfy { $0.first.verdict == nil && $0.second.verdict != nil })
    let folders = try await json(
      "S/models/dense/4 S/models/sparse/4 --data test.nc --horizons 20,200")
    #expect(folders.changes == recipes.changes)
    #expect(folders.errors.map(\.verdict) == recipes.errors.map(\.verdict))
    let back = try await json("S S --recipes sparse,dense")
    let (there, here) = (try #require(recipes.errors.last), try #require(back.errors.last))
    #expect(abs(there.ratio * here.ratio - 1) < 1e-9 && here.verdict == "worse")
  }

  @Test func tablesArePrintedAndAPageIsMade() async throws {
    let shell = try await Self.made.value
    let result = try await shell.bash(
      """
      filigree-study compare S S --recipes dense,sparse --output page.html
      filigree-study compare S S --recipes dense,sparse --format markdown -q
      filigree-study compare S S --recipes dense,sparse --format csv -q | head -n 1
      filigree-study compare S S --recipes dense,sparse --output page2.html -q --threads 1 >/dev/null; cmp page.html page2.html
      """)
    #expect(result.code == 0, "\(result.error)")
    for words in ["Errors of free forecasts", "better", "How sure that is", "| samples |"] {
      #expect(result.output.contains(words), "\(words)")
    }
    #expect(result.output.contains("output,input,change,first_verdict"))
    let page = try shell.text("page.html")
    #expect(page.contains("Is sparse better than dense?") && page.contains("figure-difference"))
  }

  @Test func withoutDataErrorsAreNotCompared() async throws {
    let shell = try await Self.made.value
    let result = try await shell.bash(
      "filigree-study compare S/models/dense/4 S/models/sparse/4 --format json")
    #expect(result.code == 0 && result.error.contains("without --data errors are not compared"))
    let found = try JSONDecoder().decode(Result.self, from: Data(result.output.utf8))
    #expect(found.errors.isEmpty && found.sentences[2] == "Not compared: no data were given.")
  }

  /// What variables are in words, in every kind of drawing that names them.
  @Test func drawingsCallVariablesByTheirLongNames() async throws {
    let shell = try await Self.made.value
    let result = try await shell.bash(
      """
      draw() { filigree-draw S/models/sparse/4 --data test.nc "$@" -q; }
      draw --output short.dot; draw --long-names --output long.dot
      draw --kind heatmap --long-names --output map.dot; draw --kind effects --long-names --output effects.dot
      draw --kind consensus --long-names --output consensus.dot
      filigree-draw S/models/sparse/4 --long-names --output page.html; echo "page $?"
      """)
    #expect(result.output == "page 64\n", "\(result.output) \(result.error)")
    let word = "displacement"
    #expect(!(try shell.text("short.dot")).contains("label=\"\(word)"))
    for name in ["long", "map", "effects", "consensus"] {
      #expect(try shell.text("\(name).dot").contains(word), "\(name)")
    }
  }

  @Test func whatCannotBeComparedIsRefused() async throws {
    let shell = try await Self.made.value
    let result = try await shell.bash(
      """
      filigree-study compare S; echo "one $?"
      filigree-study compare S nothing; echo "none $?"
      filigree-study compare S other; echo "variables $?"
      filigree-study compare S S --recipes dense,magic; echo "recipe $?"
      filigree-study compare S S/models/dense/4 --recipes dense; echo "no study $?"
      filigree-study compare S S --output page.pdf; echo "ending $?"
      filigree-study compare S S --horizons 0; echo "horizons $?"
      mkdir -p bare && cp S/plan.yaml S/study.json bare/
      filigree-study compare S bare; echo "bare $?"
      echo mine >there.html; filigree-study compare S S --output there.html; echo "there $?"; cat there.html
      """)
    for words in [
      "one 64", "none 66", "variables 65", "recipe 64", "no study 64", "ending 64", "horizons 64",
      "bare 65",
      "there 73", "mine",
    ] { #expect(result.output.contains(words), "\(words): \(result.output) \(result.error)") }
    #expect(result.error.contains("has no recipe \"magic\"; it has dense, sparse"))
    #expect(
      result.error.contains("different variables")
        && result.error.contains("nothing has been trained"))
  }
}
