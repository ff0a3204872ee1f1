// Resume is a session that outlives its connection, seen from the client, as machines without I/O:
// bytes and time go in, bytes and events come out. PROTOCOL.md is the whole protocol; the other end
// is the Python program in Remote, which travels with each exec request.
//
//     stdin, stdout, sockets
//     ResumeSession      L2: frames of the process and of forwarded connections, windows
//     └ ResumeLink       L1: greeting, acknowledgements, pings
//       ├ NumberedStream   what was sent, received and consumed; Backlog: what may be sent again
//       ├ Heartbeat        whether a link lives
//       └ MagicLine, FrameScanner   bytes of a link to frames
//     channel of an exec request, or of the remote half's socket
//
// How it is used, by the owner of the connections (all in one thread, `now` read once per turn):
//
//     var session = ResumeSession(.init(using: &generator), start: start, now: now)
//     // A link: exec `Bootstrap.command` without a pty, or direct-streamlocal to
//     // Attachment.socketPath; then
//     session.attach(.exec, now: now)
//     // each turn, as poll says:
//     try session.receive(bytes, into: &events, now: now)   // from the channel's stdout
//     //   .output(place) is bytes[place]: write it, keep what is not taken, and
//     session.notePutDown(count, now: now)                   // when it is written
//     session.send(bytes)                                    // stdin, as far as room() says
//     session.advance(now: now)
//     session.take(into: &buffer, limit: limit, now: now)    // to the channel's stdin
//     // .suspect: connect a second time; .dead or the channel's end: close it and
//     session.lose(channelEnded: ended, now: now)            // then attach anew, until isOver
//     // exited and outputEnded came and all is written:
//     session.leave(.done)                                   // until .farewell, or one more link
//
// The channel's standard error says nothing of the session; it is for the trace. Where `started` is
// `.no` after a refusal or the channel's end, plain ssh may do the work, with `inputToTakeBack`
// first. Where it is not, nothing but the same ResumeSession may ever try again.
