// Money and allowances: what can be used, what is frozen, what was bought today (T+1).

import { byId, cells, fill, make, once, rows, say, table } from "./dom.js";
import { tonnes, yuan } from "./format.js";

const CASH = [
  ["Available 可用", "cash_available_fen"],
  ["Frozen 冻结", "cash_frozen_fen"],
  ["Proceeds today 今日卖出", "proceeds_today_fen"],
  ["Withdrawable 可取", "withdrawable_fen"],
];
const HEADS = [
  { text: "Vintage 品种" },
  { text: "Available 可用", class: "number" },
  { text: "Frozen 冻结", class: "number" },
  {
    text: "Today 今买",
    class: "number",
    title: "Bought today: sellable from the next trading day on (T+1)",
  },
  { text: "Registry 登记", class: "number", title: "On the registry's side" },
];
const NAMES = ["", "number", "number", "number", "number quiet"];

export class AccountPanel {
  constructor(app) {
    this.trading = app.trading;
    this.cash = make(
      "dl",
      { class: "facts" },
      ...CASH.map(([name]) => make("div", {}, make("dt", { text: name }), make("dd"))),
    );
    this.table = table(HEADS);
    this.empty = make("p", {
      class: "empty",
      text: "Log in to see money and holdings. 登录后可见",
    });
    byId("account").append(this.empty, this.cash, this.table);
    const draw = once(() => this.draw());
    app.trading.on("account", draw).on("state", draw);
    draw();
  }

  draw() {
    const { account } = this.trading;
    for (const part of [this.cash, this.table]) part.hidden = !account;
    this.empty.hidden = Boolean(account);
    const blocks = account?.blocks.length ? `blocked 限制: ${account.blocks.join(", ")}` : "";
    say(byId("account-note"), blocks);
    if (!account) return;
    CASH.forEach(([, field], at) => say(this.cash.children[at].children[1], yuan(account[field])));
    const registry = new Map(
      (account.registry?.holdings ?? []).map((each) => [each.instrument, each.available_tonnes]),
    );
    rows(
      this.table.rows_,
      account.holdings,
      (each) => each.instrument,
      () => cells(5, NAMES),
      (row, each) => {
        const other = registry.get(each.instrument);
        const counts = [each.available_tonnes, each.frozen_tonnes, each.bought_today_tonnes].map(
          tonnes,
        );
        fill(row, [each.instrument, ...counts, other === undefined ? "–" : tonnes(other)]);
      },
    );
  }
}
