#!/usr/bin/env python3
"""An agent of Signalbox that speaks only NATS: no Signalbox code, no packages.

    agent.py --agent counter --url nats://127.0.0.1:4222 --user NAME --password SECRET

It takes jobs from its own queue, asks whether it may begin, works (here it counts words), sends an output, and hands in the
result. docs/reference/nats.md describes the messages; docs/reference/subjects.md lists the subjects.
"""
import argparse
import json
import os
import queue
import secrets
import socket
import sys
import threading
import time
from datetime import datetime, timezone
from urllib.parse import urlparse


class Nats:
    """The NATS protocol, as much as an agent needs: publish with headers, subscribe, request."""

    def __init__(self, url, agent, user=None, password=None):
        address = urlparse(url)
        self.socket = socket.create_connection((address.hostname, address.port or 4222))
        self.reader = self.socket.makefile("rb")
        self.lock = threading.Lock()
        self.waiting = {}
        self.inbox = f"_INBOX_{agent}.{secrets.token_hex(8)}"
        self.reader.readline()  # INFO
        hello = {"verbose": False, "headers": True, "no_responders": True, "name": agent, "lang": "python"}
        if user is not None:
            hello.update(user=user, **{"pass": password})
        self.send(f"CONNECT {json.dumps(hello)}\r\nPING\r\n".encode())
        while (line := self.reader.readline()) != b"PONG\r\n":
            if not line or line.startswith(b"-ERR"):
                raise ConnectionError(line.decode() or "the server closed the connection")
        self.handlers = {}
        self.subscribe(self.inbox + ".*", lambda subject, _headers, data, _reply: self.waiting[subject].put((_headers, data)))
        threading.Thread(target=self.read, daemon=True).start()

    def send(self, data):
        with self.lock:
            self.socket.sendall(data)

    def subscribe(self, subject, handler):
        number = len(self.handlers) + 1
        self.handlers[number] = handler
        self.send(f"SUB {subject} {number}\r\n".encode())

    def publish(self, subject, data, reply="", message_id=None):
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        if message_id is None:
            head = f"PUB {subject} {reply} {len(body)}\r\n"
            return self.send(head.encode() + body + b"\r\n")
        headers = f"NATS/1.0\r\nNats-Msg-Id: {message_id}\r\n\r\n".encode()
        head = f"HPUB {subject} {reply} {len(headers)} {len(headers) + len(body)}\r\n"
        return self.send(head.encode() + headers + body + b"\r\n")

    def request(self, subject, data, timeout, message_id=None):
        """The reply, as (headers, data, subject to answer to); None if there is none in time."""
        inbox = f"{self.inbox}.{secrets.token_hex(4)}"
        answers = self.waiting[inbox] = queue.Queue()
        self.publish(subject, data, inbox, message_id)
        try:
            return answers.get(timeout=timeout)
        except queue.Empty:
            return None
        finally:
            del self.waiting[inbox]

    def read(self):
        while line := self.reader.readline():
            words = line.split()
            if words[0] == b"PING":
                self.send(b"PONG\r\n")
            elif words[0] in (b"MSG", b"HMSG"):
                sizes = [int(word) for word in words[3:] if word.isdigit()]
                total = sizes[-1]
                head = sizes[-2] if words[0] == b"HMSG" else 0
                payload = self.reader.read(total + 2)[:-2]
                subject = words[1].decode()
                reply = next((word.decode() for word in words[3:] if not word.isdigit()), "")
                handler = self.handlers[int(words[2])]
                try:
                    handler(subject, payload[:head].decode(), payload[head:], reply)
                except KeyError:
                    pass  # an answer that came too late
            elif words[0] == b"-ERR":
                print(line.decode().strip(), file=sys.stderr)
        os._exit(1)  # the connection is gone: exit, to be restarted


