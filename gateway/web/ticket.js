// The order ticket: list at a price, or take from a level of the other side.

import { byId, make, once, say } from "./dom.js";
import { price, ticksOf, tonnes, tonnesOf, yuan } from "./format.js";

const PRESETS = [100, 500, 1000, 5000, 10000];
const QTY_MAX = 99_999; // a listed declaration stays below 100,000 t (TR-11)
const ANY = "any";
const BEST = "best";
const OTHER = { buy: "sell", sell: "buy" };

export class Ticket {
  constructor(app) {
    this.app = app;
    this.form = byId("ticket");
    this.field = {
      price: byId("ticket-price"),
      qty: byId("ticket-qty"),
      from: byId("ticket-from"),
      problem: byId("ticket-problem"),
      send: byId("ticket-send"),
    };
    this.#presets();
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    const draw = once(() => this.draw());
    this.form.addEventListener("input", () => {
      this.said = "";
      draw();
    });
    for (const button of this.form.querySelectorAll("[data-step]")) {
      button.addEventListener("click", () => this.#step(Number(button.dataset.step)));
    }
    for (const topic of ["depth", "quote", "instruments"]) app.market.on(topic, draw);
    app.market.on("status", draw);
    app.trading.on("account", draw).on("state", draw).on("orders", draw);
    app.on("code", () => {
      this.field.price.value = "";
      draw();
    });
  }

  get way() {
    return this.form.elements.way.value;
  }

  get side() {
    return this.form.elements.side.value;
  }

  choose(name, value) {
    this.form.elements[name].value = value;
    this.said = "";
    this.draw();
  }

  /** A click in the ladder: fill the ticket, and send it at once if the user wants that. */
  fromLadder(way, row) {
    this.form.elements.way.value = way;
    this.form.elements.side.value = way === "take" ? OTHER[row.side] : row.side;
    this.field.price.value = price(row.ticks).replaceAll(",", "");
    this.said = "";
    this.draw();
    if (way === "take") this.field.from.value = ANY;
    if (byId("one-click").checked) this.submit();
    else this.field.qty.focus();
  }

  #presets() {
    const button = (text, pick) => make("button", { type: "button", text, on: { click: pick } });
    const set = (qty) => {
      this.field.qty.value = String(qty);
      this.draw();
    };
    const made = PRESETS.map((qty) => button(tonnes(qty), () => set(qty)));
    byId("presets").append(
      ...made,
      button("max", () => set(this.#most())),
    );
  }

  /** The most that money or allowances, and the rule, let through. */
  #most() {
    const { account } = this.app.trading;
    const ticks = ticksOf(this.field.price.value);
    let most = QTY_MAX;
    if (account && this.side === "sell") {
      const held = account.holdings.find((each) => each.instrument === this.app.code);
      most = Math.min(
        most,
        Math.max(0, (held?.available_tonnes ?? 0) - (held?.guarded_tonnes ?? 0)),
      );
    } else if (account && ticks) {
      most = Math.min(most, Math.floor(account.cash_available_fen / ticks));
    }
    if (this.way === "list" || this.field.from.value === BEST) return most;
    return Math.min(
      most,
      this.#chosen().reduce((sum, each) => sum + each[1], 0),
    );
  }

  #step(by) {
    const ticks = ticksOf(this.field.price.value) ?? this.#quote()?.reference_ticks ?? 0;
    this.field.price.value = price(Math.max(1, ticks + by)).replaceAll(",", "");
    this.draw();
  }

