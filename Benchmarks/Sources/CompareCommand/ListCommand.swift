import ArgumentParser
import Compare

struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the workloads and the peers.")

    @OptionGroup var options: PeerOptions

    func run() throws {
        for group in WorkloadGroup.allCases {
            print("\(group.rawValue):")
            for workload in WorkloadCatalog.all() where workload.group == group {
                print("  \(workload.name.padded(to: 16)) \(workload.summary)")
            }
        }
        let peers = try options.peers(baseline: Peers.baseline)
        print("peers:")
        for peer in peers.found { print("  \(peer.name.padded(to: 16)) \(peer.path) (\(peer.origin))") }
        for peer in peers.missing { print("  \(peer.name.padded(to: 16)) missing: \(peer.reason)") }
    }
}

extension String {
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
