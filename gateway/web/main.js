// The page: two models (what the public sees, what is mine) and the panels that show them.

import { AccountPanel } from "./account.js";
import { BulkBoard, Sessions } from "./boards.js";
import { Bulletins } from "./bulletins.js";
import { Chart } from "./chart.js";
import { Signal, byId, make, once, say } from "./dom.js";
import { clock, price, tonnes } from "./format.js";
import { Header } from "./header.js";
import { Ladder } from "./ladder.js";
import { Link, Log, Toasts } from "./link.js";
import { Login } from "./login.js";
import { Market } from "./market.js";
import { AllOrders, Fills, OpenOrders } from "./orders.js";
import { Tape } from "./tape.js";
import { Ticket } from "./ticket.js";
import { Trading } from "./trading.js";

const COLOURS = "tanshi.colours";
const MARKET_TOPICS = new Set(["offers", "sessions", "notices", "link"]);

class App extends Signal {
  constructor() {
    super();
    this.base = location.pathname.replace(/\/+$/, "");
    this.code = "";
    this.market = new Market(this.base);
    this.trading = new Trading(this.base);
    this.toasts = new Toasts(byId("toasts"));
    this.log = new Log();
    this.ticket = new Ticket(this);
    this.ladder = new Ladder(this);
    this.chart = new Chart(this);
    this.tape = new Tape(this);
    this.header = new Header(this);
    this.account = new AccountPanel(this);
    this.login = new Login(this);
    this.#tabs();
    this.#listen();
    this.#hear();
  }

  start() {
    this.market.start();
    this.login.start();
  }

  choose(code) {
    this.code = code;
    this.emit("code", code);
    this.refresh();
  }

  toast(kind, head, text) {
    this.toasts.show(kind, head, text);
    this.note(kind, head, text);
  }

  /** Keep a word for the list of messages, without showing it on top of everything. */
  note(kind, head, text) {
    this.log.add(kind, head, text, clock(this.market.nowUs()));
    this.emit("log");
  }

  cancelAll(code = null) {
    if (this.trading.openOrders(code).length) this.trading.cancelAll(code);
  }

  #tabs() {
    this.panels = [
      new OpenOrders(this),
      new Fills(this),
      new AllOrders(this),
      new BulkBoard(this),
      new Sessions(this),
      new Bulletins(this),
      this.log,
      new Link(this),
    ];
    this.shown = this.panels[0];
    this.refresh = once(() => this.#drawTabs());
    for (const panel of this.panels) {
      panel.button = make("button", {
        type: "button",
        role: "tab",
        on: { click: () => this.#show(panel) },
      });
      byId("tabs").append(panel.button);
      for (const topic of panel.topics) {
        this.trading.on(topic, this.refresh);
        if (MARKET_TOPICS.has(topic)) this.market.on(topic, this.refresh);
        this.on(topic, this.refresh);
      }
    }
    this.market.on("new_day", this.refresh);
    this.#show(this.shown);
  }

  #show(panel) {
    this.shown = panel;
    byId("tab-body").replaceChildren(panel.root);
    this.#drawTabs();
  }

  #drawTabs() {
    for (const panel of this.panels) {
      const { count } = panel;
      say(panel.button, count ? `${panel.title} ${count}` : panel.title);
      panel.button.setAttribute("aria-selected", String(panel === this.shown));
    }
    this.shown.draw();
  }

  #listen() {
    this.market.on("instruments", () => {
      if (this.code || this.market.listed.size === 0) return;
      this.choose([...this.market.listed.keys()].at(-1));
    });
    this.trading.on("report", ({ message, sent }) => this.#report(message, sent));
    this.trading.on("trouble", (text) => this.toast("bad", "Not shown", text));
    this.trading.on("lost_track", ({ sent, status }) => {
      const what =
        status.outcome === "unknown"
          ? "never arrived 未送达"
          : `${status.outcome} ${status.reason ?? ""}`;
      const good = status.outcome === "accepted" || status.outcome === "pending";
      this.toast(good ? "good" : "bad", `${sent.type} before the line was lost`, what);
    });
  }

  /** Say what a report means; small print goes to the list of messages only. */
  #report(message, sent) {
    const {
      type,
      instrument = "",
      side = "",
      qty_tonnes: qty = 0,
      price_ticks: ticks = 0,
    } = message;
    const terms = `${side} ${tonnes(qty)} t ${instrument} at ${price(ticks)}`;
    if (type === "refused" || type === "error") {
      const clauses = message.clauses ? ` (${message.clauses})` : "";
      this.toast("bad", `Refused 拒绝: ${message.code}`, `${message.reason}${clauses}`);
    } else if (type === "filled") {
      this.toast("good", "Filled 成交", terms);
    } else if (type === "accepted") {
      if (sent) this.note("plain", `${sent.type} accepted`, `no. ${message.order_no}: ${terms}`);
    } else if (type === "cancelled" || type === "lapsed") {
      this.toast(
        "plain",
        type === "cancelled" ? "Cancelled 已撤单" : "Lapsed 已失效",
        `${terms}: ${message.reason}`,
      );
    } else if (type !== "bye" && type !== "heartbeat") {
      const plain = Object.entries(message).filter(([key, value]) => value && !QUIET.has(key));
      const words = ticks ? terms : plain.map(([key, value]) => `${key} ${value}`).join(", ");
      this.note("plain", type.replaceAll("_", " "), words);
    }
  }

  #hear() {
    byId("colours").addEventListener("click", () => {
      const western = document.documentElement.classList.toggle("green-up");
      localStorage.setItem(COLOURS, western ? "green-up" : "");
      this.emit("colours");
    });
    document.documentElement.classList.toggle(
      "green-up",
      localStorage.getItem(COLOURS) === "green-up",
    );
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
      this.emit("colours"),
    );
    this.chart.paint();
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  #key(event) {
    const typing = event.target.closest("input:not([type=radio]), select, textarea, dialog");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = KEYS[event.key];
    if (act) {
      event.preventDefault();
      act(this);
    }
  }
}

const QUIET = new Set(["type", "report_seq", "seq", "time_us", "client_order_id", "code"]);
const KEYS = {
  b: (app) => app.ticket.choose("side", "buy"),
  s: (app) => app.ticket.choose("side", "sell"),
  l: (app) => app.ticket.choose("way", "list"),
  t: (app) => app.ticket.choose("way", "take"),
  X: (app) => app.cancelAll(),
};

new App().start();
