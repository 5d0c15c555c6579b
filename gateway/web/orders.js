// Tabs about what is mine: open orders, all orders of the day, fills.

import { cells, fill, make, rows, say, table } from "./dom.js";
import { clock, price, tonnes, yuan } from "./format.js";

const STATUS = {
  open: "open 已申报",
  part_filled: "part filled 部分成交",
  filled: "filled 已成交",
  cancelled: "cancelled 已撤单",
  lapsed: "lapsed 系统撤单",
};
const KIND = {
  list: "list 挂牌",
  add: "limit 限价",
  take: "take 摘牌",
  bulk_offer: "bulk 大宗",
  bid: "bid 竞价",
  apply_session: "session 竞价申请",
};
const SIDE = { buy: "buy 买", sell: "sell 卖" };
const number = (text) => ({ text, class: "number" });
const HEADS = [
  "Time 时间",
  "No. 编号",
  "Vintage 品种",
  "Way 方式",
  "Side 方向",
  number("Price 价格"),
  number("Tonnes 数量"),
  number("Open 未成交"),
  "Status 状态",
];
const NAMES = ["quiet", "quiet", "", "", "side", "number", "number", "number", ""];

function orderTexts(order) {
  return [
    clock(order.time_us),
    String(order.order_no),
    order.instrument,
    KIND[order.kind] ?? order.kind,
    SIDE[order.side],
    order.price_ticks ? price(order.price_ticks) : "–",
    tonnes(order.qty_tonnes),
    tonnes(order.leaves_qty),
    STATUS[order.status] ?? order.status,
  ];
}

const newestFirst = (orders) => orders.toSorted((one, other) => other.order_no - one.order_no);
const keyOf = (order) => String(order.order_no);

export class OpenOrders {
  constructor(app) {
    this.trading = app.trading;
    this.title = "Open orders 当前委托";
    this.topics = ["orders", "state"];
    const button = (text, pick) =>
      make("button", {
        type: "button",
        text,
        class: "danger",
        on: { click: () => app.cancelAll(pick()) },
      });
    this.all = button("Cancel all 全部撤单", () => null);
    this.some = button("", () => app.code);
    this.bar = make("div", { class: "bar-tools" }, this.all, this.some);
    this.table = table([...HEADS, ""]);
    this.none = make("p", { class: "empty", text: "No open orders 无当前委托" });
    this.root = make("div", {}, this.bar, this.table, this.none);
    this.app = app;
  }

  get count() {
    return this.trading.openOrders().length;
  }

  draw() {
    const open = newestFirst(this.trading.openOrders());
    this.all.disabled = open.length === 0;
    this.none.hidden = open.length > 0;
    this.table.hidden = open.length === 0;
    say(this.some, `Cancel all of ${this.app.code}`);
    this.some.disabled = this.trading.openOrders(this.app.code).length === 0;
    rows(
      this.table.rows_,
      open,
      keyOf,
      (order) => this.#row(order),
      (row, order) => fill(row, [...orderTexts(order), null]),
    );
  }

  #row(order) {
    const row = cells(10, NAMES);
    row.className = order.side;
    const send = () => this.trading.cancel(this.trading.orders.get(order.order_no) ?? order);
    const cancel = make("button", {
      type: "button",
      class: "cross",
      text: "✕ cancel 撤",
      on: { click: send },
    });
    row.cells_[9].append(cancel);
    return row;
  }
}

export class AllOrders {
  constructor(app) {
    this.trading = app.trading;
    this.title = "Orders today 当日委托";
    this.topics = ["orders", "state"];
    this.root = table(HEADS);
  }

  get count() {
    return this.trading.orders.size;
  }

  draw() {
    const all = newestFirst([...this.trading.orders.values()]).slice(0, 300);
    rows(
      this.root.rows_,
      all,
      keyOf,
      () => cells(9, NAMES),
      (row, order) => {
        row.className = order.side;
        fill(row, orderTexts(order));
      },
    );
  }
}

const FILL_HEADS = [
  "Time 时间",
  "Trade 成交号",
  "Order 委托号",
  "Vintage 品种",
  "Way 方式",
  "Side 方向",
  number("Price 价格"),
  number("Tonnes 数量"),
  number("Amount 金额"),
  number("Fee 手续费"),
  "Role",
];
const FILL_NAMES = [
  "quiet",
  "quiet",
  "quiet",
  "",
  "",
  "side",
  "number",
  "number",
  "number",
  "number",
  "quiet",
];
const WAYS = { listed: "listed 挂牌", bulk: "bulk 大宗", bidding: "bidding 竞价" };

export class Fills {
  constructor(app) {
    this.trading = app.trading;
    this.title = "Fills 成交";
    this.topics = ["fills", "state"];
    this.root = table(FILL_HEADS);
  }

  get count() {
    return this.trading.fills.size;
  }

  draw() {
    const all = [...this.trading.fills.values()]
      .toSorted((one, other) => other.trade_no - one.trade_no)
      .slice(0, 300);
    rows(
      this.root.rows_,
      all,
      (each) => `${each.trade_no} ${each.side}`,
      () => cells(11, FILL_NAMES),
      (row, each) => {
        row.className = `${each.side} ${each.void ? "void" : ""}`;
        fill(row, [
          ...[clock(each.time_us), String(each.trade_no), String(each.order_no), each.instrument],
          ...[
            WAYS[each.modality ?? "listed"] ?? each.modality,
            SIDE[each.side],
            price(each.price_ticks),
            tonnes(each.qty_tonnes),
          ],
          ...[yuan(each.amount_fen), yuan(each.fee_fen), each.taker ? "taker 摘" : "lister 挂"],
        ]);
      },
    );
  }
}
