import CPercolate
import Synchronization

/// Statistics as text: `name value` lines below a title.
extension Heap {
    /// A duplicate of standard error, made at start: programs close theirs before the statistics are written.
    nonisolated(unsafe) private static var statisticsDescriptor: Int32 = 2

    /// The path: programs write their title over their environment.
    nonisolated(unsafe) private static var statisticsPath = TextPage()

    /// The program's name, as it was at start: a title may be written over it as well.
    nonisolated(unsafe) private static var programName = TextLine()

    /// Keeps what the options say of statistics, at start.
    static func keepStatisticsTarget() {
        guard let path = options.statistics else { return }
        programName.append(cString: percolate_program_name(), limit: 64)
        statisticsPath.append(cString: path, limit: min(options.statisticsLength, 3800))
        guard options.statisticsLength == 0 else { return }
        let duplicate = percolate_duplicate(2, 100)
        if duplicate >= 0 { statisticsDescriptor = Int32(duplicate) }
    }

    static func memory() -> percolate_memory {
        var result = percolate_memory()
        guard phase == .ready else { return result }
        let page = UInt64(Arena.pageSize)
        result.committed = UInt64(arena.committed) &* page
        result.in_use = UInt64(arena.inUse) &* page
        result.free_resident = UInt64(arena.retention.resident) &* page
        result.large = UInt64(largePages) &* page
        // Frees are read first: each was an allocation before.
        let largeFrees = total(.largeFrees)
        result.large_count = total(.largeAllocations) &- largeFrees
        result.metadata = UInt64(spans.metadataBytes &+ arena.tree.metadataBytes &+ pageClasses.committed)
        return result
    }

    static func describe(into text: inout TextPage) {
        func line(_ name: StaticString, _ value: UInt64) {
            text.append(name)
            text.append(" ")
            text.append(value)
            text.append("\n")
        }
        func line(_ name: StaticString, _ value: StaticString) {
            text.append(name)
            text.append(" ")
            text.append(value)
            text.append("\n")
        }
        text.append("percolate statistics\n")
        line("process_id", UInt64(percolate_getpid()))
        text.append("process_name ")
        if programName.count > 0 {
            text.append(programName)
        } else {
            text.append(cString: percolate_program_name())
        }
        text.append("\n")
        switch FrontEnd.mode {
        case .sections: line("mode", "sections")
        case .locked: line("mode", "locked")
        case .hardened: line("mode", "hardened")
        }
        switch FrontEnd.sequences.index {
        case .cpuID: line("index", "cpu_id")
        case .mmCID: line("index", "mm_cid")
        }
        switch FrontEnd.sequences.registration {
        case .none: line("rseq", "none")
        case .glibc: line("rseq", "glibc")
        case .own: line("rseq", "own")
        }
        line("membarrier", FrontEnd.sequences.canFence ? "yes" : "no")
        var slabs: UInt64 = 0
        for index in 0..<FrontEnd.indexCount where FrontEnd.caches[index].pointee.slab != 0 { slabs &+= 1 }
        line("slabs", slabs)
        line("served_blocks", total(.refilledObjects) &+ total(.directAllocations) &+ total(.largeAllocations))
        line("refills", total(.refills))
        line("refilled_objects", total(.refilledObjects))
        line("drains", total(.drains))
        line("drained_objects", total(.drainedObjects))
        line("steals", total(.steals))
        line("stolen_objects", total(.stolenObjects))
        line("capacity_changes", total(.capacityChanges))
        line("vectors_local", total(.vectorsLocal))
        line("vectors_remote", total(.vectorsRemote))
        line("sections_aborted", total(.sectionsAborted))
        line("gates_closed_local", total(.gatesClosedLocal))
        line("gates_closed_remote", total(.gatesClosedRemote))
        line("direct_allocations", total(.directAllocations))
        line("direct_frees", total(.directFrees))
        line("emergency_allocations", total(.emergencyAllocations))
        line("large_allocations", total(.largeAllocations))
        line("large_frees", total(.largeFrees))
        line("spans_in_use", UInt64(spansInUse))
        let memory = memory()
        line("arena_in_use_bytes", memory.in_use)
        line("arena_committed_bytes", memory.committed)
        line("arena_free_resident_bytes", memory.free_resident)
        line("scavenger", arena.retention.isScavenged ? "yes" : "no")
        line("released_bytes", arena.retention.releasedTotal &* UInt64(Arena.pageSize))
        line("metadata_bytes", memory.metadata)
    }

    /// What statistics are written from: a stack may have no room for a page. Of whoever took it first.
    nonisolated(unsafe) private static var page = TextPage()
    private static let isPageTaken = Atomic<Bool>(false)

    /// Calls `body` with an empty page and the path, both to write to.
    private static func withPage(_ body: (inout TextPage, inout TextPage) -> Bool) -> Bool {
        guard !isPageTaken.exchange(true, ordering: .acquiring) else { return withPageOnStack(body) }
        defer { isPageTaken.store(false, ordering: .releasing) }
        page.truncate(to: 0)
        return body(&page, &statisticsPath)
    }

    /// For who interrupted the owner of the page, or is beside it.
    @inline(never)
    private static func withPageOnStack(_ body: (inout TextPage, inout TextPage) -> Bool) -> Bool {
        var page = TextPage()
        var path = statisticsPath
        return body(&page, &path)
    }

    /// Writes the statistics to `descriptor`. False when the kernel refused.
    static func writeStatistics(to descriptor: Int32) -> Bool {
        withPage { text, _ in
            describe(into: &text)
            return text.write(to: descriptor)
        }
    }

    /// At the end of the process: writes the statistics where the options say. Not in a vfork child, whose memory is its parent's.
    static func writeStatisticsAtExit() {
        guard options.statistics != nil, FrontEnd.suspensions.load(ordering: .relaxed) == 0 else { return }
        guard options.statisticsLength > 0 else {
            _ = writeStatistics(to: statisticsDescriptor)
            return
        }
        let isWritten = withPage { text, path in
            describe(into: &text)
            let length = path.count
            defer { path.truncate(to: length) }
            if percolate_getpid() != options.mainProcess {
                path.append(".")
                path.append(percolate_getpid())
            }
            path.append(byte: 0)
            let descriptor = path.withCString { percolate_open($0, O_WRONLY | O_CREAT | O_TRUNC, 0o644) }
            guard descriptor >= 0 else { return false }
            defer { _ = percolate_close(Int32(descriptor)) }
            return text.write(to: Int32(descriptor))
        }
        if !isWritten { complainOfStatistics() }
    }

    private static func complainOfStatistics() {
        var line = TextLine()
        line.append("percolate: cannot write statistics to ")
        line.append(statisticsPath)
        line.truncate(to: 511)
        line.append("\n")
        _ = line.write(to: 2)
    }
}
