import CommandSupport

extension Certify {
  func checkOptions() throws {
    guard explain.isEmpty || explain.count == 2 else {
      throw ValidationError(
        "--explain takes an output and an input, for example --explain T_bath I_line.")
    }
    guard explain.isEmpty || against == nil else {
      throw ValidationError("--explain and --against answer different questions; give one.")
    }
    guard within == nil || against != nil else {
      throw ValidationError("--within belongs to --against.")
    }
    if let within, !(within >= 0 && within.isFinite) {
      throw ValidationError("--within \(within): must be zero or positive.")
    }
    guard tolerance > 0, tolerance.isFinite else {
      throw ValidationError("--tolerance \(tolerance): must be positive.")
    }
    if let boxes, !(1...100_000_000).contains(boxes) {
      throw ValidationError("--boxes \(boxes): must be between 1 and 100000000.")
    }
    if let timeLimit, !(timeLimit > 0 && timeLimit < 1e9) {
      throw ValidationError("--time-limit \(timeLimit): must be a positive number of seconds.")
    }
  }
}
