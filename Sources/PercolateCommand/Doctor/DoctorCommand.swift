import ArgumentParser
import FoundationEssentials

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Say what this machine gives, and how the allocator will work on it.",
        discussion: """
            Starts this command once under the library and explains what the library reports, together with what the \
            kernel and the C library offer. With a program's name after '--', also says whether Percolate serves that one.

            Exit status: 0 when programs can run on Percolate here, in whatever mode; 1 when they cannot.
            """)

    @Flag(help: "Print the findings as JSON.")
    var json = false

    @Option(help: ArgumentHelp("The shared object to examine, if not the one beside this command.", valueName: "path"))
    var library: ArgumentPath?

    @Argument(parsing: .postTerminator, help: "A program to look at. It is not started.")
    var program: [String] = []

    func validate() throws {
        guard program.count <= 1 else { throw ValidationError("Name one program, without its arguments.") }
    }

    func run() throws {
        let report = DoctorReport(library: library, program: program.first)
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(report), as: UTF8.self))
        } else {
            print(DoctorText(report).lines.joined(separator: "\n"))
        }
        if !report.isUsable { throw ExitCode(1) }
    }
}
