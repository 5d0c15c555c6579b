// What the public feed says (docs/reference/marketdata.md): books, tape, boards, and its numbers.

import { Bars } from "./bars.js";
import { Signal } from "./dom.js";
import { Line } from "./line.js";

const TAPE_MAX = 300;
const BULLETINS_MAX = 60;
const FACTS = {
  trade: "trade",
  trade_voided: "trade",
  notice: "notice",
  status: "status",
  bulk_offer: "bulk_offer",
  bidding: "bidding",
  halt: "halt",
  bar: "bar",
}; // channel by type; all others are pictures, where the newest is enough
const CHANNELS = [
  ...["depth", "quote", "trade", "bulk_offer", "bidding", "halt", "status", "notice", "composite"],
  ...["bar_1m", "bar_5m", "bar_1d"],
];
const SEQ_OF_SNAPSHOT = ["trade", "bulk_offer", "bidding", "halt"];

/** One instrument as the feed knows it. */
class Instrument {
  constructor(code) {
    this.code = code;
    this.depth = null;
    this.quote = null;
    this.trades = [];
    this.offers = new Map();
    this.sessions = new Map();
    this.halted = false;
  }
}

/**
 * Topics: `instruments`, `depth`, `quote`, `trades`, `offers`, `sessions`, `bars` (with a code),
 * `status`, `composite`, `notices`, `new_day`, `link`.
 */
