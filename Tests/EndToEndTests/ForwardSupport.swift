import Foundation
import TestSupport
import Testing

/// Words of the shell's for scripts about forwards: `free` prints a port of this machine that nobody
/// has, `waitFor COMMAND…` waits until a command succeeds.
let forwardWords = """
    free() {
        python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0))
    print(s.getsockname()[1])'
    }
    waitFor() {
        tries=0
        until "$@" 2> /dev/null; do
            tries=$((tries + 1))
            [ $tries -lt 400 ] || { echo "waited in vain: $*" >&2; cat said >&2; exit 99; }
            sleep 0.05
        done
    }
    """

extension Workplace {
    /// Runs a script of the shell's with words for forwards.
    ///
    /// - `free`: a port of this machine that nobody has
    /// - `serve HOST PORT`, `serve PATH`: answers connections whose bytes are checked
    /// - `up ARGUMENT…`: a client with `-N` beside the script, its local forwards in place; what it
    ///   says is in the file `said`
    /// - `said TEXT`: waits until it has said that
    /// - `fetch …`: as `Tests/Lab/traffic.py`; all connections have to be right
    /// - `onServer COMMAND`: runs a command on the server, where `fetch` and `serve` are too
    ///
    /// Everything it started ends with it.
    func forwards(
        _ script: String,
        limit: Duration = .seconds(60)
    ) async throws -> ProgramRun {
        // The lab shows its programs there to every account, wherever the sources are.
        let traffic = "\(lab.root)/tools/traffic.py"
        let words = """
            TRAFFIC="python3 \(traffic)"
            HOST=alice@plain.lab
            \(forwardWords)
            serve() {
                $TRAFFIC serve "$@" > served &
                started="$started $!"
                waitFor test -s served
            }
            up() {
                rm -f isUp
                "$SSH" -N -o PermitLocalCommand=yes -o LocalCommand='touch isUp' "$@" $HOST 2> said &
                client=$!
                started="$started $client"
                waitFor test -e isUp
            }
            said() { waitFor grep -q -- "$1" said; }
            fetch() { $TRAFFIC fetch "$@"; }
            onServer() {
                "$SSH" $HOST "TRAFFIC='$TRAFFIC'; fetch() { $TRAFFIC fetch \\"\\$@\\"; }; $1"
            }
            started=
            trap 'kill $started 2> /dev/null || true' EXIT

            """
        return try await shell(words + script, limit: limit)
    }
}
