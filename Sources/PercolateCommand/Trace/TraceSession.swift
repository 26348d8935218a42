import CLinux
import Glibc
import SystemPackage

/// A program that runs while its events are read and shown.
struct TraceSession {
    private let events: ProbeEvents
    private let signals: SignalRelay
    private var reader: TraceReader
    private var output: TraceOutput
    private var summary: TraceSummary?
    private let text = EventText(start: TraceReader.now)

    /// Milliseconds between two looks at events of which too few came for the kernel to say so.
    private static let period: Int32 = 100

    init(_ events: ProbeEvents, signals: SignalRelay, output: TraceOutput, summarizing: Bool) {
        self.events = events
        self.signals = signals
        self.output = output
        reader = TraceReader(events)
        summary = summarizing ? TraceSummary() : nil
    }

    /// Shows the program's events until it has ended, and says how.
    mutating func follow(_ program: TracedProgram) -> TracedProgram.End {
        var descriptors = ([signals.descriptor] + events.rings.map(\.descriptor)).map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        while true {
            // An interrupted call is as good as one whose time is up.
            poll(&descriptors, nfds_t(descriptors.count), Self.period)
            signals.pass(to: program.process)
            let end = program.reap()
            show(reader.next(atEnd: end != nil))
            if let end {
                finish()
                return end
            }
        }
    }

    private mutating func show(_ entries: [TraceReader.Entry]) {
        for entry in entries {
            if summary != nil {
                summary?.add(entry.sample, entry.event)
            } else {
                output.write(text.line(entry.sample, entry.event, entry.kind))
            }
        }
        output.flush()
    }

    private mutating func finish() {
        if let summary { output.write(summary.text) }
        if let losses = reader.losses() { output.remark(losses) }
        if reader.unknown > 0 {
            output.remark(
                "\(reader.unknown) events have arguments that this command does not know: the library is of another version"
            )
        }
        output.close()
    }
}
