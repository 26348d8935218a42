import Report

/// Accounts as actors, between which many tasks move messages of changing size.
@main struct Actors {
    actor Account {
        private var letters: [[UInt8]] = []
        private(set) var received = 0

        func deliver(_ letter: [UInt8]) {
            letters.append(letter)
            received += 1
            if letters.count > 64 { letters.removeFirst(32) }
        }
    }

    static func main() async throws {
        let rounds = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 60_000
        try await report("actors") {
            let accounts = (0..<200).map { _ in Account() }
            await withTaskGroup(of: Void.self) { group in
                for sender in 0..<64 {
                    group.addTask {
                        for round in 0..<rounds {
                            let letter = [UInt8](repeating: 1, count: (sender * 31 + round * 17) % 1500)
                            await accounts[(sender + round * 7) % accounts.count].deliver(letter)
                        }
                    }
                }
            }
            var sum = 0
            for account in accounts { sum += await account.received }
            guard sum == 64 * rounds else { fatalError("letters were lost") }
        }
    }
}
