// Tabs about the page itself: the state of its two lines, and everything it was told.

import { cells, fill, make, rows, table } from "./dom.js";

const STATE = {
  connecting: "connecting 连接中",
  open: "open 已连接",
  waiting: "lost, comes back 重连中",
  stopped: "off 未连接",
};
const HEADS = [
  "Line 线路",
  "State 状态",
  "Round trip 往返",
  "Last seq 序号",
  "Account report 回报",
  "Gaps 缺口",
  "Merged 合并",
  "Connects 连接",
  "Frames 帧",
  "Encoding 编码",
  "Last word 最后消息",
];
const NONE = { connects: 0, frames: 0, seq: 0, gaps: 0, merged: 0, lastWord: "" };
const LOG_MAX = 300;

export function tripText(line) {
  const trip = line?.figures.tripMs;
  return trip === null || trip === undefined
    ? "–"
    : `${trip < 10 ? trip.toFixed(1) : Math.round(trip)} ms`;
}

export class Link {
  constructor(app) {
    this.app = app;
    this.title = "Link 连接";
    this.topics = ["link", "state"];
    this.table = table(HEADS);
    this.root = this.table;
  }

  get count() {
    return 0;
  }

  draw() {
    const { market, trading } = this.app;
    const lines = [
      { name: "Market data 行情", line: market.line, report: "–" },
      { name: "Order entry 交易", line: trading.line, report: String(trading.reportSeq) },
    ];
    rows(
      this.table.rows_,
      lines,
      (each) => each.name,
      () => cells(11),
      (row, { name, line, report }) => {
        const { connects, frames, seq, gaps, merged, lastWord } = line?.figures ?? NONE;
        const counts = [seq, report, gaps, merged, connects, frames].map(String);
        fill(row, [
          name,
          STATE[line?.state ?? "stopped"],
          tripText(line),
          ...counts,
          line?.encoding ?? "–",
          lastWord,
        ]);
      },
    );
  }
}

export class Log {
  constructor() {
    this.title = "Messages 消息";
    this.topics = ["log"];
    this.entries = [];
    this.table = table(["Time 时间", "", ""]);
    this.root = this.table;
    this.number = 0;
  }

  get count() {
    return this.entries.length;
  }

  add(kind, head, text, time) {
    this.number += 1;
    this.entries.unshift({ number: this.number, kind, head, text, time });
    this.entries.length = Math.min(this.entries.length, LOG_MAX);
  }

  draw() {
    rows(
      this.table.rows_,
      this.entries,
      (each) => each.number,
      () => cells(3, ["quiet", "", "wrap"]),
      (row, each) => {
        row.className = `said ${each.kind}`;
        fill(row, [each.time, each.head, each.text]);
      },
    );
  }
}

/** Short words that go away by themselves. */
export class Toasts {
  constructor(box) {
    this.box = box;
  }

  show(kind, head, text) {
    const toast = make(
      "div",
      { class: `toast ${kind}` },
      make("b", { text: head }),
      make("span", { text }),
    );
    const close = () => toast.remove();
    toast.addEventListener("click", close);
    setTimeout(close, kind === "bad" ? 9000 : 4500);
    this.box.append(toast);
    while (this.box.children.length > 5) this.box.firstElementChild.remove();
  }
}
