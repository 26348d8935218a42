import Percolate

/// `HeapArray` against `Array` and `ContiguousArray`, all on the allocator that is linked: building
/// one by appending, growing a full one to twice its capacity, dropping one. And a request's small
/// buffers: from a `HeapArena`, each as a `HeapBuffer`, each as an `Array`.
///
/// Nanoseconds for each element, or each request, the median of eleven interleaved rounds.
@main struct Arrays {
    static func main() throws {
        for count in [16, 1000, 1_000_000] { try compare("Int", count) { $0 } }
        // An element whose end has an effect.
        for count in [16, 1000, 1_000_000] { try compare("object", count) { _ in shared } }
        try compareRequests()
    }

    private final class Object: Sendable {}
    private static let shared = Object()

    private enum Step: String, CaseIterable {
        case build, grow, drop
    }

    /// Keeps the optimiser from leaving out what makes `value`.
    @inline(never) private static func use<Value: ~Copyable>(_ value: borrowing Value) {}

    private static func compare<Element>(
        _ name: String, _ count: Int, _ element: @escaping (Int) -> Element
    ) throws {
        let repetitions = max(1, 200_000 / count)
        var times: [Step: [[Double]]] = [:]
        for _ in 0..<11 {
            let round = [
                try timeHeapArray(count, repetitions, element),
                timeArray(Array<Element>.self, count, repetitions, element),
                timeArray(ContiguousArray<Element>.self, count, repetitions, element),
            ]
            for step in Step.allCases {
                times[step, default: []].append(round.map { $0[step] ?? 0 })
            }
        }
        for step in Step.allCases {
            let medians = median(times[step] ?? []).map { $0 / Double(count * repetitions) }
            say(
                "\(step.rawValue) \(count) \(name)", medians, "HeapArray",
                ["Array", "ContiguousArray"])
        }
    }

    private static func timeHeapArray<Element>(
        _ count: Int, _ repetitions: Int, _ element: (Int) -> Element
    ) throws -> [Step: Double] {
        var times: [Step: Double] = [:]
        for _ in 0..<repetitions {
            var array = HeapArray<Element>()
            try time(.build, &times) { for index in 0..<count { try array.append(element(index)) } }
            use(array)
            try time(.grow, &times) { try array.reserveCapacity(2 * array.capacity) }
            use(array)
            time(.drop, &times) { array = HeapArray() }
        }
        return times
    }

    private static func timeArray<Items: RangeReplaceableCollection>(
        _ type: Items.Type, _ count: Int, _ repetitions: Int, _ element: (Int) -> Items.Element
    ) -> [Step: Double] where Items: Roomy {
        var times: [Step: Double] = [:]
        for _ in 0..<repetitions {
            var array = Items()
            time(.build, &times) { for index in 0..<count { array.append(element(index)) } }
            use(array)
            time(.grow, &times) { array.reserveCapacity(2 * array.capacity) }
            use(array)
            time(.drop, &times) { array = Items() }
        }
        return times
    }

    private static func time<Failure: Error>(
        _ step: Step, _ times: inout [Step: Double], _ body: () throws(Failure) -> Void
    ) throws(Failure) {
        let start = ContinuousClock.now
        try body()
        times[step, default: 0] += nanoseconds(ContinuousClock.now - start)
    }

    /// Sixty buffers of 8 to 480 bytes, written and dropped.
    private static func compareRequests() throws {
        let requests = 3000
        var rounds: [[Double]] = []
        var arena = try HeapArena()
        for _ in 0..<11 {
            var times: [Double] = []
            for kind in 0..<3 {
                let start = ContinuousClock.now
                for _ in 0..<requests {
                    switch kind {
                    case 0:
                        for count in 1...60 {
                            use(try arena.allocate(repeating: count, count: count)[0])
                        }
                        arena.reset()
                    case 1:
                        var buffers = try HeapArray<HeapBuffer<Int>>(capacity: 60)
                        for count in 1...60 {
                            try buffers.append(try HeapBuffer(repeating: count, count: count))
                        }
                        use(buffers)
                    default:
                        var arrays: [[Int]] = []
                        arrays.reserveCapacity(60)
                        for count in 1...60 { arrays.append([Int](repeating: count, count: count)) }
                        use(arrays)
                    }
                }
                times.append(nanoseconds(ContinuousClock.now - start) / Double(requests))
            }
            rounds.append(times)
        }
        say("request of 60 buffers", median(rounds), "HeapArena", ["HeapBuffer", "Array"])
    }

    private static func median(_ rounds: [[Double]]) -> [Double] {
        (0..<3).map { column in rounds.map { $0[column] }.sorted()[rounds.count / 2] }
    }

    private static func say(_ what: String, _ times: [Double], _ first: String, _ others: [String]) {
        let ratios = others.enumerated().map { " of \($1) \(rounded(times[0] / times[$0 + 1]))" }
        print("\(what): \(first) \(rounded(times[0])) ns, ratio" + ratios.joined(separator: ","))
    }

    private static func rounded(_ number: Double) -> Double { (number * 1000).rounded() / 1000 }

    private static func nanoseconds(_ duration: Duration) -> Double { duration / .nanoseconds(1) }
}

/// What both arrays of the standard library have.
private protocol Roomy {
    var capacity: Int { get }
}

extension Array: Roomy {}
extension ContiguousArray: Roomy {}
