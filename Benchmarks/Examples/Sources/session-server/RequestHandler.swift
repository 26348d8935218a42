import Foundation
import NIOCore
import NIOPosix

/// Answers each line of a connection on a thread of the pool, where code may block, as it does when it asks a database.
final class RequestHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let pool: NIOThreadPool
    private let store: SessionStore

    init(_ pool: NIOThreadPool, _ store: SessionStore) {
        self.pool = pool
        self.store = store
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let line = unwrapInboundIn(data)
        let store = store
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        pool.runIfActive(eventLoop: context.eventLoop) { try Self.answer(line, from: store) }.whenComplete { result in
            let context = bound.value
            switch result {
            case .success(let reply): context.writeAndFlush(NIOAny(reply), promise: nil)
            // The client finds that its connection is closed, and says so.
            case .failure(let error): context.fireErrorCaught(error)
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        FileHandle.standardError.write(Data("session-server: \(error)\n".utf8))
        context.close(promise: nil)
    }

    private static func answer(_ line: ByteBuffer, from store: SessionStore) throws -> ByteBuffer {
        let request = try JSONDecoder().decode(Request.self, from: Data(line.readableBytesView))
        // What a query takes.
        usleep(500)
        let reply = try JSONEncoder().encode(store.visit(request))
        var buffer = ByteBuffer()
        buffer.reserveCapacity(reply.count + 1)
        buffer.writeBytes(reply)
        buffer.writeInteger(UInt8(ascii: "\n"))
        return buffer
    }
}
