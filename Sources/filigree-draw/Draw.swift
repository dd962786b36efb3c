import CommandSupport
import Drawing
import Dynamics
import Foundation
import GraphDrawing
import Interchange
import Networks
import Structure

@main
struct Draw: Tool {
  static let configuration = CommandConfiguration(
    commandName: "filigree-draw",
    abstract: "Draws pruned networks and what ensembles of them say.",
    discussion: """
      network: the live part of one model, every surviving weight an edge (blue and solid positive, \
      orange and dashed negative, width by size); with --data units are filled by how often they are \
      active. gallery: all members of an ensemble on one sheet. dependency: which inputs drive which \
      rates, by relevance over --data; with --plant found, missed and spurious pairs. consensus: how \
      many members have each pair. difference: what two models or ensembles have in common and what \
      only one has. The ending of --output chooses the format: .svg, .png, .pdf or .dot.

      EXAMPLES
        filigree-draw models/sparse/member-00.onnx --kind network --output network.svg
        filigree-draw models/sparse --focus-output T_bath --strongest 5 --crop --output bath.svg
        filigree-draw models/sparse --kind gallery --output gallery.pdf
        filigree-draw models/sparse --kind dependency --data test.nc --output dependency.svg
        filigree-draw models/sparse --kind dependency --layout circle --data test.nc --output who.svg
        filigree-draw models/sparse --kind dependency --plant electrolysis --data test.nc --output true.svg
        filigree-draw models/sparse --kind consensus --output consensus.pdf
        filigree-draw models/dense models/sparse --kind difference --data test.nc --output difference.svg
      """,
    version: filigreeVersion)

  enum Kind: String, ExpressibleByArgument, CaseIterable {
    case network, gallery, dependency, consensus, difference

    var isOfPairs: Bool { [.dependency, .consensus, .difference].contains(self) }
  }

  enum Layout: String, ExpressibleByArgument, CaseIterable {
    case towers, layers, columns, circle, dot
  }

  @Argument(
    help: "A model (.onnx) or the folder of an ensemble; two of them for --kind difference.",
    completion: .file())
  var models: [String]

  @Option(help: "network, gallery, dependency, consensus or difference.")
  var kind = Kind.network

  @Option(
    help: ArgumentHelp(
      """
      Of a network: towers (each by itself, the default where there are several), layers (the inputs once) or \
      dot (Graphviz's own; slow above a thousand weights). Of pairs: columns (the default), circle (states as a \
      graph with loops) or dot.
      """))
  var layout: Layout?

  @Option(
    parsing: .unconditional, help: "For a network drawing of an ensemble: which member, from 0.")
  var member = 0

  @Option(
    help: """
      Trajectories over which relevance, or the activity of units, is taken.
      """,
    completion: .file())
  var data: String?

  @Option(
    help:
      "For a dependency graph: judge it by this known plant: \(PlantCatalogue.names.joined(separator: ", ")).",
    completion: .list(PlantCatalogue.names))
  var plant: String?

