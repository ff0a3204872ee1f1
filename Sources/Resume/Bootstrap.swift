/// How the remote half gets onto the host: an exec request, and what goes to its standard input.
///
/// Nothing is installed and nothing private is in the request. ``ResumeSession`` and ``ResumeList``
/// put the body before what they have to say.
public enum Bootstrap {
    /// The text of the exec request: one line that sh, bash, zsh, fish and csh read alike.
    public static let command = command(
        pythons: "/usr/bin/python3 /usr/libexec/platform-python python3"
    )

    static func command(pythons: String) -> String {
        // A lambda, as neither statements nor quotes have a place in the line. The body's first
        // line is `exit -97`: a subtraction here, the end of a shell that stands in our place.
        let loader =
            "import os;exit=0;f=lambda n:(lambda d:d+f(n-len(d)))(os.read(0,n)or os._exit(97))"
            + "if n else bytes();exec(f(\(loaderLength)))"
        return "exec /bin/sh -c 'for p in \(pythons);"
            + "do command -v $p >/dev/null 2>&1&&exec $p -ISc \"\(loader)\";done;"
            + "echo EC2SH-RESUM\"\"E none'"
    }

    /// The remote half (`Remote/remote.bin`).
    static let body = PackageResources.remote_bin

    /// Its first two lines read the rest.
    private static let loaderLength: Int = {
        let newline = UInt8(ascii: "\n")
        let lines = body.split(separator: newline, maxSplits: 2, omittingEmptySubsequences: false)
        return lines.prefix(2).reduce(0) { $0 + $1.count + 1 }
    }()
}
