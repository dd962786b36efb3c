import Foundation
import LinearAlgebra

/// Numbers that the graph holds.
extension GraphReader {
  func constant() throws(GraphProblem) -> Tensor {
    if let tensor = attribute("value"), tensor.hasT { return try read(tensor.t) }
    if let number = attribute("value_float") {
      return Tensor(shape: [], values: [Double(number.f)])
    }
    if let list = attribute("value_floats") {
      return Tensor(shape: [list.floats.count], values: list.floats.map { Double($0) })
    }
    throw fail("its value is not a tensor of numbers")
  }

  /// A constant as one number per feature: a scalar is repeated, a leading dimension of one dropped.
  func vector(_ tensor: Tensor, width: Int) throws(GraphProblem) -> [Double] {
    if tensor.isScalar { return Array(repeating: tensor.values[0], count: width) }
    guard tensor.values.count == width, tensor.shape.last == width else {
      throw fail("a constant of shape \(tensor.shape) does not fit \(width) features")
    }
    return tensor.values
  }

  func combine(_ a: Tensor, _ b: Tensor, _ operation: (Double, Double) -> Double)
    throws(GraphProblem) -> Tensor
  {
    if b.isScalar {
      return Tensor(shape: a.shape, values: a.values.map { operation($0, b.values[0]) })
    }
    if a.isScalar {
      return Tensor(shape: b.shape, values: b.values.map { operation(a.values[0], $0) })
    }
    guard a.shape == b.shape else { throw fail("constants of different shapes are combined") }
    return Tensor(shape: a.shape, values: zip(a.values, b.values).map(operation))
  }

  func read(_ tensor: Filigree_Onnx_TensorProto) throws(GraphProblem) -> Tensor {
    let place = "tensor \"\(tensor.name)\""
    func problem(_ reason: String) -> GraphProblem { GraphProblem(place: place, reason: reason) }
    guard tensor.dataLocation == 0 else {
      throw problem("its numbers lie in another file; save the model as one file")
    }
    var count = 1
    for dimension in tensor.dims {
      let (next, overflow) = count.multipliedReportingOverflow(by: Int(dimension))
      guard dimension > 0, !overflow, next <= 1 << 30 else {
        throw problem("its shape \(tensor.dims) is empty or impossible")
      }
      count = next
    }
    let raw = tensor.rawData
    let values: [Double]
    switch tensor.dataType {
    case ONNX.floatType:
      values =
        tensor.hasRawData
        ? numbers(raw, as: UInt32.self) { Double(Float(bitPattern: $0)) }
        : tensor.floatData.map { Double($0) }
    case ONNX.doubleType:
      values =
        tensor.hasRawData
        ? numbers(raw, as: UInt64.self) { Double(bitPattern: $0) } : tensor.doubleData
    case ONNX.int64Type:
      values =
        tensor.hasRawData
        ? numbers(raw, as: UInt64.self) { Double(Int64(bitPattern: $0)) }
        : tensor.int64Data.map { Double($0) }
    default:
      throw problem("its element type \(tensor.dataType) is not supported; float is needed")
    }
    guard values.count == count else {
      throw problem(
        "it holds \(values.count) numbers where its shape \(tensor.dims) needs \(count)")
    }
    if let bad = values.first(where: { !$0.isFinite }) { throw problem("it holds \(bad)") }
    return Tensor(shape: tensor.dims.map { Int($0) }, values: values)
  }

  func numbers<Bits: FixedWidthInteger>(
    _ data: Data, as: Bits.Type, _ convert: (Bits) -> Double
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
