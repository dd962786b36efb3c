import Foundation

extension Kernels {
  /// The set that the environment asks for, otherwise the fastest one.
  public static let active: Kernels = {
    let wanted = ProcessInfo.processInfo.environment["FILIGREE_INSTRUCTION_SET"]
    if let set = wanted.flatMap(InstructionSet.init(rawValue:)), let kernels = Kernels(set) {
      return kernels
    }
    // The baseline runs everywhere, so the list is never empty.
    guard let fastest = available.first else { preconditionFailure("no kernels were compiled") }
    return fastest
  }()
}
