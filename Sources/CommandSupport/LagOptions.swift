import Dynamics
import Findings
import Training

/// A number, or `auto` where it is to be found from the data.
public enum CountOrAuto: ExpressibleByArgument, Equatable, Sendable {
  case auto
  case count(Int)

  public init?(argument: String) {
    if argument == "auto" {
      self = .auto
    } else if let count = Int(argument) {
      self = .count(count)
    } else {
      return nil
    }
  }

  var found: Int? { if case .count(let count) = self { count } else { nil } }
}

/// Which lagged values of the variables a model reads.
public struct LagOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      """
      For plants of which not all states are measured: the model also reads the states of so many samples \
      before, and the inputs of as many. auto finds the numbers, and when inputs begin to act, by the errors of free \
      runs on stretches that are held out, and delivers the simplest kind of model that is not significantly \
      worse than the best: a line, a polynomial or a small network (see candidates.csv).
      """, valueName: "N|auto"))
  public var lags: CountOrAuto?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The same for the inputs, where it is not --lags.", valueName: "N|auto"))
  public var inputLags: CountOrAuto?

  @Option(
    help: ArgumentHelp(
      """
      An input acts K samples late; −1: within the step that is predicted, as where a logger writes inputs and \
      answers at one moment. May be given again.
      """, valueName: "name=K|auto"))
  public var delay: [String] = []

  public init() {}

  public var isGiven: Bool { lags != nil || inputLags != nil || !delay.isEmpty }

  static let most = 200

  public func validate() throws {
    for (option, value) in [("--lags", lags), ("--input-lags", inputLags)] {
      if let count = value?.found, !(0...Self.most).contains(count) {
        throw ValidationError("\(option) \(count): must be auto or between 0 and \(Self.most).")
      }
    }
    _ = try delays()
  }

  private func delays() throws -> [(name: String, value: CountOrAuto)] {
    try delay.map { text in
      guard let equals = text.lastIndex(of: "=") else {
        throw ValidationError("--delay \(text): is not of the form name=samples.")
      }
      // A minus sign may come from a text as well as from a keyboard.
      let number = text[text.index(after: equals)...].replacing("−", with: "-")
      guard let value = CountOrAuto(argument: String(number)),
        value.found.map({ (-1...Self.most).contains($0) }) ?? true
      else {
        throw ValidationError(
          "--delay \(text): must be name=auto or a number of samples from -1 to \(Self.most).")
      }
      return (String(text[..<equals]), value)
    }
  }

  /// The lags to be searched for; if --lags is a number, lags that were not given are not searched for.
  /// - Throws: `ValidationError` for a delay of a variable that is not an input.
  public func request(for data: Trajectories) throws -> LagRequest {
    let isFound = lags == .auto
    var request = LagRequest(stateLags: isFound ? nil : lags?.found ?? 0)
    switch inputLags {
    case .count(let count): request.inputCount = count + 1
    case .auto: request.inputCount = nil
    case nil: request.inputCount = isFound ? nil : (lags?.found ?? 0) + 1
    }
    if !isFound { for control in data.controls { request.delays[control.name] = 0 } }
    for (name, value) in try delays() {
      guard data.controls.contains(where: { $0.name == name }) else {
        throw ValidationError(
          "--delay \(name): there is no such input; there "
            + (data.controls.isEmpty ? "are none" : "are \(data.controls.listed)") + ".")
      }
      request.delays[name] = value.found
    }
    return request
  }
}
