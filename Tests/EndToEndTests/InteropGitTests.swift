import Foundation
import TestSupport
import Testing

/// git, which has several ways to be told which ssh to run and asks each what it can.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"), .enabled(if: Tool.git.isHere, "no git"))
struct InteropGitTests {
    /// How git is told about the ssh to run.
    enum Way: String, CaseIterable {
        case commandVariable = "export GIT_SSH_COMMAND=ec2sh"
        case commandWithOptions = "export GIT_SSH_COMMAND='ec2sh -o Compression=yes -x'"
        case programVariable = "export GIT_SSH=\"$SSH\""
        case setting = "git config --global core.sshCommand \"$SSH\""
    }

    let place: Workplace
    let repository: String

    init() throws {
        place = try Workplace()
        repository = place.unique("repository")
    }

    @Test(
        "pushes and clones, with a port and without, whether git asks what the program can or knows",
        arguments: Way.allCases,
        ["", "export GIT_SSH_VARIANT=ssh", "export GIT_SSH_VARIANT=auto"]
    )
    func pushAndClone(way: Way, variant: String) async throws {
        let bytes = noise(3_000_000, seed: 1)
        try place.user.write("one/file", bytes)
        let run = try await git(
            """
            \(way.rawValue)
            \(variant)
            "$SSH" alice@plain.lab git init -q --bare -b main \(repository)
            cd one
            git init -q -b main
            git add file
            git commit -q -m first
            git push -q alice@plain.lab:\(repository) main
            cd ..
            git clone -q ssh://alice@plain.lab:22/home/alice/\(repository) two
            git -C two fsck
            git -C two log --format=%s
            cmp one/file two/file
            """
        )
        #expect(run.outputText == "first\n", "\(run.errorText)")
        #expect(FileManager.default.contents(atPath: place.user.path("two/file")) == bytes)
    }

    @Test("clones with submodules, fetches into them and pushes from them")
    func submodules() async throws {
        let run = try await git(
            """
            export GIT_SSH_COMMAND=ec2sh
            inner=\(repository)-inner
            "$SSH" alice@plain.lab "git init -q --bare -b main $inner
                git init -q --bare -b main \(repository)"
            git init -q -b main inner; cd inner
            echo within >file; git add file; git commit -q -m inner
            git push -q alice@plain.lab:$inner main
            cd ..; git init -q -b main outer; cd outer
            git submodule --quiet add ssh://alice@plain.lab/home/alice/$inner part
            git commit -q -m outer
            git push -q alice@plain.lab:\(repository) main
            cd ..; git clone -q --recurse-submodules -j 2 alice@plain.lab:\(repository) all
            cat all/part/file
            cd all/part; git checkout -q -b more
            echo again >>file; git commit -q -a -m more; git push -q origin more
            git ls-remote origin refs/heads/more | cut -f 2
            """
        )
        #expect(run.outputText == "within\nrefs/heads/more\n", "\(run.errorText)")
        let pushed = try await ProgramRun.run([
            "/usr/bin/git", "-c", "safe.directory=*", "-C",
            place.remote("\(repository)-inner"), "show", "more:file",
        ])
        #expect(pushed.outputText == "within\nagain\n", "\(pushed.errorText)")
    }

    @Test("speaks the second version of git's protocol: GIT_PROTOCOL is sent along")
    func secondVersion() async throws {
        let run = try await git(
            """
            export GIT_SSH_COMMAND=ec2sh
            "$SSH" admin@debian.lab git init -q --bare -b main \(repository)
            GIT_TRACE_PACKET=1 git -c protocol.version=2 ls-remote admin@debian.lab:\(repository)
            """
        )
        #expect(run.status == 0)
        #expect(run.errorText.contains("< version 2"), "\(run.errorText)")
    }

    @Test("a repository that is not there is git's error, in the server's words")
    func missing() async throws {
        let run = try await git("GIT_SSH_COMMAND=ec2sh git clone -q alice@plain.lab:none-such x")
        #expect(run.status == 128)
        #expect(run.errorText.contains("'none-such' does not appear to be a git repository"))
        #expect(run.errorText.contains("fatal: Could not read from remote repository."))
    }

    private func git(_ script: String) async throws -> ProgramRun {
        let identity = [
            "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@b.c", "GIT_COMMITTER_NAME": "A",
            "GIT_COMMITTER_EMAIL": "a@b.c",
        ]
        return try await place.shell(script, environment: identity)
    }
}
