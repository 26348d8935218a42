import Glibc
import Percolate
import Synchronization

/// `PerCPUCounter` against `Atomic<Int>`: nanoseconds for each addition, the median of seven interleaved rounds.
@main struct Counter {
    static let atomic = Atomic<Int>(0)

    static func main() {
        let counter = PerCPUCounter()
        for threads in [1, 64] {
            let each = 40_000_000 / threads
            var ofCounter: [Double] = []
            var ofAtomic: [Double] = []
            for _ in 0..<7 {
                ofAtomic.append(time(threads) { for _ in 0..<each { atomic.wrappingAdd(1, ordering: .relaxed) } })
                ofCounter.append(time(threads) { for _ in 0..<each { counter.add(1) } })
            }
            let own = ofCounter.sorted()[3] / 40
            let shared = ofAtomic.sorted()[3] / 40
            print("threads \(threads): counter \(own) ns, atomic \(shared) ns, ratio \(own / shared)")
        }
        precondition(counter.value == atomic.load(ordering: .relaxed), "additions were lost")
    }

    private final class Work: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Milliseconds until `count` threads have run `body`.
    private static func time(_ count: Int, _ body: @escaping @Sendable () -> Void) -> Double {
        let duration = ContinuousClock().measure {
            let threads = (0..<count).map { _ in
                var thread = pthread_t()
                let work = Unmanaged.passRetained(Work(body)).toOpaque()
                let result = pthread_create(
                    &thread, nil,
                    { work in
                        if let work { Unmanaged<Work>.fromOpaque(work).takeRetainedValue().run() }
                        return nil
                    }, work)
                precondition(result == 0, "no thread")
                return thread
            }
            for thread in threads { pthread_join(thread, nil) }
        }
        return Double(duration.components.seconds) * 1e3 + Double(duration.components.attoseconds) / 1e15
    }
}
