import Foundation
import FoundationXML
import Networks
import Reporting
import Study
import SystemPackage
import TestSupport
import Testing
import Training

@Suite struct StudyPlanTests {
  struct NoRecipe: Error {}

  /// Stands for `filigree-train`'s parser, which is above the module that is tested.
  private static func parse(_ options: [(name: String, value: String)]) throws -> Recipe {
    var recipe = Recipe()
    for (name, value) in options {
      switch name {
      case "epochs":
        guard let epochs = Int(value) else { throw NoRecipe() }
        recipe.length = .epochs(epochs)
      case "hidden": recipe.hidden = value.split(separator: ",").compactMap { Int($0) }
      default: throw NoRecipe()
      }
    }
    return recipe
  }

  private func plan(_ yaml: String) throws -> StudyPlan {
    let folder = try Fixture.temporaryFolder()
    let path = folder + "/plan.yaml"
    try Data(yaml.utf8).write(to: URL(fileURLWithPath: path))
    try Data("x".utf8).write(to: URL(fileURLWithPath: folder + "/there.nc"))
    return try StudyPlan(path: path, parseRecipe: Self.parse)
  }

  private func problems(_ yaml: String) -> [PlanProblems.Problem] {
    do {
      _ = try plan(yaml)
      return []
    } catch let problems as PlanProblems {
      return problems.problems.sorted { ($0.line ?? 0) < ($1.line ?? 0) }
    } catch {
      Issue.record("\(error)")
      return []
    }
  }

  @Test func aPlanIsReadWithItsDefaults() throws {
    let plan = try plan(
      """
      plant: duffing
      train: {trajectories: 6, samples: 300, seed: 4}
      sizes: [2, 6]
      noise: [0, 1e-3]
      members: 3
      horizons: [200, 50, 50]
      cuts: 0.5
      recipes:
        a: {epochs: 3, hidden: [4, 5]}
        b:
          cuts: [0, 0.1]
        c:
      """)
    #expect(plan.train == .simulation(trajectories: 6, samples: 300, seed: 4))
    #expect(plan.test == .simulation(trajectories: 20, samples: 5000, seed: 1001))
    #expect(plan.noise == [0.0, 1e-3])
    #expect(plan.horizons == [50, 200])
    #expect(plan.threshold == 0.01)
    #expect(plan.recipes.map(\.name) == ["a", "b", "c"])
    #expect(plan.recipes[0].recipe.hidden == [4, 5])
    #expect(plan.recipes[0].recipe.length == .epochs(3))
    let cuts: [[Double]] = [[0.5], [0, 0.1], [0.5]]
    #expect(plan.recipes.map(\.cuts) == cuts)
    #expect(plan.cells.count == 12)
    #expect(plan.cells[1] == StudyPlan.Cell(recipe: 0, size: 6, noise: 0))
  }

