#!/usr/bin/env python3
"""Verifies a bundle of `signalbox audit export` by docs/audit.md alone: python3 verify.py BUNDLE [KEY-FINGERPRINT]"""
import base64, hashlib, json, sys

sha256 = lambda data: hashlib.sha256(data).hexdigest()

# Ed25519 (RFC 8032), verification only: B is the base point, points are extended coordinates (X, Y, Z, T).
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, ROOT = -121665 * pow(121666, -1, P) % P, pow(2, (P - 1) // 4, P)

def add(a, b):
    e, f, g, h = (a[1] - a[0]) * (b[1] - b[0]), (a[1] + a[0]) * (b[1] + b[0]), 2 * a[3] * b[3] * D, 2 * a[2] * b[2]
    e, f, g, h = f - e, h - g, h + g, f + e
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
    if y >= P or (x * x - square) % P: raise ValueError("not a point")
    x = x if x & 1 == data[31] >> 7 else P - x
    return x, y, 1, x * y % P

B = point(bytes([0x58]) + bytes([0x66]) * 31)

def signed(key, text, signature):
    key, sig = base64.b64decode(key), base64.b64decode(signature)
    s, k = int.from_bytes(sig[32:], "little"), hashlib.sha512(sig[:32] + key + text.encode()).digest()
    left, right = times(s, B), add(point(sig[:32]), times(int.from_bytes(k, "little") % L, point(key)))
    return s < L and all((left[i] * right[2] - right[i] * left[2]) % P == 0 for i in (0, 1))

def verify(path, trusted):
    rows = open(path, "rb").read().split(b"\n")
    if rows[-1] or json.loads(rows[-2])["sha256"] != sha256(b"\n".join(rows[:-2]) + b"\n"): yield "the bundle was cut or changed"
    header, *items = [json.loads(row) for row in rows[:-3]]
    expected, previous, hashes, erased, key, keys = header["first"], "0" * 64 if header["first"] == 1 else None, {}, {}, None, {}
    def introduce(event, at):
        if sha256(base64.b64decode(event["public_key"])) != event["key"]: yield f"event {at}: the key has another fingerprint"
        if "signed_by" in event and event["key"] != trusted:
            text = f"signalbox.key.v1\n{event['signed_by']}\n{event['key']}\n"
            if event["signed_by"] != key or not signed(keys[key], text, event["signature"]): yield f"event {at}: the new key is not vouched for"
        elif event["key"] != (trusted or (event["key"] if key is None else None)): yield f"event {at}: the key {event['key']} is not trusted"
    for event in header["keys"]:
        yield from introduce(event, event["sequence"])
        key, keys[event["key"]] = event["key"], event["public_key"]
    for item in items:
        at, text = item["sequence"], item.get("event")
        if at != expected: yield f"event {expected}: missing or in another place"
        if item["line"] == "event" and sha256(text.encode()) != item["sha256"]: yield f"event {at}: its text has another hash"
        cloud = json.loads(text) if text else None
        if cloud and previous not in (None, cloud["previoushash"]): yield f"event {at}: it was written after another event"
        event = cloud["data"]["event"] if cloud else {"type": None}
        if item["line"] == "redacted": erased[at] = (item["sha256"], cloud)
        if event["type"] == "task.redacted" and event["sequence"] in erased and erased.pop(event["sequence"]) != (event["sha256"], event["skeleton"]): yield f"event {event['sequence']}: its redaction says otherwise"
        if event["type"] == "supervisor.key_introduced":
            yield from introduce(event, at)
            key, keys[event["key"]] = event["key"], event["public_key"]
        if event["type"] == "supervisor.checkpointed":
            first, last = event["from"], event["sequence"]
            text = f"signalbox.checkpoint.v1\n{first}\n{last}\n{event['hash']}\n{event['digest']}\n"
            if event["key"] != key or not signed(keys[key], text, event["signature"]): yield f"event {at}: the signature of the checkpoint is not valid"
            if hashes.get(last, event["hash"]) != event["hash"]: yield f"event {last}: its hash is not the one that was signed"
            if first >= header["first"] and sha256("".join(hashes.get(n, "") + "\n" for n in range(first, last + 1)).encode()) != event["digest"]: yield f"event {at}: the events {first} to {last} are not those that were signed"
            hashes = {n: value for n, value in hashes.items() if n > last}
        expected, previous, hashes[at] = at + 1, item["sha256"], item["sha256"]
    yield from (f"event {at}: nothing vouches for what stands in its place" for at in erased)
    if trusted and not keys: yield "nothing in it is signed"

if __name__ == "__main__":
    problems = list(verify(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None))
    print("\n".join(problems) or "nothing is wrong with it")
    sys.exit(1 if problems else 0)
