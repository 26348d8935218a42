import Glibc
import Hummingbird
import Logging
import Percolate
import PercolateLogging
import PercolateService
import ServiceLifecycle

/// A web server with what an operator wants of its heap: metrics, limits, and a profile.
///
///     GET /page/NUMBER   a page, rendered once and cached
///     GET /metrics       requests, pages and the heap, for Prometheus
///     GET /heap          the places in the program that hold most memory
///
///     server [PORT [SOFT-LIMIT-MIB [LIMIT-MIB]]]
///
/// Port 0 takes one that is free. Above the soft limit the cache is emptied; what would go above
/// the limit is refused.
@main struct Server {
    static func main() async throws {
        var arguments = CommandLine.arguments.dropFirst()
        func number(_ standard: Int?) -> Int? {
            arguments.popFirst().flatMap { Int($0) } ?? standard
        }
        let port = number(8080) ?? 8080
        let softLimit = number(nil).map { $0 << 20 }
        ProcessHeap.setMemoryLimit(number(nil).map { $0 << 20 })
        try HeapProfile.start()

        let logger = Logger(label: "server")
        let pages = PageCache()
        let limits = HeapLimitLog(logger, limit: softLimit)
        let server = Application(
            router: router(pages),
            configuration: .init(address: .hostname("127.0.0.1", port: port)),
            onServerRunning: {
                print("port", $0.localAddress?.port ?? 0)
                // Whoever started the server may wait for that line at a pipe.
                fflush(nil)
            }, logger: logger)
        let heap = HeapService(
            interval: .milliseconds(100), softLimit: softLimit, onSoftLimit: { _ in pages.empty() },
            observers: [{ limits.check($0) }])
        try await ServiceGroup(
            services: [server, heap], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger
        ).run()
    }

    private static func router(_ pages: PageCache) -> Router<BasicRequestContext> {
        let requests = PerCPUCounter()
        let router = Router()
        router.get("page/:number") { _, context -> Response in
            requests += 1
            let number = try context.parameters.require("number", as: Int.self)
            return text(pages.page(number), "text/html")
        }
        router.get("metrics") { _, _ -> Response in
            let own = """
                # TYPE server_requests_total counter
                server_requests_total \(requests.value)
                # TYPE server_pages gauge
                server_pages \(pages.count)

                """
            return text(own + ProcessHeap.statistics.prometheus, "text/plain; version=0.0.4")
        }
        router.get("heap") { _, _ -> Response in
            text(try ProfileText(.snapshot(), sites: 20).description, "text/plain")
        }
        return router
    }

    private static func text(_ text: String, _ type: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: type],
            body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}
