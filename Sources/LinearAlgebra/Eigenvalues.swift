import CLAPACK
import ComplexModule
import RealModule

extension Matrix {
  /// The eigenvalues of this square matrix, the largest in magnitude first; conjugate pairs stand together, the
  /// one above the real axis first. Nil where they do not converge. (LAPACK's dgeev.)
  ///
  /// - Precondition: all elements are finite.
  public func eigenvalues() -> [Complex<Double>]? {
    precondition(rows == columns && rows < 1 << 15)
    guard rows > 0 else { return [] }
    // The transpose, which our rows are to LAPACK, has the same eigenvalues.
    var copy = elements
    var real = [Double](repeating: 0, count: rows)
    var imaginary = real
    var size = Int32(rows)
    var one: Int32 = 1
    var none = [0.0]
    var alsoNone = [0.0]
    var work = [Double](repeating: 0, count: 8 * rows)
    var room = Int32(work.count)
    var info: Int32 = 0
    LAPACK.call {
      dgeev_(
        "N", "N", &size, &copy, &size, &real, &imaginary, &none, &one, &alsoNone, &one, &work,
        &room,
        &info)
    }
    guard info == 0 else { return nil }
    return zip(real, imaginary).map { Complex($0, $1) }.sorted {
      $0.length != $1.length
        ? $0.length > $1.length
        : $0.real != $1.real ? $0.real > $1.real : $0.imaginary > $1.imaginary
    }
  }
}
