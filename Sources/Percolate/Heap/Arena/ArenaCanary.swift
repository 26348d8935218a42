#if DEBUG
    /// Bytes behind a raw block that nobody may write to, and who asked for the block.
    @safe
    struct ArenaCanary {
        static let byteCount = 16
        private static let pattern: UInt8 = 0xfe

        private let bytes: UnsafeMutableRawBufferPointer
        private let block: UnsafeMutableRawBufferPointer
        private let file: StaticString
        private let line: UInt

        init(
            behind start: UnsafeMutableRawPointer, byteCount: Int, _ file: StaticString,
            _ line: UInt
        ) {
            unsafe block = UnsafeMutableRawBufferPointer(start: start, count: byteCount)
            unsafe bytes = UnsafeMutableRawBufferPointer(
                start: start + byteCount, count: Self.byteCount)
            self.file = file
            self.line = line
            unsafe bytes.initializeMemory(as: UInt8.self, repeating: Self.pattern)
        }

        /// Ends the process at the line that allocated, where the bytes were written to.
        func check() {
            let intact = unsafe bytes.allSatisfy { $0 == Self.pattern }
            require(
                intact,
                "the bytes behind this block of \(unsafe block.count) bytes of an arena were written to",
                file,
                line)
        }
    }
#endif
