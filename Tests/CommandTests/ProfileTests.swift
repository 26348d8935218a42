import Foundation
import TestSupport
import Testing

/// `percolate profile` on a process whose samples are known.
@Suite struct ProfileTests {
    private static func sampled(_ arguments: [String] = []) async throws -> BackgroundProgram {
        let flags = [
            "-rdynamic", "-fno-optimize-sibling-calls",
            "-I\(Checkout.root.path)/Sources/CPercolate/internal",
        ]
        let program = try BackgroundProgram(
            try await Compiler.shared.executable("Command/sampled.c", flags: flags), arguments)
        #expect(program.line() == "ready")
        return program
    }

    private func profile(_ options: [String], seconds: String = "2") async throws -> Outcome {
        let program = try await Self.sampled()
        let outcome = try await CommandRun.command(
            ["profile", String(program.processID), "--seconds", seconds] + options)
        #expect(outcome.succeeded, "\(outcome)")
        return outcome
    }

    @Test func foldedStacksHaveTheBytesOfEachSite() async throws {
        let live = try await profile(["--format", "folded"]).output
        #expect(live == "main;keep_buffers 2000000\n")
        let total = try await profile(["--format", "folded", "--total"]).output
        #expect(total == "main;keep_buffers 3000000\nmain;make_noise 5000000\n")
    }

    @Test func samplingIsOffAgainAfterwards() async throws {
        let program = try await Self.sampled()
        for number in 1...2 {
            let outcome = try await CommandRun.command(
                [
                    "profile", String(program.processID), "--seconds", "1.5", "--rate",
                    "\(number)KB", "--format",
                    "folded",
                ])
            #expect(outcome.succeeded, "\(outcome)")
        }
    }

    @Test func aProcessThatDoesNotAnswerIsSaid() async throws {
        let program = try await Self.sampled(["silent"])
        let outcome = try await CommandRun.command(
            ["profile", String(program.processID), "--seconds", "0.3", "--format", "folded"])
        #expect(outcome.exitCode == 1)
        #expect(outcome.errors.contains("has not yet done what was asked"), "\(outcome)")
    }

