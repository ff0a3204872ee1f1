"""The parts without input and output: numbered bytes, and what is kept of the output."""

import ast
import importlib.util
import random
import struct
import unittest

import ground
from reference import BODY, ROOT

SOURCES = ROOT / "Sources/Resume/Remote"
SEEDS = range(3000 if ground.LONG else 60)


def parts():
    """What main.py and bytes.py define, as a host would have it after loading both."""
    names = {}
    main = (SOURCES / "main.py").read_text()
    exec(main[:main.rindex("\nmain()\n")], names)
    exec((SOURCES / "bytes.py").read_text(), names)
    return names


PARTS = parts()
Log, Numbered, Output = PARTS["Log"], PARTS["Numbered"], PARTS["Output"]
PIECE = PARTS["PIECE"]


class Body(unittest.TestCase):
    def test_body_is_made_of_these_sources(self):
        spec = importlib.util.spec_from_file_location("build", SOURCES / "build.py")
        build = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(build)
        made = build.parts_of(BODY)
        self.assertEqual(made, build.parts(), "run Sources/Resume/Remote/build.py")
        # What was stripped was nothing to Python.
        for name, part in zip(build.PARTS, made):
            source = (SOURCES / f"{name}.py").read_text()
            self.assertEqual(self.tree(part.decode()), self.tree(source), name)

    @staticmethod
    def tree(source):
        tree = ast.parse(source)
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node):
                del node.body[0]
        return ast.dump(tree)

    def test_body_is_small(self):
        # Ten packets, the first flight of a TCP connection, less what surrounds it.
        self.assertLess(len(BODY), 13_500)


class Fields(unittest.TestCase):
    def test_both_ways(self):
        frame, fields = PARTS["frame"], PARTS["fields"]
        values = [7, 1 << 31, 1 << 63, b"", b"string", bytes(range(16)), b"rest"]
        made = frame(9, "BIQsskr", *values)
        self.assertEqual(made[:4], struct.pack(">I", 9 << 24 | len(made) - 4))
        self.assertEqual(fields("BIQsskr", made[4:]), values)
        self.assertEqual(fields("BIQsskr", memoryview(made)[4:])[:6], values[:6])

    def test_every_cut(self):
        frame, fields = PARTS["frame"], PARTS["fields"]
        made = frame(9, "BIsQks", 1, 2, b"abc", 3, bytes(16), b"d")[4:]
        for end in range(len(made)):
            with self.subTest(end=end), self.assertRaises((ValueError, struct.error)):
                fields("BIsQks", made[:end])
        with self.assertRaises(ValueError):
            fields("BIsQks", made + b"x")


