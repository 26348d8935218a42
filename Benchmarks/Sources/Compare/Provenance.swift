import Foundation

/// Where a file comes from, so that a report can be compared with another machine's.
enum Provenance {
    static func of(_ path: String) -> String {
        if let version = packageVersion(path) { return version }
        if let digest = try? Shell.output("sha256sum", [path]) { return "sha256 " + digest.prefix(16) }
        return "unknown"
    }

    private static func packageVersion(_ path: String) -> String? {
        // A file may be registered under its name before the /usr merge.
        let names = path.hasPrefix("/usr/") ? [path, String(path.dropFirst(4))] : [path]
        for name in names {
            guard let owner = try? Shell.output("dpkg-query", ["-S", name]),
                let package = owner.split(separator: " ").first?.dropLast(),
                let version = try? Shell.output(
                    "dpkg-query", ["-W", "-f", "${Package} ${Version}", String(package)])
            else { continue }
            return version
        }
        return nil
    }
}