  @Option(
    parsing: .unconditional,
    help: "For graphs of pairs with --data: relevance above which a connected pair counts.")
  var threshold = 0.01

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "For --kind difference: relative change from which on a common pair counts as changed.",
      valueName: "share"))
  var change = 0.1

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

  @Flag(help: "Leave out what is not in focus instead of fading it.")
  var crop = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      """
      Above so many weights a network is drawn by groups of units: edges then stand for all weights between two \
      groups, and the drawing says so.
      """, valueName: "count"))
  var mostEdges = 20_000

  @Flag(
    help: """
      Inputs and outputs of a network without towers may change places where that saves crossings.
      """)
  var freeOrder = false

  @Option(help: "Title; the model's name by default.")
  var title: String?

  @Option(parsing: .unconditional, help: "Resolution of a .png in dots per inch.")
  var resolution = 150

  @OptionGroup var cut: CutOption
  @OptionGroup var variation: VariationOption
  @OptionGroup var reading: ModelOptions
  @OptionGroup(title: "Tables") var tables: TableOptions
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
    guard change.isFinite && change >= 0 else {
      throw ValidationError("--change \(change): must be zero or positive.")
    }
    if let strongest, !(1...100_000).contains(strongest) {
      throw ValidationError("--strongest \(strongest): must be between 1 and 100000.")
    }
    guard (1...1_000_000).contains(mostEdges) else {
      throw ValidationError("--most-edges \(mostEdges): must be between 1 and 1000000.")
    }
    let wanted = kind == .difference ? 2 : 1
    guard models.count == wanted else {
      throw ValidationError(
        "\(models.count) models or ensembles were given; --kind \(kind.rawValue) draws \(wanted).")
    }
    try validateFocus()
    try validateLayout()
    guard kind != .dependency || data != nil else {
      throw ValidationError("--kind dependency needs --data FILE: relevance is taken over data.")
    }
    if let plant {
      guard kind == .dependency else {
        throw ValidationError("--plant is for --kind dependency.")
      }
      _ = try variation.plant(plant)
    }
  }

  private func validateFocus() throws {
    let hasFocus = !focusOutput.isEmpty || !focusInput.isEmpty || strongest != nil
    guard kind == .network || !hasFocus else {
      throw ValidationError(
        "--focus-output, --focus-input and --strongest are for --kind network.")
    }
    guard kind == .network || !freeOrder else {
      throw ValidationError("--free-order is for --kind network.")
    }
    guard hasFocus || !crop else {
      throw ValidationError(
        "--crop leaves out what is not in focus; say what is with --focus-output, --focus-input or "
          + "--strongest.")
    }
  }

  private func validateLayout() throws {
    guard let layout else { return }
    let possible: [Layout] =
      switch kind {
      case .network: [.towers, .layers, .dot]
      case .dependency, .consensus, .difference: [.columns, .circle, .dot]
      case .gallery: []
      }
    guard possible.contains(layout) else {
      throw ValidationError(
        possible.isEmpty
          ? "--layout: a gallery has one layout only."
          : "--layout \(layout.rawValue): --kind \(kind.rawValue) has the layouts "
            + "\(possible.map(\.rawValue).joined(separator: ", ")).")
    }
  }

  private var ending: String { WholeFile.ending(output.output) }

  mutating func work() async throws {
    try WholeFile.checkWritable(output.output, force: output.force)
    try refuseOverwriting(output.output, [data].compactMap { $0 }, models: models)
    var ensembles = try models.map { try Ensemble.load($0, cut: cut.cut, told: reading.description) }
    if ensembles.count == 2, ensembles[0].name == ensembles[1].name {
      for index in ensembles.indices { ensembles[index].name = models[index] }
    }
    var graph = try await drawing(of: ensembles)
    if ending == "png" { graph.attributes["dpi"] = .number(Double(resolution)) }
    let bytes =
      if let format = Renderer.Format(rawValue: ending) {
        try Renderer.render(graph, as: format, layout: layout == .dot ? .dot : .fixed)
      } else {
        // Graphviz then takes the places as they are, instead of finding its own.
        Array((layout == .dot ? graph : graph.placed).dot.utf8)
      }
    try WholeFile.write(bytes, to: output.output, force: output.force)
    run.note("\(output.output): \(graph.summary)")
  }

  private func drawing(of ensembles: [Ensemble]) async throws -> Graph {
    let ensemble = ensembles[0]
    switch kind {
    case .network: return try await network(ensemble)
    case .gallery:
      try checkSize(ensemble)
      return EnsembleGallery(
        ensemble,
        title: title ?? "\(ensemble.name): \(counted(ensemble.members.count, "member"))"
      ).graph
    case .dependency, .consensus, .difference:
      let pairs =
        switch kind {
        case .dependency: try await dependencies(ensemble)
        case .consensus: try await consensus(ensemble)
        default: try await difference(ensembles[0], ensembles[1])
        }
      switch layout {
      case .circle: return pairs.graph(.circle)
      case .dot: return pairs.graph(.dot)
      default: return pairs.graph(.columns)
      }
    }
  }

  // MARK: Networks

  private func network(_ ensemble: Ensemble) async throws -> Graph {
    guard ensemble.members.indices.contains(member) else {
      throw ValidationError(
        "--member \(member): \(models[0]) has members 0 to \(ensemble.members.count - 1).")
    }
    let model = ensemble.members[member]
    if ensemble.members.count > 1 {
      run.note("drawing member \(member) of \(ensemble.members.count); --member chooses another")
    }
    var options = NetworkDrawing.Options()
    options.layout =
      switch layout {
      case .towers: .towers
      case .layers: .layers
      case .dot: .dot
      default: nil
      }
    options.focus = try focus(ensemble)
    options.crops = crop
    options.movesEnds = freeOrder
    options.mostEdges = mostEdges
    if let data {
      let points = try ensemble.points(of: try tables.read(data, quiet: run.quiet), from: data)
      options.activity = UnitActivity(model, over: points)
    }
    let weights = LiveStructure(model.network).network.survivingWeightCount
    if weights > mostEdges {
      if !options.focus.isEverything || data != nil {
        throw ValidationError(
          "\(models[0]) has \(weights) weights and is drawn by groups of units, which have neither "
            + "paths nor activity; --most-edges \(weights) draws every weight.")
      }
      run.note("\(weights) weights are drawn by groups; --most-edges \(weights) draws every one")
    }
    if !options.focus.isEverything, options.focus.isEmpty(in: model.network) {
      throw ValidationError(
        "no path leads from \(focusInput.isEmpty ? "any input" : focusInput.joined(separator: ", ")) to "
          + "\(focusOutput.isEmpty ? "any output" : focusOutput.joined(separator: ", ")): there is nothing to "
          + "bring out.")
    }
    let name = ensemble.members.count > 1 ? "\(ensemble.name), member \(member)" : ensemble.name
    return NetworkDrawing(model, title: title ?? name, options: options).graph
  }

  private func checkSize(_ ensemble: Ensemble) throws {
    let weights = ensemble.members.reduce(0) { $0 + $1.network.survivingWeightCount }
    guard weights <= 10 * mostEdges else {
      throw ValidationError(
        "the members of \(models[0]) have \(weights) weights together, too many for one sheet; "
          + "--cut leaves out small ones, --most-edges \((weights + 9) / 10) draws them all.")
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

  // MARK: Pairs

  private func chosen(_ ensemble: Ensemble) async throws -> PairDrawing.Chosen? {
    guard let data else { return nil }
    let points = try ensemble.points(of: try tables.read(data, quiet: run.quiet), from: data)
    let relevance = try await EnsembleRelevance(ensemble, over: points, threads: run.threads)
    return PairDrawing.Chosen(ensemble, relevance: relevance, threshold: threshold)
  }

  private func dependencies(_ ensemble: Ensemble) async throws -> PairDrawing {
    guard let data, let chosen = try await chosen(ensemble) else {
      throw ValidationError("--kind dependency needs --data FILE.")
    }
    guard let plant else {
      return .dependencies(chosen, title: title ?? "\(ensemble.name): what drives what")
    }
    let truth = try await variation.truth(
      plant, for: ensemble, over: try tables.read(data, quiet: run.quiet), from: data, threads: run.threads)
    return .judged(
      chosen, by: truth, plant: plant + (variation.vary.map { ", varied by \($0)" } ?? ""),
      title: title ?? "\(ensemble.name) and the plant")
  }

  private func consensus(_ ensemble: Ensemble) async throws -> PairDrawing {
    let chosen = try await chosen(ensemble)
    if ensemble.members.count == 1 {
      run.note("note: \(ensemble.name) has one member, which agrees with itself")
    }
    return .consensus(
      ensemble, chosen?.selection ?? Selection(connectedPairsOf: ensemble),
      condition: condition(chosen), title: title ?? "\(ensemble.name): what the members agree on")
  }

  private func difference(_ first: Ensemble, _ second: Ensemble) async throws -> PairDrawing {
    try first.checkComparable(with: second)
    let (one, other) = (try await chosen(first), try await chosen(second))
    let selections = (
      one?.selection ?? Selection(connectedPairsOf: first),
      other?.selection ?? Selection(connectedPairsOf: second)
    )
    let several = max(first.members.count, second.members.count) > 1
    return .difference(
      first, second, pairs: (selections.0.consensus, selections.1.consensus),
      sizes: (
        one?.relevance.mean.elements ?? selections.0.frequency,
        other?.relevance.mean.elements ?? selections.1.frequency
      ),
      signed: one.flatMap { one in
        other.map { (one.relevance.signedMean.elements, $0.relevance.signedMean.elements) }
      }, change: change,
      condition: condition(one) + (several ? ", in most members" : ""),
      measure: one == nil ? "share of members" : "mean |J|",
      title: title ?? "\(first.name) and \(second.name)")
  }

  /// What selects a pair, in words.
  private func condition(_ chosen: PairDrawing.Chosen?) -> String {
    chosen == nil ? "connected by a path" : String(format: "mean |J| above %.3g", threshold)
  }
}

extension Graph {
  fileprivate var placed: Graph {
    var result = self
    result.attributes["layout"] = .keyword(Renderer.Layout.fixed.rawValue)
    return result
  }
}
