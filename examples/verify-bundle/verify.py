#!/usr/bin/env python3
"""Verifies a bundle of `signalbox audit export`, by docs/reference/audit.md alone and with nothing but Python.

    python3 verify.py BUNDLE [FINGERPRINT OF THE KEY TO TRUST]
"""
import base64, hashlib, json, sys


def sha256(data):
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


# Ed25519 (RFC 8032), verification only. Points are in extended coordinates (X, Y, Z, T).
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, ROOT = -121665 * pow(121666, -1, P) % P, pow(2, (P - 1) // 4, P)


def add(p, q):
    a, b, c, d = (p[1] - p[0]) * (q[1] - q[0]), (p[1] + p[0]) * (q[1] + q[0]), 2 * p[3] * q[3] * D, 2 * p[2] * q[2]
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, point):
    result = (0, 1, 1, 0)
    while n:
        result, point, n = add(result, point) if n & 1 else result, add(point, point), n >> 1
    return result


def point(data):
    y = int.from_bytes(data, "little") & (1 << 255) - 1
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if (x * x - square) % P == 0 else x * ROOT % P
    if y >= P or (x * x - square) % P:
        raise ValueError("not a point of the curve")
    x = x if x & 1 == data[31] >> 7 else P - x
    return x, y, 1, x * y % P


BASE = point(bytes([0x58]) + bytes([0x66]) * 31)


def is_signed(public_key, text, signature):
    key, sig = base64.b64decode(public_key), base64.b64decode(signature)
    s, k = (int.from_bytes(each, "little") for each in (sig[32:], hashlib.sha512(sig[:32] + key + text.encode()).digest()))
    p, q = times(s, BASE), add(point(sig[:32]), times(k % L, point(key)))
    return s < L and all((p[i] * q[2] - q[i] * p[2]) % P == 0 for i in (0, 1))


class Verifier:
    def __init__(self, trusted):
        self.trusted, self.problems = trusted, []
        self.key, self.public = None, {}  # the fingerprint in use; public keys by fingerprint
        self.hashes, self.erased = {}, {}  # since the last checkpoint; skeletons that nothing vouches for yet

    def check(self, fits, problem):
        if not fits:
            self.problems.append(problem)

    def bundle(self, data):
        *lines, rest = data.split(b"\n")
        self.check(not rest and json.loads(lines[-1]).get("sha256") == sha256(data[: len(data) - len(lines[-1]) - 1]),
                   "the bundle was cut or changed")
        header, *items, manifest = (json.loads(line) for line in lines[:-1])
        for key in header["keys"]:
            self.introduce(key["sequence"], key)
        self.first = at = header["first"]
        previous = "0" * 64 if at == 1 else None
        for item in items:
            self.check(item["sequence"] == at, f"event {at}: missing, or in another place")
            at, previous = item["sequence"] + 1, self.item(item["sequence"], item, previous)
        self.check(not items or (manifest["last"], manifest["last_sha256"]) == (at - 1, previous), f"event {at}: missing at the end")
        for sequence in self.erased:
            self.check(False, f"event {sequence}: nothing vouches for what stands in its place")
        self.check(self.key or not self.trusted, "nothing in it is signed")

    def item(self, at, item, previous):
        text, digest = item.get("event"), item["sha256"]
        if text is not None:
            cloud = json.loads(text)
            self.check(item["line"] == "redacted" or sha256(text) == digest, f"event {at}: its text has another hash")
            self.check(previous in (None, cloud["previoushash"]), f"event {at}: it was written after another event")
            event = cloud["data"]["event"]
            if item["line"] == "redacted":
                self.erased[at] = digest, cloud
            elif event["type"] == "task.redacted" and event["sequence"] in self.erased:
                fits = self.erased.pop(event["sequence"]) == (event["sha256"], event["skeleton"])
                self.check(fits, f"event {event['sequence']}: its redaction says otherwise")
            elif event["type"] == "supervisor.key_introduced":
                self.introduce(at, event)
            elif event["type"] == "supervisor.checkpointed":
                self.checkpoint(at, event)
        self.hashes[at] = digest
        return digest

    def introduce(self, at, event):
        new, earlier = event["key"], event.get("signed_by")
        self.check(sha256(base64.b64decode(event["public_key"])) == new, f"event {at}: the key has another fingerprint")
        if new != self.trusted and earlier:
            text = f"signalbox.key.v1\n{earlier}\n{new}\n"
            fits = earlier == self.key and is_signed(self.public[earlier], text, event["signature"])
            self.check(fits, f"event {at}: the key before it does not vouch for the key {new}")
        elif new != self.trusted:
            self.check(self.key is None and not self.trusted, f"event {at}: the key {new} is not trusted")
        self.key, self.public[new] = new, event["public_key"]

    def checkpoint(self, at, event):
        first, last = event["from"], event["sequence"]
        text = f"signalbox.checkpoint.v1\n{first}\n{last}\n{event['hash']}\n{event['digest']}\n"
        fits = event["key"] == self.key and is_signed(self.public[self.key], text, event["signature"])
        self.check(fits, f"event {at}: the signature of the checkpoint is not valid")
        self.check(self.hashes.get(last, event["hash"]) == event["hash"], f"event {last}: its hash is not the signed one")
        if first >= self.first:
            listed = "".join(f"{self.hashes.get(n)}\n" for n in range(first, last + 1))
            self.check(sha256(listed) == event["digest"], f"event {at}: the events {first} to {last} are not the signed ones")
        self.hashes = {n: value for n, value in self.hashes.items() if n > last}


if __name__ == "__main__":
    verifier = Verifier(sys.argv[2] if len(sys.argv) > 2 else None)
    with open(sys.argv[1], "rb") as file:
        verifier.bundle(file.read())
    print("\n".join(verifier.problems) or "verified, no findings")
    sys.exit(1 if verifier.problems else 0)
