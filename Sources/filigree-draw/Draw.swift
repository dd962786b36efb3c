import CommandSupport
import Dynamics
import Foundation
import GraphDrawing
import Interchange
import Interpretation
import Networks

@main
struct Draw: Tool {
  static let configuration = CommandConfiguration(
    commandName: "filigree-draw",
    abstract: "Draws pruned networks and dependency graphs.",
    discussion: """
      network: the live part of one model, every surviving weight an edge (blue and solid positive, \
      orange and dashed negative, width by size). dependency: which inputs drive which rates, by \
      relevance over --data. The ending of --output chooses the format: .svg, .png, .pdf or .dot.

      EXAMPLES
        filigree-draw models/sparse/member-00.onnx --kind network --output network.svg
        filigree-draw models/sparse --kind dependency --data test.nc --output dependency.svg
        filigree-draw models/sparse --focus-output T_bath --strongest 5 --output bath.svg
        filigree-draw models/sparse --member 3 --output member-3.png --resolution 300
      """,
    version: filigreeVersion)

  enum Kind: String, ExpressibleByArgument, CaseIterable { case network, dependency }

  @Argument(help: "A model (.onnx) or the folder of an ensemble.", completion: .file())
  var models: String

  @Option(help: "network or dependency.")
  var kind = Kind.network

  @Option(
    parsing: .unconditional, help: "For a network drawing of an ensemble: which member, from 0.")
  var member = 0

  @Option(
    help: "For a dependency graph: trajectories over which relevance is taken.",
    completion: .file())
  var data: String?

  @Option(
    parsing: .unconditional,
    help: "For a dependency graph: relevance above which a connected pair is drawn.")
  var threshold = 0.01

  @Option(
    help: ArgumentHelp(
      "Bring out the paths to this output; the rest fades. May be given again.", valueName: "name"))
  var focusOutput: [String] = []

  @Option(
    help: ArgumentHelp(
      "Bring out the paths from this input; the rest fades. May be given again.", valueName: "name")
  )
  var focusInput: [String] = []

  @Option(
    parsing: .unconditional, help: "Bring out only so many of the strongest paths (in focus).")
  var strongest: Int?

  @Option(help: "Title; the model's name by default.")
  var title: String?

  @Option(parsing: .unconditional, help: "Resolution of a .png in dots per inch.")
  var resolution = 150

  @OptionGroup var cut: CutOption
  @OptionGroup var controls: ControlsOption
  @OptionGroup var output: OutputOptions
  @OptionGroup var run: RunOptions

  func validate() throws {
    guard ["svg", "png", "pdf", "dot"].contains(ending) else {
      throw ValidationError(
        "--output \(output.output): the ending tells the format and must be .svg, .png, .pdf or .dot."
      )
    }
    guard (10...2400).contains(resolution) else {
      throw ValidationError("--resolution \(resolution): must be between 10 and 2400.")
    }
    guard threshold.isFinite && threshold >= 0 else {
      throw ValidationError("--threshold \(threshold): must be zero or positive.")
    }
    if let strongest, !(1...100_000).contains(strongest) {
      throw ValidationError("--strongest \(strongest): must be between 1 and 100000.")
    }
    guard kind == .network || focusOutput.isEmpty && focusInput.isEmpty && strongest == nil else {
      throw ValidationError(
        "--focus-output, --focus-input and --strongest are for --kind network.")
    }
    guard kind == .network || data != nil else {
      throw ValidationError("--kind dependency needs --data FILE: relevance is taken over data.")
    }
  }

  private var ending: String { WholeFile.ending(output.output) }

  mutating func work() async throws {
    try WholeFile.checkWritable(output.output, force: output.force)
    let ensemble = try Ensemble.load(models, cut: cut.cut)
    var graph = try await drawing(of: ensemble)
    if ending == "png" { graph.attributes["dpi"] = .number(Double(resolution)) }
    let bytes =
      if let format = Renderer.Format(rawValue: ending) {
        try Renderer.render(graph, as: format)
      } else {
        Array(graph.dot.utf8)
      }
    try WholeFile.write(bytes, to: output.output, force: output.force)
    run.note(
      "\(output.output): \(graph.edges.count { $0.attributes["class"] != "legend" }) edges between "
        + "\(Set(graph.edges.flatMap { [$0.from, $0.to] }.filter { !$0.hasPrefix("legend") }).count) "
        + "nodes")
  }

  private func drawing(of ensemble: Ensemble) async throws -> Graph {
    switch kind {
    case .network:
      guard ensemble.members.indices.contains(member) else {
        throw ValidationError(
          "--member \(member): \(models) has members 0 to \(ensemble.members.count - 1).")
      }
      let name =
        ensemble.members.count > 1 ? "\(ensemble.name), member \(member)" : ensemble.name
      if ensemble.members.count > 1 {
        run.note("drawing member \(member) of \(ensemble.members.count); --member chooses another")
      }
      let drawing = NetworkDrawing(
        ensemble.members[member], title: title ?? name, focus: try focus(ensemble))
      run.note("\(drawing.crossings) crossings of edges between neighbouring columns")
      return drawing.graph
    case .dependency:
      let path = data ?? ""
      let points = try ensemble.points(of: try controls.read(path), from: path)
      let relevance = try await EnsembleRelevance(ensemble, over: points, threads: run.threads)
      return DependencyDrawing(
        ensemble, relevance: relevance, threshold: threshold,
        title: title ?? "\(ensemble.name): what drives what"
      ).graph
    }
  }

  private func focus(_ ensemble: Ensemble) throws -> DrawingFocus {
    func numbers(_ names: [String], _ variables: [Variable], _ option: String) throws -> [Int] {
      try names.map { name in
        guard let index = variables.firstIndex(where: { $0.name == name }) else {
          throw ValidationError(
            "\(option) \(name): there is no such variable; there are \(variables.listed).")
        }
        return index
      }
    }
    return DrawingFocus(
      outputs: try numbers(focusOutput, ensemble.outputs, "--focus-output"),
      inputs: try numbers(focusInput, ensemble.inputs, "--focus-input"), strongest: strongest)
  }
}
