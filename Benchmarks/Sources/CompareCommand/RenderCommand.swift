import ArgumentParser
import Compare
import Foundation

struct RenderCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "render", abstract: "Show a report that was written with --json, again.")

    @Argument(help: "The report.")
    var report: String

    @Option(name: .customLong("html"), help: ArgumentHelp("Write the page.", valueName: "file"))
    var pageFile: String?

    func run() throws {
        let report = try Report(decoding: Data(contentsOf: URL(filePath: report)))
        print(TextReport(report).text)
        if let pageFile { try Data(Page(report).html.utf8).write(to: URL(filePath: pageFile)) }
    }
}
