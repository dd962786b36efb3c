import CKernels

/// Who reads whom in a network, as the kernels walk through it: which rows a unit reads with which
/// parameters, and which units read it.
///
/// A *whole* wiring holds every weight; a *selection* only those that are not zero, its units sorted
/// into live ones (from which a way leads to an output) and others. Parameters are grouped by unit,
/// bias first, later units first: the order in which the backward pass makes their gradients.
public struct Wiring: Sendable {
  /// What a unit reads, for making a whole wiring.
  public struct Unit {
    public var activation: Activation
    public var isOutput: Bool
    /// Units of the same layer have the same sources.
    public var layer: Int
    /// Of every weight, in the order of the parameters.
    public var sources: [Source]

    public init(activation: Activation, isOutput: Bool, layer: Int, sources: [Source]) {
      self.activation = activation
      self.isOutput = isOutput
      self.layer = layer
      self.sources = sources
    }
  }

  public enum Source: Equatable, Sendable {
    case input(Int)
    case unit(Int)
  }

  /// Rows of the tables of values, slopes and deltas.
  public let rows: Int
  public private(set) var unitCount: Int
  public private(set) var liveUnitCount: Int
  public private(set) var parameterCount: Int
  public private(set) var liveParameterCount: Int

  private let row: Region
  private let activation: Region
  private let isOutput: Region
  private let layer: Region
  private let pair: Region
  private let first: Region
  private let last: Region
  private let outgoing: Region
  private let source: Region
  private let target: Region
  private let targetParameter: Region
  /// Of a whole: the unit that each parameter reads, or the number of units for none. Of a selection: scratch.
  private let sourceUnit: Region
  /// The number in the whole of each parameter of a selection.
  public let home: Region
  private let wholeFirst: Region
  private let wholeLast: Region
  private let unit: Region
  private let place: Region
  /// The same for C, and the arena that it points into; kept because it is asked for at every step.
  private nonisolated(unsafe) var native = filigree_wiring()
  private nonisolated(unsafe) var nativeBase: UnsafeMutablePointer<UInt32>?

  /// Room for a network of so many units and parameters.
  public init(rows: Int, units: Int, parameters: Int, in layout: inout ArenaLayout) {
    precondition(rows < 1 << 31 && parameters < 1 << 31)
    self.rows = rows
    unitCount = units
    liveUnitCount = units
    parameterCount = parameters
    liveParameterCount = parameters
    row = layout.reserve(units)
    activation = layout.reserve(units)
    isOutput = layout.reserve(units)
    layer = layout.reserve(units)
    pair = layout.reserve(units)
    first = layout.reserve(units)
    last = layout.reserve(units)
    outgoing = layout.reserve(units + 2)
    source = layout.reserve(parameters)
    target = layout.reserve(parameters)
    targetParameter = layout.reserve(parameters)
    sourceUnit = layout.reserve(parameters)
    home = layout.reserve(parameters)
    wholeFirst = layout.reserve(units)
    wholeLast = layout.reserve(units)
    unit = layout.reserve(units)
    place = layout.reserve(units + 1)
  }

  /// Writes a whole wiring. Row 0 holds ones, input i is row 1 + i, unit u is row `firstUnitRow` + u.
  ///
  /// - Precondition: a unit reads inputs and earlier units only, and outputs are read by nobody.
  public mutating func describe(
    _ units: [Unit], firstUnitRow: Int, batch: Int, in indices: inout Arena<UInt32>
  ) {
    precondition(units.count == unitCount && rows * batch < 1 << 32)
    var next = 0
    for (number, unit) in units.enumerated().reversed() {
      indices[row, number] = UInt32((firstUnitRow + number) * batch)
      indices[activation, number] = unit.activation.code
      indices[isOutput, number] = unit.isOutput ? 1 : 0
      indices[layer, number] = UInt32(unit.layer)
      indices[first, number] = UInt32(next)
      indices[source, next] = 0
      indices[sourceUnit, next] = UInt32(unitCount)
      next += 1
      for read in unit.sources {
        switch read {
        case .input(let input):
          precondition(1 + input < firstUnitRow)
          indices[source, next] = UInt32((1 + input) * batch)
          indices[sourceUnit, next] = UInt32(unitCount)
        case .unit(let other):
          precondition(other < number && !units[other].isOutput)
          indices[source, next] = UInt32((firstUnitRow + other) * batch)
          indices[sourceUnit, next] = UInt32(other)
        }
        next += 1
      }
      indices[last, number] = UInt32(next)
    }
    precondition(next == parameterCount)
    point(into: indices)
  }

  /// Makes this the selection of those weights of `whole` that are not zero, or of all of them, with
  /// every bias.
  /// - Parameters:
  ///   - parameters: of the whole; nil selects all.
  ///   - keepingZeros: whether units that keep most of their weights keep all.
  public mutating func select(
    from whole: Wiring, parameters: Region?, keepingZeros: Bool = true,
    _ arena: borrowing Arena<Float>, in indices: inout Arena<UInt32>
  ) {
    precondition(row.count >= whole.unitCount && source.count >= whole.parameterCount)
    if let parameters { precondition(parameters.count == whole.parameterCount) }
    var from = whole.pointers(indices)
    if nativeBase == nil { point(into: indices) }
    var ties = filigree_selection(
      source_unit: indices.pointer(whole.sourceUnit), home: indices.pointer(home),
      whole_first: indices.pointer(wholeFirst), whole_last: indices.pointer(wholeLast),
      unit: indices.pointer(unit), place: indices.pointer(place))
    filigree_select(
      &from, parameters.map { UnsafePointer(arena.pointer($0)) }, keepingZeros ? 1 : 0, &ties,
      &native)
    unitCount = Int(native.units)
    liveUnitCount = Int(native.live_units)
    parameterCount = Int(native.parameters)
    liveParameterCount = Int(native.live_parameters)
  }

  func pointers(_ indices: borrowing Arena<UInt32>) -> filigree_wiring {
    precondition(nativeBase == indices.base)
    return native
  }

  private mutating func point(into indices: borrowing Arena<UInt32>) {
    nativeBase = indices.base
    native = filigree_wiring(
      units: UInt32(unitCount), live_units: UInt32(liveUnitCount),
      parameters: UInt32(parameterCount), live_parameters: UInt32(liveParameterCount),
      row: indices.pointer(row), activation: indices.pointer(activation),
      is_output: indices.pointer(isOutput), layer: indices.pointer(layer),
      pair: indices.pointer(pair), first: indices.pointer(first),
      last: indices.pointer(last), outgoing: indices.pointer(outgoing),
      source: indices.pointer(source), target: indices.pointer(target),
      target_parameter: indices.pointer(targetParameter))
  }

  /// Where the gradients of each unit's parameters go: in this wiring's numbering or the whole's.
  func gradientRanges(_ indices: borrowing Arena<UInt32>, of whole: Wiring?) -> (
    first: UnsafePointer<UInt32>, last: UnsafePointer<UInt32>, source: UnsafePointer<UInt32>
  ) {
    if let whole {
      return (
        UnsafePointer(indices.pointer(wholeFirst)), UnsafePointer(indices.pointer(wholeLast)),
        UnsafePointer(indices.pointer(whole.source))
      )
    }
    return (
      UnsafePointer(indices.pointer(first)), UnsafePointer(indices.pointer(last)),
      UnsafePointer(indices.pointer(source))
    )
  }
}
