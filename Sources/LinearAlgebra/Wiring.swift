import CKernels

/// The connections of a network as the kernels traverse them: which rows a unit reads with which parameters, and
/// which units read it.
///
/// A *whole* wiring holds every weight; a *selection* only those that are not zero, its units sorted into live ones
/// (from which a path leads to an output) and others. Parameters are grouped by unit, bias first, last unit first:
/// the order in which the backward pass computes their gradients.
public struct Wiring: Sendable {
  /// What a unit reads, for building a whole wiring.
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

  private enum Part: Int, CaseIterable {
    // Per unit.
    case row, activation, shape, isOutput, layer, pair, first, last, wholeFirst, wholeLast, unit
    case outgoing, place
    // Per parameter.
    case source, target, targetParameter, home
    /// Of a whole: the unit that each parameter reads, or the number of units for none.
    case sourceUnit
    case chosen, chosenBefore

    func size(units: Int, parameters: Int) -> Int {
      switch self {
      case .row, .activation, .isOutput, .layer, .pair, .first, .last, .wholeFirst, .wholeLast,
        .unit:
        units
      case .shape: 2 * units
      case .outgoing, .place: units + 2
      case .source, .target, .targetParameter, .home, .sourceUnit: parameters
      case .chosen, .chosenBefore: parameters / 32 + 2
      }
    }
  }

  /// Of each part in turn. (An array, because wirings are passed about at every step.)
  private let regions: [Region]
  /// The regions for C, and the arena that they point into; cached because every step needs them.
  private nonisolated(unsafe) var native = filigree_wiring()
  private nonisolated(unsafe) var nativeBase: UnsafeMutablePointer<UInt32>?

  /// Reserves memory for a network with this many units and parameters.
  public init(rows: Int, units: Int, parameters: Int, in layout: inout ArenaLayout) {
    precondition(rows < 1 << 31 && parameters < 1 << 31)
    self.rows = rows
    unitCount = units
    liveUnitCount = units
    parameterCount = parameters
    liveParameterCount = parameters
    regions = Part.allCases.map { part in
      layout.reserve(part.size(units: units, parameters: parameters))
    }
  }

  private subscript(_ part: Part) -> Region { regions[part.rawValue] }

  /// For each parameter of a selection its number in the whole wiring.
  public var home: Region { self[.home] }

  /// Writes a whole wiring. Row 0 holds ones, input i is row 1 + i, unit u is row `firstUnitRow` + u.
  ///
  /// - Precondition: a unit reads inputs and earlier units only, and outputs are read by nobody.
  public mutating func describe(
    _ units: [Unit], firstUnitRow: Int, batch: Int, in indices: inout Arena<UInt32>
  ) {
    precondition(units.count == unitCount && rows * batch < 1 << 32)
    var next = 0
    for (number, unit) in units.enumerated().reversed() {
      indices[self[.row], number] = UInt32((firstUnitRow + number) * batch)
      indices[self[.activation], number] = unit.activation.code
      let bits = unit.activation.parameter.bitPattern
      indices[self[.shape], 2 * number] = UInt32(truncatingIfNeeded: bits)
      indices[self[.shape], 2 * number + 1] = UInt32(truncatingIfNeeded: bits >> 32)
      indices[self[.isOutput], number] = unit.isOutput ? 1 : 0
      indices[self[.layer], number] = UInt32(unit.layer)
      indices[self[.first], number] = UInt32(next)
      indices[self[.source], next] = 0
      indices[self[.sourceUnit], next] = UInt32(unitCount)
      next += 1
      for read in unit.sources {
        switch read {
        case .input(let input):
          precondition(1 + input < firstUnitRow)
          indices[self[.source], next] = UInt32((1 + input) * batch)
          indices[self[.sourceUnit], next] = UInt32(unitCount)
        case .unit(let other):
          precondition(other < number && !units[other].isOutput)
          indices[self[.source], next] = UInt32((firstUnitRow + other) * batch)
          indices[self[.sourceUnit], next] = UInt32(other)
        }
        next += 1
      }
      indices[self[.last], number] = UInt32(next)
    }
    precondition(next == parameterCount)
    point(into: indices)
  }

  /// Makes this the selection of those weights of `whole` that are not zero, or of all of them, with
  /// every bias.
  /// - Parameters:
  ///   - whole: the wiring with all parameters.
  ///   - parameters: of the whole; nil selects all.
  ///   - keepingZeros: whether units that keep most of their weights keep all; the same in every call.
  ///   - arena: that the parameters are in.
  ///   - indices: of both wirings.
  /// - Returns: false if it is that selection already.
  @discardableResult
  public mutating func select(
    from whole: Wiring, parameters: Region?, keepingZeros: Bool = true,
    _ arena: borrowing Arena<Float>, in indices: inout Arena<UInt32>
  ) -> Bool {
    precondition(self[.row].count >= whole.unitCount)
    precondition(self[.source].count >= whole.parameterCount)
    if let parameters { precondition(parameters.count == whole.parameterCount) }
    var from = whole.pointers(indices)
    if nativeBase == nil { point(into: indices) }
    var ties = filigree_selection(
      source_unit: indices.pointer(whole[.sourceUnit]), home: indices.pointer(self[.home]),
      whole_first: indices.pointer(self[.wholeFirst]),
      whole_last: indices.pointer(self[.wholeLast]),
      unit: indices.pointer(self[.unit]), place: indices.pointer(self[.place]),
      chosen: indices.pointer(self[.chosen]), chosen_before: indices.pointer(self[.chosenBefore]))
    let changed = filigree_select(
      &from, parameters.map { UnsafePointer(arena.pointer($0)) }, keepingZeros ? 1 : 0, &ties,
      &native)
    guard changed != 0 else { return false }
    unitCount = Int(native.units)
    liveUnitCount = Int(native.live_units)
    parameterCount = Int(native.parameters)
    liveParameterCount = Int(native.live_parameters)
    return true
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
      row: indices.pointer(self[.row]), activation: indices.pointer(self[.activation]),
      shape: indices.pointer(self[.shape]), is_output: indices.pointer(self[.isOutput]),
      layer: indices.pointer(self[.layer]),
      pair: indices.pointer(self[.pair]), first: indices.pointer(self[.first]),
      last: indices.pointer(self[.last]), outgoing: indices.pointer(self[.outgoing]),
      source: indices.pointer(self[.source]), target: indices.pointer(self[.target]),
      target_parameter: indices.pointer(self[.targetParameter]))
  }

  /// Where the gradients of each unit's parameters go: in this wiring's numbering or the whole's.
  func gradientRanges(_ indices: borrowing Arena<UInt32>, of whole: Wiring?) -> (
    first: UnsafePointer<UInt32>, last: UnsafePointer<UInt32>, source: UnsafePointer<UInt32>
  ) {
    if let whole {
      return (
        UnsafePointer(indices.pointer(self[.wholeFirst])),
        UnsafePointer(indices.pointer(self[.wholeLast])),
        UnsafePointer(indices.pointer(whole[.source]))
      )
    }
    return (
      UnsafePointer(indices.pointer(self[.first])), UnsafePointer(indices.pointer(self[.last])),
      UnsafePointer(indices.pointer(self[.source]))
    )
  }
}
