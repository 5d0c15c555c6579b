// The line on top: instruments, composite, phase and clock, links; and what is wrong, if anything.

import { byId, make, once, rows, say } from "./dom.js";
import { PHASES, clock, day, direction, percent, priceOrDash } from "./format.js";
import { tripText } from "./link.js";

const TRADING_PHASES = new Set(["morning", "afternoon"]);

export class Header {
  constructor(app) {
    this.app = app;
    const { market, trading } = app;
    const names = once(() => this.#instruments());
    for (const topic of ["instruments", "quote"]) market.on(topic, names);
    app.on("code", names);
    const state = once(() => this.#state());
    for (const topic of ["status", "composite", "link", "quote"]) market.on(topic, state);
    trading.on("state", state).on("link", state);
    this.dots = ["Data 行情", "Orders 交易"].map((name) => {
      const found = { dot: make("i", { class: "dot" }), text: make("span"), name };
      byId("links").append(make("span", { class: "link" }, found.dot, found.text));
      return found;
    });
    setInterval(() => this.#tick(), 250);
    setInterval(state, 1000);
    say(byId("market-name"), app.base ? app.base.slice(1).toUpperCase() : "CEA");
  }

  #instruments() {
    const { market, code } = this.app;
    const all = [...market.listed.values()].toReversed();
    rows(
      byId("instruments"),
      all,
      (each) => each.code,
      (each) => this.#tab(each.code),
      (tab, each) => {
        const quote = market.get(each.code).quote;
        tab.classList.toggle("chosen", each.code === code);
        tab.setAttribute("aria-pressed", String(each.code === code));
        const [name, last, change] = tab.children;
        say(name, each.code);
        say(last, priceOrDash(quote?.last_ticks || quote?.reference_ticks || each.reference_ticks));
        say(change, quote?.last_ticks ? percent(quote.change_bp) : "");
        last.className = change.className = direction(quote?.last_ticks ? quote.change_ticks : 0);
      },
    );
  }

  #tab(code) {
    const pick = () => this.app.choose(code);
    return make(
      "button",
      { type: "button", on: { click: pick } },
      make("b"),
      make("span"),
      make("span"),
    );
  }

  #tick() {
    const { market } = this.app;
    const nowUs = market.nowUs();
    say(byId("clock"), nowUs ? `${day(market.status?.date)} ${clock(nowUs)}` : "");
  }

  #state() {
    const { market, trading } = this.app;
    const [english, chinese] = PHASES[market.status?.phase] ?? ["", ""];
    const halted = market.status?.halted;
    say(byId("phase"), halted ? "halted 停市" : `${english} ${chinese}`);
    byId("phase").classList.toggle("live", !halted && TRADING_PHASES.has(market.status?.phase));
    this.#composite(market.composite);
    for (const [found, line] of [
      [this.dots[0], market.line],
      [this.dots[1], trading.line],
    ]) {
      const state = line?.state ?? "stopped";
      found.dot.className = `dot ${state}`;
      say(found.text, `${found.name} ${state === "open" ? tripText(line) : state}`);
      const { seq = 0, gaps = 0 } = line?.figures ?? {};
      found.text.parentElement.title = `last seq ${seq}, gaps ${gaps}`;
    }
    const inside = trading.signer !== null;
    byId("log-in").hidden = inside;
    byId("log-out").hidden = !inside;
    const account = trading.welcome?.account ?? trading.account?.account;
    const named = account === undefined || account < 0 ? "" : ` · account 账户 ${account}`;
    say(byId("who"), inside ? `${trading.signer.keyId}${named}` : "");
    this.#trouble(market.line, trading.line);
  }

  #composite(found) {
    const box = byId("composite");
    const ticks = found?.latest_ticks || found?.close_ticks || found?.prev_close_ticks;
    box.className = `fact ${direction(found?.change_ticks ?? 0)}`;
    say(box, ticks ? `Composite 综合 ${priceOrDash(ticks)} ${percent(found.change_bp)}` : "");
  }

  #trouble(...lines) {
    const waiting = lines.find(
      (line) =>
        line &&
        (line.state === "waiting" || (line.state === "connecting" && line.figures.lastWord)),
    );
    const box = byId("trouble");
    box.hidden = !waiting;
    if (!waiting) return;
    const seconds = Math.max(0, Math.ceil((waiting.retryAt - performance.now()) / 1000));
    const when =
      waiting.state === "waiting" && seconds ? `trying again in ${seconds} s` : "trying again";
    say(
      box,
      `The line to the venue is lost (${waiting.figures.lastWord}); ${when}. 连接中断，正在重连`,
    );
  }
}
