import Foundation
import Report

/// Encodes and decodes orders again and again, on as many tasks as there are CPUs.
@main struct JSONLoop {
    struct Order: Codable, Equatable {
        struct Line: Codable, Equatable {
            var article: String
            var count: Int
            var price: Double
        }
        var number: Int
        var customer: String
        var lines: [Line]
        var notes: [String: String]
    }

    static func main() async throws {
        let rounds = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 10_000
        try await report("json-loop") {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 0..<ProcessInfo.processInfo.activeProcessorCount {
                    group.addTask { try run(rounds, seed: worker) }
                }
                try await group.waitForAll()
            }
        }
    }

    static func run(_ rounds: Int, seed: Int) throws {
        for round in 0..<rounds {
            let order = Order(
                number: round, customer: "customer \(seed)-\(round)",
                lines: (0..<20).map { .init(article: "article \($0 * seed)", count: $0, price: Double($0) / 7) },
                notes: ["place": String(repeating: "x", count: round % 200), "seed": "\(seed)"])
            let data = try JSONEncoder().encode(order)
            guard try JSONDecoder().decode(Order.self, from: data) == order else { fatalError("an order changed") }
        }
    }
}
