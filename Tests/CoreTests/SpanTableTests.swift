import Testing

@testable import PercolateCoreHosted

/// Span records and the pages' entries.
@Suite struct SpanTableTests {
    private final class Window {
        var table = SpanTable()
        let memory: ReservedMemory

        init(pages: Int) throws {
            memory = try #require(ReservedMemory(size: SpanTable.size(pages: pages)))
            table.place(at: memory.address, pages: pages)
        }

        func makeRecord() -> SpanID {
            let id = table.makeRecord()
            return id != 0 || !table.commitRecords(forPages: 0) ? id : table.makeRecord()
        }
        func releaseUnused() { table.releaseUnused() }
        func grow(toPages pages: Int) -> Bool { table.grow(toPages: pages) }
    }

    @Test func recordsAreDistinctUntilReturned() throws {
        let window = try Window(pages: 4096)
        var ids: Set<SpanID> = []
        for _ in 0..<1000 { ids.insert(window.makeRecord()) }
        #expect(ids.count == 1000 && !ids.contains(0))
        for id in ids { window.table[id].pointee = Span(firstPage: id * 3, pages: id, kind: .small) }
        for id in ids {
            for word in 0..<8 { #expect(window.table.bits(id)[word] == 0, "the bits are not part of the fields") }
            window.table.bits(id).update(repeating: ~UInt64(id), count: 8)
        }
        for id in ids {
            #expect(window.table[id].pointee.firstPage == id * 3 && window.table[id].pointee.pages == id)
            #expect((0..<8).allSatisfy { window.table.bits(id)[$0] == ~UInt64(id) })
        }
        for id in ids { window.table.returnRecord(id) }
        for id in ids { #expect(window.table[id].pointee.kind == .unused) }
        var again: Set<SpanID> = []
        for _ in 0..<1000 { again.insert(window.makeRecord()) }
        #expect(again == ids, "returned records are used before new ones")
    }

    @Test func everyPageNamesItsSpan() throws {
        let window = try Window(pages: 4096)
        #expect(window.grow(toPages: 4096))
        window.table.setSpan(5, of: 10..<20)
        window.table.setSpan(6, of: 20..<4096)
        #expect((0..<10).allSatisfy { window.table.span(of: $0) == 0 })
        #expect((10..<20).allSatisfy { window.table.span(of: $0) == 5 })
        #expect((20..<4096).allSatisfy { window.table.span(of: $0) == 6 })
        window.table.setSpan(0, of: 15..<25)
        #expect(window.table.span(of: 14) == 5 && window.table.span(of: 15) == 0 && window.table.span(of: 25) == 6)
    }

    @Test func aTableThatIsFullSaysSo() throws {
        let window = try Window(pages: 64)
        // Record 0 stands for none.
        let most = 64 / 2 - 1
        for number in 1...SpanID(most) { #expect(window.makeRecord() == number) }
        #expect(window.makeRecord() == 0)
        window.table.returnRecord(7)
        #expect(window.makeRecord() == 7)
        #expect(!window.grow(toPages: 1 << 20))
    }

    @Test func metadataIsCommittedAsItIsUsed() throws {
        let window = try Window(pages: 1 << 20)
        #expect(window.table.metadataBytes == 0)
        _ = window.makeRecord()
        #expect(window.table.metadataBytes <= 65536)
    }

    @Test(arguments: UInt64(1)...3) func recordsSurviveTheReleaseOfUnusedOnes(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let window = try Window(pages: 1 << 15)
        var used: Set<SpanID> = []
        func make(_ count: Int) throws {
            for _ in 0..<count {
                let id = window.makeRecord()
                try #require(id != 0 && used.insert(id).inserted, "distinct while used")
                window.table[id].pointee = Span(firstPage: id, kind: .small)
            }
        }
        try make(10_000)
        for _ in 0..<4 {
            // Long stretches of neighbours, so that whole pages of records come free.
            let ids = used.sorted()
            let first = Int.random(in: 0..<ids.count / 2, using: &random)
            for id in ids[first..<(first + ids.count / 2)] where Int.random(in: 0..<200, using: &random) > 0 {
                used.remove(id)
                window.table.returnRecord(id)
            }
            let before = window.table.metadataBytes
            #expect(window.table.hasManyUnused)
            window.releaseUnused()
            #expect(window.table.metadataBytes < before)
            for id in used {
                #expect(window.table[id].pointee.firstPage == id && window.table[id].pointee.kind == .small)
            }
            try make(ids.count / 3)
        }
        // What was released comes back before anything new.
        try make(10_000 - used.count)
        #expect(used.max() == 10_000 && used.count == 10_000)
    }

    @Test func entriesOfFreePagesReadAsNone() throws {
        let window = try Window(pages: 8192)
        #expect(window.grow(toPages: 8192))
        window.table.setSpan(3, of: 0..<8192)
        window.table.setSpan(0, of: 1000..<5000)
        window.table.releaseEntries(of: 1000..<5000)
        #expect((1000..<5000).allSatisfy { window.table.span(of: $0) == 0 })
        #expect((0..<1000).allSatisfy { window.table.span(of: $0) == 3 })
        #expect((5000..<8192).allSatisfy { window.table.span(of: $0) == 3 })
    }
}
