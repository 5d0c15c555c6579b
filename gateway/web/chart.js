// Candles and volume; own resting orders as lines.

import { INTERVALS } from "./bars.js";
import { byId, make, once } from "./dom.js";
import { chartSeconds } from "./format.js";
import { isListed } from "./ladder.js";
import {
  CandlestickSeries,
  HistogramSeries,
  createChart,
} from "./vendor/lightweight-charts-5.2.1.js";

export class Chart {
  constructor(app) {
    this.app = app;
    this.interval = "1m";
    this.lines = [];
    this.chart = createChart(byId("chart"), {
      autoSize: true,
      layout: { attributionLogo: false, background: { color: "transparent" }, fontSize: 11 },
      rightPriceScale: { scaleMargins: { top: 0.08, bottom: 0.24 } },
      timeScale: { timeVisible: true, secondsVisible: false, rightOffset: 4, barSpacing: 8 },
      localization: { priceFormatter: (value) => value.toFixed(2) },
    });
    this.candles = this.chart.addSeries(CandlestickSeries, {
      priceFormat: { type: "price", precision: 2, minMove: 0.01 },
    });
    this.volume = this.chart.addSeries(HistogramSeries, {
      priceScaleId: "volume",
      priceFormat: { type: "volume" },
      lastValueVisible: false,
      priceLineVisible: false,
    });
    this.chart.priceScale("volume").applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });
    this.#intervals();
    this.paint();
    const draw = once(() => this.draw());
    this.ask = draw;
    app.market.on("bars", (code) => code === app.code && draw());
    app.on("code", () => {
      this.shown = 0;
      draw();
    });
    app.on("colours", () => {
      this.paint();
      draw();
    });
    const mark = once(() => this.#own());
    app.trading.on("orders", mark).on("state", mark);
    app.on("code", mark);
  }

  /** Take the colours of the page. */
  paint() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    this.up = colour("--up");
    this.down = colour("--down");
    const grid = colour("--line-soft");
    this.chart.applyOptions({
      layout: { textColor: colour("--quiet"), fontFamily: style.fontFamily },
      grid: { vertLines: { color: grid }, horzLines: { color: grid } },
      rightPriceScale: { borderColor: grid },
      timeScale: { borderColor: grid },
    });
    const { up, down } = this;
    this.candles.applyOptions({
      upColor: up,
      downColor: down,
      wickUpColor: up,
      wickDownColor: down,
      borderVisible: false,
    });
    this.#own();
  }

  #intervals() {
    const box = byId("intervals");
    box.replaceChildren(
      ...INTERVALS.map((each) =>
        make("button", {
          type: "button",
          text: each,
          class: each === this.interval ? "chosen" : "",
          on: {
            click: (event) => {
              this.interval = each;
              for (const button of box.children)
                button.classList.toggle("chosen", button === event.currentTarget);
              this.shown = 0;
              this.draw();
            },
          },
        }),
      ),
    );
  }

  draw() {
    const { code, market } = this.app;
    market.bars.load(code, this.interval, market.nowUs(), this.ask);
    const bars = market.bars.list(code, this.interval);
    const candle = (each) => ({
      time: chartSeconds(each.startUs),
      open: each.open / 100,
      high: each.high / 100,
      low: each.low / 100,
      close: each.close / 100,
    });
    const column = (each) => ({
      time: chartSeconds(each.startUs),
      value: each.qty,
      color: `${each.close >= each.open ? this.up : this.down}66`,
    });
    this.candles.setData(bars.map(candle));
    this.volume.setData(bars.map(column));
    if (!this.shown && bars.length) this.chart.timeScale().scrollToRealTime();
    this.shown = bars.length;
  }

  /** Own orders as lines at their prices. */
  #own() {
    for (const line of this.lines) this.candles.removePriceLine(line);
    this.lines = [];
    if (!this.app.trading.loggedIn) return;
    for (const order of this.app.trading.openOrders(this.app.code).filter(isListed).slice(0, 20)) {
      const options = {
        price: order.price_ticks / 100,
        color: order.side === "buy" ? this.up : this.down,
        lineWidth: 1,
        lineStyle: 2,
        axisLabelVisible: false,
        title: `${order.side} ${order.leaves_qty}`,
      };
      this.lines.push(this.candles.createPriceLine(options));
    }
  }
}
