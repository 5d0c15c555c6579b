// A small bot: buys from whoever sells below the reference price, and keeps 10 t for sale at it.
// It learns what became of each command, also over a lost line and over a restart of the venue.
//
//   npm ci
//   URL=ws://127.0.0.1:8000 KEY=trader1 SECRET=... INSTRUMENT=CEA25 node bot.js
//
// Ctrl-C cancels what is open and says good bye. The protocol: ../../protocol.md
import { createHmac } from "node:crypto";
import { decode, encode } from "@msgpack/msgpack";
import WebSocket from "ws";

const { URL: url = "ws://127.0.0.1:8000", KEY, SECRET, INSTRUMENT = "CEA25" } = process.env;
const QTY = 10;
const RUN = Date.now().toString(36); // an id is used once a day: another run has other ids

const market = { asks: [], reference: 0 };
const waiting = new Map(); // client_order_id -> a command that has no answer yet
const tried = new Set(); // listings that were taken, or could not be
let line; // to /ws/trade, once it is logged in and up to date
let day, last; // the day, and the number of its last report that was heard
let listing; // number of our open listing
let count = 0;
let quietUntil = 0; // after a refusal
let stopping = false;

const say = (socket, message) => socket.send(encode(message));

function connect(path, heard, lost = () => {}) {
  const socket = new WebSocket(url + path, "msgpack.v1");
  socket.on("open", () => heard.opened?.(socket));
  socket.on("message", (frame) => {
    for (const message of [decode(frame)].flat()) {
      (heard[message.type] ?? heard.other)?.(socket, message);
    } // a frame holds one message or an array of them
  });
  socket.on("error", () => {}); // "close" follows
  socket.on("close", () => {
    lost();
    if (!stopping) setTimeout(connect, 500, path, heard, lost);
  });
}

// market data: a snapshot, then whole pictures; the newest one is enough

const onMarket = {
  opened(socket) {
    say(socket, { type: "subscribe", instruments: [INSTRUMENT], channels: ["depth", "quote"] });
  },
  snapshot(socket, message) {
    if (message.depth) onMarket.depth(socket, message.depth);
    if (message.quote) onMarket.quote(socket, message.quote);
  },
  depth(_, message) { market.asks = message.asks; },
  quote(_, message) { market.reference = message.reference_ticks; },
};

// what the bot wants: one command at a time

function act() {
  if (!line || stopping || waiting.size || Date.now() < quietUntil || !market.reference) return;
  const cheap = market.asks
    .filter((level) => level.price_ticks < market.reference)
    .flatMap((level) => level.listings)
    .find(([order_no]) => !tried.has(order_no) && order_no !== listing);
  if (cheap) {
    tried.add(cheap[0]);
    command({ type: "take", order_no: cheap[0], qty_tonnes: Math.min(QTY, cheap[1]) });
  } else if (!listing) {
    const price_ticks = market.reference;
    command({ type: "list", instrument: INSTRUMENT, side: "sell", price_ticks, qty_tonnes: QTY });
  }
}

function command(message) {
  const client_order_id = `${RUN}-${(count += 1)}`;
  waiting.set(client_order_id, { ...message, client_order_id });
  say(line, waiting.get(client_order_id));
}

// the private stream: every report has the next number, or something is missing

function numbered(handle) {
  return (socket, message) => {
    waiting.delete(message.client_order_id);
    if (message.repeated) return; // the stream has told it, or will
    if (message.report_seq) {
      if (message.report_seq <= last) return; // heard before
      if (message.report_seq > last + 1) return resume(socket);
      last = message.report_seq;
    }
    handle(message);
  };
}

const resume = (socket) => say(socket, { type: "resume", date: day, after: last });

function upToDate(socket) {
  line = socket;
  for (const message of waiting.values()) say(line, message); // never done twice: the ids are known
}

const onTrade = {
  challenge(socket, { nonce }) {
    const time_us = Date.now() * 1000;
    const signature = createHmac("sha256", SECRET).update(`${nonce}:${time_us}`).digest("hex");
    say(socket, { type: "login", key_id: KEY, time_us, signature, heartbeat_ms: 5000 });
  },
  welcome: (socket) => (last === undefined ? say(socket, { type: "snapshot" }) : resume(socket)),
  stream_resumed(socket, message) {
    console.log(`resumed after report ${message.after}`);
    if (message.complete) upToDate(socket);
    else say(socket, { type: "snapshot" });
  },
  account(socket, message) {
    if (day !== message.date) waiting.clear(); // ids belong to a day
    [day, last, listing] = [message.date, message.report_seq, message.orders[0]?.order_no];
    console.log(`day ${day}, ${message.orders.length} open orders`);
    upToDate(socket);
  },
  phase_changed: (socket, { date }) => date !== day && say(socket, { type: "snapshot" }),
  heartbeat(socket, { report_seq }) {
    say(socket, { type: "ping" });
    if (report_seq > last) resume(socket);
  },
  accepted: numbered((report) => {
    if (report.leaves_qty === 0) return; // a take: its fill follows
    listing = report.order_no;
    console.log(`listed ${report.leaves_qty} t at ${report.price_ticks / 100} as ${listing}`);
  }),
  filled: numbered((report) => {
    const verb = report.side === "buy" ? "bought" : "sold";
    console.log(`${verb} ${report.qty_tonnes} t at ${report.price_ticks / 100}`);
    if (report.order_no === listing && report.leaves_qty === 0) listing = undefined;
  }),
  cancelled: numbered((report) => {
    if (report.order_no === listing) listing = undefined;
    console.log(`cancelled ${report.order_no}: ${report.reason}`);
  }),
  refused: numbered((report) => {
    console.log(`refused ${report.code}: ${report.reason}`);
    quietUntil = Date.now() + (report.retry_ms ?? 1000);
  }),
  mass_cancelled: numbered(() => say(line, { type: "logout" })),
  error(_, { code, reason }) {
    console.log(`error ${code}: ${reason}`);
    if (code === "bad_credentials" || code === "resume_ahead") process.exit(1); // ask a person
  },
  bye(_, { code, reason }) {
    console.log(`bye ${code}: ${reason}`);
    if (code === "logout") process.exit(0);
  },
  pong() {},
  other: numbered(() => {}), // whatever else the account is told
};

connect("/ws/md", onMarket);
connect("/ws/trade", onTrade, () => {
  line = undefined;
  if (stopping) process.exit(1); // the venue cancels by itself: cancel_on_disconnect
});
setInterval(act, 100);
process.on("SIGINT", () => {
  stopping = true;
  if (line) command({ type: "cancel_all" });
  else process.exit(1);
});
