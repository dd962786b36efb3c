import CommandSupport
import Interchange

extension Draw {
  func checkOptions() throws {
    guard PageOptions.Format(rawValue: ending) != nil else {
      throw ValidationError(
        "--output \(output.output): the ending tells the format and must be .svg, .png, .pdf, .dot, "
          + ".graphml or .html.")
    }
    guard threshold.isFinite && threshold >= 0 else {
      throw ValidationError("--threshold \(threshold): must be zero or positive.")
    }
    guard change.isFinite && change >= 0 else {
      throw ValidationError("--change \(change): must be zero or positive.")
    }
    if let strongest = focus.strongest, !(1...100_000).contains(strongest) {
      throw ValidationError("--strongest \(strongest): must be between 1 and 100000.")
    }
    guard (0...1).contains(focus.fold) else {
      throw ValidationError("--fold \(focus.fold): must be between 0 and 1.")
    }
    guard (1...1_000_000).contains(focus.mostEdges) else {
      throw ValidationError("--most-edges \(focus.mostEdges): must be between 1 and 1000000.")
    }
    guard page.format == nil || isToStandardOutput else {
      throw ValidationError(
        "--format is for --output -; the ending of \(output.output) tells its format.")
    }
    guard !open || !isToStandardOutput else {
      throw ValidationError("--open shows a file; --output - makes none.")
    }
    if isPage { try validatePage() }
    let wanted = kind == .difference ? 2 : 1
    guard models.count == wanted else {
      throw ValidationError(
        "\(models.count) models or ensembles were given; --kind \(kind.rawValue) draws \(wanted).")
    }
    try validateFocus()
    try validateLayout()
    guard !kind.needsData || data != nil else {
      throw ValidationError(
        "--kind \(kind.rawValue) needs --data FILE: it shows what happens over data.")
    }
    if let plant {
      guard kind == .dependency else {
        throw ValidationError("--plant is for --kind dependency.")
      }
      _ = try variation.plant(plant)
    }
  }

  private func validateFocus() throws {
    let hasFocus = focus.isGiven
    let isOfEffects =
      kind == .effects && focus.focusInput.isEmpty && focus.strongest == nil && !focus.crop
    guard kind == .network || !hasFocus || isOfEffects else {
      throw ValidationError(
        "--focus-output, --focus-input and --strongest are for --kind network, --focus-output also for "
          + "--kind effects.")
    }
    guard kind == .network || !focus.freeOrder else {
      throw ValidationError("--free-order is for --kind network.")
    }
    guard hasFocus || !focus.crop else {
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
      case .gallery, .effects, .heatmap: []
      }
    guard page.width == nil || layout != .dot else {
      throw ValidationError("--width: Graphviz's own layout (--layout dot) is as wide as it is.")
    }
    guard possible.contains(layout) else {
      throw ValidationError(
        possible.isEmpty
          ? "--layout: --kind \(kind.rawValue) has one layout only."
          : "--layout \(layout.rawValue): --kind \(kind.rawValue) has the layouts "
            + "\(possible.map(\.rawValue).joined(separator: ", ")).")
    }
  }

  /// What a page has no use for.
  private func validatePage() throws {
    guard kind == .network else {
      throw ValidationError(
        "--kind \(kind.rawValue): a page shows networks, pairs, consensus and effects at once; leave --kind out."
      )
    }
    let (inputs, outputs) = (focus.focusInput.count, focus.focusOutput.count)
    guard inputs <= 1, outputs <= 1 else {
      throw ValidationError(
        "\(inputs > 1 ? "--focus-input" : "--focus-output"): a page pins one at first; give it once."
      )
    }
    let useless = [
      ("--strongest", focus.strongest != nil), ("--crop", focus.crop),
      ("--free-order", focus.freeOrder), ("--width", page.width != nil),
      ("--long-names", page.longNames),
      ("--layout dot", layout == .dot),
    ].filter(\.1).map(\.0)
    guard useless.isEmpty else {
      throw ValidationError(
        "\(useless.joined(separator: ", ")): for pictures; a page has thresholds and zooms instead."
      )
    }
  }

  /// Whether a page to explore is made instead of a picture.
  var isPage: Bool { ending == PageOptions.Format.html.rawValue }

  var isToStandardOutput: Bool { output.output == "-" }

  var ending: String {
    isToStandardOutput ? page.format?.rawValue ?? "svg" : WholeFile.ending(output.output)
  }
}