export class Market extends Signal {
  constructor(base) {
    super();
    this.base = base;
    this.instruments = new Map();
    this.listed = new Map(); // what REST says of each: reference, limits, mode
    this.bars = new Bars(base);
    this.status = null;
    this.composite = null;
    this.notices = new Map();
    this.epoch = 0;
    this.clock = { timeUs: 0, at: 0, speed: 1 };
    this.#last = new Map();
    this.line = new Line(`${base}/ws/md`, "msgpack.v1");
    this.line.on("state", (state) => {
      if (state === "open" && !this.#asked) this.#subscribe();
      this.emit("link");
    });
    this.line.on("lost", () => {
      this.#asked = this.#recovering = false;
    });
    this.line.on("message", (message) => this.#hear(message));
  }

  #last; // number of the last fact by channel and instrument
  #subscribed = new Set();
  #recovering = false;
  #asked = false;

  async start() {
    await this.#learn();
    this.line.start();
  }

  get(code) {
    if (!this.instruments.has(code)) this.instruments.set(code, new Instrument(code));
    return this.instruments.get(code);
  }

  /** The venue's time now, between two of its words; 0 before the first one. */
  nowUs() {
    const { timeUs, at, speed } = this.clock;
    return timeUs ? timeUs + (performance.now() - at) * 1000 * speed : 0;
  }

  #subscribe() {
    this.#asked = true;
    this.line.send({ type: "subscribe", channels: CHANNELS });
  }

  /** Ask REST what is listed, until it answers. */
  async #learn() {
    try {
      const answer = await fetch(`${this.base}/api/instruments`);
      const found = await answer.json();
      this.listed = new Map(found.instruments.map((each) => [each.code, each]));
      this.status ??= { date: found.date, phase: found.phase, halted: false };
      this.emit("instruments");
      this.emit("status");
      const all = [...this.listed.keys()].every((code) => this.#subscribed.has(code));
      if (!all && this.#subscribed.size && this.line.state === "open") this.#subscribe();
    } catch {
      setTimeout(() => this.#learn(), 2000);
    }
  }

  #hear(message) {
    if (message.seq) this.line.figures.seq = Math.max(this.line.figures.seq, message.seq);
    if (message.time_us) this.#tick(message.time_us);
    const handler = HANDLERS[message.type];
    if (!handler) return;
    if (this.#accepts(message)) handler.call(this, message);
  }

  /** Whether a fact continues its channel; a gap is asked for, what is known is left out. */
  #accepts(message) {
    const channel = FACTS[message.type] ?? null;
    if (channel === null) return true;
    const key = `${channel} ${message.instrument ?? ""} ${message.interval ?? ""}`;
    const last = this.#last.get(key) ?? 0;
    if (message.seq <= last) return false;
    if (message.prev !== last && !this.#recovering) {
      this.line.figures.gaps += 1;
      this.#recovering = true;
      this.line.send({ type: "replay", epoch: this.epoch, after: last });
      this.emit("link");
    }
    if (message.prev > last) return false;
    this.#last.set(key, message.seq);
    return true;
  }

  #tick(timeUs) {
    const at = performance.now();
    const { timeUs: before, at: then } = this.clock;
    if (timeUs <= before) return;
    if (before && at - then > 500) {
      const speed = (timeUs - before) / 1000 / (at - then);
      const fits = speed > 0.2 && speed < 500;
      this.clock.speed = fits
        ? Math.abs(speed - 1) < 0.3
          ? 1
          : 0.7 * this.clock.speed + 0.3 * speed
        : 1;
    } else if (before) {
      return;
    }
    Object.assign(this.clock, { timeUs, at });
  }

  onSubscribed(message) {
    this.epoch = message.epoch;
    this.#subscribed = new Set(message.instruments);
    this.line.settled();
    this.line.figures.seq = message.seq;
    this.#recovering = false;
    this.#last.clear();
    this.bars.forget();
    this.emit("link");
  }

  onSnapshot(message) {
    const code = message.instrument;
    if (message.status) this.onStatus(message.status);
    if (message.composite) this.onComposite(message.composite);
    for (const notice of message.notices ?? []) this.onNotice(notice);
    for (const channel of ["status", "notice"])
      this.#last.set(`${channel}  `, message[`${channel}_seq`]);
    for (const channel of SEQ_OF_SNAPSHOT)
      this.#last.set(`${channel} ${code} `, message[`${channel}_seq`] ?? 0);
    for (const [channel, seq] of Object.entries(message.bar_seqs ?? {})) {
      this.#last.set(`bar ${code} ${channel.slice(4)}`, seq);
    }
    for (const bar of message.bars ?? []) this.onBar(bar);
    if (code === "composite") return;
    const found = this.get(code);
    found.depth = message.depth;
    found.quote = message.quote;
    found.halted = message.halted;
    found.trades = [...message.trades].reverse().slice(0, TAPE_MAX);
    found.offers = new Map(message.offers.map((each) => [each.order_no, each]));
    found.sessions = new Map(message.sessions.map((each) => [each.session_no, each]));
    for (const topic of ["instruments", "depth", "quote", "trades", "offers", "sessions", "bars"]) {
      this.emit(topic, code);
    }
  }

  onReplayed() {
    this.#recovering = false;
  }

  /** A quiet hour: the venue says what it has sent, so that nothing can be missing unseen. */
  onHeartbeat(message) {
    this.line.figures.merged = message.merged;
    this.line.figures.seq = Math.max(this.line.figures.seq, message.seq);
    this.emit("link");
  }

  onDepth(message) {
    this.get(message.instrument).depth = message;
    this.emit("depth", message.instrument);
  }

  onQuote(message) {
    this.get(message.instrument).quote = message;
    this.emit("quote", message.instrument);
  }

  onTrade(message) {
    const found = this.get(message.instrument);
    found.trades.unshift(message);
    found.trades.length = Math.min(found.trades.length, TAPE_MAX);
    this.emit("trades", message.instrument);
  }

  onVoided(message) {
    const found = this.get(message.instrument).trades.find(
      (each) => each.trade_no === message.trade_no,
    );
    if (found) found.void = true;
    this.emit("trades", message.instrument);
  }

  onBar(message) {
    this.bars.take(message);
    this.emit("bars", message.instrument);
  }

  onComposite(message) {
    this.composite = message;
    this.emit("composite");
  }

  onOffer(message) {
    const { offers } = this.get(message.instrument);
    if (message.status === "gone") offers.delete(message.order_no);
    else offers.set(message.order_no, message);
    this.emit("offers", message.instrument);
  }

  onBidding(message) {
    this.get(message.instrument).sessions.set(message.session_no, message);
    this.emit("sessions", message.instrument);
  }

  onHalt(message) {
    this.get(message.instrument).halted = message.halted;
    this.emit("quote", message.instrument);
    this.emit("status");
  }

  onStatus(message) {
    const other = this.status && message.date !== this.status.date;
    const before = this.status?.phase;
    this.status = message;
    if (other) {
      for (const found of this.instruments.values()) {
        found.sessions.clear();
        this.emit("sessions", found.code);
      }
      this.emit("new_day");
    }
    if (other || before !== message.phase) this.#learn(); // references and limits of the day
    this.emit("status");
  }

  onNotice(message) {
    this.notices.set(message.date, message);
    if (this.notices.size > BULLETINS_MAX) this.notices.delete(this.notices.keys().next().value);
    this.emit("notices");
  }
}

const HANDLERS = {
  subscribed: Market.prototype.onSubscribed,
  snapshot: Market.prototype.onSnapshot,
  replayed: Market.prototype.onReplayed,
  depth: Market.prototype.onDepth,
  quote: Market.prototype.onQuote,
  trade: Market.prototype.onTrade,
  trade_voided: Market.prototype.onVoided,
  composite: Market.prototype.onComposite,
  bulk_offer: Market.prototype.onOffer,
  bidding: Market.prototype.onBidding,
  halt: Market.prototype.onHalt,
  status: Market.prototype.onStatus,
  notice: Market.prototype.onNotice,
  bar: Market.prototype.onBar,
  open_bar: Market.prototype.onBar,
  heartbeat: Market.prototype.onHeartbeat,
};
