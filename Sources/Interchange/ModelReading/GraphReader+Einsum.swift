import LinearAlgebra

/// Sums of products by Einstein's convention, of computed values with one constant tensor or with none.
extension GraphReader {
  mutating func einsum() throws(GraphProblem) -> GraphValue {
    let equation = (text("equation") ?? "").filter { $0 != " " && $0 != "-" }
    let sides = equation.split(separator: ">", omittingEmptySubsequences: false)
    let terms = sides[0].split(separator: ",", omittingEmptySubsequences: false)
    guard sides.count <= 2, terms.count == node.input.count, terms.count <= 2 else {
      throw fail("equations of one or two operands are supported")
    }
    var computed: (labels: [Character], features: Features)?
    var constant = (labels: [Character](), tensor: Tensor(shape: [], values: [1]))
    for (index, term) in terms.enumerated() {
      switch try operand(index) {
      case .constant(let tensor): constant = (Array(term), tensor)
      case .features(let features):
        guard computed == nil else {
          throw fail("it multiplies computed values; one of both must be constant")
        }
        computed = (Array(term), features)
      case .unreadable(let problem): throw problem
      }
    }
    guard let computed else { throw fail("its operands are constants") }
    let sums = EinsteinSum(
      x: computed.labels, w: constant.labels, output: sides.count == 2 ? Array(sides[1]) : nil,
      xShape: computed.features.shape, wShape: constant.tensor.shape)
    if let problem = sums.problem { throw fail(problem) }
    return try einsum(sums, computed.features, constant.tensor)
  }

  /// One product with a matrix for each place along what both operands, or the computed one only, have and the
  /// result has, too.
  private mutating func einsum(_ sums: EinsteinSum, _ x: Features, _ w: Tensor)
    throws(GraphProblem) -> GraphValue
  {
    let batch = x.batchAxis.map { sums.x[$0] }
    if let batch, !sums.output.contains(batch) { throw fail("it sums over samples") }
    let shape = sums.shape(sums.output)
    guard Shape.count(shape) <= Self.largestWidth else { throw fail("its result is too large") }
    let (rows, summed) = (sums.wPlaces(sums.rows), sums.wPlaces(sums.summed))
    let (xColumns, wColumns) = (sums.xPlaces(sums.columns), sums.wPlaces(sums.columns))
    var elements: [Element] = []
    for (from, start) in zip(sums.xPlaces(sums.loops), sums.wPlaces(sums.loops)) {
      try spend(rows.count * wColumns.count * summed.count)
      func weight(_ row: Int, _ column: Int) -> Double {
        summed.reduce(0) { $0 + w.values[start + rows[row] + wColumns[column] + $1] }
      }
      guard !sums.columns.isEmpty else {
        elements += rows.indices.map { x.elements[from].times(weight($0, 0)) }
        continue
      }
      let part = Features(
        shape: [xColumns.count], elements: xColumns.map { x.elements[from + $0] })
      elements += try product(
        Matrix(rows: rows.count, columns: wColumns.count, weight), part, bias: nil
      ).elements
    }
    let places = sums.places(sums.output, in: sums.loops + sums.rows)
    return .features(
      Features(
        shape: shape, elements: places.map { elements[$0] },
        batchAxis: batch.flatMap { sums.output.firstIndex(of: $0) }))
  }
}

/// The axes of a sum of products: a letter for each.
private struct EinsteinSum {
  let x: [Character]
  let w: [Character]
  let output: [Character]
  private var sizes: [Character: Int] = [:]
  /// What is wrong with the equation for tensors of these shapes.
  private(set) var problem: String?

  init(x: [Character], w: [Character], output: [Character]?, xShape: [Int], wShape: [Int]) {
    self.x = x
    self.w = w
    let all = x + w
    self.output = output ?? all.filter { label in all.count { $0 == label } == 1 }.sorted()
    for (labels, shape) in [(x, xShape), (w, wShape)] {
      guard labels.count == shape.count, Set(labels).count == labels.count else {
        problem = "its equation must have one letter for each axis of the shape \(shape)"
        return
      }
      for (label, size) in zip(labels, shape) {
        if let known = sizes.updateValue(size, forKey: label), known != size {
          problem = "shapes \(xShape) and \(wShape) do not go together"
        }
      }
    }
    if Set(self.output).count != self.output.count
      || self.output.contains(where: { sizes[$0] == nil })
    {
      problem = "its equation makes an axis of none, or one twice"
    }
  }

  var loops: [Character] { output.filter(x.contains) }
  var rows: [Character] { output.filter { !x.contains($0) } }
  var columns: [Character] { x.filter { !output.contains($0) } }
  /// What only the constant has.
  var summed: [Character] { w.filter { !output.contains($0) && !x.contains($0) } }

  func shape(_ labels: [Character]) -> [Int] { labels.map { sizes[$0] ?? 1 } }

  /// Where one comes by in a tensor with axes `of`, walking along others.
  func places(_ labels: [Character], in of: [Character]) -> [Int] {
    let strides = Shape.strides(shape(of))
    return Shape.walk(
      shape(labels), labels.map { label in of.firstIndex(of: label).map { strides[$0] } ?? 0 },
      start: 0)
  }

  func xPlaces(_ labels: [Character]) -> [Int] { places(labels, in: x) }
  func wPlaces(_ labels: [Character]) -> [Int] { places(labels, in: w) }
}