  #quote() {
    return this.app.market.get(this.app.code).quote;
  }

  /** The level of the other side at the typed price. */
  #level() {
    const depth = this.app.market.get(this.app.code).depth;
    const levels = (this.side === "buy" ? depth?.asks : depth?.bids) ?? [];
    const ticks = ticksOf(this.field.price.value);
    return levels.find((each) => each.price_ticks === ticks) ?? null;
  }

  /** Listings of a level that are not one's own. */
  #listings(level) {
    return level.listings.filter(([orderNo]) => !this.app.trading.orders.has(orderNo));
  }

  draw() {
    const taking = this.way === "take";
    const { code } = this.app;
    const quote = this.#quote();
    this.form.classList.toggle("taking", taking);
    say(byId("ticket-instrument"), code);
    if (!this.field.price.value && quote && document.activeElement !== this.field.price)
      this.#suggest(quote);
    if (quote) {
      const [low, high] = [quote.lower_limit_ticks, quote.upper_limit_ticks].map(price);
      say(byId("ticket-limits"), `limits 涨跌停 ${low} – ${high}`);
    }
    if (taking) this.#sources();
    this.#sum();
    const problem = this.#problem();
    say(this.field.problem, this.said || (this.app.trading.loggedIn ? problem : ""));
    const verb = taking ? "Take 摘牌" : "List 挂牌";
    const side = this.side === "buy" ? "buy 买" : "sell 卖";
    const qty = tonnesOf(this.field.qty.value);
    const closed = !this.app.trading.loggedIn;
    say(
      this.field.send,
      closed ? "Log in to trade 请先登录" : `${verb}: ${side} ${qty === null ? "" : tonnes(qty)} t`,
    );
    this.field.send.disabled = closed || problem !== "";
    this.field.send.className = `send ${this.side}`;
  }

  #suggest(quote) {
    const depth = this.app.market.get(this.app.code).depth;
    const other = (this.side === "buy" ? depth?.asks : depth?.bids)?.[0]?.price_ticks;
    const own = (this.side === "buy" ? depth?.bids : depth?.asks)?.[0]?.price_ticks;
    const best = this.way === "take" ? other : own;
    this.field.price.value = price(best ?? (quote.last_ticks || quote.reference_ticks)).replaceAll(
      ",",
      "",
    );
  }

  /** What can be taken: any listing of the level, one of them (TR-63), or best levels first. */
  #sources() {
    const select = this.field.from;
    if (document.activeElement === select) return; // never change a list under the pointer
    const level = this.#level();
    const known = select.value;
    const listings = level ? this.#listings(level) : [];
    const choices = [[ANY, `any 任选, ${tonnes(level?.qty_tonnes ?? 0)} t`]];
    for (const [orderNo, qty] of listings) {
      choices.push([String(orderNo), `no. ${orderNo}, ${tonnes(qty)} t`]);
    }
    choices.push([BEST, "best first 最优"]);
    const text = choices.map((each) => each.join()).join(";");
    if (select.dataset.text !== text) {
      select.dataset.text = text;
      select.replaceChildren(
        ...choices.map(([value, label]) => make("option", { value, text: label })),
      );
      select.value = choices.some(([value]) => value === known) ? known : choices[0][0];
    }
  }

  #sum() {
    const ticks = ticksOf(this.field.price.value);
    const qty = tonnesOf(this.field.qty.value);
    const { account } = this.app.trading;
    const amount = ticks && qty ? `amount 金额 ${yuan(ticks * qty)}` : "";
    const held = account?.holdings.find((each) => each.instrument === this.app.code);
    const have =
      this.side === "buy"
        ? `cash 可用 ${yuan(account?.cash_available_fen ?? 0)}`
        : `holding 可卖 ${tonnes(held?.available_tonnes ?? 0)} t`;
    say(byId("ticket-sum"), [amount, account ? have : ""].filter(Boolean).join("\n"));
  }

  /** Why this cannot be sent, "" if it can; the venue judges the rest. */
  #problem() {
    const ticks = ticksOf(this.field.price.value);
    const qty = tonnesOf(this.field.qty.value);
    const quote = this.#quote();
    if (ticks === null || ticks === 0)
      return "The price is yuan with at most two decimals, e.g. 97.25.";
    if (quote && (ticks < quote.lower_limit_ticks || ticks > quote.upper_limit_ticks))
      return "The price is outside today's limits 超出涨跌停.";
    if (qty === null || qty < 1 || qty > QTY_MAX)
      return `The quantity is 1 to ${tonnes(QTY_MAX)} t 数量超限.`;
    return this.way === "take" && this.field.from.value !== BEST ? this.#tooMuch(qty) : "";
  }

  /** Why so much cannot be taken from the chosen listings, "" if it can. */
  #tooMuch(qty) {
    const most = this.#chosen().reduce((sum, each) => sum + each[1], 0);
    if (most === 0) return "Nothing of others is listed at this price 该价位无可摘挂牌.";
    return qty > most ? `Only ${tonnes(most)} t can be taken here 可摘数量不足.` : "";
  }

  /** Listings [order_no, tonnes] that a take may use, oldest first. */
  #chosen() {
    const level = this.#level();
    const from = this.field.from.value;
    const all = level ? this.#listings(level) : [];
    return from === ANY ? all : all.filter(([orderNo]) => String(orderNo) === from);
  }

  submit() {
    if (!this.app.trading.loggedIn) return;
    const problem = this.#problem();
    if (problem) {
      this.said = problem;
      this.draw();
      return;
    }
    const terms = {
      instrument: this.app.code,
      side: this.side,
      qty_tonnes: tonnesOf(this.field.qty.value),
      price_ticks: ticksOf(this.field.price.value),
    };
    const mode = this.app.market.listed.get(this.app.code)?.mode;
    if (this.way === "list") this.app.trading.send(mode === "price_time" ? "add" : "list", terms);
    else this.#take(terms);
  }

  #take(terms) {
    if (this.field.from.value === BEST) {
      this.app.trading.send("take_best", terms);
      return;
    }
    const legs = [];
    let left = terms.qty_tonnes;
    for (const [orderNo, qty] of this.#chosen()) {
      if (left > 0) legs.push([orderNo, Math.min(left, qty)]);
      left -= qty;
    }
    if (legs.length === 1) {
      this.app.trading.send("take", { order_no: legs[0][0], qty_tonnes: legs[0][1] });
    } else {
      this.app.trading.send("take", { legs });
    }
  }
}
