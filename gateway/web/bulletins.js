// Daily bulletins (TR-141, TR-142): the days, and the figures of the one that is chosen.

import { cells, fill, make, rows, say, table } from "./dom.js";
import { day, direction, percent, priceOrDash, tonnes, wan } from "./format.js";

const number = (text) => ({ text, class: "number" });
const HEADS = [
  "Vintage 品种",
  number("Open 开"),
  number("High 高"),
  number("Low 低"),
  number("Close 收"),
  number("Change 涨跌"),
  number("Listed 挂牌 t"),
  number("Bulk 大宗 t"),
  number("Bidding 竞价 t"),
  number("Turnover 额"),
];
const NAMES = ["", ...Array(9).fill("number")];
const DAYS_MAX = 60;

export class Bulletins {
  constructor(app) {
    this.app = app;
    this.title = "Bulletins 公告";
    this.topics = ["notices"];
    this.days = [];
    this.bulletin = null;
    this.choice = make("select", {
      "aria-label": "Day",
      on: { change: () => this.#fetch(Number(this.choice.value)) },
    });
    this.head = make("p", { class: "headline" });
    this.table = table(HEADS);
    this.none = make("p", { class: "empty", text: "No day has closed yet 尚无公告" });
    this.root = make(
      "div",
      {},
      make("div", { class: "bar-tools" }, this.choice, this.head),
      this.table,
      this.none,
    );
    app.market.on("notices", () => this.#days());
    this.#days();
  }

  get count() {
    return this.days.length;
  }

  async #get(path) {
    const answer = await fetch(this.app.base + path);
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  }

  async #days() {
    try {
      const { dates } = await this.#get("/api/bulletins");
      this.days = dates.slice(-DAYS_MAX).reverse();
      this.choice.replaceChildren(
        ...this.days.map((date) => make("option", { value: String(date), text: day(date) })),
      );
      if (this.days.length) await this.#fetch(this.days[0]);
      this.app.refresh();
    } catch {
      this.none.hidden = false; // asked again with the next notice
    }
  }

  async #fetch(date) {
    this.bulletin = await this.#get(`/api/bulletins/${date}`);
    this.draw();
  }

  draw() {
    const found = this.bulletin;
    this.none.hidden = found !== null;
    this.table.hidden = this.choice.hidden = found === null;
    if (!found) return;
    const { composite, total } = found;
    say(
      this.head,
      [
        `Composite 综合价 ${priceOrDash(composite.close_ticks)} (${percent(composite.change_bp)})`,
        `${tonnes(total.day_qty_tonnes)} t`,
        `${wan(total.day_turnover_fen)} yuan`,
        `bidding sessions ${found.bidding_sessions}, failed ${found.bidding_sessions_failed}`,
      ].join(" · "),
    );
    const create = () => cells(10, NAMES);
    rows(
      this.table.rows_,
      found.vintages.toReversed(),
      (each) => each.instrument,
      create,
      (row, each) => {
        const { price: line, listed, bulk, auction } = each;
        const turnover = [listed, bulk, auction].reduce(
          (sum, part) => sum + part.day_turnover_fen,
          0,
        );
        fill(row, [
          each.instrument,
          ...[line.open_ticks, line.high_ticks, line.low_ticks, line.close_ticks].map(priceOrDash),
          percent(line.change_bp),
          ...[listed, bulk, auction].map((part) => tonnes(part.day_qty_tonnes)),
          wan(turnover),
        ]);
        row.cells_[5].className = `number ${direction(line.change_ticks)}`;
      },
    );
  }
}
