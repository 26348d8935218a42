/// The CPUs that threads can run on now.
enum OnlineCPUs {
    /// Their numbers. CPU 0 alone where the kernel does not say.
    static var numbers: [Int] { parse(KernelFile.text("/sys/devices/system/cpu/online") ?? "") ?? [0] }

    /// The numbers of a list such as `0-3,8`, nil when it is none.
    static func parse(_ list: String) -> [Int]? {
        var numbers: [Int] = []
        for range in list.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = range.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2, first <= last else {
                return nil
            }
            numbers += first...last
        }
        return numbers
    }
}