    @Test func pprofOfGoOpensTheProfile() async throws {
        let folder = try TemporaryFolder()
        let file = folder.path("profile.pb.gz")
        _ = try await profile(["--output", file])
        let magic = try Data(contentsOf: URL(filePath: file)).prefix(2)
        #expect(Array(magic) == [0x1F, 0x8B])
        let raw = try await run("go", ["tool", "pprof", "-raw", file], under: .glibc).output
        #expect(raw.contains("PeriodType: space bytes"))
        #expect(
            raw.contains(
                "alloc_objects/count alloc_space/bytes inuse_objects/count inuse_space/bytes[dflt]")
        )
        let samples = raw.split(separator: "\n").filter {
            $0.contains("30    3000000         20    2000000")
        }
        #expect(samples.count == 1, "\(raw)")
        // The mapping of the program has its build id, and lines are known where a program that
        // knows them is installed.
        #expect(raw.contains(/sampled\.c\.out [0-9a-f]{40} \[FN\]/), "\(raw)")
        #expect(raw.contains(/keep_buffers .*sampled\.c:[0-9]+/), "\(raw)")
        let top = try await run(
            "go", ["tool", "pprof", "-top", "-sample_index=alloc_space", file], under: .glibc)
        #expect(top.succeeded && top.output.contains(/4\.77MB 62\.50%.* make_noise/), "\(top)")
    }

    @Test func anEarlierProfileIsComparedWith() async throws {
        let folder = try TemporaryFolder()
        try "main;keep_buffers 500000\nmain;gone 700000\n".write(
            toFile: folder.path("before.folded"), atomically: true, encoding: .utf8)
        let folded = try await profile([
            "--format", "folded", "--diff", folder.path("before.folded"),
        ]).output
        #expect(folded == "main;gone 700000 0\nmain;keep_buffers 500000 2000000\n")
        _ = try await profile(["--total", "--output", folder.path("before.pb.gz")])
        let same = try await profile([
            "--format", "folded", "--total", "--diff", folder.path("before.pb.gz"),
        ]).output
        #expect(same == "main;keep_buffers 3000000 3000000\nmain;make_noise 5000000 5000000\n")
        for (content, reason) in [("not a profile", "it is no profile"), (nil, "No such file")] {
            let file = folder.path(reason)
            if let content { try content.write(toFile: file, atomically: true, encoding: .utf8) }
            let program = try await Self.sampled()
            let outcome = try await CommandRun.command(
                [
                    "profile", String(program.processID), "--seconds", "1", "--format", "folded",
                    "--diff", file,
                ])
            #expect(outcome.exitCode == 1 && outcome.errors.contains(reason), "\(outcome)")
        }
    }

    /// In a real browser, which shows what the page looks like after a script has used it as a
    /// reader would.
    private func browsed(_ page: String, _ script: String) async throws -> String {
        let folder = try TemporaryFolder()
        let file = folder.path("page.html")
        let ending = "</body></html>"
        #expect(page.contains(ending))
        let used = page.replacing(
            ending, with: "<script>addEventListener('load', () => { \(script) });</script>\(ending)"
        )
        try used.write(toFile: file, atomically: true, encoding: .utf8)
        let outcome = try await run(
            "chromium",
            [
                "--headless", "--no-sandbox", "--disable-gpu",
                "--user-data-dir=\(folder.path("browser"))",
                "--window-size=1200,800",
                "--virtual-time-budget=2000", "--dump-dom", "file://\(file)",
            ], under: .glibc)
        #expect(outcome.succeeded, "\(outcome)")
        return outcome.output
    }

    @Test func thePageIsSearchedAndZoomedInABrowser() async throws {
        let page = try await profile(["--format", "html", "--total"]).output
        #expect(
            !page.contains("http://") && !page.contains("https://") && !page.contains(" src="),
            "it needs nothing else")
        let plain = try await browsed(page, "")
        let frame = /<button class="frame[^>]* data-name="([^"]*)"/
        #expect(
            plain.matches(of: frame).map { String($0.1) } == [
                "all", "main", "make_noise", "keep_buffers",
            ])
        #expect(plain.contains("7.6 MiB allocated"))
        #expect(
            plain.contains(
                /<td class="number">4\.8 MiB<\/td><td class="number">4\.8 MiB<\/td><td class="name">make_noise/
            ))

        let searched = try await browsed(
            page,
            "const s = document.getElementById('search'); s.value = 'keep_'; s.dispatchEvent(new Event('input'));"
        )
        #expect(searched.matches(of: /<button class="frame match"/).count == 1)
        #expect(searched.contains("matches: 2.9 MiB (37.5 %)"))
        #expect(!searched.contains(/<td class="name">make_noise/))

        let zoomed = try await browsed(
            page, "document.querySelector('[data-name=keep_buffers]').click();")
        #expect(zoomed.matches(of: frame).map { String($0.1) } == ["all", "main", "keep_buffers"])
        let reset = try await browsed(
            page,
            "document.querySelector('[data-name=keep_buffers]').click(); document.getElementById('reset').click();"
        )
        #expect(reset.matches(of: frame).count == 4)

        let compared = try await browsed(
            page, "compare('main;keep_buffers 1000000\\nmain;gone 4000000\\n');")
        #expect(compared.contains("data-name=\"gone\""))
        #expect(
            compared.contains(
                /<td class="number grown">\+1\.9 MiB<\/td><td class="name">keep_buffers/))
        #expect(compared.contains(/<td class="number shrunk">−3\.8 MiB<\/td><td class="name">gone/))
    }

    @Test func usageThatMakesNoSenseIsRefused() async throws {
        for arguments in [
            [], ["1", "--", "ls"], ["1", "--seconds", "0"], ["1", "--rate", "0"],
            ["1", "--format", "svg"], ["1", "--rate", "64Q"], ["1", "--rate", "K"],
            ["1", "--rate", "99999999T"],
        ] {
            #expect(
                try await CommandRun.command(["profile"] + arguments).exitCode == 64, "\(arguments)"
            )
        }
    }
}
