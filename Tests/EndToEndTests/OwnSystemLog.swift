import TestSupport

/// A Python script that runs a program with a /dev of its own, in which the log is not this
/// machine's: it prints each message, then the program's exit status and its standard error.
///
/// To be run in a mount namespace of its own, in a directory where it can make another.
/// - Parameter user: who the program runs as; nil for whoever runs the script.
/// - Returns: the script.
func systemLogScript(as user: LabUser? = nil) -> String {
    let person = user.map {
        """
        user=\($0.number), group=\($0.number), extra_groups=[], env=dict(os.environ, HOME="\($0.home)"),
        """
    }
    return """
        import os, socket, subprocess, sys, threading
        os.mkdir("dev")
        for name in ["null", "urandom", "tty"]:
            open("dev/" + name, "w").close()
            subprocess.run(["mount", "--bind", "/dev/" + name, "dev/" + name], check=True)
        subprocess.run(["mount", "--rbind", "dev", "/dev"], check=True)
        log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        log.bind("/dev/log")
        os.chmod("/dev/log", 0o666)
        # A log's queue is short: it is read while the program runs. What stands in it after that
        # comes before the word that ends it.
        def read():
            while (message := log.recv(65536)) != b"the end":
                print(message.decode(), flush=True)
        reader = threading.Thread(target=read)
        reader.start()
        run = subprocess.run(sys.argv[1:], stderr=subprocess.PIPE, cwd=".", \(person ?? ""))
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"the end", "/dev/log")
        reader.join()
        print(run.returncode, run.stderr.decode())
        """
}
