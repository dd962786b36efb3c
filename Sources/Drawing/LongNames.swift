import Dynamics
import Networks

extension Ensemble {
  /// With what variables are called in words in place of their symbols, where words are known and tell them apart.
  /// Outputs are called as the states whose rates they are.
  public var withLongNames: Ensemble {
    let words = inputs.map(\.longName)
    let counts = Dictionary(words.map { ($0, 1) }, uniquingKeysWith: +)
    let symbols = Set(inputs.map(\.name))
    var names: [String: String] = [:]
    for (input, word) in zip(inputs, words)
    where !word.isEmpty && counts[word] == 1 && !symbols.contains(word) {
      names[input.name] = word
    }
    var result = self
    for member in result.members.indices {
      for index in inputs.indices { result.members[member].inputs[index].rename(names) }
      for index in outputs.indices { result.members[member].outputs[index].rename(names) }
    }
    return result
  }
}

extension Variable {
  fileprivate mutating func rename(_ names: [String: String]) { name = names[name] ?? name }
}
