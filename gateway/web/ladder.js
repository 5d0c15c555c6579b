// Five levels of each side (TR-61, TR-140): sizes, their sum from the best level on, own orders.

import { byId, make, once, say } from "./dom.js";
import { direction, percent, price, priceOrDash, signed, tonnes, wan } from "./format.js";

const LEVELS = 5;
const NUMERALS = ["一", "二", "三", "四", "五"];

/** One row of the ladder; made once, so that a click always meets the row it saw. */
function makeRow(side, at, act) {
  const parts = {
    bar: make("div", { class: "bar" }),
    name: make("span", {
      class: "name",
      text: `${side === "sell" ? "Ask" : "Bid"} ${at + 1}`,
      title: `${side === "sell" ? "卖" : "买"}${NUMERALS[at]}`,
    }),
    price: make("button", { type: "button", class: "price", title: "List at this price 挂牌" }),
    qty: make("span", { class: "number" }),
    sum: make("span", { class: "number quiet" }),
    mine: make("span", { class: "mine" }),
    take: make("button", {
      type: "button",
      class: "take",
      text: "take 摘",
      title: "Take from this level 摘牌",
    }),
  };
  const own = make("b");
  const cross = make("button", {
    type: "button",
    class: "cross",
    text: "✕",
    title: "Cancel own orders of this level 撤单",
  });
  parts.mine.append(own, cross);
  const row = make(
    "div",
    { class: `level ${side}`, data: { side, level: String(at + 1) } },
    ...Object.values(parts),
  );
  const found = { ...parts, own, cross, row, side, at, ticks: 0 };
  parts.price.addEventListener("click", () => found.ticks && act.list(found));
  parts.take.addEventListener("click", () => found.ticks && act.take(found));
  cross.addEventListener("click", () => act.cancel(found));
  return found;
}

export class Ladder {
  constructor(app) {
    this.app = app;
    const act = {
      list: (row) => app.ticket.fromLadder("list", row),
      take: (row) => app.ticket.fromLadder("take", row),
      cancel: (row) => app.trading.cancelMany(this.#own(row.side, row.ticks)),
    };
    const make_ = (side) => Array.from({ length: LEVELS }, (_, at) => makeRow(side, at, act));
    this.rows = { sell: make_("sell"), buy: make_("buy") };
    this.middle = make(
      "div",
      { class: "middle" },
      make("b", { class: "last" }),
      make("span"),
      make("span", { class: "quiet" }),
    );
    const head = make(
      "div",
      { class: "level head" },
      ...["", "Price 价", "t 量", "Sum 累计", "Mine 我", ""].map((text) => make("span", { text })),
    );
    byId("ladder").append(
      head,
      ...this.rows.sell.toReversed().map((each) => each.row),
      this.middle,
      ...this.rows.buy.map((each) => each.row),
    );
    const draw = once(() => this.draw());
    for (const topic of ["depth", "quote"])
      app.market.on(topic, (code) => code === app.code && draw());
    app.market.on("instruments", draw);
    app.market.on("status", draw);
    app.trading.on("orders", draw).on("state", draw);
    app.on("code", draw);
  }

  #own(side, ticks) {
    return this.app.trading
      .openOrders(this.app.code)
      .filter((each) => each.side === side && each.price_ticks === ticks && isListed(each));
  }

  draw() {
    const found = this.app.market.get(this.app.code);
    const asks = found.depth?.asks ?? [];
    const bids = found.depth?.bids ?? [];
    const total = (levels) => levels.reduce((sum, each) => sum + each.qty_tonnes, 0);
    const most = Math.max(1, total(asks), total(bids));
    this.#side(this.rows.sell, asks, most, found.quote);
    this.#side(this.rows.buy, bids, most, found.quote);
    this.#middle(found, asks[0], bids[0]);
    this.#quote(found.quote);
    const halted = found.halted || this.app.market.status?.halted;
    say(
      byId("book-note"),
      halted
        ? "halted 停牌"
        : this.app.market.listed.get(this.app.code)?.mode === "price_time"
          ? "price-time"
          : "",
    );
  }

  #side(rows, levels, most, quote) {
    let sum = 0;
    for (const row of rows) {
      const level = levels[row.at];
      row.ticks = level?.price_ticks ?? 0;
      row.listings = level?.listings ?? [];
      sum += level?.qty_tonnes ?? 0;
      row.row.classList.toggle("vacant", !level);
      const change = level && quote ? row.ticks - quote.reference_ticks : 0;
      row.price.className = `price ${direction(change)}`;
      say(row.price, level ? price(row.ticks) : "–");
      say(row.qty, level ? tonnes(level.qty_tonnes) : "");
      row.qty.title = level ? `${level.orders} listings 笔` : "";
      say(row.sum, level ? tonnes(sum) : "");
      row.bar.style.width = level ? `${(100 * sum) / most}%` : "0";
      const own = level
        ? this.#own(row.side, row.ticks).reduce((all, each) => all + each.leaves_qty, 0)
        : 0;
      row.mine.classList.toggle("some", own > 0);
      say(row.own, own ? tonnes(own) : "");
      row.cross.hidden = !own;
      row.take.hidden = !level || (own > 0 && own >= level.qty_tonnes);
    }
  }

  #middle(found, ask, bid) {
    const [last, change, spread] = this.middle.children;
    const quote = found.quote;
    last.className = `last ${direction(quote?.change_ticks ?? 0)}`;
    say(last, quote?.last_ticks ? price(quote.last_ticks) : "no trade 无成交");
    change.className = direction(quote?.change_ticks ?? 0);
    say(
      change,
      quote?.last_ticks ? `${signed(quote.change_ticks)}  ${percent(quote.change_bp)}` : "",
    );
    say(spread, ask && bid ? `spread 价差 ${price(ask.price_ticks - bid.price_ticks)}` : "");
  }

  #quote(quote) {
    const list = byId("quote");
    const facts = quote
      ? [
          ["Open 开", priceOrDash(quote.open_ticks)],
          ["High 高", priceOrDash(quote.high_ticks)],
          ["Low 低", priceOrDash(quote.low_ticks)],
          ["Close 收", priceOrDash(quote.close_ticks)],
          ["Ref 昨收", priceOrDash(quote.reference_ticks)],
          ["Up limit 涨停", priceOrDash(quote.upper_limit_ticks)],
          ["Down limit 跌停", priceOrDash(quote.lower_limit_ticks)],
          ["Trades 笔", tonnes(quote.trades)],
          ["Volume 量", `${tonnes(quote.qty_tonnes)} t`],
          ["Turnover 额", wan(quote.turnover_fen)],
        ]
      : [];
    if (list.children.length !== facts.length) {
      list.replaceChildren(...facts.map(() => make("div", {}, make("dt"), make("dd"))));
    }
    facts.forEach(([name, value], at) => {
      say(list.children[at].children[0], name);
      say(list.children[at].children[1], value);
    });
  }
}

/** Whether an order rests in the listed book. */
export function isListed(order) {
  return order.kind === "list" || order.kind === "add" || order.kind === "";
}
