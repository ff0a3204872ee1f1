// Resume is a session that outlives its connection, seen from the client, as machines without I/O:
// bytes and time go in, bytes and events come out. PROTOCOL.md is the whole protocol.
