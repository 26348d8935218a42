import CLinux
import Glibc
import SystemPackage

/// The program that knows lines of source: llvm-symbolizer, or addr2line of binutils, whichever is
/// installed.
struct LineTool {
    private let path: FilePath
    private let isLLVM: Bool

    private static var folders: [String] {
        let path =
            EnvironmentVariable.path.value.map { String(decoding: $0, as: UTF8.self) }
            ?? "/usr/bin:/bin"
        return path.split(separator: ":").map(String.init)
    }

    /// Nil where neither is installed.
    init?() {
        for name in ["llvm-symbolizer", "addr2line"] {
            for folder in Self.folders {
                let candidate = FilePath(folder).appending(name)
                guard candidate.withPlatformString({ access($0, X_OK) }) == 0 else { continue }
                path = candidate
                isLLVM = name == "llvm-symbolizer"
                return
            }
        }
        return nil
    }

    /// The functions at each of a file's own addresses, the innermost first. Addresses that the
    /// program does not know are left out.
    func functions(at addresses: [UInt64], in file: FilePath) -> [UInt64: [StackProfile.Function]] {
        var result: [UInt64: [StackProfile.Function]] = [:]
        for start in stride(from: 0, to: addresses.count, by: 1000) {
            let part = addresses[start..<min(start + 1000, addresses.count)]
            let options =
                isLLVM
                ? [
                    "--output-style=GNU", "--functions", "--inlines", "--demangle", "--addresses",
                    "--obj=\(file)",
                ]
                : ["-f", "-i", "-C", "-a", "-e", file.string]
            let arguments = options + part.map { "0x" + String($0, radix: 16) }
            // Lines are an addition: without them the profile has the names of the symbol table.
            guard let text = HelperProgram.output(of: path, arguments) else { return result }
            result.merge(Self.parse(text)) { first, _ in first }
        }
        return result
    }

    /// A line with the address, then for each function one with its name and one with file and
    /// line.
    static func parse(_ text: String) -> [UInt64: [StackProfile.Function]] {
        var result: [UInt64: [StackProfile.Function]] = [:]
        var address: UInt64?
        var name: Substring?
        for line in text.split(separator: "\n", omittingEmptySubsequences: true) {
            if name == nil, line.hasPrefix("0x"), let value = UInt64(line.dropFirst(2), radix: 16) {
                address = value
            } else if let function = name {
                name = nil
                guard let address, function != "??" else { continue }
                var place = line
                if let note = place.range(of: " (discriminator") {
                    place = place[..<note.lowerBound]
                }
                let colon = place.lastIndex(of: ":") ?? place.endIndex
                let file = place[..<colon]
                let number =
                    colon < place.endIndex ? Int(place[place.index(after: colon)...]) ?? 0 : 0
                result[address, default: []].append(
                    StackProfile.Function(
                        name: Demangler.name(String(function)),
                        file: file == "??" ? "" : String(file), line: number))
            } else {
                name = line
            }
        }
        return result
    }
}

extension Substring {
    /// The first occurrence of `text`.
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
