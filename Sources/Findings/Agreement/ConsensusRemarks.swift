import Foundation
import LinearAlgebra
import Networks
import Reporting
import Structure

extension Consensus {
  /// What was done to make it, and what it still is not.
  ///
  /// - Parameters:
  ///   - place: where the model is now.
  ///   - ensemble: that it is the consensus of.
  ///   - points: samples × inputs in physical units over which the change of the rates is told; nil for none.
  ///   - remedy: how a next training gets round neurons that serve several outputs.
  public func remarks(
    at place: String, of ensemble: Ensemble, over points: Matrix?, remedy: String
  ) -> [Remark] {
    func list(_ pairs: [(output: Int, input: Int)]) -> String {
      let names = pairs.map { "\(model.inputs[$0.input].name) → \(model.outputs[$0.output].name)" }
      return names.prefix(10).joined(separator: ", ") + (names.count > 10 ? ", …" : "")
    }
    var text =
      "\(place): member \(member)"
      + (ensemble.members.count > 1 ? ", which agrees most with the others" : ", the only one")
    if !removed.isEmpty {
      text += ", without \(counted(removed.count, "pair")): \(list(removed))"
    }
    var remarks = [Remark.note(text)]
    if let change = points.flatMap({ largestChange(of: ensemble, over: $0) }), change.size > 0 {
      remarks.append(
        .note(
          String(
            format:
              "over the data it changes the rates by at most %.2g deviations (root mean square, ",
            change.size)
            + "\(change.output)); nothing was fitted anew"))
    }
    if !lacking.isEmpty {
      remarks.append(
        .warning(
          "member \(member) lacks \(counted(lacking.count, "pair")) of the consensus: \(list(lacking))"
        ))
    }
    if !shared.isEmpty {
      remarks.append(
        .warning(
          "\(counted(shared.count, "pair")) outside the consensus stay, because the neurons that carry "
            + "them serve several outputs: \(list(shared)); \(remedy)"))
    }
    return remarks
  }
}
