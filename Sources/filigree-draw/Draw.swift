import CommandSupport
import Dynamics
import Structure

@main
struct Draw: Tool {
  static let configuration = CommandConfiguration(
    commandName: "filigree-draw",
    abstract: "Draws pruned networks and what ensembles of them say.",
    discussion: """
      network: the live part of one model, every surviving weight an edge (blue and solid positive, \
      orange and dashed negative, width by size); with --data widths show effects instead of weights, \
      units that act as lines or never are folded away, and the others are filled by how often they are \
      active. gallery: all members of an ensemble on one sheet. dependency: which inputs drive which \
      rates, by relevance over --data; with --plant found, missed and spurious pairs. consensus: how \
      many members have each pair. difference: what two models or ensembles have in common and what \
      only one has. effects: for every rate the inputs that act on it, each with a curve of what it does \
      over --data, in physical units. heatmap: a table of relevance, coloured by sign. The ending of \
      --output chooses the format: .svg, .png, .pdf, .dot, or .graphml \
      for other programs (edges with weight, sign, layer, effect and verdict). An .html is a page to explore, \
      one file that needs nothing else: thresholds slide, inputs, outputs and paths are pinned, and what is \
      known of them is read beside the drawing, with --data in physical units.

      EXAMPLES
        filigree-draw models/sparse/member-00.onnx --kind network --output network.svg
        filigree-draw models/sparse --focus-output T_bath --strongest 5 --crop --output bath.svg
        filigree-draw models/sparse --kind gallery --output gallery.pdf
        filigree-draw models/sparse --kind dependency --data test.nc --output dependency.svg
        filigree-draw models/sparse --kind dependency --layout circle --data test.nc --output who.svg
        filigree-draw models/sparse --kind dependency --plant electrolysis --data test.nc --output true.svg
        filigree-draw models/sparse --kind effects --data test.nc --output effects.svg
        filigree-draw models/sparse --kind consensus --output consensus.pdf
        filigree-draw models/dense models/sparse --kind difference --data test.nc --output difference.svg
        filigree-draw models/sparse --data test.nc --output model.html --open
      """,
    version: filigreeVersion)

  enum Kind: String, ExpressibleByArgument, CaseIterable {
    case network, gallery, dependency, consensus, difference, effects, heatmap

    /// Those that show what happens over data have nothing to show without.
    var needsData: Bool { [.dependency, .effects, .heatmap].contains(self) }
  }

  enum Layout: String, ExpressibleByArgument, CaseIterable {
    case towers, layers, columns, circle, dot
  }

  @Argument(
    help: "A model (.onnx) or the folder of an ensemble; two of them for --kind difference.",
    completion: .file())
  var models: [String]

  @Option(help: "network, gallery, dependency, consensus, difference, effects or heatmap.")
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
    parsing: .unconditional,
    help: "For a network drawing of an ensemble: which member, from 0; a page shows it first.")
  var member: Int?

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
  var threshold = PairSelection.usualThreshold

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "For --kind difference: relative change from which on a common pair counts as changed.",
      valueName: "share"))
  var change = 0.1

  @OptionGroup var focus: FocusOptions

  @Option(help: "Title; the model's name by default.")
  var title: String?

  @Flag(help: "Show the file in the program that the system has for its kind.")
  var open = false

  @OptionGroup var page: PageOptions
  @OptionGroup var cut: CutOption
  @OptionGroup var variation: VariationOption
  @OptionGroup var reading: ModelOptions
  @OptionGroup(title: "Tables") var tables: TableOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var run: RunOptions

  func validate() throws { try checkOptions() }

  mutating func work() async throws {
    if isPage { try await explore() } else { try await draw() }
  }
}
