import CPercolate
import Glibc
import SystemPackage

/// Sampling in an observed process: what is on there, and asking for more or less
/// (<percolate/samples.h>).
struct SamplingRequest {
    private let process: ObservedProcess
    private let table: UInt64

    init(_ process: ObservedProcess) throws(ObservationFailure) {
        self.process = process
        guard let address = process.samples else { throw .noSampling(process.process) }
        table = address
        let header = try Self.header(at: address, in: process)
        guard header.version == UInt32(PERCOLATE_SAMPLES_VERSION) else {
            throw .otherVersion(
                process.process, theirs: header.version, ours: UInt32(PERCOLATE_SAMPLES_VERSION))
        }
    }

    private static func header(
        at address: UInt64, in process: ObservedProcess
    ) throws(ObservationFailure) -> percolate_samples {
        try process.reading { () throws(Errno) in
            try process.memory.value(percolate_samples.self, at: address)
        }
    }

    /// The mean number of bytes between samples now, 0 for none.
    var rate: UInt64 {
        get throws(ObservationFailure) { try Self.header(at: table, in: process).rate }
    }

    func reading() throws(ObservationFailure) -> SampleTable {
        let reading = try process.reading { () throws(Errno) in
            try SampleTable(at: table, in: process.memory)
        }
        try process.check()
        return reading
    }

    /// Asks for another rate. Whether the process has taken it over within `seconds`. Two observers
    /// that ask at once both have their say: the later one's rate holds.
    func ask(rate: UInt64, within seconds: Double) throws(ObservationFailure) -> Bool {
        func place(_ offset: Int?) -> UInt64 { table + UInt64(offset ?? 0) }
        try process.write(
            rate, at: place(MemoryLayout<percolate_samples>.offset(of: \.wanted_rate)))
        let before = try Self.header(at: table, in: process)
        let number = before.requests &+ 1
        try process.write(number, at: place(MemoryLayout<percolate_samples>.offset(of: \.requests)))
        try process.nudge()
        let end = MonotonicClock.nanoseconds + UInt64(seconds * 1e9)
        while MonotonicClock.nanoseconds < end {
            let now = try Self.header(at: table, in: process)
            if now.answered >= number || now.rate == rate && now.answered == now.requests {
                return true
            }
            usleep(2000)
        }
        return false
    }
}
