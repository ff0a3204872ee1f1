# Bytes that are numbered and kept, without input and output.

from _collections import deque
from mmap import MAP_ANONYMOUS, MAP_PRIVATE, mmap


SPARE = []


class Log:
    """Bytes numbered from 0, of which [base, end) are kept, in blocks of PIECE."""

    def __init__(self):
        self.blocks, self.base, self.end = {}, 0, 0

    def __len__(self):
        return self.end - self.base

    def add(self, data):
        data, done = memoryview(data), 0
        while done < len(data):
            index, at = divmod(self.end, PIECE)
            if index not in self.blocks:
                # Mapped, so that what was full once goes back to the system.
                self.blocks[index] = SPARE.pop() if SPARE else mmap(
                    -1, PIECE, MAP_PRIVATE | MAP_ANONYMOUS)
            count = min(PIECE - at, len(data) - done)
            self.blocks[index][at:at + count] = data[done:done + count]
            self.end += count
            done += count

    def view(self, at, count=PIECE):
        """Up to count bytes from there on, those in one block; to be used before the next free."""
        index, first = divmod(at, PIECE)
        if at == self.end:
            return b''
        return memoryview(self.blocks[index])[first:first + min(count, self.end - at)]

    def free(self, to):
        for index in range(self.base // PIECE, to // PIECE):
            self.drop(index)
        self.base = to

    def drop(self, index):
        block = self.blocks.pop(index, None)
        if block and len(SPARE) < 16:
            SPARE.append(block)


class Numbered:
    """The two numbered streams of L1; what is received is consumed at once."""

    def __init__(self, window):
        self.window, self.log, self.next, self.sent, self.received = window, Log(), 0, 0, 0

    def acknowledged(self, received, consumed):
        if not consumed <= received <= self.sent:
            raise ValueError('ACK %d %d of %d' % (received, consumed, self.sent))
        self.next = max(self.next, received)
        if consumed > self.log.base:
            self.log.free(consumed)

    def go_on(self, received, consumed):
        """On a new link."""
        self.acknowledged(received, consumed)
        self.next = max(received, self.log.base)

    def take(self, offset, data):
        """What is new in a DATA frame."""
        # It cannot be beyond the window: a frame is never longer, and all before it is consumed.
        if not data or offset > self.received:
            raise ValueError('DATA from %d after %d' % (offset, self.received))
        new = data[self.received - offset:]
        self.received += len(new)
        return new

    def waiting(self):
        """Bytes not sent on this link."""
        return self.log.end - self.next

    def piece(self):
        """The next DATA frame, in pieces; none when there is none."""
        count = min(self.log.end, self.log.base + self.window) - self.next
        if count <= 0:
            return ()
        data = self.log.view(self.next, count)
        head = pack('>IQ', 16 << 24 | 8 + len(data), self.next)
        self.next += len(data)
        self.sent = max(self.sent, self.next)
        return head, data


class Output:
    """What the process puts out, until the client has put it down.

    Output up to mark has been put into frames. Runs [kind, where it ends] of it are in kept until
    they are credited; those of the rest are in queue. A run of kind SKIPPED or UNWANTED has no
    bytes.
    """

    STDERR, SKIPPED, UNWANTED = 2, 11, 0

    def __init__(self, window):
        self.window = self.credit = window
        self.log, self.queue, self.kept, self.mark = Log(), deque(), deque(), 0
        self.waiting = 0  # bytes of the queue

    def add(self, kind, data):
        self.log.add(data)
        self.waiting += len(data)
        if self.queue and self.queue[-1][0] == kind:
            self.queue[-1][1] = self.log.end
        else:
            self.queue.append([kind, self.log.end])

    def skip(self):
        """Drops the oldest block of the queue."""
        kind, end = self.queue[0]
        first = self.mark if kind in (1, 2) else end
        to, at = min((first // PIECE + 1) * PIECE, self.log.end), self.mark
        while at < to:
            kind, end = self.queue[0]
            if kind in (1, 2):
                self.waiting -= min(end, to) - at
            at = min(end, to)
            if at == end:
                self.queue.popleft()
        self.queue.appendleft([self.SKIPPED, to])
        if to % PIECE == 0 and first - first % PIECE >= self.mark:
            self.log.drop(first // PIECE)

    def unwant(self):
        """Nobody wants standard output any more."""
        at = self.mark
        for run in self.queue:
            if run[0] == 1:
                run[0] = self.UNWANTED
                self.waiting -= run[1] - at
            at = run[1]

    def next_frame(self):
        """The next frame, in pieces; none when there is none, or no credit for it."""
        while self.queue:
            kind, end = self.queue[0]
            count, out = end - self.mark, ()
            if kind == self.SKIPPED:
                out = frame(kind, 'Q', count),
            elif kind:
                count = min(count, 32768, self.credit)
                if not count:
                    return ()
                data = self.log.view(self.mark, count)
                count = len(data)
                out = pack('>II', kind << 24 | 4 + count, 0), data
                self.credit -= count
                self.waiting -= count
            self.mark += count
            if self.kept and self.kept[-1][0] == kind and kind in (1, 2):
                self.kept[-1][1] = self.mark
            else:
                self.kept.append([kind, self.mark])
            if self.mark == end:
                self.queue.popleft()
            if out:
                return out
        return ()

    def credited(self, count):
        if count > self.window - self.credit:
            raise ValueError('WINDOW for more than was sent')
        self.credit += count
        while count:
            kind, end = self.kept[0]
            step = end - self.log.base
            if kind in (1, 2):
                step = min(step, count)
                count -= step
            self.log.free(self.log.base + step)
            if self.log.base == end:
                self.kept.popleft()

    def begin_anew(self):
        """Puts what is not credited into the queue again."""
        self.queue, self.kept = self.kept + self.queue, deque()
        self.waiting += self.window - self.credit
        self.mark, self.credit = self.log.base, self.window
