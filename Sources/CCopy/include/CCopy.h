// A memcpy for the whole process; nothing is to be called by this name.
//
// libssh copies each packet four times. glibc before 2.39 copies more than 2 KiB with `rep movsb`,
// which on AMD's Zen is slow for many alignments of source and destination
// (https://sourceware.org/bugzilla/show_bug.cgi?id=30994): it doubled the processor time of a
// download. Pieces that are shorter take the vector loop instead, on every processor.
#ifndef EC2SH_CCOPY_H
#define EC2SH_CCOPY_H
#endif
