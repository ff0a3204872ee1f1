// What Swift sees of libssh: its public headers, and wrappers for what Swift cannot call.
#ifndef EC2SH_CLIBSSH_H
#define EC2SH_CLIBSSH_H

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
// ssh_send_keepalive and the answers to channels a server opens are declared with the server.
#include <libssh/server.h>

#endif
