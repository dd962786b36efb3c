import Foundation
enum Tuning {
  static func value(_ name: String, _ usual: Double) -> Double { ProcessInfo.processInfo.environment[name].flatMap(Double.init) ?? usual }
  static let proof = value("EV_PROOF", 3)
  static let negligible = value("EV_NEG", 4e-6)
  static let rows = Int(value("EV_ROWS", 5_000))
  static let learnt = Int(value("EV_LEARNT", 20_000))
  static let blocks = Int(value("EV_BLOCKS", 60))
  static let rounds = Int(value("EV_ROUNDS", 2))
  static let fit = Int(value("EV_FIT", 16))
  static let verbose = value("EV_VERBOSE", 0) > 0
}