class Agent:
    def __init__(self, nats, name, work):
        self.nats, self.name, self.work = nats, name, work
        self.worker = {"id": f"{socket.gethostname()}:{os.getpid()}", "host": socket.gethostname(), "pid": os.getpid()}
        self.answers = {}
        self.current = None
        self.heartbeat_seconds = 5.0
        self.jobs = queue.Queue()
        nats.subscribe(f"signalbox.v1.control.{name}.answer", self.on_answer)
        # A pull: the reply is the job itself, sent to this inbox with the subject to acknowledge to.
        self.pull_inbox = nats.inbox + "-jobs"
        nats.subscribe(self.pull_inbox, lambda _s, headers, data, reply: self.jobs.put((headers, data, reply)))

    def on_answer(self, _subject, _headers, data, _reply):
        answer = json.loads(data)
        self.heartbeat_seconds = answer.get("heartbeatSeconds", self.heartbeat_seconds)
        waiting = self.answers.get(answer["id"])
        if waiting:
            waiting.put(answer)

    def say(self, kind, message):
        """Stores a message, and returns what Signalbox answers. Sent again until both have come; it counts once."""
        message_id = secrets.token_urlsafe(16)
        answers = self.answers[message_id] = queue.Queue()
        body = {"id": message_id, "type": kind, "worker": self.worker, **message}
        copy = 0
        while True:
            copy += 1
            stored = self.nats.request(
                f"signalbox.v1.agent.{self.name}.{kind}", body, timeout=5, message_id=f"{message_id}.{copy}"
            )
            if stored is None or b'"error"' in stored[1] or "503" in stored[0]:
                time.sleep(1)
                continue
            try:
                answer = answers.get(timeout=5)
                del self.answers[message_id]
                return answer
            except queue.Empty:
                continue

    def beat(self):
        while True:
            self.nats.publish(
                f"signalbox.v1.agent.{self.name}.heartbeat",
                {
                    "type": "heartbeat",
                    "agent": self.name,
                    "worker": self.worker,
                    "status": "busy" if self.current else "idle",
                    "currentTask": self.current["taskId"] if self.current else None,
                    "tasks": [{key: value for key, value in self.current.items() if key != "token"}] if self.current else [],
                    "timestamp": now(),
                },
            )
            time.sleep(self.heartbeat_seconds)

    def run(self, jobs=None):
        self.say("announce", {"agent": self.name})
        threading.Thread(target=self.beat, daemon=True).start()
        print("ready", flush=True)
        while jobs is None or jobs > 0:
            pull = {"batch": 1, "expires": 5_000_000_000}  # nanoseconds
            self.nats.publish(f"$JS.API.CONSUMER.MSG.NEXT.SIGNALBOX_WORK.{self.name}", pull, self.pull_inbox)
            try:
                headers, data, reply = self.jobs.get(timeout=6)
            except queue.Empty:
                continue
            if not reply or not data:
                time.sleep(0.1)  # a status: no job in time
                continue
            self.do(json.loads(data), reply)
            if jobs is not None:
                jobs -= 1

    def do(self, job, reply):
        self.current = {key: job[key] for key in ("project", "taskId", "attempt", "token")}
        # Counting words needs no word of a user: what users tell it ("task steer") waits for the next prompt.
        self.current["steering"] = "none"
        begun = time.monotonic()
        try:
            if not self.say("status", {**self.current, "status": "working"})["ok"]:
                return  # another worker has begun it, or it is over
            end = {"status": "completed"}
            try:
                for output in self.work(job):
                    self.say("output", {**self.current, **output})
            except Exception as error:  # whatever it is, Signalbox decides about a retry
                end = {"status": "failed", "error": str(error)}
            duration = round((time.monotonic() - begun) * 1000)
            self.say("result", {**self.current, **end, "metadata": {"completedAt": now(), "duration": duration}})
        finally:
            self.nats.publish(reply, b"+ACK")
            self.current = None


def now():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def count_words(job):
    """What this agent can do. Replace it by your own."""
    text = job["content"]["params"].get("text", job["description"])
    if not text:
        raise ValueError("there is no text to count: give it as params.text or as the description")
    yield {"outputType": "data", "title": "Words", "content": json.dumps({"words": len(text.split())})}


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--agent", required=True)
    options.add_argument("--url", default=os.environ.get("NATS_URL", "nats://127.0.0.1:4222"))
    options.add_argument("--user", default=os.environ.get("NATS_USER"))
    options.add_argument("--password", default=os.environ.get("NATS_PASSWORD"))
    options.add_argument("--jobs", type=int, help="end after so many")
    given = options.parse_args()
    Agent(Nats(given.url, given.agent, given.user, given.password), given.agent, count_words).run(given.jobs)
