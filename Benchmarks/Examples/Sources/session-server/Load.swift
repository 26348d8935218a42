import Foundation
import Synchronization

/// The clients: a thread for each connection, which asks, waits for the answer and checks it.
///
/// There are four days. In the first half of each the users become many and then few again; in the second half, the night, there are few.
final class Load: Sendable {
    private let port: UInt16
    private let requests: Int
    private let connections: Int
    private let next = Atomic<Int>(0)

    struct InvalidArguments: Error {}

    init(arguments: [String]) throws {
        let numbers = arguments.compactMap { Int($0) }
        guard numbers.count == 3, let port = UInt16(exactly: numbers[0]) else { throw InvalidArguments() }
        self.port = port
        requests = numbers[1]
        connections = numbers[2]
    }

    func run() throws {
        let group = DispatchGroup()
        for _ in 0..<connections {
            group.enter()
            let thread = Thread {
                self.ask()
                group.leave()
            }
            thread.stackSize = 256 << 10
            thread.start()
        }
        group.wait()
    }

    /// The user of a request: one of those who are there, drawn by the request's number. With every tenth request a new one comes.
    private func session(_ request: Int) -> Int {
        let day = Double(request % (requests / 4)) / Double(requests / 4)
        let noon = requests / 10
        let present = requests / 200 + Int(Double(noon) * max(0, sin(2 * .pi * day)))
        return noon + request / 10 - Int(random(request) % UInt64(present))
    }

    /// A number that follows from `request` without a pattern.
    private func random(_ request: Int) -> UInt64 {
        var state = UInt64(request) &* 0x9e37_79b9_7f4a_7c15
        state = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        state = (state ^ (state >> 27)) &* 0x94d0_49bb_1331_11eb
        return state ^ (state >> 31)
    }

    private func request(_ number: Int) -> Request {
        let draw = random(number ^ 0x5555_5555)
        let item = Request.Item(
            title: "article \(draw % 100_000)", count: Int(draw % 7) + 1,
            note: String(repeating: "note ", count: Int(draw >> 8 % 90)))
        let page = "/shop/\(draw >> 20 % 1000)/" + String(repeating: "p", count: Int(draw >> 32 % 120))
        return Request(session: session(number), page: page, item: draw >> 40 % 3 == 0 ? nil : item)
    }

    private func ask() {
        let descriptor = connect()
        guard let stream = fdopen(descriptor, "r") else { fatalError("no stream: errno \(errno)") }
        var line: UnsafeMutablePointer<CChar>?
        var room = 0
        let decoder = JSONDecoder()
        let encoder = JSONEncoder()
        while case let number = next.wrappingAdd(1, ordering: .relaxed).oldValue, number < requests {
            do {
                let request = request(number)
                var data = try encoder.encode(request)
                data.append(UInt8(ascii: "\n"))
                let sent = data.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                guard sent == data.count else { fail("the connection broke") }
                let length = getline(&line, &room, stream)
                guard length > 0, let line else { fail("no answer") }
                let reply = try decoder.decode(Reply.self, from: Data(bytes: line, count: length))
                guard reply.session == request.session, reply.visits > 0, reply.body.contains(request.page) else {
                    fatalError("a wrong answer")
                }
            } catch {
                fatalError("\(error)")
            }
        }
        free(line)
        fclose(stream)
    }

    /// Ends the load with one line. When the server ends, all threads notice at once.
    private func fail(_ reason: String) -> Never {
        FileHandle.standardError.write(Data("session-server load: \(reason)\n".utf8))
        _exit(1)
    }

    /// A connection to the server.
    private func connect() -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { fatalError("no connection: errno \(errno)") }
        return descriptor
    }
}