class Logs(unittest.TestCase):
    def test_against_plain_bytes(self):
        for seed in SEEDS:
            rng, log, plain = random.Random(seed), Log(), b""
            for _ in range(40):
                data = rng.randbytes(rng.choice((0, 1, 100, PIECE - 1, PIECE, PIECE + 1, 200_000)))
                log.add(rng.choice((bytes, bytearray, memoryview))(data))
                plain += data
                self.assertEqual((log.end, len(log)), (len(plain), len(plain) - log.base))
                if rng.random() < 0.5:
                    log.free(rng.randint(log.base, log.end))
                at, out = log.base, b""
                while at < log.end:
                    piece = log.view(at, rng.choice((1, 1000, PIECE, 1 << 20)) if rng.random() < 0.1
                                    else PIECE)
                    self.assertTrue(piece)
                    out += bytes(piece)
                    at += len(piece)
                self.assertEqual(out, plain[log.base:], f"seed {seed}")
                self.assertLessEqual(len(log.blocks), len(log) // PIECE + 2)
            self.assertEqual(log.view(log.end), b"")

    def test_numbered_streams(self):
        """Two of them over links that lose what is under way."""
        for seed in SEEDS:
            rng = random.Random(seed)
            sides = [Numbered(PIECE), Numbered(PIECE)]
            sent, got, told = [b"", b""], [b"", b""], [(0, 0), (0, 0)]
            for _ in range(60):
                for me, side in enumerate(sides):
                    other = sides[1 - me]
                    data = rng.randbytes(rng.randrange(30_000))
                    side.log.add(data)
                    sent[me] += data
                    if rng.random() < 0.3:
                        # A new link: what it has is what decides.
                        side.go_on(other.received, told[me][1])
                    while True:
                        piece = side.piece()
                        if not piece:
                            break
                        offset, = struct.unpack(">Q", piece[0][4:])
                        self.assertLessEqual(offset + len(piece[1]), side.log.base + PIECE)
                        if rng.random() < 0.2:
                            break
                        if offset <= other.received:
                            got[1 - me] += other.take(offset, piece[1])
                    told[me] = (other.received, other.received)
                    if rng.random() < 0.7:
                        side.go_on(*told[me])
            for me, side in enumerate(sides):
                self.assertEqual(got[1 - me], sent[me][:len(got[1 - me])], f"seed {seed}")
                self.assertGreater(len(got[1 - me]), 0)

    def test_acknowledgements(self):
        side = Numbered(PIECE)
        side.log.add(b"abcdef")
        self.assertEqual(bytes(side.piece()[1]), b"abcdef")
        for received, consumed in ((7, 0), (5, 6), (1 << 63, 1 << 63)):
            with self.subTest(received=received), self.assertRaises(ValueError):
                side.acknowledged(received, consumed)
        side.acknowledged(6, 4)
        # What is behind is ignored, and nothing is sent that is gone.
        side.acknowledged(3, 2)
        self.assertEqual((side.log.base, side.piece()), (4, ()))
        side.go_on(3, 0)
        self.assertEqual(bytes(side.piece()[1]), b"ef")

    def test_gaps(self):
        side = Numbered(PIECE)
        self.assertEqual(side.take(0, b"abc"), b"abc")
        self.assertEqual(side.take(1, b"bcd"), b"d")
        self.assertEqual(side.take(0, b"a"), b"")
        for offset, data in ((5, b"x"), (4, b"")):
            with self.assertRaises(ValueError):
                side.take(offset, data)


class Outputs(unittest.TestCase):
    """Output against a client that keeps a list: order, credit, holes, and beginning anew."""

    def test_random_sessions(self):
        for seed in SEEDS:
            with self.subTest(seed=seed):
                self.run_one(random.Random(seed))

    def run_one(self, rng):
        window = PIECE * rng.choice((1, 1, 3))
        output = Output(window)
        put, shown, uncredited, skipped = [], [], [], 0
        unwanted = False
        for _ in range(300):
            act = rng.randrange(10)
            if act < 4 and output.waiting < 4 * window:
                kind = rng.choice((1, 1, 2))
                if not (unwanted and kind == 1):
                    data = rng.randbytes(rng.choice((1, 10, 5000, PIECE)))
                    output.add(kind, data)
                    put.append((kind, data))
            elif act < 7:
                frame = b"".join(output.next_frame())
                if frame:
                    uncredited.append(self.decode(frame))
                    shown.append(uncredited[-1])
            elif act == 7:
                count = sum(len(what) for kind, what in uncredited if kind in (1, 2))
                self.assertEqual(window - output.credit, count)
                part = rng.randint(0, count)
                output.credited(part)
                self.assertRaises(ValueError, output.credited, count - part + 1)
                uncredited = self.without(uncredited, part)
            elif act == 8 and output.waiting > window and rng.random() < 0.5:
                before = output.waiting
                output.skip()
                self.assertLessEqual(output.waiting, before)
                skipped += before - output.waiting
            elif act == 9 and rng.random() < 0.1:
                output.begin_anew()
                shown = shown[:len(shown) - len(uncredited)] if not uncredited else (
                    self.cut(shown, uncredited))
                uncredited = []
            elif act == 9 and rng.random() < 0.02:
                unwanted = True
                output.unwant()
        while True:
            frame = b"".join(output.next_frame())
            if not frame:
                if not output.queue:
                    break
                output.credited(window - output.credit)
                continue
            shown.append(self.decode(frame))
        self.assertEqual(output.waiting, 0)
        told = sum(what for kind, what in shown if kind == 11)
        self.assertGreaterEqual(told, skipped)
        for kind in (1, 2) if not unwanted else (2,):
            whole = b"".join(data for k, data in put if k == kind)
            seen = b"".join(data for k, data in shown if k == kind)
            if not skipped:
                self.assertEqual(seen, whole)
            else:
                self.assertLessEqual(len(seen), len(whole))
        if not unwanted:
            total = sum(len(data) for _, data in put)
            seen = sum(len(what) for kind, what in shown if kind in (1, 2))
            self.assertEqual(seen + told, total)
        output.credited(window - output.credit)
        self.assertLessEqual(len(output.log.blocks), 2)

    @staticmethod
    def decode(frame):
        kind, = struct.unpack_from(">B", frame)
        if kind == 11:
            return kind, struct.unpack(">Q", frame[4:])[0]
        return kind, frame[8:]

    @staticmethod
    def without(frames, count):
        """Frames but their first bytes."""
        left = []
        for kind, what in frames:
            if kind in (1, 2):
                part = min(count, len(what))
                count -= part
                if part == len(what):
                    continue
                what = what[part:]
            elif count and not left:
                continue
            left.append((kind, what))
        return left

    def cut(self, shown, uncredited):
        """What of all that was shown stays when the rest comes again."""
        count = sum(len(what) for kind, what in uncredited if kind in (1, 2))
        holes = sum(1 for kind, _ in uncredited if kind == 11)
        shown = list(shown)
        while count or holes:
            kind, what = shown.pop()
            if kind == 11:
                holes -= 1
                continue
            if len(what) > count:
                shown.append((kind, what[:len(what) - count]))
                count = 0
            else:
                count -= len(what)
        return shown


if __name__ == "__main__":
    unittest.main()
