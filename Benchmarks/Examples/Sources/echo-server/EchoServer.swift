import NIOCore
import NIOPosix
import Report

/// A server on the loopback interface that sends back what it gets, and clients that keep it busy, in one process.
@main struct EchoServer {
    private typealias Channel = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    static func main() async throws {
        let messages = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 3000
        try await report("echo-server") {
            let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .bind(host: "127.0.0.1", port: 0) { channel in
                    channel.eventLoop.makeCompletedFuture { try Channel(wrappingChannelSynchronously: channel) }
                }
            guard let address = server.channel.localAddress else { fatalError("no address") }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await serve(server) }
                try await withThrowingTaskGroup(of: Void.self) { clients in
                    for client in 0..<32 { clients.addTask { try await exchange(messages, client, with: address) } }
                    try await clients.waitForAll()
                }
                try await server.channel.close()
                try await group.waitForAll()
            }
        }
    }

    private static func serve(_ server: NIOAsyncChannel<Channel, Never>) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            try await server.executeThenClose { connections in
                for try await connection in connections {
                    group.addTask {
                        try await connection.executeThenClose { inbound, outbound in
                            for try await message in inbound { try await outbound.write(message) }
                        }
                    }
                }
            }
        }
    }

    private static func exchange(_ messages: Int, _ client: Int, with address: SocketAddress) async throws {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup).connect(to: address) {
            channel in
            channel.eventLoop.makeCompletedFuture { try Channel(wrappingChannelSynchronously: channel) }
        }
        try await channel.executeThenClose { inbound, outbound in
            var replies = inbound.makeAsyncIterator()
            for number in 0..<messages {
                let size = (client * 37 + number * 101) % 8000 + 1
                try await outbound.write(ByteBuffer(repeating: UInt8(client), count: size))
                var received = 0
                while received < size {
                    guard let part = try await replies.next() else { fatalError("the server hung up") }
                    let isIntact = part.readableBytesView.allSatisfy { $0 == UInt8(client) }
                    guard isIntact else { fatalError("a byte changed") }
                    received += part.readableBytes
                }
            }
        }
    }
}
