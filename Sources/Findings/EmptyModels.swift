import Networks
import Reporting
import Structure

/// Models that read nothing.
public enum EmptyModels {
  /// That members are empty, in words; nil where none is.
  public static func remark(on ensemble: Ensemble) -> String? {
    let empty = ensemble.emptyMembers
    guard !empty.isEmpty else { return nil }
    let word = ensemble.members[0].wordForOutputs
    if empty.count == ensemble.members.count {
      return
        (empty.count == 1 ? "the model is empty" : "all \(counted(empty.count, "model")) are empty")
        + ": the \(word) depend on no input and are constants, which says nothing of the plant"
    }
    let listed = empty.prefix(8).map(String.init).joined(separator: ", ")
    return "member\(empty.count == 1 ? "" : "s") \(listed)\(empty.count > 8 ? ", …" : "") of "
      + "\(ensemble.members.count) (counted from 0) \(empty.count == 1 ? "is" : "are") empty: the \(word) depend "
      + "on no input"
  }
}
