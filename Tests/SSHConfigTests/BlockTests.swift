import Testing

@testable import SSHConfig

/// Host, Match and Include: which lines apply.
struct BlockTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let head: String
        let applies: Bool
        var testDescription: String { head }

        init(_ head: String, _ applies: Bool) {
            self.head = head
            self.applies = applies
        }
    }

    static let heads = [
        Row("Host target", true), Row("Host *", true), Row("Host t?rget", true),
        Row("Host TARGET", false), Row("Host other target", true), Row("Host !target *", false),
        Row("Host * !target", false), Row("Host !other", false), Row("Host !other *", true),
        Row("Host target,other", false), Row("Host \"target\"", true),
        Row("Host a # target", false),
        Row("Host=target", true), Row("Match all", true), Row("Match !all", false),
        Row("Match host target", true), Row("Match host TARGET", true),
        Row("Match host=target", true),
        Row("Match host other,t*", true), Row("Match host *,!target", false),
        Row("Match !host target", false), Row("Match originalhost target", true),
        Row("Match user me", true), Row("Match user other", false), Row("Match localuser me", true),
        Row("Match host target user me", true), Row("Match host target user x", false),
        Row("Match exec good", true), Row("Match exec bad", false), Row("Match !exec bad", true),
        Row("Match exec \"%h-%n-%p-%r-%u-%i-%d-%l-%L-%k-%%\"", true), Row("Match final", true),
        Row("Match canonical", false), Row("Match !final", true), Row("Match final all", true),
        Row("Match HOST target # comment", true), Row("Match user me all", true),
    ]

    @Test("A block applies or not", arguments: heads)
    func head(_ row: Row) {
        var reading = Reading(files: ["/config": "\(row.head)\nPort 7"])
        reading.commands = [
            "good", "target-target-22-me-me-1000-/home/me-box.example.org-box-target-%",
        ]
        let outcome = reading.outcome()
        #expect(outcome.said == [])
        #expect(outcome.options?.port == (row.applies ? 7 : 22))
    }

    static let wrong = [
        ("Match", "/config line 1: no argument after keyword \"match\""),
        ("Match # x", "One or more attributes required for Match"),
        ("Match bogus x", "Unsupported Match attribute bogus"),
        ("Match host", "Missing Match criteria for host"),
        ("Match tagged x", "Unsupported Match attribute tagged"),
        ("Match localnetwork 10.0.0.0/8", "Unsupported Match attribute localnetwork"),
        (
            "Match all host x",
            "/config line 1: 'all' cannot be combined with other Match attributes"
        ),
        (
            "Match host a user b all",
            "/config line 1: 'all' cannot be combined with other Match attributes"
        ),
        ("Match exec %z", "vdollar_percent_expand: unknown key %z"),
        ("Host \"\"", "/config line 1: keyword host empty argument"),
    ]

    @Test("Wrong blocks are told as ssh tells them", arguments: wrong)
    func tellsWrong(_ row: (head: String, said: String)) {
        let outcome = Reading.file(row.head)
        #expect(outcome.options == nil)
        #expect(outcome.said.first == row.said)
    }

    @Test("A command is not run once the line cannot apply")
    func skipsCommands() {
        let outcome = Reading.file("Match host other exec one\nMatch exec two host other")
        #expect(outcome.ran == ["two"])
    }

    @Test("Match sees Hostname and the user as they are by then")
    func later() {
        let file = "Hostname real.%h\nUser you\nMatch host real.target user you\nPort 7"
        #expect(Reading.file(file).options?.port == 7)
        #expect(Reading.file("Match user you\nPort 7\nMatch all\nUser you").options?.port == 22)
    }

    @Test("The final pass reads again with the name found, and first values stay")
    func finalPass() {
        let file = """
            Host real
            Port 7
            Match final host real
            User final
            Match all
            Hostname REAL
            Port 9
            """
        let options = Reading.file(file).options
        #expect(options?.hostname == "real")
        #expect(options?.port == 9)
        #expect(options?.user == "final")
    }

    @Test("Includes are read where they stand, by pattern, with blocks of their own")
    func includes() {
        var reading = Reading(files: [
            "/config": "Include /inc*\nHost other\nInclude /never\nHost *\nUser last",
            "/inc1": "Host other\nPort 1\nHost target\nPort 2",
            "/inc2": "Compression yes",
            "/never": "BatchMode yes\nHost target\nBatchMode yes",
        ])
        #expect(reading.outcome().options?.port == 2)
        #expect(reading.outcome().options?.compression == true)
        #expect(reading.outcome().options?.batchMode == false)
        #expect(reading.outcome().options?.user == "last")
        reading.files["/inc2"] = "Nope 1"
        #expect(
            reading.outcome().said == [
                "/inc2: line 1: Bad configuration option: nope",
                "/inc2: terminating, 1 bad configuration options",
            ]
        )
    }

    @Test("Relative includes lie in ~/.ssh, and ~ means home only in the user's file")
    func includePaths() {
        var reading = Reading(files: [
            "/home/me/.ssh/config": "Include more\nInclude ~/.x",
            "/home/me/.ssh/more": "Port 7", "/home/me/.x": "User u",
        ])
        let options = reading.outcome(files: .standard).options
        #expect(options?.port == 7)
        #expect(options?.user == "u")
        reading.files = ["/etc/ssh/ssh_config": "Include ~/x"]
        #expect(
            reading.outcome(files: .standard).said.first
                == "/etc/ssh/ssh_config line 1: bad include path ~/x."
        )
    }

    @Test("Sixteen includes deep is deep enough")
    func depth() {
        var files = ["/config": "Include /f0"]
        for index in 0..<16 { files["/f\(index)"] = "Include /f\(index + 1)" }
        #expect(Reading(files: files).outcome().options != nil)
        files["/f16"] = "Port 7"
        #expect(
            Reading(files: files).outcome().said == ["Too many recursive configuration includes"]
        )
        let loop = Reading(files: ["/config": "Include /config"]).outcome()
        #expect(loop.said == ["Too many recursive configuration includes"])
    }
}
