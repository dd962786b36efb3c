import LinearAlgebra
import Reporting
import Structure

extension MemberReport {
  func tables() -> [Table] {
    let layers = Table(
      title: "Layers", corner: "layer",
      columns: ["units", "live", "constant", "unused", "weights", "of all"],
      rows: result.layers.map {
        (
          $0.name,
          [
            .integer($0.units), .integer($0.live), .integer($0.constant), .integer($0.unused),
            .integer($0.weights), .integer($0.weightsInAll),
          ]
        )
      },
      notes: [
        "constant: no input reaches it (its value is part of the next biases); unused: reaches no "
          + "output."
      ])
    let counts = pairTable("Number of paths; rows are \(model.wordForOutputs)", analysis.counts) {
      $0.map { $0 == 0 ? .trueZero : Int(exactly: $0).map(Cell.integer) ?? .text("\($0)") }
        ?? .text(">2^64")
    }
    func rows(_ matrix: Matrix) -> [[Double]] { (0..<matrix.rows).map { Array(matrix.row($0)) } }
    let positive = pairTable("P: sum of the positive products", rows(analysis.positive)) {
      $0 == 0 ? .trueZero : .number($0)
    }
    let negative = pairTable("N: minus the sum of the negative products", rows(analysis.negative)) {
      $0 == 0 ? .trueZero : .number($0)
    }
    var tables = [layers, counts, positive, negative, signs]
    tables.append(pathTable("Strongest paths", result.strongest))
    tables += result.outputs.enumerated().map {
      pathTable("Strongest paths to \(model.label(ofOutput: $0))", $1.strongest)
    }
    for pair in result.connectedPairs {
      guard let strongest = pair.strongest else { continue }
      tables.append(
        pathTable("Strongest paths from \(pair.input) to \(label(pair.output))", strongest))
    }
    return tables.filter { !$0.rows.isEmpty }
  }

  private func label(_ output: String) -> String {
    model.outputs.firstIndex { $0.name == output }.map(model.label(ofOutput:)) ?? output
  }

  /// Which pairs can only rise, or only fall.
  private var signs: Table {
    let rows = model.outputs.indices.map { output in
      model.inputs.indices.map { input -> Cell in
        guard analysis.counts[output][input] != 0 else { return .trueZero }
        switch analysis.monotony(output: output, input: input) {
        case .increasing: return .text("+")
        case .decreasing: return .text("−")
        case nil: return .text("±")
        }
      }
    }
    var table = pairTable("Signs that the derivative can have, whatever the state", rows) { $0 }
    table.notes = ["+: it can only rise with the input; −: only fall; ±: the weights allow both."]
    return table
  }

  private func pathTable(_ title: String, _ paths: [PathEntry]) -> Table {
    let hasData = paths.contains { $0.activeShare != nil }
    return Table(
      title: title, columns: ["product"] + (hasData ? ["active", "effect"] : []),
      rows: paths.map { path in
        (
          path.nodes.joined(separator: " → "),
          [.number(path.product)]
            + [path.activeShare, path.meanContribution].compactMap { $0.map(Cell.number) }
        )
      },
      notes: hasData ? [PathActivity.note] : [])
  }

  private func pairTable<Value>(
    _ title: String, _ values: [[Value]], _ cell: (Value) -> Cell
  ) -> Table {
    Table(
      title: title, columns: model.inputs.map(\.name),
      rows: zip(model.outputs, values).map { ($0.name, $1.map(cell)) })
  }
}
