// SessionManager is the data channel of AWS Systems Manager, between its service and a client, as
// machines without I/O: bytes, texts and time go in, actions come out.
//
//     websocket ── Frame ──▶ DataChannel ──▶ bytes of the instance's sshd, or of a shell
//                  acks ◀──  │ sequence numbers, retransmission, window, handshake
//                            └ OpenDataChannel is the first text of each websocket
//
// The service keeps a session when a websocket breaks: sequence numbers go on over the next one, so
// that no byte is lost or doubled. What opens websockets and asks for tokens is in Ways and AWS.
//
// Facts are from AWS's published agent and client, and from recorded frames (Tests/Vectors/ssm).
