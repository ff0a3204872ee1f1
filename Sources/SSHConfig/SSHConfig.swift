// SSHConfig turns ssh_config text and flags into Options, exactly as OpenSSH 9.2 does.
//
//     flags, files ─▶ words of a line ─▶ KeywordTable row ─▶ Settings ─▶ Options ─▶ -G
//                                                     (first value wins)
//
// It is pure: files, globs, commands, users and addresses are asked for through
// ConfigEnvironment. It prints nothing: what ssh would say is collected as lines.