  @Test func everythingThatIsWrongIsSaidAtOnceWithItsLine() {
    let found = problems(
      """
      plant: mill
      tran: {trajectories: 6}
      test: {file: nowhere.nc, samples: 3}
      sizes: [2, 80, x, 2]
      noise: -1
      members: 0
      horizons: [9000]
      recipes:
        a: {epochs: many, hidden: [4]}
        "../b": {epochs: 2}
        c: 7
      """)
    let expected: [(Int, String)] = [
      (1, "no plant \"mill\""), (2, "is \"train\" meant?"), (3, "no file"), (3, "samples belongs"),
      (4, "80 trajectories, but only 40"), (4, "x is no whole number"), (4, "2 is there twice"),
      (5, "-1 is no number"), (5, "at least one"), (6, "members: 0"), (9, "a: "),
      (10, "becomes a folder"), (11, "c: options"),
    ]
    for (line, words) in expected {
      #expect(
        found.contains { $0.line == line && $0.text.contains(words) }, "\(line) \(words): \(found)")
    }
  }

  @Test(arguments: [
    ("", "empty"), ("- a\n- b\n", "keys with values"), ("plant: [\n", "not YAML"),
    ("plant: duffing\nplant: duffing\n", "not YAML"), ("plant: duffing\n", "no recipes"),
    ("recipes: {a: {}}\n", "give a plant"),
    ("plant: duffing\nrecipes: {}\n", "a name with options"),
    ("plant: duffing\nrecipes: {a: {epochs: [1, [2]]}}\n", "a: "),
    ("plant: duffing\ntest: {samples: 20}\nrecipes: {a: {}}\nhorizons: 50\n", "have 20"),
    ("noise: 0.1\ntrain: {file: there.nc}\ntest: {file: there.nc}\nrecipes: {a: {}}\n", "noise is"),
    ("? [a, b]\n: 1\n", "unknown key"),
  ])
  func whatIsNoPlanIsRefused(yaml: String, words: String) {
    let found = problems(yaml)
    #expect(found.contains { $0.text.contains(words) }, "\(found)")
  }

  @Test func aliasesThatMultiplyDoNoHarm() {
    var yaml = "a0: &a0 [x, x]\n"
    for level in 1..<30 { yaml += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
    #expect(!problems(yaml + "recipes: {a: {}}\n").isEmpty)
  }

  @Test func filesLieBesideThePlan() throws {
    let plan = try plan("train: {file: there.nc}\ntest: {file: there.nc}\nrecipes: {a: {}}\n")
    guard case .file(let path) = plan.train else { return #expect(Bool(false)) }
    #expect(path.hasSuffix("/there.nc") && path.hasPrefix("/") && plan.sizes.isEmpty)
  }

  @Test func chartsTakeNothingFromNames() async throws {
    var band = Chart.Series(
      "b'a\"nd $x `ls` <b>", colour: "#112233", x: [0, 1, 2], y: [0, .nan, 2])
    band.upper = [1, 1, 3]
    let chart = Chart(
      title: "it's\n{/Symbol a} & <i>", xLabel: "t_1^2",
      columns: [
        [
          Chart.Panel(
            "p'q", [Chart.Series("c", colour: "#000000", x: [0, 1, 2], y: [1, 5, 2]), band]),
          Chart.Panel("flat", [Chart.Series("", colour: "#000000", x: [0, 1], y: [3, 3])]),
          Chart.Panel("nothing", [Chart.Series("", colour: "#000000", x: [0], y: [.nan])]),
        ]
      ])
    let svg = String(decoding: try await chart.svg(), as: UTF8.self)
    #expect(svg.contains("it&apos;s") || svg.contains("it's"))
    #expect(svg.contains("&amp; &lt;i") && svg.contains("{/Symbol a}") && svg.contains("t_1^2"))
    #expect(svg.contains("p'q") || svg.contains("p&apos;q"))
    #expect(XMLParser(data: Data(svg.utf8)).parse())
    #expect(try await chart.svg() == Array(svg.utf8))
  }

  @Test func whatAPlanSaysOfAClusterIsChecked() throws {
    let start = "plant: duffing\nrecipes: {a: {epochs: 2}}\n"
    let settings = try plan(
      start
        + "cluster: {partition: short, qos: low, time: 1-02:30:00, memory: 1.5G, cores: 2, chunk: 10m, at-once: 7}"
    ).cluster
    #expect(settings.resources.partition == "short" && settings.resources.quality == "low")
    #expect(settings.resources.time == 95_400 && settings.resources.memory == 1536)
    #expect(settings.resources.cores == 2 && settings.chunk == 600 && settings.atOnce == 7)
    #expect(try plan(start).cluster == ClusterSettings())
    #expect(try plan(start + "cluster: {time: 90s}").cluster.resources.time == 90)
    for (wrong, word) in [
      ("{partitoin: a}", "partition"), ("{partition: --wrap=x}", "partition"),
      ("{account: 'a b'}", "account"), ("{time: 2}", "time"), ("{time: 10:61:00}", "time"),
      ("{memory: 4}", "memory"), ("{memory: nanG}", "memory"), ("{cores: 0}", "cores"),
      ("{chunk: -3s}", "chunk"), ("{attempts: 0}", "attempts"), ("{at-once: many}", "at-once"),
      ("short", "cluster"), ("{time: 99999999999d}", "time"),
    ] {
      let found = problems(start + "cluster: \(wrong)")
      #expect(found.count == 1 && found[0].line == 3, "\(wrong)")
      #expect(found.first?.text.contains(word) ?? false, "\(wrong): \(found)")
    }
  }

  /// What a cluster is asked for decides no result, so it is in no address.
  @Test func theAddressesOfUnitsDoNotDependOnTheCluster() throws {
    let yaml = "plant: duffing\nmembers: 2\nrecipes: {a: {epochs: 2}}\n"
    let runs = try [yaml, yaml + "cluster: {cores: 8, chunk: 1s}\n"].map { text in
      let plan = try plan(text)
      let folder = try Fixture.temporaryFolder()
      return try StudyRun(plan, path: "plan.yaml", folder: folder, version: "test", threads: 1)
    }
    #expect(runs[0].addresses == runs[1].addresses && Set(runs[0].addresses).count == 6)
  }
}
