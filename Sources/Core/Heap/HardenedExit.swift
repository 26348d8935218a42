import CPercolate
import Synchronization

/// The last look of a fully hardened heap, when the process ends.
extension Heap {
    /// At the end of the process: looks at every canary, and at what is in quarantine.
    static func checkAllBlocks() {
        guard Hardening.isFull, !FrontEnd.isSuspended else { return }
        var visit = percolate_visit()
        Visit.begin(&visit)
        defer { Visit.end(&visit) }
        // Nobody changes what a page is used for meanwhile.
        guard arenaLock.acquire() == .entered else { return }
        defer { arenaLock.release() }
        quarantineRing.visit { block in
            let number = pageClass(of: block)
            guard number != 0, let record = records.existing(block, power(number)) else { return }
            refuseLateWrite(block, number, record, holding: arenaLock)
        }
        var page = 0
        while page < publishedPages {
            let id = spans.span(of: page)
            let address = arena.address(page)
            if id != 0, spans[id].pointee.kind == .small {
                checkBlocks(of: id)
                page = Int(spans[id].pointee.firstPage &+ spans[id].pointee.pages)
            } else {
                if FencedBlocks.begins(at: address),
                    let record = records.existing(address, RecordTable.pagePower)
                {
                    check(address, nil, record)
                }
                page &+= 1
            }
        }
    }

    static func checkBlocks(of id: SpanID) {
        let number = Int(spans[id].pointee.sizeClass)
        let info = sizeClasses[number].pointee
        let start = arena.address(Int(spans[id].pointee.firstPage))
        for index in 0..<Int(info.spanBlocks) {
            let block = start &+ UInt(index) &* UInt(info.size)
            if let record = records.existing(block, power(number)) { check(block, number, record) }
        }
    }

    static func check(
        _ block: UInt, _ number: Int?, _ record: UnsafeMutablePointer<BlockRecord>
    ) {
        let facts = record.pointee.facts
        guard facts.state == .live, record.pointee.exchange(facts, for: facts.with(.checked)) else {
            return
        }
        let found = Known(
            block: block, number: number, record: record, facts: facts, isEmpty: false)
        refuseOverflow(found, holding: arenaLock)
        record.pointee.set(facts)
    }
}
