import CLinux
import Glibc
import SystemPackage

/// How executing a file makes the kernel ask for secure execution (`AT_SECURE`), under which the
/// loader ignores `LD_PRELOAD`. The rule is the kernel's: it asks when the effective ids would
/// differ from the real ones, not when a bit of the mode is set, so root runs a file set to root's
/// id as any other.
enum PrivilegeGain {
    case user, group, capabilities

    var reason: String {
        switch self {
        case .user: "is executed with another user's rights"
        case .group: "is executed with another group's rights"
        case .capabilities: "has file capabilities"
        }
    }

    init?(executing path: FilePath) {
        var status = stat()
        guard path.withPlatformString({ stat($0, &status) }) == 0 else { return nil }
        let honoured = Self.areSetIdentifiersHonoured(path)
        // Without the right of the group to execute, the bit means mandatory locking.
        let setsGroup = status.st_mode & S_ISGID != 0 && status.st_mode & S_IXGRP != 0
        let user = honoured && status.st_mode & S_ISUID != 0 ? status.st_uid : geteuid()
        let group = honoured && setsGroup ? status.st_gid : getegid()
        if user != getuid() {
            self = .user
        } else if group != getgid() {
            self = .group
        } else if getuid() != 0, honoured, Self.hasCapabilities(path) {
            self = .capabilities
        } else {
            return nil
        }
    }

    private static func areSetIdentifiersHonoured(_ path: FilePath) -> Bool {
        var volume = statvfs()
        let mounted = path.withPlatformString { statvfs($0, &volume) } == 0
        return linux_no_new_privileges() != 1 && !(mounted && volume.f_flag & UInt(ST_NOSUID) != 0)
    }

    private static func hasCapabilities(_ path: FilePath) -> Bool {
        path.withPlatformString { getxattr($0, "security.capability", nil, 0) } > 0
    }
}
