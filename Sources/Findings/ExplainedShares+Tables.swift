import Networks
import Reporting
import Structure

extension ExplainedShares {
  /// R² in as few characters as it needs.
  public static func words(_ share: Double) -> String {
    share < 0 ? "<0" : Cell.number(share).short
  }

  /// R² as a cell that is not taken for one of the table's own numbers.
  func cell(_ output: Int) -> Cell {
    shares[output].map { .text(Self.words($0)) } ?? .missing
  }

  func label(_ name: String, _ output: Int) -> String {
    isNothing(output) ? "\(name), nothing explained" : name
  }

  /// What the column and the rows' labels mean.
  public var legend: String {
    "R²: share of each row's variance that is explained on trajectories which were held out in training"
      + (unexplained.isEmpty
        ? "."
        : "; where that is below \(Self.least), nothing is explained, and what is missing there (–) says "
          + "nothing of the plant.")
  }
}

extension Table {
  /// A table whose rows are an ensemble's outputs, with how much of each is explained at all, and without the dots
  /// that say "nothing acts" where nothing is explained; as it is where that is not known.
  ///
  /// - Parameter showsShares: whether R² has a column, and the legend stands below; else the rows' labels say where
  ///   nothing is explained.
  func saying(_ explained: ExplainedShares?, showsShares: Bool = true) -> Table {
    guard let explained, explained.shares.count == rows.count else { return self }
    var table = self
    for output in rows.indices {
      table.rows[output].label = explained.label(rows[output].label, output)
      let isNothing = explained.isNothing(output)
      table.rows[output].cells =
        (showsShares ? [explained.cell(output)] : [])
        + rows[output].cells.map { $0 == .trueZero && isNothing ? .text("–") : $0 }
    }
    if showsShares {
      table.columns.insert("R²", at: 0)
      table.notes.append(explained.legend)
    }
    return table
  }
}

extension [Table] {
  /// The first so many with the shares, what follows from the same models without.
  func saying(_ explained: ExplainedShares?, first count: Int = 1) -> [Table] {
    enumerated().map { $1.saying(explained, showsShares: $0 < count) }
  }
}
