// The order-entry session: log in, send, hear, and know what became of each command.

import { Signal, calmly } from "./dom.js";
import { Line } from "./line.js";

const FINAL = new Set(["bad_credentials", "key_changed"]);
const OPEN = new Set(["open", "part_filled"]);
const KINDS = {
  list: "list",
  add: "add",
  bid: "bid",
  bulk_offer: "bulk_offer",
  apply_session: "apply_session",
};
const TAKE_BACK = { bid: "cancel_bid", bulk_offer: "bulk_withdraw" };
const IN_FRAME_MAX = 100;

/**
 * Topics: `state`, `orders`, `fills`, `account`, `negotiations`, `link`; `report` (a message and
 * what it answers), `lost_track` (what a status answered), `refused_login`, `trouble` (a sentence).
 */
export class Trading extends Signal {
  constructor(base) {
    super();
    this.base = base;
    this.reset();
    this.refreshAccount = calmly(() => this.#loadAccount(), 250);
    this.refreshOrders = calmly(() => this.#load(), 250);
  }

  reset() {
    this.line = null;
    this.signer = null;
    this.welcome = null;
    this.orders = new Map();
    this.fills = new Map();
    this.negotiations = [];
    this.account = null;
    this.reportSeq = 0;
    this.date = 0;
    this.pending = new Map(); // by client order id: what was sent and is not answered
    this.#early = null;
  }

  #early = null; // reports heard while the orders are still being fetched
  #count = 0;
  #suspected = -1;
  #resuming = false;
  #life = randomWord();
  #load_ = 0;

  get loggedIn() {
    return this.welcome !== null && this.line?.state === "open";
  }

  /** `leaving`: open orders end when the line is lost and does not come back within the grace. */
  logIn(signer, encoding, leaving) {
    this.logOut();
    this.leaving = leaving;
    this.signer = signer;
    this.line = new Line(`${this.base}/ws/trade`, encoding);
    this.line.on("state", () => this.emit("link"));
    this.line.on("lost", () => {
      this.welcome = null;
      this.emit("state");
    });
    this.line.on("message", (message) => this.#hear(message));
    this.line.start();
  }

  logOut() {
    this.line?.send({ type: "logout" });
    this.line?.stop();
    this.reset();
    for (const topic of ["state", "orders", "fills", "account", "negotiations", "link"])
      this.emit(topic);
  }

  /** Send a command; returns its client order id, "" where there is no session. */
  send(type, fields) {
    if (!this.loggedIn) return "";
    const message = this.#named(type, fields);
    this.line.send(message);
    return message.client_order_id;
  }

  cancel(order) {
    return this.send(TAKE_BACK[order.kind] ?? "cancel", { order_no: order.order_no });
  }

  /** Take everything back, of one instrument if named: one command, also over a slow line. */
  cancelAll(code = null) {
    return this.send("cancel_all", code === null ? {} : { instrument: code });
  }

  cancelMany(orders) {
    if (!this.loggedIn) return;
    const messages = orders.map((each) =>
      this.#named(TAKE_BACK[each.kind] ?? "cancel", { order_no: each.order_no }),
    );
    for (let at = 0; at < messages.length; at += IN_FRAME_MAX)
      this.line.send(messages.slice(at, at + IN_FRAME_MAX));
  }

  openOrders(code = null) {
    const open = [...this.orders.values()].filter((each) => OPEN.has(each.status));
    return code === null ? open : open.filter((each) => each.instrument === code);
  }

  /** GET a private page of REST. */
  async get(target) {
    const headers = await this.signer.headers(this.base + target);
    const answer = await fetch(this.base + target, { headers });
    if (!answer.ok) throw new Error((await answer.json()).code ?? String(answer.status));
    return answer.json();
  }

  #named(type, fields) {
    this.#count += 1;
    const id = `w-${this.#life}-${this.#count}`;
    const message = { type, client_order_id: id, ...fields };
    this.pending.set(id, message);
    return message;
  }

  async #hear(message) {
    if (message.type === "challenge") {
      const login = await this.signer.login(message.nonce);
      this.line?.send({ ...login, cancel_on_disconnect: this.leaving });
      return;
    }
    if (message.type === "welcome") return this.#welcomed(message);
    if (message.type === "error" && FINAL.has(message.code)) return this.#shutOut(message);
    if (message.type === "bye" && FINAL.has(message.code)) return this.#shutOut(message);
    if (message.type === "phase_changed") return this.#phase(message);
    if (message.type === "status") return this.#answered(message);
    if (message.type === "stream_resumed") return this.#resumed(message);
    if (message.type === "pong") {
      this.line.figures.seq = message.seq;
      return this.#compare(message.report_seq);
    }
    this.#report(message);
  }

  #shutOut(message) {
    this.logOut();
    this.emit("refused_login", message);
  }

