import Glibc
import SystemPackage

extension FilePath {
    /// Whether there is a file of that name, of whatever kind, that this process can see.
    var exists: Bool { withPlatformString { access($0, F_OK) } == 0 }
}
