import CPercolate

/// Text of any length on its way to a function that takes it: a page is collected, then handed
/// over. Allocates nothing.
struct TextSink {
    /// Takes `count` bytes. 0, or a negative error number.
    typealias Take = @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>, Int) -> Int

    private let page: UnsafeMutablePointer<TextPage>
    private let take: Take
    private let context: UnsafeMutableRawPointer?
    /// The first error, as a positive number; 0 for none. After it nothing is handed over.
    private(set) var error = 0

    /// `page` stays where it is for as long as the sink is used.
    init(page: UnsafeMutablePointer<TextPage>, _ take: Take, _ context: UnsafeMutableRawPointer?) {
        self.page = page
        self.take = take
        self.context = context
        page.pointee.truncate(to: 0)
    }

    private mutating func makeRoom(_ count: Int) {
        if page.pointee.count &+ count > 4096 { flush() }
    }

    /// Hands over what was collected.
    mutating func flush() {
        if error == 0, page.pointee.count > 0 {
            error = 0 &- take(context, TextPage.bytes(of: page), page.pointee.count)
        }
        page.pointee.truncate(to: 0)
    }

    mutating func append(_ text: StaticString) {
        makeRoom(text.utf8CodeUnitCount)
        page.pointee.append(text)
    }

    mutating func append(_ number: UInt64) {
        makeRoom(20)
        page.pointee.append(number)
    }

    mutating func append(hexadecimal value: UInt) {
        makeRoom(18)
        page.pointee.append(hexadecimal: value)
    }

    /// Appends what the next read of a file gives. False at its end, and where it cannot be read.
    mutating func appendPart(of descriptor: Int32) -> Bool {
        makeRoom(4096)
        let room = UnsafeMutablePointer(mutating: TextPage.bytes(of: page))
        var count: Int
        repeat { count = percolate_read(descriptor, room, 4096) } while count == -Int(EINTR)
        guard count > 0 else { return false }
        page.pointee.setCount(count)
        return true
    }

    mutating func append(byte: UInt8) {
        makeRoom(1)
        page.pointee.append(byte: byte)
    }

    mutating func append(cString text: UnsafePointer<CChar>) {
        makeRoom(256)
        page.pointee.append(cString: text)
    }

    /// Takes text to a descriptor: the context is its number.
    static var toDescriptor: Take {
        { context, text, count in
            let descriptor = Int32(truncatingIfNeeded: Int(bitPattern: context))
            var done = 0
            while done < count {
                let written = percolate_write(descriptor, text + done, count &- done)
                if written == -Int(EINTR) { continue }
                guard written > 0 else { return written < 0 ? written : -Int(EIO) }
                done &+= written
            }
            return 0
        }
    }
}
