// Tabs about the two other ways of trading: bulk agreement (TR-70…76) and bidding (TR-80…95).

import { cells, fill, make, rows, say, table } from "./dom.js";
import { minute, price, priceOrDash, ticksOf, tonnes, tonnesOf, wan } from "./format.js";

const SIDE = { buy: "buy 买", sell: "sell 卖" };
const number = (text) => ({ text, class: "number" });
const BULK_MIN = 100_000; // TR-12

/** A small form in one line; `send` gets the texts of its fields by name. */
function lineForm(fields, label, send) {
  const form = make(
    "form",
    { class: "line-form", autocomplete: "off" },
    ...fields,
    make("button", { text: label, type: "submit" }),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(Object.fromEntries(new FormData(form)), form);
  });
  return form;
}

const input = (name, placeholder, size) =>
  make("input", { name, placeholder, size: String(size), "aria-label": placeholder });
const button = (text, pick, name = "") =>
  make("button", { type: "button", text, class: name, on: { click: pick } });

/** Typed terms as the venue wants them, null (and a word to the user) where they are none. */
function terms(app, typed) {
  const price_ticks = ticksOf(typed.price);
  const qty_tonnes = tonnesOf(typed.qty);
  if (price_ticks === null || qty_tonnes === null) {
    app.toast("bad", "Not sent", "A price like 97.25 and whole tonnes are needed.");
    return null;
  }
  return { price_ticks, qty_tonnes };
}

export class BulkBoard {
  constructor(app) {
    this.app = app;
    this.title = "Bulk 大宗协议";
    this.topics = ["offers", "negotiations", "orders", "state"];
    const side = make(
      "select",
      { name: "side", "aria-label": "Side" },
      make("option", { value: "sell", text: "sell 卖" }),
      make("option", { value: "buy", text: "buy 买" }),
    );
    const fields = [
      side,
      input("price", "price 价格", 8),
      input("qty", `tonnes ≥ ${tonnes(BULK_MIN)}`, 14),
      input("counterparty", "to account (all) 对手", 16),
    ];
    this.form = lineForm(fields, "Offer 发起", (typed) => this.#offer(typed));
    this.table = table(["No. 编号", "Side 方向", number("Price 价格"), number("Tonnes 数量"), ""]);
    this.talks = table([
      "Offer",
      "With 对手",
      "Side 方向",
      number("Price 价格"),
      number("Tonnes 数量"),
      "State 状态",
      "",
    ]);
    this.talksHead = make("h3", { text: "Your negotiations 我的协商" });
    this.none = make("p", { class: "empty", text: "No public offers 暂无公开报价" });
    this.root = make("div", {}, this.form, this.table, this.none, this.talksHead, this.talks);
  }

  get count() {
    return this.app.market.get(this.app.code).offers.size;
  }

  #offer(typed) {
    const found = terms(this.app, typed);
    if (!found) return;
    const to = typed.counterparty.trim();
    const counterparty = to === "" ? {} : { counterparty: Number(to) };
    if (to !== "" && !/^\d{1,9}$/.test(to)) {
      this.app.toast("bad", "Not sent", "The other account is a number.");
      return;
    }
    this.app.trading.send("bulk_offer", {
      instrument: this.app.code,
      side: typed.side,
      ...found,
      ...counterparty,
    });
  }

  draw() {
    const { trading, market, code } = this.app;
    this.form.hidden = !trading.loggedIn;
    const offers = [...market.get(code).offers.values()];
    this.none.hidden = offers.length > 0;
    rows(
      this.table.rows_,
      offers,
      (each) => `${code} ${each.order_no}`,
      (each) => this.#row(each),
      (row, each) => {
        row.offer = each;
        const mine = trading.orders.has(each.order_no);
        fill(row, [
          String(each.order_no),
          SIDE[each.side],
          price(each.price_ticks),
          tonnes(each.qty_tonnes),
        ]);
        say(row.act, mine ? "✕ withdraw 撤" : "accept 接受");
        row.act.className = mine ? "cross" : "";
        row.act.hidden = !trading.loggedIn;
      },
    );
    this.talksHead.hidden = this.talks.hidden = trading.negotiations.length === 0;
    const key = (each) => `${each.order_no} ${each.counterparty}`;
    rows(
      this.talks.rows_,
      trading.negotiations,
      key,
      () => cells(7, ["quiet", "", "side", "number", "number", "", ""]),
      (row, each) => this.#talk(row, each),
    );
  }

