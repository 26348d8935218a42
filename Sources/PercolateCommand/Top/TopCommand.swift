import ArgumentParser
import Percolate
import SystemPackage

struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Watch what a running process holds, on a screen that moves.",
        discussion: """
            Shows resident memory over time, the size classes by memory, the CPUs' caches, and rates of refills, drains, steals and releases. \
            The process is read as by 'percolate stats' and does not notice. Keys: q ends; t asks the process to give free memory back; s \
            switches sampling on, or off again, and shows the places in the program that hold most and grow.
            """)

    @Argument(help: ArgumentHelp("The process.", valueName: "pid"))
    var process: ObservedArgument

    @Option(help: ArgumentHelp("Time between two readings.", valueName: "seconds"))
    var interval = 1.0

    @Option(
        help: ArgumentHelp(
            "Mean number of bytes between samples, when they are asked for.", valueName: "bytes"))
    var rate = ProfileRecording.usualRate

    func validate() throws {
        guard interval >= 0.05, interval <= 3600 else {
            throw ValidationError("--interval must be at least 0.05, and an hour at most.")
        }
        guard rate > 0 else { throw ValidationError("--rate must be above 0.") }
    }

    func run() throws {
        try observing { () throws(ObservationFailure) in
            var process = try ObservedProcess(process.process)
            var sites = TopSites(process)
            var screen = TopScreen()
            guard let terminal = Terminal() else { throw .notTerminal }
            defer { sites.stop() }
            var noticeEnd: UInt64 = 0
            while true {
                let reading = try TopScreen.Reading(
                    statistics: process.statistics(), time: MonotonicClock.nanoseconds)
                screen.add(reading)
                screen.samplingRate = sites.rate
                screen.sites = try sites.lines()
                let size = terminal.size
                terminal.show(screen.lines(columns: size.columns, rows: size.rows))
                if MonotonicClock.nanoseconds > noticeEnd { screen.notice = "" }
                let key = terminal.key(within: Int(interval * 1000))
                // What a key did stays on the screen for a while.
                if key != nil { noticeEnd = MonotonicClock.nanoseconds + 4_000_000_000 }
                switch key {
                case UInt8(ascii: "q"), 3, 27: return
                case UInt8(ascii: "t"):
                    screen.notice =
                        try process.trim(within: 1) ? "trimmed" : "asked to trim; not done yet"
                case UInt8(ascii: "s"): screen.notice = try sites.toggle(rate)
                default: break
                }
            }
        }
    }
}
