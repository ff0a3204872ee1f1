import Diagnosis
import Faults
import JSONText
import Synchronization
import Testing

struct ExaminationTests {
    private static func check(
        _ id: String,
        after: [String] = [],
        _ finding: Finding = .ok("fine")
    ) -> Check {
        Check(id, id, .here, dependsOn: after) { finding }
    }

    @Test("what a broken check explains is not looked at, however far away")
    func suppression() async {
        let looked = Mutex<[String]>([])
        let checks = [
            ("a", []), ("b", ["a"]), ("c", ["b"]), ("d", ["a", "e"]), ("e", []), ("f", ["e"]),
        ]
        .map { id, after in
            Check(id, id, .here, dependsOn: after) {
                looked.withLock { $0.append(id) }
                return id == "a" ? .broken("it is broken", .run("mend")) : .ok("fine")
            }
        }
        let findings = await Examination(checks, limit: .seconds(60)).run()
        #expect(findings.count == 6)
        #expect(
            findings.mapValues(\.status) == [
                "a": .broken, "b": .skipped, "c": .skipped, "d": .skipped, "e": .ok, "f": .ok,
            ]
        )
        #expect(findings["c"]?.cause == "a")
        #expect(Set(looked.withLock { $0 }) == ["a", "e", "f"])
    }

    @Test("independent checks are looked at together, dependent ones after each other")
    func together() async {
        // Each waits for the other: one after the other they would never end.
        let (first, firstSet) = AsyncStream.makeStream(of: Void.self)
        let (second, secondSet) = AsyncStream.makeStream(of: Void.self)
        let checks = [
            Check("a", "a", .here) {
                firstSet.yield()
                for await _ in second { break }
                return .ok("met")
            },
            Check("b", "b", .here) {
                secondSet.yield()
                for await _ in first { break }
                return .ok("met")
            },
        ]
        let findings = await Examination(checks, limit: .seconds(60)).run()
        #expect(findings.values.allSatisfy { $0.status == .ok })
    }

    @Test("no more than the width are looked at at a time")
    func width() async {
        let count = Mutex((now: 0, most: 0))
        let checks = (0..<12).map { number in
            Check("\(number)", "", .here) {
                count.withLock {
                    $0.now += 1
                    $0.most = max($0.most, $0.now)
                }
                for _ in 0..<5 { await Task.yield() }
                count.withLock { $0.now -= 1 }
                return .ok("fine")
            }
        }
        let findings = await Examination(checks, limit: .seconds(60), width: 3).run()
        #expect(findings.count == 12)
        #expect(count.withLock { $0.most } <= 3)
    }

    @Test("what has not answered when the time is over is unknown, and so is what waits for it")
    func deadline() async {
        let checks = [
            Check("never", "", .here) {
                try? await Task.sleep(for: .seconds(3600))
                return .ok("too late")
            },
            Self.check("after", after: ["never"]), Self.check("other"),
        ]
        let told = Mutex<[String]>([])
        let findings = await Examination(checks, limit: .milliseconds(50)).run { check, _ in
            told.withLock { $0.append(check.id) }
        }
        #expect(
            findings.mapValues(\.status) == ["never": .unknown, "after": .unknown, "other": .ok]
        )
        #expect(told.withLock { $0.first } == "other")
        #expect(told.withLock { $0.count } == 3)
    }
}

struct DiagnosisReportTests {
    private static let rows: [(Finding, DiagnosisReport.Verdict)] = [
        (.ok("fine"), .healthy), (.note("odd"), .healthy), (.broken("bad"), .broken),
        (.unknown("dark"), .unknown), (.skipped("left out"), .unknown),
    ]

    @Test(
        "the verdict follows from what is broken, else from the essential check",
        arguments: rows.indices
    )
    func verdict(row: Int) {
        let (finding, verdict) = Self.rows[row]
        let checks = [Check("a", "A", .login) { finding }, Check("b", "B", .ways) { finding }]
        let findings: [String: Finding] = ["a": finding, "b": .unknown("never asked")]
        let report = DiagnosisReport(
            host: "web",
            checks,
            findings,
            essential: ["a"]
        )
        #expect(report.verdict == verdict)
        #expect(report.rows.map(\.check.id) == ["a", "b"])
    }

    @Test("programs get every fact, and people the causes last")
    func printers() {
        let check = Check("network.route", "route", .network) { .ok("") }
        let finding = Finding.broken("no\u{1b}way", seen: ["rtb-1"], .run("aws ec2 x"))
        let report = DiagnosisReport(
            host: "web",
            [check],
            ["network.route": finding],
            essential: []
        )
        #expect(
            report.json.text == """
                {"version":1,"host":"web","verdict":"broken",\
                "causes":["network.route"],"checks":[{"id":"network.route","layer":"network",\
                "title":"route","status":"broken","says":"no\\u001bway","seen":["rtb-1"],\
                "run":"aws ec2 x"}]}
                """
        )
        let plain = DiagnosisText(isColoured: false, isWordy: true)
        #expect(plain.lines(check, finding) == ["broken  route: no\\033way", "      rtb-1"])
        #expect(
            plain.conclusion(report) == ["found (network): no\\033way", "  run: aws ec2 x"]
        )
        let coloured = DiagnosisText(isColoured: true, isWordy: false)
        #expect(coloured.lines(check, finding) == ["\u{1b}[31mbroken \u{1b}[0m route: no\\033way"])
        #expect(coloured.lines(check, .skipped("x")) == [])
    }
}
