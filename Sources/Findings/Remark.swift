import Dynamics

/// What is to be said beside a result, one line.
public struct Remark: Equatable, Sendable {
  /// Whether it stays where only errors and warnings are wanted.
  public var isWarning: Bool
  public var text: String

  public static func note(_ text: String) -> Remark { Remark(isWarning: false, text: text) }
  public static func warning(_ text: String) -> Remark { Remark(isWarning: true, text: text) }
}

/// Data, models or a plant that do not fit each other, said in words.
public struct DataMismatch: Error, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}

extension [Variable] {
  /// The names, as far as a message has room for them.
  public var listed: String {
    let names = map(\.name)
    guard count > 20 else { return names.joined(separator: ", ") }
    return names.prefix(8).joined(separator: ", ") + ", … (\(count) in all)"
  }
}
