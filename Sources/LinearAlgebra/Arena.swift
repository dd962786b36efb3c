/// A contiguous part of an `Arena`, in elements.
public struct Region: Equatable, Sendable {
  public let offset: Int
  public let count: Int

  /// `count` elements of this region from `offset` on.
  public func part(_ offset: Int, _ count: Int) -> Region {
    precondition(offset >= 0 && count >= 0 && offset + count <= self.count)
    return Region(offset: self.offset + offset, count: count)
  }
}

/// Lays regions one after the other, each at a multiple of a cache line.
public struct ArenaLayout {
  public private(set) var count = 0
  private static let lineElements = 16

  public init() {}

  /// Room for `count` elements, padded to whole cache lines.
  public mutating func reserve(_ count: Int) -> Region {
    let region = Region(offset: self.count, count: count)
    self.count += (count + Self.lineElements - 1) / Self.lineElements * Self.lineElements
    return region
  }
}

/// The working memory of one training: all of its parameters, moments and activations (or, in an arena of integers,
/// its wiring) in one block, aligned to cache lines, initially zero, freed with its owner.
///
/// Unsafe memory is handled in this module only: every kernel checks its regions against the arena before the C
/// loop receives a pointer.
public struct Arena<Element: BitwiseCopyable & ExpressibleByIntegerLiteral>: ~Copyable {
  @usableFromInline let base: UnsafeMutablePointer<Element>
  public let count: Int

  @_specialize(where Element == Float)
  @_specialize(where Element == Double)
  @_specialize(where Element == UInt32)
  public init(_ layout: ArenaLayout) {
    count = layout.count
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: max(1, count) * MemoryLayout<Element>.stride, alignment: 64)
    base = memory.bindMemory(to: Element.self, capacity: max(1, count))
    base.initialize(repeating: 0, count: max(1, count))
  }

  deinit { base.deallocate() }

  public subscript(_ region: Region) -> [Element] {
    @_specialize(where Element == Float)
    @_specialize(where Element == Double)
    @_specialize(where Element == UInt32)
    get { Array(UnsafeBufferPointer(start: pointer(region), count: region.count)) }
    @_specialize(where Element == Float)
    @_specialize(where Element == Double)
    @_specialize(where Element == UInt32)
    set {
      precondition(newValue.count == region.count)
      for (index, value) in newValue.enumerated() { pointer(region)[index] = value }
    }
  }

  @inlinable public subscript(_ region: Region, _ index: Int) -> Element {
    get {
      precondition(index >= 0 && index < region.count)
      return pointer(region)[index]
    }
    set {
      precondition(index >= 0 && index < region.count)
      pointer(region)[index] = newValue
    }
  }

  @_specialize(where Element == Float)
  @_specialize(where Element == Double)
  @_specialize(where Element == UInt32)
  public mutating func fill(_ region: Region, with value: Element = 0) {
    let first = pointer(region)
    for index in 0..<region.count { first[index] = value }
  }

  @inlinable func pointer(_ region: Region) -> UnsafeMutablePointer<Element> {
    precondition(region.offset >= 0 && region.count >= 0 && region.offset + region.count <= count)
    return base + region.offset
  }

  /// For loops over whole vectors, which also touch the padding behind the region's last element.
  func vectorPointer(_ region: Region) -> UnsafeMutablePointer<Element> {
    precondition(region.offset % 16 == 0)
    return pointer(region)
  }
}

extension Arena<Float> {
  /// destination[k] = source[indices[k]] for the first `count` indices.
  public mutating func collect(
    _ source: Region, at indices: Region, of table: borrowing Arena<UInt32>, count: Int,
    into destination: Region
  ) {
    precondition(count <= indices.count && count <= destination.count)
    let from = pointer(source)
    let to = pointer(destination)
    let index = table.pointer(indices)
    for k in 0..<count {
      precondition(index[k] < source.count)
      to[k] = from[Int(index[k])]
    }
  }

  /// destination[indices[k]] = source[k] for the first `count` indices.
  public mutating func distribute(
    _ source: Region, at indices: Region, of table: borrowing Arena<UInt32>, count: Int,
    into destination: Region
  ) {
    precondition(count <= indices.count && count <= source.count)
    let from = pointer(source)
    let to = pointer(destination)
    let index = table.pointer(indices)
    for k in 0..<count {
      precondition(index[k] < destination.count)
      to[Int(index[k])] = from[k]
    }
  }

  /// region[indices[k]] *= factor for k in `range`.
  public mutating func scale(
    _ region: Region, at indices: Region, of table: borrowing Arena<UInt32>, range: Range<Int>,
    by factor: Float
  ) {
    precondition(range.lowerBound >= 0 && range.upperBound <= indices.count)
    let numbers = pointer(region)
    let index = table.pointer(indices)
    for k in range {
      precondition(index[k] < region.count)
      numbers[Int(index[k])] *= factor
    }
  }
}

extension Arena<Double> {
  public mutating func copy(_ source: Region, to destination: Region) {
    precondition(source.count == destination.count)
    pointer(destination).update(from: pointer(source), count: source.count)
  }

  /// destination = a · b, element by element.
  public mutating func multiply(_ a: Region, by b: Region, into destination: Region) {
    precondition(a.count == destination.count && b.count == destination.count)
    let (x, y, z) = (pointer(a), pointer(b), pointer(destination))
    for index in 0..<destination.count { z[index] = x[index] * y[index] }
  }

  /// destination = (b − a) · factor, element by element.
  public mutating func subtract(
    _ a: Region, from b: Region, times factor: Region, into destination: Region
  ) {
    precondition([a.count, b.count, factor.count].allSatisfy { $0 == destination.count })
    let (x, y, f, z) = (pointer(a), pointer(b), pointer(factor), pointer(destination))
    for index in 0..<destination.count { z[index] = (y[index] - x[index]) * f[index] }
  }

  /// Σ a²
  public func sumOfSquares(_ a: Region) -> Double {
    let x = pointer(a)
    return strided(a.count) { x[$0] * x[$0] }
  }

  /// Σ (a b)²
  public func sumOfSquares(_ a: Region, times b: Region) -> Double {
    precondition(a.count == b.count)
    let (x, y) = (pointer(a), pointer(b))
    return strided(a.count) { (x[$0] * y[$0]) * (x[$0] * y[$0]) }
  }

  /// A sum in eight parts, the same on every machine and wide enough for its registers.
  @inline(__always)
  private func strided(_ count: Int, _ term: (Int) -> Double) -> Double {
    var sums = SIMD8<Double>()
    let whole = count / 8 * 8
    for first in stride(from: 0, to: whole, by: 8) {
      for lane in 0..<8 { sums[lane] += term(first + lane) }
    }
    var sum = sums.sum()
    for index in whole..<count { sum += term(index) }
    return sum
  }
}
