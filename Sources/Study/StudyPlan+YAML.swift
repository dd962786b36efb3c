import Dynamics
import Foundation
import Interchange
import Networks
import Reporting
import Structure
import SystemPackage
import Training
import Yams

extension StudyPlan {
  /// Makes a recipe from options as `filigree-train` spells them, without the dashes.
  public typealias RecipeParser = (_ options: [(name: String, value: String)]) throws -> Recipe

  private static let largestPlan = 1 << 20

  /// Reads a plan. Files in it are relative to `folder`, by default the plan's own.
  ///
  /// - Throws: `PlanProblems` with everything that is wrong, and where; `FileProblem` for a file that cannot
  ///   be read.
  public init(path: String, folder: FilePath? = nil, parseRecipe: RecipeParser) throws {
    let bytes = try WholeFile.read(path)
    guard bytes.count <= Self.largestPlan else {
      throw PlanProblems(
        path: path, problems: [.init(line: nil, text: "a plan has at most a mebibyte")])
    }
    let folder = folder ?? FilePath(path).removingLastComponent()
    try self.init(
      yaml: String(decoding: bytes, as: UTF8.self), path: path, folder: folder,
      parseRecipe: parseRecipe)
  }

  /// - Parameter folder: that files are relative to.
  init(yaml: String, path: String, folder: FilePath, parseRecipe: RecipeParser) throws {
    var reader = PlanReader(path: path, folder: folder)
    guard let plan = reader.read(yaml, parseRecipe), reader.problems.isEmpty else {
      throw PlanProblems(path: path, problems: reader.problems)
    }
    self = plan
  }
}

/// Reads what it can and records everything that is wrong.
private struct PlanReader {
  let path: String
  let folder: FilePath
  var problems: [PlanProblems.Problem] = []

  init(path: String, folder: FilePath) {
    self.path = path
    self.folder = folder
  }

  private static let keys = [
    "plant", "vary", "train", "test", "inputs", "noise", "noise-correlation", "control-noise",
    "missing", "sizes", "members", "seed", "horizons",
    "threshold", "relevance-samples", "cuts", "recipes", "title", "about", "compare",
    "cluster",
  ]
  private static let sourceKeys = ["trajectories", "samples", "seed", "file"]

  private mutating func note(_ node: Node?, _ text: String) {
    problems.append(.init(line: node?.mark?.line, text: text))
  }

  mutating func read(_ yaml: String, _ parseRecipe: StudyPlan.RecipeParser) -> StudyPlan? {
    let root: Node
    do {
      guard let node = try Yams.compose(yaml: yaml) else {
        note(nil, "the plan is empty; filigree-study plan quick prints one to start from")
        return nil
      }
      root = node
    } catch {
      problems.append(Self.problem(error))
      return nil
    }
    guard let top = pairs(root, "the plan", Self.keys) else { return nil }
    let plant = top["plant"].flatMap { text($0, "plant") }
    if let plant, PlantCatalogue.plant(named: plant) == nil {
      note(
        top["plant"],
        "there is no plant \"\(plant)\"; there are \(PlantCatalogue.names.joined(separator: ", "))")
    }
    let train = source(top["train"], "train", plant: plant, trajectories: 40, seed: 1)
    let test = source(top["test"], "test", plant: plant, trajectories: 20, seed: 1001)
    var plan = StudyPlan(
      plant: plant, train: train, test: test, sizes: [], recipes: [])
    if let node = top["inputs"] { plan.inputs = list(node).compactMap { text($0, "inputs") } }
    read(top, into: &plan)
    let cuts = top["cuts"].map { numbers($0, "cuts", 0...Double.greatestFiniteMagnitude) } ?? [0]
    if let node = top["recipes"] {
      plan.recipes = recipes(node, cuts, parseRecipe)
    } else {
      note(root, "there are no recipes; at least one is needed")
    }
    plan.title = top["title"].flatMap { text($0, "title") }
    plan.about = top["about"].flatMap { text($0, "about") }
    plan.comparison = top["compare"].flatMap { comparison($0, plan) }
    if let node = top["cluster"] { plan.cluster = cluster(node) }
    checkSizes(top, &plan)
    checkParts(top, plan)
    return plan
  }

