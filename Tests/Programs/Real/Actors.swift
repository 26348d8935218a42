// Tasks, actors, streams and strings: what the Swift runtime asks of malloc. The output depends on
// the argument only.
import Foundation

actor Ledger {
    private var balances: [String: Int] = [:]
    private var history: [(account: String, amount: Int)] = []

    func post(_ amount: Int, to account: String) {
        balances[account, default: 0] += amount
        history.append((account, amount))
    }

    var summary: String {
        let lines = balances.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return lines.joined(separator: ",")
    }
    var entries: Int { history.count }
    var isBalanced: Bool { history.reduce(0) { $0 + $1.amount } == balances.values.reduce(0, +) }
}

final class Node: Sendable {
    let value: Int
    let children: [Node]
    init(value: Int, children: [Node]) {
        self.value = value
        self.children = children
    }

    static func tree(depth: Int, value: Int) -> Node {
        Node(
            value: value,
            children: depth == 0 ? [] : (0..<4).map { tree(depth: depth - 1, value: (value * 4 + $0) % 10007) })
    }
    var sum: Int { children.reduce(value) { $0 + $1.sum } }
}

/// FNV-1a over the text's bytes.
func digest(_ text: String) -> UInt64 {
    text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
}

func posts(_ number: Int, to ledger: Ledger) async -> Int {
    var length = 0
    for step in 0..<200 {
        let account = "account \((number * 31 + step) % 97)"
        await ledger.post((number * step) % 19 - 9, to: account)
        let words = (0..<(step % 12)).map { String(repeating: "w\($0)", count: $0 + step % 5) }
        length += words.joined(separator: " ").split(separator: " ").map(\.count).reduce(0, +)
    }
    return length
}

/// The sum of what `count` tasks give, each knowing its number.
func sum(ofTasks count: Int, _ work: @escaping @Sendable (Int) async -> Int) async -> Int {
    await withTaskGroup(of: Int.self) { group in
        for number in 0..<count {
            group.addTask { await work(number) }
        }
        return await group.reduce(0, +)
    }
}

@main
struct Actors {
    static func main() async throws {
        guard CommandLine.arguments.count == 2, let tasks = Int(CommandLine.arguments[1]) else {
            FileHandle.standardError.write(Data("usage: actors TASKS\n".utf8))
            exit(2)
        }
        let ledgers = (0..<4).map { _ in Ledger() }
        let lengths = await sum(ofTasks: tasks) { await posts($0, to: ledgers[$0 % ledgers.count]) }
        let sums = await sum(ofTasks: tasks) { Node.tree(depth: 5, value: $0).sum }
        let (stream, continuation) = AsyncStream.makeStream(of: [Int].self)
        Task.detached {
            for number in 0..<tasks * 20 { continuation.yield(Array(0...(number % 300))) }
            continuation.finish()
        }
        var streamed = 0
        for await numbers in stream { streamed += numbers.count }

        for ledger in ledgers {
            let balanced = await ledger.isBalanced
            print(await ledger.entries, balanced, String(digest(await ledger.summary), radix: 16))
        }
        let plist = try PropertyListSerialization.data(
            fromPropertyList: (0..<tasks).map { ["index": $0, "square": $0 * $0] }, format: .xml, options: 0)
        print(lengths, sums, streamed, plist.count)
    }
}
