import Foundation
import NIOCore
import NIOPosix
import Report

/// A server of sessions on the loopback interface: a line of JSON asks, a line of JSON answers. Many connections, a pool of many threads
/// that block, and sessions that come and go in waves. The load comes from a process of its own.
///
///     session-server [REQUESTS [CONNECTIONS [THREADS]]]
@main struct SessionServer: Sendable {
    private let store: SessionStore
    private let pool: NIOThreadPool
    private let channel: any Channel

    static func main() async throws {
        var arguments = CommandLine.arguments.dropFirst()
        if arguments.first == "load" { return try Load(arguments: Array(arguments.dropFirst())).run() }
        func number(_ standard: Int) -> Int { arguments.popFirst().flatMap { Int($0) } ?? standard }
        let requests = number(120_000)
        let connections = number(256)
        let threads = number(256)

        let server = try await report("session-server", idle: .seconds(2)) {
            let server = try await SessionServer(threads: threads, lifetime: requests / 16)
            try await server.answer(requests, connections: connections)
            return server
        } rest: { server in
            server.store.endAll()
        }
        try await server.channel.close()
        try await server.pool.shutdownGracefully()
    }

    /// - Parameter lifetime: requests after which an unused session ends.
    private init(threads: Int, lifetime: Int) async throws {
        let store = SessionStore(lifetime: lifetime)
        let pool = NIOThreadPool(numberOfThreads: threads)
        pool.start()
        self.store = store
        self.pool = pool
        channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.backlog, value: 512)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        ByteToMessageHandler(LineDecoder()), RequestHandler(pool, store))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    /// Lets a load of its own process ask, and returns when it has all answers.
    private func answer(_ requests: Int, connections: Int) async throws {
        guard let port = channel.localAddress?.port else { fatalError("no address") }
        let load = Process()
        load.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        load.arguments = ["load", "\(port)", "\(requests)", "\(connections)"]
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            load.terminationHandler = { _ in continuation.resume() }
            do { try load.run() } catch { continuation.resume(throwing: error) }
        }
        guard load.terminationStatus == 0 else { fatalError("the load failed") }
        guard store.visits == requests else { fatalError("\(store.visits) of \(requests) visits are in the sessions") }
    }
}
