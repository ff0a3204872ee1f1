// SSH is libssh 0.10 in Swift, never blocking, and what libssh does not do well or at all.
//
//     Descriptor ─▶ Session ── connect ▶ hostKey ▶ authenticate… ▶ Channel ── open ▶ requests ▶ data
//                     │ lives in the Poller: watch, ready                      │ onData, drain, write
//                     └ failure, when it has ended                             └ isClosed, exitStatus
//
// AGAIN is an ordinary result (Attempt.again): the caller takes a turn of the loop and asks again.
// Only this target imports CLibSSH, and none of its pointers leaves it.
//
// libssh's own, used as it is: key exchange, ciphers, packets, signatures with keys in memory.
// Beside it, because libssh
//   - keeps banners, methods and reasons to itself but logs them .... LibraryLog
//   - has a receive window of 1.25 MB ............................... ReceiveWindow
//   - mixes up answers about ports and keepalives .................. GlobalRequests
//   - hands a packet on once, whether it is taken or not ............ ReceiveBuffer
//   - takes signatures from an agent only, and in its own order ..... OurAgent, Agent, AgentMessage
//   - does not know that OpenSSH 7.4 verifies RSA with SHA-2 ........ Session+OldRSA
//   - gives up on a whole known_hosts file .......................... KnownHosts…, HostKey…
//   - reads key files only as they should be ........................ KeyFile…, PuttyKey…
//
// It is not: the order of logins and what is said meanwhile (Client/Login), nor who is trusted
// (Client/HostKeyCheck).
