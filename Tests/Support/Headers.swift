import Foundation

/// The headers that C programs of the tests include.
public enum Headers {
    private static let target = Checkout.root.appending(path: "Sources/CPercolate")

    /// The folder of those that an installed copy has.
    public static let folder: String = target.appending(path: "include").path

    /// The compiler's flags for programs that include them. In programs that include
    /// `Tests/Programs/Vectors/delays.h`, the sections of `<percolate/rseq_ops.h>` have a delay in
    /// front of each step.
    public static func flags() throws -> [String] { ["-I", try delayed.get(), "-I", folder] }

    /// The compiler's flags for programs that include those of the allocator's inside as well.
    public static let internalFlags: [String] = ["-I", folder, "-I", target.appending(path: "internal").path]

    /// The folder of a copy of `<percolate/rseq_ops.h>` that has the delays.
    private static let delayed = Result {
        let name = "percolate/rseq_ops.h"
        let original = URL(filePath: folder).appending(path: name)
        var text = try String(contentsOf: original, encoding: .utf8)
        let steps = text.matches(of: /\/\* \d \*\//).count
        guard steps >= 20 else { throw UnexpectedHeader(description: "\(original.path) numbers \(steps) steps") }
        text.replace(/\/\* (\d) \*\//) { "SECTION_DELAY(\($0.output.1))" }
        let clobbers = "\"cc\", PERCOLATE_STEP_CLOBBERS\n"
        guard text.contains(clobbers) else { throw UnexpectedHeader(description: "no clobbers in \(original.path)") }
        text.replace(clobbers, with: "\"cc\", PERCOLATE_STEP_CLOBBERS, SECTION_DELAY_CLOBBER\n")
        text = """
            #ifdef DELAYS_H
            #define SECTIONS_ARE_DELAYED
            \(text)
            #else
            #include_next <\(name)>
            #endif

            """
        let delayed = RunFolder.url.appending(path: "delayed")
        let copy = delayed.appending(path: name)
        try FileManager.default.createDirectory(
            at: copy.deletingLastPathComponent(), withIntermediateDirectories: true)
        try text.write(to: copy, atomically: true, encoding: .utf8)
        return delayed.path
    }

    /// The header is no longer written as the copying expects.
    private struct UnexpectedHeader: Error, CustomStringConvertible {
        let description: String
    }
}