  private mutating func read(_ top: [String: Node], into plan: inout StudyPlan) {
    if let node = top["noise"] {
      plan.noise = numbers(node, "noise", 0...10)
      if plan.plant == nil && plan.noise != [0] {
        note(node, "noise is added to what is simulated; data from files have their own")
      }
    }
    if let node = top["vary"] {
      plan.vary = integer(node, "vary", 0...Int.max).map { UInt64($0) }
      if plan.plant == nil { note(node, "vary: there is no plant that is simulated") }
    }
    readDisturbances(top, into: &plan)
    if let node = top["members"] { plan.members = integer(node, "members", 1...100_000) ?? 1 }
    if let node = top["seed"] { plan.seed = UInt64(integer(node, "seed", 0...Int.max) ?? 1) }
    if let node = top["horizons"] {
      plan.horizons = Set(list(node).compactMap { integer($0, "horizons", 1...Int.max) }).sorted()
      if plan.horizons.isEmpty { note(node, "horizons: at least one number of samples is needed") }
    }
    if let node = top["threshold"] {
      plan.threshold = number(node, "threshold", 0...1e9) ?? PairSelection.usualThreshold
    }
    if let node = top["relevance-samples"] {
      plan.relevanceSamples = integer(node, "relevance-samples", 1...Int.max) ?? 1
    }
  }

  private mutating func readDisturbances(_ top: [String: Node], into plan: inout StudyPlan) {
    let keys: [(String, ClosedRange<Double>, WritableKeyPath<StudyPlan, Double>)] = [
      ("noise-correlation", 0...0.9999, \.noiseCorrelation),
      ("control-noise", 0...10, \.controlNoise),
      ("missing", 0...0.9, \.missing),
    ]
    for (key, range, place) in keys {
      guard let node = top[key] else { continue }
      plan[keyPath: place] = number(node, key, range) ?? 0
      if plan.plant == nil {
        note(node, "\(key): it is added to what is simulated; data from files have their own")
      }
    }
  }

  /// compare: {reference: NAME, sparse: {NAME: cut, …}}
  private mutating func comparison(_ node: Node, _ plan: StudyPlan) -> StudyPlan.Comparison? {
    guard let parts = pairs(node, "compare", ["reference", "sparse"]) else { return nil }
    func number(_ name: String?) -> Int? { plan.recipes.firstIndex { $0.name == name } }
    guard let dense = parts["reference"], let reference = number(dense.scalar?.string) else {
      let names = plan.recipes.map(\.name).joined(separator: ", ")
      note(
        parts["reference"] ?? node,
        "compare: reference: \(parts["reference"]?.scalar?.string ?? "nothing") is no recipe; there are \(names)"
      )
      return nil
    }
    guard case .mapping(let mapping)? = parts["sparse"], !mapping.isEmpty else {
      note(
        parts["sparse"] ?? node,
        "compare: sparse: recipes with the cut that each is judged at are needed, for example {l1: 0.01}"
      )
      return nil
    }
    var sparse: [(recipe: Int, cut: Double)] = []
    for (key, value) in mapping {
      guard let recipe = number(key.scalar?.string), recipe != reference else {
        note(key, "compare: sparse: \(key.scalar?.string ?? "?") is no recipe beside the reference")
        continue
      }
      guard let cut = self.number(value, "compare: sparse", 0...Double.greatestFiniteMagnitude)
      else { continue }
      if plan.recipes[recipe].cuts.contains(cut) {
        sparse.append((recipe, cut))
      } else {
        note(value, "compare: sparse: \(plan.recipes[recipe].name) is not judged at the cut \(cut)")
      }
    }
    return sparse.isEmpty ? nil : StudyPlan.Comparison(reference: reference, sparse: sparse)
  }

  /// cluster: {partition: NAME, time: 2h, memory: 4G, …}
  private mutating func cluster(_ node: Node) -> ClusterSettings {
    var settings = ClusterSettings()
    guard let parts = pairs(node, "cluster", ClusterSettings.keys) else { return settings }
    let names: [(String, WritableKeyPath<ClusterSettings, String?>)] = [
      ("partition", \.resources.partition), ("account", \.resources.account),
      ("qos", \.resources.quality), ("constraint", \.resources.constraint),
    ]
    for (key, place) in names {
      guard let node = parts[key], let name = text(node, "cluster: \(key)") else { continue }
      settings[keyPath: place] = name
      if !ClusterSettings.isName(name) {
        note(node, "cluster: \(key): \"\(name)\" is no name that a cluster can have")
      }
    }
    if let node = parts["time"] {
      settings.resources.time = measure(node, "time", "2h, 30m or 1-12:00:00") {
        ClusterSettings.seconds($0)
      }
    }
    if let node = parts["memory"] {
      settings.resources.memory = measure(node, "memory", "500M or 4G") {
        ClusterSettings.mebibytes($0)
      }
    }
    if let node = parts["chunk"] {
      settings.chunk =
        measure(node, "chunk", "60s or 10m") { ClusterSettings.seconds($0) }
        .map { Double($0) } ?? settings.chunk
    }
    if let node = parts["cores"] {
      settings.resources.cores = integer(node, "cluster: cores", 1...1024) ?? 1
    }
    if let node = parts["at-once"] {
      settings.atOnce = integer(node, "cluster: at-once", 1...1_000_000)
    }
    if let node = parts["attempts"] {
      settings.attempts = integer(node, "cluster: attempts", 1...100) ?? settings.attempts
    }
    return settings
  }

