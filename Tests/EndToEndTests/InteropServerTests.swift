import Foundation
import TestSupport
import Testing

/// Editors that start a server over there and reach it through the connection: VS Code through a
/// SOCKS proxy, Zed over a master of its own.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct InteropServerTests {
    let place: Workplace

    /// Sends everybody who comes the bytes of a file.
    private static let server = """
        import socket, sys
        listener = socket.create_server(("127.0.0.1", 0))
        print("listeningOn==%d==" % listener.getsockname()[1], flush=True)
        while True:
            connection, _ = listener.accept()
            connection.sendall(open(sys.argv[1], "rb").read())
            connection.close()

        """

    /// Writes what comes from a host and port, through a SOCKS 5 proxy if one is named.
    private static let fetch = """
        import socket, sys
        host, port = sys.argv[1], int(sys.argv[2])
        if len(sys.argv) == 4:
            stream = socket.create_connection(("127.0.0.1", int(sys.argv[3])))
            file = stream.makefile("rb")
            stream.sendall(b"\\x05\\x01\\x00")
            assert file.read(2) == b"\\x05\\x00"
            name = host.encode()
            stream.sendall(b"\\x05\\x01\\x00\\x03" + bytes([len(name)]) + name + port.to_bytes(2, "big"))
            assert file.read(10)[:2] == b"\\x05\\x00"
        else:
            file = socket.create_connection((host, port)).makefile("rb")
        sys.stdout.buffer.write(file.read())

        """

    init() throws {
        place = try Workplace()
        try place.user.write("server.py", Self.server)
        try place.user.write("fetch.py", Self.fetch)
    }

    @Test("VS Code's script starts a server, and -D leads to it by a name of over there")
    func proxy() async throws {
        let name = place.unique("served")
        let bytes = noise(3_000_000, seed: 14)
        try place.writeRemote(name, bytes)
        let run = try await place.shell(
            """
            mkfifo in
            "$SSH" -T -D \(place.port) -o ConnectTimeout=15 alice@plain.lab bash <in >out & ssh=$!
            exec 3>in
            printf 'exec 3<<"END"\\n' >&3; cat server.py >&3
            printf 'END\\npython3 /dev/fd/3 %s & trap "kill $!" EXIT\\n' \(name) >&3
            for i in $(seq 400); do grep -q ==$ out && break; sleep 0.05; done
            port=$(sed -n 's/^listeningOn==\\(.*\\)==$/\\1/p' out)
            python3 fetch.py localhost $port \(place.port) >one
            python3 fetch.py 127.0.0.1 $port \(place.port) >two
            echo 'echo still here; exit 4' >&3
            wait $ssh || echo "status $?"
            grep still out
            """
        )
        #expect(run.outputText == "status 4\nstill here\n", "\(run.errorText)")
        for file in ["one", "two"] {
            #expect(FileManager.default.contents(atPath: place.user.path(file)) == bytes)
        }
    }

    @Test("Zed's master gives its output away when it is there, and carries all that follows")
    func master() async throws {
        let name = place.unique("zed")
        let bytes = noise(1_000_000, seed: 15)
        try place.user.write("up", bytes)
        try place.writeRemote("\(name)-2", bytes)
        let run = try await place.shell(
            """
            export SSH_ASKPASS_REQUIRE=force SSH_ASKPASS=/bin/false
            to=alice@plain.lab
            mkfifo connected
            "$SSH" -N -o ControlPersist=no -o ControlMaster=yes -o ControlPath="$PWD/S" $to \
                </dev/null >connected & master=$!
            cat connected
            mv .ssh/id_ed25519 elsewhere
            via="-o ControlMaster=no -o ControlPath=$PWD/S"
            "$SSH" $via $to -T "cd; echo here $((6*7)); exit 3" || echo "status $?"
            "$SSH" $via $to -T "exec python3 -u - \(name)-2" <server.py >out & server=$!
            for i in $(seq 400); do grep -q ==$ out && break; sleep 0.05; done
            port=$(sed -n 's/^listeningOn==\\(.*\\)==$/\\1/p' out)
            "$SSH" $via -N -L \(place.port):127.0.0.1:$port $to </dev/null & forward=$!
            for i in $(seq 200); do
                python3 fetch.py 127.0.0.1 \(place.port) 2>/dev/null >fetched && break
                sleep 0.05
            done
            cmp up fetched
            scp -q -o ControlPath="$PWD/S" up $to:\(name)
            echo "get \(name) down" | sftp -q -b - -o ControlPath="$PWD/S" $to >/dev/null
            cmp up down
            "$SSH" $via -O check $to
            kill $master; wait $master || echo "master's status $?"
            wait $forward || wait $server || true
            test ! -e S && echo gone
            """
        )
        #expect(run.outputText == "here 42\nstatus 3\ngone\n", "\(run.errorText)")
        #expect(run.errorText.contains("Master running (pid="))
        #expect(try place.remoteContents(name) == bytes)
    }
}
