import Foundation

/// Changes single fields of an ELF file, to make files that no compiler at hand makes.
enum ELFPatch {
    static let aarch64: UInt16 = 183
    static let riscV: UInt16 = 243

    /// Sets the field `e_machine`.
    static func setMachine(of path: String, to machine: UInt16) throws {
        var bytes = try Data(contentsOf: URL(filePath: path))
        bytes.replaceSubrange(18..<20, with: [UInt8(truncatingIfNeeded: machine), UInt8(machine >> 8)])
        try bytes.write(to: URL(filePath: path))
    }

    /// Replaces the only occurrence of a text by another of the same length.
    static func replace(_ text: String, by other: String, in path: String) throws {
        var bytes = try Data(contentsOf: URL(filePath: path))
        guard text.utf8.count == other.utf8.count, let range = bytes.range(of: Data(text.utf8)) else {
            throw CocoaError(.fileReadCorruptFile)
        }
        bytes.replaceSubrange(range, with: Data(other.utf8))
        try bytes.write(to: URL(filePath: path))
    }
}
