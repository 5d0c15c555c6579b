// The tape: the newest trade first, coloured by the taker's side; no names (TR-68).

import { byId, cells, fill, once, rows } from "./dom.js";
import { clock, price, tonnes } from "./format.js";

const SHOWN_MAX = 120;
const MODALITIES = { 10: "", 20: "bulk", 21: "bid" };
const NAMED = { 20: "bulk 大宗", 21: "bidding 竞价" };
const NAMES = ["quiet", "number", "number", "quiet"];

export class Tape {
  constructor(app) {
    this.app = app;
    this.body = byId("tape").tBodies[0];
    const draw = once(() => this.draw());
    app.market.on("trades", (code) => code === app.code && draw());
    app.on("code", draw);
    byId("tape-min").addEventListener("input", draw);
  }

  draw() {
    const least = Number(byId("tape-min").value) || 0;
    const trades = this.app.market
      .get(this.app.code)
      .trades.filter((each) => each.qty_tonnes >= least);
    const create = () => cells(4, NAMES);
    rows(
      this.body,
      trades.slice(0, SHOWN_MAX),
      (each) => `${each.instrument} ${each.trade_no}`,
      create,
      (row, each) => {
        row.className = `${each.side} ${each.void ? "void" : ""}`;
        row.title = [
          each.side === "buy" ? "taken by a buyer 主动买" : "taken by a seller 主动卖",
          ...(MODALITIES[each.modality] ? [NAMED[each.modality]] : []),
          ...(each.void ? ["voided 已撤销"] : []),
        ].join(", ");
        const mark = MODALITIES[each.modality] || (each.side === "buy" ? "B" : "S");
        fill(row, [clock(each.time_us), price(each.price_ticks), tonnes(each.qty_tonnes), mark]);
      },
    );
  }
}
