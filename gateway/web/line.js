// One WebSocket that comes back by itself, with growing pauses, in JSON or MessagePack.

import { Signal } from "./dom.js";

const PAUSES_MS = [500, 1000, 2000, 4000, 8000, 15000];
const PING_MS = 3000;
const SILENT_MS = 10000; // a ping unanswered for so long: the line is dead

/**
 * Topics: `message` (each message), `state` (connecting, open, waiting, stopped), `lost`.
 * `figures` counts what the link panel shows.
 */
export class Line extends Signal {
  constructor(path, encoding) {
    super();
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    this.url = `${scheme}//${location.host}${path}`;
    this.encoding = encoding;
    this.state = "stopped";
    this.retryAt = 0;
    this.figures = {
      tripMs: null,
      connects: 0,
      frames: 0,
      seq: 0,
      gaps: 0,
      merged: 0,
      lastWord: "",
    };
    this.#tries = 0;
  }

  #socket = null;
  #tries;
  #timer = 0;
  #pings = new Map();
  #pingNo = 0;

  start() {
    if (this.state !== "stopped") return;
    addEventListener("online", this.#hurry);
    this.#connect();
  }

  /** End for good. */
  stop() {
    removeEventListener("online", this.#hurry);
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    this.#become("stopped");
    socket?.close();
  }

  /** The other side has let us in: the next pause is short again. */
  settled() {
    this.#tries = 0;
  }

  /** Send one message or an array of them; false where there is no line. */
  send(content) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    const binary = this.encoding === "msgpack.v1";
    this.#socket.send(binary ? globalThis.MessagePack.encode(content) : JSON.stringify(content));
    return true;
  }

  /** The computer has a network again: do not wait for the end of the pause. */
  #hurry = () => {
    if (this.state !== "waiting") return;
    clearTimeout(this.#timer);
    this.#connect();
  };

  #become(state) {
    this.state = state;
    this.emit("state", state);
  }

  #connect() {
    this.#become("connecting");
    const socket = new WebSocket(this.url, [this.encoding]);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#pings.clear();
    socket.onopen = () => this.#opened(socket);
    socket.onmessage = (event) => this.#heard(socket, event.data);
    socket.onclose = (event) => this.#closed(socket, event);
  }

  #opened(socket) {
    if (socket !== this.#socket) return;
    this.figures.connects += 1;
    this.#become("open");
    this.#beat(socket);
  }

  /** Ask for a sign of life; hang up on silence. */
  #beat(socket) {
    if (socket !== this.#socket || socket.readyState !== WebSocket.OPEN) return;
    const [oldest] = this.#pings.values();
    if (performance.now() - oldest > SILENT_MS) {
      this.figures.lastWord = "the venue was silent";
      this.#drop(socket);
      return;
    }
    this.#pingNo += 1;
    this.#pings.set(this.#pingNo, performance.now());
    this.send({ type: "ping", ref: this.#pingNo });
    this.#timer = setTimeout(() => this.#beat(socket), PING_MS);
  }

  #heard(socket, data) {
    if (socket !== this.#socket) return;
    this.figures.frames += 1;
    const content =
      typeof data === "string" ? JSON.parse(data) : globalThis.MessagePack.decode(data);
    for (const message of Array.isArray(content) ? content : [content]) {
      if (message.type === "pong") this.#pong(message);
      if (message.type === "bye") this.figures.lastWord = `${message.code}: ${message.reason}`;
      this.emit("message", message);
    }
  }

  #pong(message) {
    const sent = this.#pings.get(message.ref);
    if (sent === undefined) return;
    this.#pings.delete(message.ref);
    this.figures.tripMs = performance.now() - sent;
    this.emit("state", this.state);
  }

  #closed(socket, event) {
    if (socket !== this.#socket) return;
    if (!this.figures.lastWord || event.code === 1006)
      this.figures.lastWord = `closed, code ${event.code}`;
    this.#drop(socket);
  }

  #drop(socket) {
    this.#socket = null;
    clearTimeout(this.#timer);
    socket.onclose = null;
    socket.close();
    this.figures.tripMs = null;
    const base = PAUSES_MS[Math.min(this.#tries, PAUSES_MS.length - 1)];
    const pause = base * (0.75 + Math.random() / 2); // so that not everybody comes back at once
    this.#tries += 1;
    this.retryAt = performance.now() + pause;
    this.#timer = setTimeout(() => this.#connect(), pause);
    this.emit("lost");
    this.#become("waiting");
  }
}
