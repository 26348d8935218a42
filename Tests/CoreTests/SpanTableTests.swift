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

        func makeRecord() -> SpanID { table.makeRecord() }
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
}
