import CommandSupport
import Foundation
import Study

extension PlanProblems: ExitCoded, SeveralProblems {
  public var exitCode: Int32 { EX_DATAERR }
}