  #welcomed(message) {
    this.line.settled();
    const again = message.date === this.date && message.report_seq >= this.reportSeq;
    if (message.date === this.date && !again) {
      this.emit("trouble", "The venue knows less than it has told before: is it the same one?");
    }
    if (!again) {
      this.pending.clear(); // ids are those of a day
      this.#begin(message.date, message.report_seq);
    }
    this.welcome = message;
    this.#resuming = false;
    this.emit("state");
    if (message.report_seq > this.reportSeq) this.#resume();
    for (const id of this.pending.keys()) this.line.send({ type: "status", client_order_id: id });
    this.#load();
  }

  #begin(date, reportSeq) {
    if (date !== this.date) {
      this.orders.clear();
      this.fills.clear();
      for (const topic of ["orders", "fills"]) this.emit(topic);
    }
    this.date = date;
    this.reportSeq = reportSeq;
  }

  #phase(message) {
    if (message.date !== this.date) {
      this.#begin(message.date, 0);
      this.pending.clear();
    }
    this.emit("phase", message);
    this.refreshOrders();
  }

  /** The line was lost between a command and its answer: the venue knows what became of it. */
  #answered(message) {
    const sent = this.pending.get(message.client_order_id);
    this.pending.delete(message.client_order_id);
    if (sent) this.emit("lost_track", { sent, status: message });
  }

  /** Ask for every report that has not been heard. */
  #resume() {
    if (this.#resuming) return;
    this.#resuming = true;
    this.line.send({ type: "resume", date: this.date, after: this.reportSeq });
  }

  /** What was reported while the line was lost comes now, unless its day is over. */
  #resumed(message) {
    this.#resuming = false;
    if (message.complete) return;
    this.#begin(message.date, message.report_seq);
    this.refreshOrders();
  }

  /** A pong may overtake reports: only what is still missing at the next one is a gap. */
  #compare(reportSeq) {
    const behind = reportSeq > this.reportSeq;
    if (behind && this.#suspected === this.reportSeq) this.#missed();
    this.#suspected = behind ? this.reportSeq : -1;
  }

  #missed() {
    this.line.figures.gaps += 1;
    this.emit("link");
    this.#resume();
  }

  /** Whether a report is the next one; 1 comes again when a day begins. */
  #counts({ report_seq: number = 0, repeated = false }) {
    if (!number || repeated) return true;
    if (number > this.reportSeq + 1) this.#missed();
    const next = number === this.reportSeq + 1 || number === 1;
    if (next) this.reportSeq = number;
    return next;
  }

  #report(message) {
    if (!this.#counts(message)) return;
    const sent = this.#settle(message);
    if (this.#early !== null) this.#early.push([message, sent]);
    else this.#absorb(message, sent);
    this.emit("report", { message, sent });
  }

  /** The command that this message answers, which then waits no more. */
  #settle(message) {
    for (const id of [message.request_id, message.client_order_id]) {
      const sent = id && this.pending.get(id);
      if (sent) {
        this.pending.delete(id);
        return sent;
      }
    }
    return null;
  }

  #absorb(message, sent) {
    if (message.type === "accepted") this.#accepted(message, sent);
    else if (message.type === "filled") this.#filled(message);
    else if (message.type === "amended")
      this.#touch(message, { ...pick(message, "price_ticks", "qty_tonnes", "leaves_qty") });
    else if (message.type === "cancelled")
      this.#touch(message, { status: "cancelled", leaves_qty: 0 });
    else if (message.type === "lapsed") this.#touch(message, { status: "lapsed", leaves_qty: 0 });
    else if (message.type.startsWith("bulk_") || message.type.startsWith("session_"))
      this.refreshOrders();
    if (message.type !== "refused") this.refreshAccount();
    this.emit("orders");
  }

  #accepted(message, sent) {
    if (this.orders.has(message.order_no)) return;
    const kind = KINDS[sent?.type] ?? (sent ? "take" : "");
    const status = message.leaves_qty
      ? message.leaves_qty < message.qty_tonnes
        ? "part_filled"
        : "open"
      : "filled";
    const {
      order_no,
      client_order_id,
      instrument,
      side,
      price_ticks,
      qty_tonnes,
      leaves_qty,
      time_us,
    } = message;
    this.orders.set(order_no, {
      ...{
        order_no,
        client_order_id,
        instrument,
        side,
        price_ticks,
        qty_tonnes,
        leaves_qty,
        time_us,
        kind,
        status,
      },
    });
    if (!kind) this.refreshOrders(); // another connection of the account sent it
  }

  #filled(message) {
    this.fills.set(`${message.trade_no} ${message.side}`, {
      ...message,
      fee_fen: message.fee_fen ?? 0,
    });
    const { leaves_qty = 0 } = message;
    this.#touch(message, { leaves_qty, status: leaves_qty ? "part_filled" : "filled" });
    this.emit("fills");
  }

  #touch(message, change) {
    const order = this.orders.get(message.order_no);
    if (!order) return;
    if (!OPEN.has(order.status) && message.type !== "filled") return;
    Object.assign(order, change);
  }

  /** Fetch orders, fills, account; what is reported meanwhile is put on top. */
  async #load() {
    const signer = this.signer;
    if (!signer || !this.loggedIn || this.welcome.account < 0) return;
    const number = ++this.#load_;
    this.#early = [];
    try {
      const orders = await this.#pages("/api/orders", "orders", "order_no");
      const trades = await this.#pages("/api/trades", "trades", "trade_no");
      if (number !== this.#load_ || signer !== this.signer) return;
      this.orders = new Map(orders.map((each) => [each.order_no, each]));
      this.fills = new Map(
        trades.map((each) => [
          `${each.trade_no} ${each.side}`,
          { ...each, amount_fen: each.value_fen },
        ]),
      );
      this.negotiations = (await this.get("/api/negotiations")).negotiations;
      await this.#loadAccount();
    } catch (problem) {
      this.emit("trouble", `The venue does not show your orders: ${problem.message}`);
    }
    if (number !== this.#load_) return;
    const early = this.#early ?? [];
    this.#early = null;
    for (const [message, sent] of early) this.#absorb(message, sent);
    for (const topic of ["orders", "fills", "negotiations"]) this.emit(topic);
  }

  async #pages(target, name, key) {
    const found = [];
    for (;;) {
      const after = found.length ? found[found.length - 1][key] : 0;
      const page = await this.get(`${target}?after=${after}`);
      found.push(...page[name]);
      if (!page.more) return found;
    }
  }

  async #loadAccount() {
    if (!this.signer || !this.loggedIn || this.welcome.account < 0) return;
    const signer = this.signer;
    try {
      const found = await this.get("/api/account");
      if (signer !== this.signer) return;
      this.account = found;
      this.emit("account");
    } catch (problem) {
      this.emit("trouble", `The venue does not show your account: ${problem.message}`);
    }
  }
}

function pick(from, ...names) {
  return Object.fromEntries(names.map((name) => [name, from[name] ?? 0]));
}

function randomWord() {
  return Array.from(crypto.getRandomValues(new Uint8Array(5)), (byte) =>
    byte.toString(36).padStart(2, "0"),
  ).join("");
}
