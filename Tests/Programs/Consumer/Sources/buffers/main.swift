import Foundation
import Percolate
import Synchronization

// Two threads put elements into a buffer and take them, while a third drains it. Whatever was
// stored comes out once, whole.
//
//     buffers words|bytes SECONDS
//
// Ends with 0 where that is so, else with 1.

/// As many bytes as an element may have nearly: the sequence that copies them lasts a while.
typealias Wide = InlineArray<255, Int>

/// What tells a set of elements from another.
struct Sums: Sendable {
    var count = 0
    var numbers = 0
    /// Elements that are mixed from several.
    var torn = 0

    mutating func add(_ number: Int?) {
        count += 1
        if let number { numbers &+= number } else { torn += 1 }
    }

    mutating func add(_ other: Sums) {
        count += other.count
        numbers &+= other.numbers
        torn += other.torn
    }
}

/// - Parameters:
///   - make: an element with a number.
///   - number: that number again, nil of an element that is mixed from several.
func hammer<Element: Sendable>(
    seconds: Double, make: @escaping @Sendable (Int) -> Element,
    number: @escaping @Sendable (Element) -> Int?
) -> Bool {
    let buffer = PerCPUBuffer<Element>(capacity: 8)
    let end = Date(timeIntervalSinceNow: seconds)
    let all = Mutex((stored: Sums(), taken: Sums()))
    let threads = DispatchGroup()

    /// Repeats `step`, which gets its number, on a thread of its own.
    func repeatOnThread(
        _ step: @escaping @Sendable (Int, _ stored: inout Sums, _ taken: inout Sums) -> Void
    ) {
        threads.enter()
        Thread {
            var (stored, taken) = (Sums(), Sums())
            var number = 0
            repeat {
                for _ in 0..<64 {
                    step(number, &stored, &taken)
                    number += 1
                }
            } while Date() < end
            all.withLock {
                $0.stored.add(stored)
                $0.taken.add(taken)
            }
            threads.leave()
        }.start()
    }

    for thread in 1...2 {
        repeatOnThread { step, stored, taken in
            let value = thread << 40 | step
            if buffer.put(make(value)).isStored { stored.add(value) }
            if step % 3 > 0, let element = buffer.take() { taken.add(number(element)) }
        }
    }
    repeatOnThread { _, _, taken in buffer.drain { taken.add(number($0)) } }
    threads.wait()
    return all.withLock { all in
        buffer.drain { all.taken.add(number($0)) }
        let (stored, taken) = all
        let isRight =
            stored.count > 0 && stored.count == taken.count && stored.numbers == taken.numbers
            && taken.torn == 0
        let verdict = isRight ? "ok" : "WRONG"
        print("stored \(stored.count) taken \(taken.count) torn \(taken.torn) \(verdict)")
        return isRight
    }
}

let arguments = CommandLine.arguments
guard arguments.count == 3, let seconds = Double(arguments[2]) else { exit(2) }
let isRight =
    arguments[1] == "words"
    ? hammer(seconds: seconds, make: { $0 }, number: { $0 })
    : hammer(
        seconds: seconds, make: { Wide(repeating: $0) },
        number: { wide in wide.indices.allSatisfy { wide[$0] == wide[0] } ? wide[0] : nil })
exit(isRight ? 0 : 1)
