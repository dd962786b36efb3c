import CommandSupport
import Interchange

/// Two studies or ensembles side by side.
struct Compare: Tool {
  static let configuration = CommandConfiguration(
    abstract: "Compares two studies or ensembles: structure gained and lost, errors.",
    discussion: """
      Of a study the ensemble that its report shows is compared, or that of a recipe. An effect counts as \
      gained or lost where the tests of both trainings decide it; of ensembles that were not tested it is told \
      what most members read. Errors are those of free forecasts over --data, or over the test data of the \
      first study, the same for both.

      EXAMPLES
        filigree-study compare Reports/monday Reports/friday
        filigree-study compare Reports/quick Reports/quick --recipes dense,sparse --output compare.html
        filigree-study compare models/dense models/sparse --data test.nc --format markdown
      """)

  @Argument(help: "A study's folder, an ensemble's folder, or a model.", completion: .file())
  var first: String

  @Argument(help: "Another, with the same variables.", completion: .file())
  var second: String

  @Option(
    help: ArgumentHelp(
      "Of studies: the recipe of the first and of the second, or one for both.",
      valueName: "name,name"))
  var recipes: String?

  @Option(help: "Trajectories over which both are looked at and forecast.", completion: .file())
  var data: String?

  @Option(
    help: ArgumentHelp(
      "Samples within which errors are told: 100, 1000 and the longest trajectory's by default, a study's own for studies.",
      valueName: "samples,…"))
  var horizons: String?

  @Option(
    parsing: .unconditional, help: "Relevance above which a pair counts; a study's own for studies."
  )
  var threshold: Double?

  @Option(
    name: .shortAndLong, help: "Write the comparison as a page as well (.html).",
    completion: .file(extensions: ["html"]))
  var output: String?

  @Flag(name: .shortAndLong, help: "Replace the page if it is there already.")
  var force = false

  @OptionGroup var format: FormatOption
  @OptionGroup(title: "Tables") var tables: TableOptions
  @OptionGroup var run: RunOptions

  func validate() throws {
    if let output, WholeFile.ending(output) != "html" {
      throw ValidationError("--output \(output): must end in .html.")
    }
    if let threshold, !(threshold.isFinite && threshold >= 0) {
      throw ValidationError("--threshold \(threshold): must be zero or positive.")
    }
    _ = try parsedHorizons()
    _ = try parsedRecipes()
  }

  func parsedHorizons() throws -> [Int]? {
    guard let horizons else { return nil }
    let numbers = horizons.split(separator: ",", omittingEmptySubsequences: false).map {
      Int($0.trimmingCharacters(in: .whitespaces))
    }
    let known = numbers.compactMap { $0 }
    guard known.count == numbers.count, known.allSatisfy({ $0 > 0 }) else {
      throw ValidationError(
        "--horizons \(horizons): must be positive whole numbers, for example 100,1000.")
    }
    return Set(known).sorted()
  }

  func parsedRecipes() throws -> (String?, String?) {
    guard let recipes else { return (nil, nil) }
    let names = NameList.parse(recipes).map { $0.trimmingCharacters(in: .whitespaces) }
    guard (1...2).contains(names.count), !names.contains("") else {
      throw ValidationError("--recipes \(recipes): give one name, or two separated by a comma.")
    }
    return (names[0], names[names.count - 1])
  }

  mutating func work() async throws { try await answer() }
}
