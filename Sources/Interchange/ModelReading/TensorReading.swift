import Foundation

/// Numbers that the file holds.
struct TensorReader {
  /// Where the model lies, for numbers in files beside it.
  let path: String
  /// The largest number of elements of a tensor.
  static let largest = 1 << 30

  func read(_ tensor: Filigree_Onnx_TensorProto) throws(GraphProblem) -> Tensor {
    let place = "tensor \"\(tensor.name)\""
    func problem(_ reason: String) -> GraphProblem { GraphProblem(place: place, reason: reason) }
    let count = try count(tensor.dims, place)
    guard let type = ElementType(rawValue: tensor.dataType), let bits = type.bits else {
      throw problem(
        "its element type, \(ElementType.words(of: tensor.dataType)), is not supported; "
          + "export the model with 32-bit floats")
    }
    var values: [Double]
    if tensor.dataLocation != 0 {
      let bytes = try ExternalData(path: path).bytes(
        of: tensor, expected: (count * bits + 7) / 8, place)
      values = Self.numbers(bytes, type)
    } else if tensor.hasRawData {
      values = Self.numbers(tensor.rawData, type)
    } else {
      values = Self.typed(tensor, type)
    }
    // The last byte of an odd number of halves is not full.
    if bits == 4 && values.count == count + 1 { values.removeLast() }
    guard values.count == count else {
      throw problem(
        "it holds \(values.count) numbers where its shape \(tensor.dims) needs \(count)")
    }
    // A single infinite number may be a bound that bounds nothing.
    if let bad = values.first(where: { $0.isNaN || !$0.isFinite && count > 1 }) {
      throw problem("it holds \(bad)")
    }
    return Tensor(shape: tensor.dims.map { Int($0) }, values: values, type: type)
  }

  private func count(_ dims: [Int64], _ place: String) throws(GraphProblem) -> Int {
    var count = 1
    for dimension in dims {
      let (next, overflow) = count.multipliedReportingOverflow(by: Int(dimension))
      guard dimension > 0 || dims == [0], !overflow, next <= Self.largest else {
        throw GraphProblem(place: place, reason: "its shape \(dims) is empty or impossible")
      }
      count = next
    }
    return count
  }

  /// A sparse initialiser, its zeros filled in.
  func read(_ sparse: Filigree_Onnx_SparseTensorProto) throws(GraphProblem) -> Tensor {
    let values = try read(sparse.values)
    let place = "tensor \"\(sparse.values.name)\""
    let count = try count(sparse.dims, place)
    let shape = sparse.dims.map { Int($0) }
    // What a file that holds few numbers can ask for.
    guard count <= 1 << 26 else {
      throw GraphProblem(place: place, reason: "it is sparse and larger than 2²⁶ numbers")
    }
    let indices = try read(sparse.indices)
    let strides = Shape.strides(shape)
    var result = [Double](repeating: 0, count: count)
    let isFlat = indices.shape.count == 1
    guard
      isFlat
        ? indices.values.count == values.values.count
        : indices.shape == [values.values.count, shape.count]
    else {
      throw GraphProblem(
        place: place, reason: "its indices, of shape \(indices.shape), do not fit its values")
    }
    let numbers = indices.integers
    for (number, value) in values.values.enumerated() {
      var at = 0
      if isFlat {
        at = numbers[number]
      } else {
        for axis in shape.indices {
          let index = numbers[number * shape.count + axis]
          guard (0..<shape[axis]).contains(index) else {
            throw GraphProblem(place: place, reason: "an index lies outside its shape \(shape)")
          }
          at += index * strides[axis]
        }
      }
      guard result.indices.contains(at) else {
        throw GraphProblem(place: place, reason: "an index lies outside its shape \(shape)")
      }
      result[at] = value
    }
    return Tensor(shape: shape, values: result, type: values.type)
  }

  // MARK: Numbers

  private static func typed(_ tensor: Filigree_Onnx_TensorProto, _ type: ElementType) -> [Double] {
    switch type {
    case .float: tensor.floatData.map { Double($0) }
    case .double: tensor.doubleData
    case .int64: tensor.int64Data.map { Double($0) }
    case .uint32, .uint64: tensor.uint64Data.map { Double($0) }
    case .float16:
      tensor.int32Data.map { Double(half: UInt16(truncatingIfNeeded: $0)) }
    case .bfloat16:
      tensor.int32Data.map { Double(Float(bitPattern: UInt32(truncatingIfNeeded: $0) << 16)) }
    case .int4, .uint4:
      tensor.int32Data.flatMap { halves(of: UInt8(truncatingIfNeeded: $0), type) }
    default: tensor.int32Data.map { Double($0) }
    }
  }

  private static func numbers(_ data: Data, _ type: ElementType) -> [Double] {
    switch type {
    case .float: numbers(data) { (bits: UInt32) in Double(Float(bitPattern: bits)) }
    case .double: numbers(data) { (bits: UInt64) in Double(bitPattern: bits) }
    case .float16: numbers(data) { (bits: UInt16) in Double(half: bits) }
    case .bfloat16:
      numbers(data) { (bits: UInt16) in Double(Float(bitPattern: UInt32(bits) << 16)) }
    case .int64: numbers(data) { (bits: Int64) in Double(bits) }
    case .uint64: numbers(data) { (bits: UInt64) in Double(bits) }
    case .int32: numbers(data) { (bits: Int32) in Double(bits) }
    case .uint32: numbers(data) { (bits: UInt32) in Double(bits) }
    case .int16: numbers(data) { (bits: Int16) in Double(bits) }
    case .uint16: numbers(data) { (bits: UInt16) in Double(bits) }
    case .int8: numbers(data) { (bits: Int8) in Double(bits) }
    case .int4, .uint4: data.flatMap { halves(of: $0, type) }
    default: numbers(data) { (bits: UInt8) in Double(bits) }
    }
  }

  /// The two 4-bit integers in a byte, the lower one first.
  private static func halves(of byte: UInt8, _ type: ElementType) -> [Double] {
    [byte & 15, byte >> 4].map { half in
      type == .int4 && half > 7 ? Double(half) - 16 : Double(half)
    }
  }

  private static func numbers<Bits: FixedWidthInteger>(
    _ data: Data, _ convert: (Bits) -> Double
  ) -> [Double] {
    let size = Bits.bitWidth / 8
    guard data.count % size == 0 else { return [] }
    return data.withUnsafeBytes { buffer in
      stride(from: 0, to: buffer.count, by: size).map {
        convert(Bits(littleEndian: buffer.loadUnaligned(fromByteOffset: $0, as: Bits.self)))
      }
    }
  }
}

extension ElementType {
  /// Bits of one number; nil for types that are not read.
  var bits: Int? {
    switch self {
    case .uint4, .int4: 4
    case .uint8, .int8, .bool: 8
    case .uint16, .int16, .float16, .bfloat16: 16
    case .float, .int32, .uint32: 32
    case .double, .int64, .uint64: 64
    default: nil
    }
  }
}
