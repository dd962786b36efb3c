import Networks
import Reporting

extension EnsembleReport {
  private static let shownPairs = 20

  /// What consensus and plant differ about, or nil without a plant.
  /// - Parameter source: what has all of them where the table has not, in words.
  func verdictTable(allIn source: String) -> Table? {
    guard let pairs = result.pairs, !pairs.isEmpty else { return nil }
    return Table(
      title:
        "\(result.name): pairs that are missed, spurious, or too weak to count",
      corner: "rate of change, input",
      columns: ["verdict", "plant R", "model R", "connected", "relevant"],
      rows: pairs.prefix(Self.shownPairs).map { pair in
        (
          "\(pair.output), \(pair.input)",
          [
            .text(pair.verdict), .number(pair.plant), .number(pair.model),
            .integer(pair.connected), .integer(pair.relevant),
          ]
        )
      },
      notes: pairs.count > Self.shownPairs
        ? ["And \(pairs.count - Self.shownPairs) more; \(source) has all."] : [])
  }

  /// |A ∩ B|/|A ∪ B| of all members, by the strictest selection at hand.
  var pairwiseTable: Table {
    let kind = result.selections[result.selections.count - 1]
    return Table(
      title: "\(result.name): Jaccard index of the pairs that two members select (\(kind.kind))",
      corner: "member", columns: kind.jaccard.indices.map(String.init),
      rows: kind.jaccard.enumerated().map { member, row in
        (String(member), row.map { .number($0) })
      })
  }

  /// How many members select each pair, by the strictest selection at hand.
  var frequencyTable: Table {
    let kind = result.selections[result.selections.count - 1]
    let members = ensemble.members.count
    let table = Table(
      title: "\(result.name): members of \(members) that select each pair (\(kind.kind)); rows are "
        + ensemble.members[0].wordForOutputs,
      columns: ensemble.inputs.map(\.name),
      rows: zip(ensemble.outputs, kind.frequency).map { output, row in
        (
          output.name,
          row.map { $0 == 0 ? .trueZero : .integer(Int(($0 * Double(members)).rounded())) }
        )
      })
    return table.saying(ensemble.explained, showsShares: false)
  }
}
