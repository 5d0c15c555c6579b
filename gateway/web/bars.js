// Candles: the venue's own bars (docs/reference/marketdata.md), by instrument and interval.

const LISTED = 10; // modality of the trades that make prices (TR-142)
const KEPT_MAX = 3000;
export const INTERVALS = ["1m", "5m", "1d"];
const MINUTES = { "1m": 1, "5m": 5 };

export class Bars {
  #series = new Map(); // by instrument and interval: bars by their start

  /** Bars of one instrument in order of their start. */
  list(code, interval) {
    const found = [...this.#of(code, interval).values()];
    return found.sort((one, other) => one.startUs - other.startUs);
  }

  forget() {
    this.#series.clear();
  }

  /** A bar of the venue, over or open. */
  take(message) {
    if (!message.open_ticks) return; // no listed trade, no candle
    const { start_us: startUs, open_ticks: open, high_ticks: high, low_ticks: low } = message;
    const { close_ticks: close, listed_qty_tonnes: qty } = message;
    const bar = { startUs, open, high, low, close, qty };
    this.#put(this.#of(message.instrument, message.interval), bar);
  }

  /** Bars that ended before we came, from the latest trades; the venue's own are never changed. */
  seed(code, trades) {
    for (const [interval, minutes] of Object.entries(MINUTES)) {
      const series = this.#of(code, interval);
      const made = new Map();
      for (const trade of trades) {
        const startUs = Math.floor(trade.time_us / (minutes * 60e6)) * minutes * 60e6;
        if (trade.modality === LISTED && !series.has(startUs)) grow(made, startUs, trade);
      }
      for (const bar of made.values()) this.#put(series, bar);
    }
  }

  #of(code, interval) {
    const key = `${code} ${interval}`;
    if (!this.#series.has(key)) this.#series.set(key, new Map());
    return this.#series.get(key);
  }

  #put(series, bar) {
    series.set(bar.startUs, bar);
    if (series.size > KEPT_MAX) series.delete(series.keys().next().value);
  }
}

function grow(made, startUs, { price_ticks: price, qty_tonnes: qty }) {
  const bar = made.get(startUs) ?? { startUs, open: price, high: price, low: price, qty: 0 };
  bar.high = Math.max(bar.high, price);
  bar.low = Math.min(bar.low, price);
  bar.close = price;
  bar.qty += qty;
  made.set(startUs, bar);
}