  #row(offer) {
    const row = cells(5, ["quiet", "side", "number", "number", ""]);
    row.className = offer.side;
    row.act = button("", () => {
      const { order_no, price_ticks, qty_tonnes } = row.offer;
      const { trading } = this.app;
      if (trading.orders.has(order_no)) trading.send("bulk_withdraw", { order_no });
      else trading.send("bulk_accept", { order_no, price_ticks, qty_tonnes });
    });
    row.cells_[4].append(row.act);
    return row;
  }

  #talk(row, talk) {
    row.className = talk.side;
    const state = `${talk.status}${talk.your_terms ? ", your terms" : ""}`;
    fill(row, [
      String(talk.order_no),
      `account ${talk.counterparty}`,
      SIDE[talk.side],
      price(talk.price_ticks),
      tonnes(talk.qty_tonnes),
      state,
    ]);
    const key = `${talk.status} ${talk.your_terms} ${talk.price_ticks} ${talk.qty_tonnes}`;
    if (row.dataset.key === key) return;
    row.dataset.key = key;
    const { order_no, price_ticks, qty_tonnes, counterparty } = talk;
    const whom = talk.initiator ? { counterparty } : {};
    const { trading } = this.app;
    const acts = [];
    if (talk.status === "agreed" && talk.your_terms)
      acts.push(button("confirm 确认", () => trading.send("bulk_confirm", { order_no, ...whom })));
    if (talk.status !== "agreed" && !talk.your_terms)
      acts.push(
        button("accept 接受", () =>
          trading.send("bulk_accept", { order_no, price_ticks, qty_tonnes, ...whom }),
        ),
      );
    acts.push(
      button("decline 拒绝", () => trading.send("bulk_decline", { order_no, ...whom }), "cross"),
    );
    row.cells_[6].replaceChildren(...acts);
  }
}

const SESSION_STATUS = {
  noticed: "noticed 已公告",
  open: "open 竞价中",
  closed: "closed 已成交",
  failed: "failed 流拍",
  rejected: "rejected 已终止",
};
const PRICING = { uniform: "uniform 统一价", pay_as_bid: "pay as bid 各自报价" };

export class Sessions {
  constructor(app) {
    this.app = app;
    this.title = "Bidding 单向竞价";
    this.topics = ["sessions", "state"];
    const heads = [
      "No.",
      "Vintage 品种",
      "Applicant 申请方",
      "Pricing 成交方式",
      number("Limit 底价"),
      number("Tonnes 数量"),
      "Window 时段",
      "State 状态",
      "Result 结果",
      "",
    ];
    this.table = table(heads);
    this.none = make("p", {
      class: "empty",
      text: "No bidding session has been published today 今日暂无竞价公告",
    });
    this.root = make("div", {}, this.table, this.none);
  }

  get all() {
    return [...this.app.market.instruments.values()].flatMap((each) => [...each.sessions.values()]);
  }

  get count() {
    return this.all.length;
  }

  draw() {
    const all = this.all.toSorted((one, other) => one.from_minute - other.from_minute);
    this.none.hidden = all.length > 0;
    rows(
      this.table.rows_,
      all,
      (each) => String(each.session_no),
      (each) => this.#row(each),
      (row, each) => {
        const result =
          each.status === "closed"
            ? [
                `${tonnes(each.dealt_qty_tonnes ?? 0)} t at ${priceOrDash(each.clearing_ticks)}`,
                wan(each.turnover_fen ?? 0),
                `unsold ${tonnes(each.unsold_qty_tonnes ?? 0)} t`,
              ].join(", ")
            : "";
        fill(row, [
          ...[
            String(each.session_no),
            each.instrument,
            SIDE[each.side],
            PRICING[each.pricing] ?? each.pricing,
          ],
          ...[
            price(each.limit_ticks),
            tonnes(each.qty_tonnes),
            `${minute(each.from_minute)}–${minute(each.until_minute)}`,
          ],
          ...[SESSION_STATUS[each.status] ?? each.status, result],
        ]);
        row.form.hidden = each.status !== "open" || !this.app.trading.loggedIn;
      },
    );
  }

  #row(session) {
    const row = cells(10, ["quiet", "", "side", "", "number", "number", "", "", "quiet", ""]);
    row.className = session.side;
    row.form = lineForm(
      [input("price", "price", 7), input("qty", "tonnes", 8)],
      "Bid 出价",
      (typed) => {
        const found = terms(this.app, typed);
        if (found) this.app.trading.send("bid", { session_no: session.session_no, ...found });
      },
    );
    row.cells_[9].append(row.form);
    return row;
  }
}
