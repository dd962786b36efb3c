import CommandSupport

@main
struct DataTool: CommandMain {
  static let configuration = CommandConfiguration(
    commandName: "filigree-data",
    abstract: "Looks at tables as they come, says what is in them, and makes trajectories of them.",
    discussion: """
      Tables are exports of historians, loggers and spreadsheets, in whatever separators, decimal signs, \
      encodings and dates they use; NetCDF files of other programs; NumPy archives. What is found, assumed \
      and done is said.

      EXAMPLES
        filigree-data check history.csv --output check.html
        filigree-data prepare history.csv --inputs pump --output mine.nc
        filigree-data prepare run-*.csv --time Timestamp --inputs pump --every 5s --gaps split --output mine.nc
      """,
    version: filigreeVersion,
    subcommands: [Check.self, Prepare.self])
}
