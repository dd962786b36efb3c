import CommandSupport
import Drawing
import Dynamics
import Findings
import Networks
import Structure

/// What of a network stands out, and how much of it is drawn.
struct FocusOptions: ParsableArguments {
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
    parsing: .unconditional,
    help: """
      Bring out only so many of the strongest paths (in focus): by their effects over --data, paths of a pair that \
      cancel being one, their sum; by the products of their weights without data.
      """)
  var strongest: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      """
      With --data, units that act as lines, or never, are folded away as long as no output changes by more than this \
      share of its deviation; 0 draws every unit.
      """, valueName: "share"))
  var fold = ActingNetwork.usualTolerance

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

  var isGiven: Bool { !focusOutput.isEmpty || !focusInput.isEmpty || strongest != nil }

  /// - Throws: `ValidationError` for a variable that there is not.
  func focus(in ensemble: Ensemble) throws -> DrawingFocus {
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
