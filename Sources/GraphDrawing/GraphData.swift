/// What a node or an edge is, for programs that read graphs; how it looks is in its attributes.
public enum GraphValue: Equatable, Sendable {
  case text(String)
  case number(Double)
  case integer(Int)
}

public typealias GraphData = [String: GraphValue]
