import CLAPACK
import Synchronization

/// What solves linear systems, as it describes itself.
public let linearSolverDescription: String = LAPACK.call { String(cString: openblas_get_config()) }

/// LAPACK as OpenBLAS brings it.
enum LAPACK {
  /// One thread per call, because members are trained side by side already.
  private static let isSetUp: Void = openblas_set_num_threads(1)
  private static let lock = Mutex(())

  /// Built without threads, OpenBLAS keeps its work space without locks: two calls at once give wrong results.
  private static let takesOneCallAtATime = openblas_get_parallel() == 0

  static func call<Result>(_ body: () -> Result) -> Result {
    isSetUp
    return takesOneCallAtATime ? lock.withLock { _ in body() } : body()
  }
}
