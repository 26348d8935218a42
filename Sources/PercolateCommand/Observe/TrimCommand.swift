import ArgumentParser
import Percolate

struct TrimCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trim",
        abstract: "Ask a running process to give its free memory back to the kernel.",
        discussion: """
            The request is a word in the process's memory. The next allocation or free of any of its threads serves it as malloc_trim(3) \
            would, which takes some milliseconds of that thread; a process that does neither serves it when it does.

            Exit status: 0 once it is done, 1 when the process cannot be asked or has not done it in time, 64 for wrong usage.
            """)

    @Argument(help: ArgumentHelp("The process.", valueName: "pid"))
    var process: ObservedArgument

    @Option(help: ArgumentHelp("How long to wait for the process.", valueName: "seconds"))
    var seconds = 5.0

    func validate() throws {
        guard seconds > 0, seconds <= 86400 else {
            throw ValidationError("--seconds must be above 0, and a day at most.")
        }
    }

    func run() throws {
        try observing { () throws(ObservationFailure) in
            var process = try ObservedProcess(process.process)
            let before = try process.statistics()
            guard try process.trim(within: seconds) else {
                throw .unanswered(process.process, hasScavenger: process.hasScavenger)
            }
            let after = try process.statistics()
            let released = after.process.releasedBytes - before.process.releasedBytes
            print(
                "process \(process.process) released \(ByteCount(released)); resident \(ByteCount(before.process.residentBytes)) "
                    + "before, \(ByteCount(after.process.residentBytes)) now")
        }
    }
}
