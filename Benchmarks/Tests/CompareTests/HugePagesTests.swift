import Foundation
import Testing

@testable import Compare

@Suite(.serialized) struct HugePagesTests {
    private struct Stopped: Error {}

    @Test(.enabled(if: geteuid() == 0 && HugePages.current != nil), arguments: HugePages.allCases)
    func theSettingHoldsForTheBodyOnly(setting: HugePages) throws {
        let before = HugePages.current
        try setting.whileSet { #expect(HugePages.current == setting) }
        #expect(HugePages.current == before)
        #expect(throws: Stopped.self) { try setting.whileSet { throw Stopped() } }
        #expect(HugePages.current == before)
    }

    @Test(.enabled(if: geteuid() == 0 && HugePages.current != nil))
    func whoEndsTheProcessGetsTheSettingBack() async throws {
        let before = try #require(HugePages.current)
        await #expect(processExitsWith: .exitCode(128 + SIGTERM)) {
            let before = HugePages.current
            let other: HugePages = before == .always ? .never : .always
            try other.whileSet {
                _ = kill(getpid(), SIGTERM)
                sleep(10)
            }
        }
        #expect(HugePages.current == before)
    }
}
