import Foundation
import TestSupport
import Testing

/// Keys that are not in files: on security keys and tokens, by OpenSSH's helpers.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct HelperKeyTests {
    let client: Client
    let host = "alice@plain.lab"

    init() throws {
        var client = try Client()
        client.options = [
            "-o", "StrictHostKeyChecking=accept-new", "-o", "IdentitiesOnly=yes", "-o",
            "PreferredAuthentications=publickey",
        ]
        self.client = client
    }

    private let device = "/usr/lib/openssh/regress/misc/sk-dummy/sk-dummy.so"
    private let library = "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"

    /// Runs a script that has the client's command line in `"$@"`.
    private func run(
        _ script: String,
        _ environment: [String: String] = [:]
    ) async throws
        -> ProgramRun
    {
        try client.user.takeKey("authority", as: "authority")
        return try await ProgramRun.run(
            ["/bin/sh", "-c", "cd; umask 077\n" + script, "sh", client.binary] + client.options,
            as: client.user,
            environment: environment
        )
    }

    @Test("a key on a security key logs in", arguments: ["ed25519", "ecdsa"])
    func securityKey(kind: String) async throws {
        let run = try await run(
            """
            ssh-keygen -q -t \(kind)-sk -w \(device) -f key -N ''
            ssh-keygen -q -s authority -I test -n alice key.pub
            "$@" -i key -oSecurityKeyProvider=\(device) \(host) id -un
            PROVIDER=\(device) "$@" -i key '-oSecurityKeyProvider=$PROVIDER' \(host) id -un
            """
        )
        #expect(run.outputText == "alice\nalice\n", "\(run.errorText)")
        #expect(complaints(run) == [])
    }

    @Test("a security key that is not plugged in is said in OpenSSH's words")
    func noDevice() async throws {
        let run = try await run(
            """
            ssh-keygen -q -t ed25519-sk -w \(device) -f key -N ''
            ssh-keygen -q -s authority -I test -n alice key.pub
            "$@" -i key \(host) id -un
            """
        )
        #expect(run.status == 255)
        #expect(
            complaints(run).first
                == "sign_and_send_pubkey: signing failed for ED25519-SK-CERT \"key\": "
                + "device not found"
        )
    }

    @Test("a key on a security key is given to the agent with its provider")
    func addsSecurityKey() async throws {
        let run = try await run(
            """
            eval $(ssh-agent) > /dev/null; trap 'kill $SSH_AGENT_PID' EXIT
            ssh-keygen -q -t ed25519-sk -w \(device) -f key -N '' -C mine
            ssh-keygen -q -s authority -I test -n alice key.pub
            "$@" -i key -oAddKeysToAgent=yes -oSecurityKeyProvider=\(device) \(host) id -un
            ssh-add -l | cut -d' ' -f3-
            """
        )
        #expect(run.outputText == "alice\nmine (ED25519-SK)\n", "\(run.errorText)")
    }

    /// A token with a key, its certificate in `cert`, and an askpass program.
    private func token(pin: String) throws -> String {
        let asked = client.user.path("asked")
        let askpass = try client.user.write(
            "askpass",
            "#!/bin/sh\necho \"$1\" >> \(asked)\necho \(pin)\n",
            mode: 0o755
        )
        return """
            mkdir token; export SOFTHSM2_CONF=$PWD/conf
            printf 'directories.tokendir = %s/token\\nobjectstore.backend = file\\n' $PWD > conf
            softhsm2-util --init-token --free --label mine --pin 1234 --so-pin 12345678 > made
            slot=$(tail -n 1 made | sed "s/.* //")
            $make 2> /dev/null | openssl pkcs8 -nocrypt -topk8 -out key.p8
            softhsm2-util --slot $slot --label one --id 01 --pin 1234 --import key.p8 > /dev/null
            ssh-keygen -D \(library) > key.pub
            ssh-keygen -q -s authority -I test -n alice key.pub
            export SSH_ASKPASS=\(askpass) SSH_ASKPASS_REQUIRE=force
            """
    }

    @Test(
        "a key on a token logs in with its PIN",
        .enabled(if: hasSoftHSM, "needs softhsm2"),
        arguments: [
            "openssl genrsa 2048", "openssl ecparam -genkey -name prime256v1 -noout",
            "openssl ecparam -genkey -name secp384r1 -noout",
        ]
    )
    func onToken(make: String) async throws {
        let run = try await run(
            """
            make='\(make)'
            \(try token(pin: "1234"))
            "$@" -I \(library) -oCertificateFile=key-cert.pub -oIdentityFile=none \(host) id -un
            """
        )
        #expect(run.outputText == "alice\n", "\(run.errorText)")
        #expect(client.user.contents("asked")?.hasPrefix("Enter PIN for '") == true)
    }

    @Test("a wrong PIN is tried once", .enabled(if: hasSoftHSM, "needs softhsm2"))
    func wrongPIN() async throws {
        let run = try await run(
            """
            make='openssl ecparam -genkey -name prime256v1 -noout'
            \(try token(pin: "9999"))
            "$@" -I \(library) -oCertificateFile=key-cert.pub -oIdentityFile=none \(host) id -un
            """
        )
        #expect(run.status == 255)
        #expect(complaints(run).first == "PKCS#11 login failed: PIN incorrect")
        #expect(client.user.contents("asked")?.split(separator: "\n").count == 1)
    }
}

private let hasSoftHSM = FileManager.default.isExecutableFile(atPath: "/usr/bin/softhsm2-util")
