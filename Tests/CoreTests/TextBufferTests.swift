import CPercolate
import Foundation
import Testing

@testable import PercolateCoreHosted

extension TextBuffer {
    /// What `write` puts into a pipe.
    func written() throws -> String {
        let pipe = Pipe()
        var copy = self
        let isWritten = copy.write(to: pipe.fileHandleForWriting.fileDescriptor)
        try #require(isWritten)
        try pipe.fileHandleForWriting.close()
        return String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    }
}

/// Text without allocation says what it is told to.
@Suite struct TextBufferTests {
    @Test(arguments: [0, 9, 10, 99, 100, 4096, Int64.max, -1, -10, Int64.min])
    func numbersReadAsSwiftPrintsThem(number: Int64) throws {
        var text = TextPage()
        text.append(number)
        #expect(try text.written() == "\(number)")
    }

    @Test func theLargestUnsignedNumberFits() throws {
        var text = TextPage()
        text.append(UInt64.max)
        text.append(" ")
        text.append(UInt8(200))
        #expect(try text.written() == "18446744073709551615 200")
    }

    @Test(arguments: [0, 1, 15, 16, 0xdead_beef, 0x7fff_ffff_f000, UInt.max])
    func addressesReadAsHexadecimal(value: UInt) throws {
        var text = TextPage()
        text.append(hexadecimal: value)
        #expect(try text.written() == "0x" + String(value, radix: 16))
    }

    @Test func aLineIsPutTogetherInOrder() throws {
        var text = TextPage()
        text.append("percolate: ")
        text.append(cString: "a C string")
        text.append(byte: UInt8(ascii: "/"))
        text.append(cString: "cut short", limit: 3)
        text.append("\n")
        #expect(try text.written() == "percolate: a C string/cut\n")
        #expect(text.count == 26)
    }

    @Test func whatDoesNotFitIsDropped() throws {
        var text = TextPage()
        for _ in 0..<1000 { text.append("0123456789") }
        #expect(text.count == 4096)
        let written = try text.written()
        #expect(written == String(String(repeating: "0123456789", count: 410).prefix(4096)))
    }

    @Test func aRefusedWriteIsReported() {
        var text = TextPage()
        text.append("nowhere")
        let isWritten = text.write(to: -1)
        #expect(!isWritten)
    }

    @Test func cSeesTheSameBytes() {
        var text = TextPage()
        text.append("/a/path.")
        text.append(42)
        text.append(byte: 0)
        let seen = withUnsafeMutablePointer(to: &text) { String(cString: TextPage.bytes(of: $0)) }
        #expect(seen == "/a/path.42")
    }
}
