import CommandSupport
import Dynamics
import Foundation
import Interchange
import Networks
import Reporting
import Study
import SystemPackage
import Training

@main
struct StudyCommand: CommandMain {
  static let configuration = CommandConfiguration(
    commandName: "filigree-study",
    abstract: "Carries out whole studies from a plan: simulate, train, judge, report.",
    discussion: """
      A plan (YAML) names data, training-set sizes, levels of noise, recipes (any options of \
      filigree-train) and members. Each member is trained and judged once and kept under the hash of what \
      it depends on: a study that was stopped goes on with the same command, and a plan that was changed \
      redoes only what the change concerns. The folder then holds members.csv (a row per member), \
      recipes.csv (a row per recipe, size and noise, with 95 % intervals over members), summary.md, the \
      models, and report.html: what drives what, how sure that is and how well it forecasts, then output by \
      output, forecasts, agreement, recipes and methods, in one page (report.md with figures/ is the same).

      EXAMPLES
        filigree-study plan quick > quick.yaml
        filigree-study run quick.yaml --output Reports/quick
        filigree-study status Reports/quick
        filigree-study report Reports/quick
        filigree-study compare Reports/quick Reports/other
        filigree-study run paper.yaml --engine slurm --detach --output Reports/paper
      """,
    version: filigreeVersion,
    subcommands: [
      Run.self, Status.self, Report.self, Compare.self, Tables.self, Plan.self, Stages.self,
      MakeTask.self, Jobs.self, Cancel.self, Part.self, Follow.self,
    ])
}