  private mutating func measure(
    _ node: Node, _ key: String, _ examples: String, _ read: (String) -> Int?
  ) -> Int? {
    guard let text = text(node, "cluster: \(key)") else { return nil }
    guard let value = read(text) else {
      note(node, "cluster: \(key): \"\(text)\" is none; \(examples) are")
      return nil
    }
    return value
  }

  // MARK: Data

  private mutating func source(
    _ node: Node?, _ key: String, plant: String?, trajectories: Int, seed: UInt64
  ) -> StudyPlan.Source {
    let standard = StudyPlan.Source.simulation(
      trajectories: trajectories, samples: 5000, seed: seed)
    guard let node, let parts = pairs(node, key, Self.sourceKeys) else {
      if plant == nil {
        note(node, "\(key): give a plant to simulate, or a file of trajectories (file: …)")
      }
      return standard
    }
    if let file = parts["file"] {
      for other in ["samples", "seed", "trajectories"] where parts[other] != nil {
        note(parts[other], "\(key): \(other) belongs to a simulation, but there is a file as well")
      }
      guard let name = text(file, "\(key): file") else { return standard }
      let path = folder.pushing(FilePath(name)).string
      if !FileManager.default.fileExists(atPath: path) {
        note(file, "\(key): there is no file \(path)")
      }
      return .file(path)
    }
    if plant == nil { note(node, "\(key): without a plant to simulate a file is needed (file: …)") }
    let count = parts["trajectories"].flatMap { integer($0, "\(key): trajectories", 1...100_000) }
    let samples = parts["samples"].flatMap { integer($0, "\(key): samples", 2...100_000_000) }
    if (count ?? trajectories) * (samples ?? 5000) > 100_000_000 {
      note(
        node,
        "\(key): \(count ?? trajectories) trajectories of \(samples ?? 5000) samples are more than "
          + "a study holds in memory (100 million samples)")
    }
    let chosen = parts["seed"].flatMap { integer($0, "\(key): seed", 0...Int.max) }
    return .simulation(
      trajectories: count ?? trajectories, samples: samples ?? 5000,
      seed: chosen.map { UInt64($0) } ?? seed)
  }

  /// Checks sizes against the data, and horizons against the test trajectories.
  private mutating func checkSizes(_ top: [String: Node], _ plan: inout StudyPlan) {
    if let node = top["sizes"] {
      for item in list(node) {
        guard let size = integer(item, "sizes", 1...100_000) else { continue }
        if case .simulation(let trajectories, _, _) = plan.train, size > trajectories {
          note(item, "sizes: \(size) trajectories, but only \(trajectories) are simulated")
        }
        if plan.sizes.contains(size) {
          note(item, "sizes: \(size) is there twice")
        } else {
          plan.sizes.append(size)
        }
      }
    } else if case .simulation(let trajectories, _, _) = plan.train {
      plan.sizes = [trajectories]
    }
    if case .simulation(_, let samples, _) = plan.test {
      let beyond = plan.horizons.filter { $0 > samples }
      if let node = top["horizons"], let first = beyond.first {
        note(node, "horizons: \(first) samples, but the test trajectories have \(samples)")
      }
      plan.horizons.removeAll { $0 > samples }
      if plan.horizons.isEmpty { plan.horizons = [samples] }
    }
  }

  /// Checks that a recipe's sizes and levels of noise are among the plan's.
  private mutating func checkParts(_ top: [String: Node], _ plan: StudyPlan) {
    for recipe in plan.recipes {
      for size in recipe.sizes ?? [] where !plan.sizes.isEmpty && !plan.sizes.contains(size) {
        note(top["recipes"], "\(recipe.name): sizes: \(size) is not among those of the plan")
      }
      for level in recipe.noise ?? [] where !plan.noise.contains(level) {
        note(top["recipes"], "\(recipe.name): noise: \(level) is not among that of the plan")
      }
    }
  }

  // MARK: Recipes

