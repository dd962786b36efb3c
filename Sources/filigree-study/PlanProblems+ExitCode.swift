import CommandSupport
import Foundation
import Study

extension PlanProblems: ExitCoded {
  public var exitCode: Int32 { EX_DATAERR }
}
