import CLinux
import Glibc
import SystemPackage

/// A probe to listen to.
struct TracedProbe {
    let name: ProbeName
    let point: ProbePoint
}

/// The kernel's events for a set of probes: one for each probe on each CPU, and one ring for each
/// CPU. While this exists the semaphores are raised in every process that has the file mapped, now
/// or later.
final class ProbeEvents {
    let probes: [TracedProbe]
    private(set) var rings: [(ring: PerfRing, descriptor: Int32)] = []
    /// The probe, by the number that samples carry.
    private(set) var probeOfEvent: [UInt64: Int] = [:]
    private var events: [(descriptor: Int32, probe: Int)] = []
    /// Whether the kernel says how many samples of an event were lost.
    private var countsLost = true

    init(_ probes: [TracedProbe], of file: FilePath, in unit: UprobeUnit, cpus: [Int]) throws(TraceFailure) {
        self.probes = probes
        for cpu in cpus {
            var leader: Int32?
            for (number, probe) in probes.enumerated() {
                // A CPU that went away meanwhile runs no thread.
                guard let event = try open(probe, of: file, in: unit, cpu: cpu) else { break }
                events.append((event, number))
                var id: UInt64 = 0
                guard linux_event_id(event, &id) == 0 else { throw .probe(probe.name.rawValue, Errno(rawValue: errno)) }
                probeOfEvent[id] = number
                if let leader {
                    guard linux_share_ring(event, leader) == 0 else { throw .ring(Errno(rawValue: errno)) }
                } else {
                    rings.append((try PerfRing(of: event), event))
                    leader = event
                }
            }
        }
        for (event, probe) in events {
            guard linux_enable_event(event) == 0 else {
                throw .probe(probes[probe].name.rawValue, Errno(rawValue: errno))
            }
        }
    }

    deinit { for (event, _) in events { close(event) } }

    /// Lets a child close the events, so that the caller's end does not have to wait: the kernel
    /// closes one after the other, each after grace periods of some hundredths of a second, and
    /// there is an event for each probe on each CPU.
    func closeInBackground() {
        guard linux_fork() == 0 else { return }
        // Nobody shall wait for the end of a pipe because this child has it.
        var first: UInt32 = 0
        for descriptor in events.map({ UInt32($0.descriptor) }).sorted() {
            if first < descriptor { _ = linux_close_range(first, descriptor - 1) }
            first = descriptor + 1
        }
        _ = linux_close_range(first, UInt32.max)
        _exit(0)
    }

    private func open(
        _ probe: TracedProbe, of file: FilePath, in unit: UprobeUnit, cpu: Int
    ) throws(TraceFailure) -> Int32? {
        while true {
            let event = file.withPlatformString { path in
                linux_open_probe(
                    unit.type, path, probe.point.offset, probe.point.semaphore ?? 0, probe.point.registers,
                    Int32(cpu), countsLost ? 1 : 0)
            }
            if event >= 0 { return event }
            let error = Errno(rawValue: errno)
            switch error {
            case .noSuchAddressOrDevice, .operationNotSupportedByDevice: return nil
            case .invalidArgument where countsLost && events.isEmpty: countsLost = false
            case .permissionDenied, .notPermitted:
                throw .noPermission(error, hasCapability: UprobeUnit.hasCapability)
            default: throw .probe(probe.name.rawValue, error)
            }
        }
    }

    /// The samples of each probe that were lost so far, nil where the kernel does not count them by
    /// event (before Linux 6.0).
    func lost() -> [ProbeName: UInt64]? {
        guard countsLost else { return nil }
        var lost: [ProbeName: UInt64] = [:]
        for (event, probe) in events {
            // The count, and the number of lost samples.
            var values: (UInt64, UInt64) = (0, 0)
            let size = MemoryLayout.size(ofValue: values)
            guard read(event, &values, size) == size else { return nil }
            if values.1 > 0 { lost[probes[probe].name, default: 0] += values.1 }
        }
        return lost
    }
}