  private mutating func recipes(
    _ node: Node, _ cuts: [Double], _ parse: StudyPlan.RecipeParser
  ) -> [StudyPlan.NamedRecipe] {
    guard case .mapping(let mapping) = node, !mapping.isEmpty else {
      note(
        node,
        "recipes: a name with options for each is needed, for example \"dense: {sparsifier: none}\""
      )
      return []
    }
    var found: [StudyPlan.NamedRecipe] = []
    for (key, value) in mapping {
      guard let name = text(key, "recipes") else { continue }
      let isPlain =
        !name.isEmpty && name.count <= 60
        && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.+".contains($0)) }
        && !name.hasPrefix(".")
      guard isPlain else {
        note(key, "recipes: \"\(name)\" becomes a folder: letters, digits, - _ + and . only")
        continue
      }
      var own = cuts
      var (sizes, levels): ([Int]?, [Double]?)
      var options: [(name: String, value: String)] = []
      if case .mapping(let parts) = value {
        for (option, setting) in parts {
          guard let option = text(option, name) else { continue }
          if option == "cuts" {
            own = numbers(setting, "\(name): cuts", 0...Double.greatestFiniteMagnitude)
            continue
          }
          if option == "noise" {
            levels = numbers(setting, "\(name): noise", 0...10)
            continue
          }
          if option == "sizes" {
            sizes = list(setting).compactMap { integer($0, "\(name): sizes", 1...100_000) }
            continue
          }
          let words = list(setting).compactMap { text($0, "\(name): \(option)") }
          options.append((option, words.joined(separator: ",")))
          do {
            _ = try parse([options[options.count - 1]])
          } catch {
            // Alone an option may lack its companion; the whole recipe is tried below.
            if words.isEmpty || !Self.isAboutCombination("\(error)") {
              note(setting, "\(name): \(Self.plain(error))")
              options.removeLast()
            }
          }
        }
      } else if value.scalar?.string.isEmpty != true && value.null == nil {
        note(value, "\(name): options of filigree-train are needed, for example {strength: 1e-3}")
      }
      do {
        found.append(
          .init(
            name: name, recipe: try parse(options), cuts: own, sizes: sizes, noise: levels))
      } catch {
        note(key, "\(name): \(Self.plain(error))")
      }
    }
    return found
  }

  private static func isAboutCombination(_ text: String) -> Bool {
    text.contains("it needs --")
  }

  private static func plain(_ error: any Error) -> String {
    "\(error)".replacing("Error: ", with: "")
  }

  // MARK: Values

  private mutating func pairs(_ node: Node, _ what: String, _ known: [String]) -> [String: Node]? {
    guard case .mapping(let mapping) = node else {
      note(node, "\(what): keys with values are needed (\(known.joined(separator: ", ")))")
      return nil
    }
    var result: [String: Node] = [:]
    for (key, value) in mapping {
      guard let name = key.scalar?.string, known.contains(name) else {
        let given = key.scalar?.string ?? "?"
        let near = Spelling.nearest(given, among: known)
        note(
          key,
          "unknown key \"\(given)\""
            + (near.map { "; is \"\($0)\" meant?" }
              ?? "; there are \(known.joined(separator: ", "))"))
        continue
      }
      result[name] = value
    }
    return result
  }

  private func list(_ node: Node) -> [Node] {
    if case .sequence(let sequence) = node { return Array(sequence) }
    return [node]
  }

  private mutating func text(_ node: Node, _ what: String) -> String? {
    guard let scalar = node.scalar else {
      note(node, "\(what): a single value is needed")
      return nil
    }
    return scalar.string
  }

  private mutating func integer(_ node: Node, _ what: String, _ range: ClosedRange<Int>) -> Int? {
    guard let value = node.int, range.contains(value) else {
      let limit =
        range.upperBound == Int.max
        ? "from \(range.lowerBound) on" : "from \(range.lowerBound) to \(range.upperBound)"
      note(node, "\(what): \(node.scalar?.string ?? "this") is no whole number \(limit)")
      return nil
    }
    return value
  }

  private mutating func number(
    _ node: Node, _ what: String, _ range: ClosedRange<Double>
  ) -> Double? {
    // YAML itself takes 1e-3 for a word: its numbers need a point.
    guard let value = node.float ?? node.scalar.flatMap({ Double($0.string) }),
      range.contains(value)
    else {
      note(node, "\(what): \(node.scalar?.string ?? "this") is no number that can be used here")
      return nil
    }
    return value
  }

  private mutating func numbers(
    _ node: Node, _ what: String, _ range: ClosedRange<Double>
  ) -> [Double] {
    var values: [Double] = []
    for item in list(node) {
      guard let value = number(item, what, range) else { continue }
      if values.contains(value) {
        note(item, "\(what): \(value) is there twice")
      } else {
        values.append(value)
      }
    }
    if values.isEmpty { note(node, "\(what): at least one number is needed") }
    return values
  }

  private static func problem(_ error: any Error) -> PlanProblems.Problem {
    if case YamlError.parser(let context, let problem, let mark, _) = error {
      return .init(
        line: mark.line,
        text: ["not YAML: \(problem)", context?.description].compactMap { $0 }.joined(
          separator: ", "))
    }
    if case YamlError.scanner(let context, let problem, let mark, _) = error {
      return .init(
        line: mark.line,
        text: ["not YAML: \(problem)", context?.description].compactMap { $0 }.joined(
          separator: ", "))
    }
    let lines = "\(error)".split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    return .init(line: nil, text: "not YAML: " + lines.prefix(3).joined(separator: " "))
  }
}
