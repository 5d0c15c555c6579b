// Candles: the venue's own bars, by instrument and interval. What is over comes from its history
// (GET /v1/bars), what goes on from the feed (channels bar_1m, bar_5m, bar_1d).

const KEPT_MAX = 3000;
const PAGE_MAX = 1000;
const DAY_US = 86_400e6;
export const INTERVALS = ["1m", "5m", "1d"];
const SPAN_US = { "1m": 5 * DAY_US, "5m": 21 * DAY_US, "1d": Infinity }; // of history asked for

export class Bars {
  constructor(base) {
    this.base = base;
  }

  #series = new Map(); // by instrument and interval: bars by their start
  #asked = new Set();

  /** Bars of one instrument in order of their start. */
  list(code, interval) {
    const found = [...this.#of(code, interval).values()];
    return found.sort((one, other) => one.startUs - other.startUs);
  }

  /** Begin again, after a lost line or in another epoch. */
  forget() {
    this.#series.clear();
    this.#asked.clear();
  }

  /** A bar of the feed, over or open. */
  take(message) {
    if (message.open_ticks) {
      this.#of(message.instrument, message.interval).set(message.start_us, barOf(message));
    }
  }

  /** Fetch what was before, once; calls `arrived` where something came. */
  async load(code, interval, nowUs, arrived) {
    const key = `${code} ${interval}`;
    if (this.#asked.has(key) || !nowUs) return;
    this.#asked.add(key);
    const series = this.#of(code, interval);
    try {
      for await (const page of this.#pages(code, interval, nowUs - SPAN_US[interval])) {
        for (const each of page) {
          const known = series.has(each.start_us); // the feed's word is newer
          if (!known && each.open_ticks) series.set(each.start_us, barOf(each));
        }
      }
      arrived();
    } catch {
      this.#asked.delete(key); // asked again with the next bar
    }
  }

  async *#pages(code, interval, sinceUs) {
    let from = Math.max(0, Math.floor(sinceUs));
    for (let count = 0; count < KEPT_MAX; count += PAGE_MAX) {
      const query = new URLSearchParams({ instrument: code, interval, from, limit: PAGE_MAX });
      const answer = await fetch(`${this.base}/v1/bars?${query}`);
      if (!answer.ok) throw new Error(String(answer.status));
      const page = await answer.json();
      yield page.bars;
      if (!page.more) return;
      from = page.next_us;
    }
  }

  #of(code, interval) {
    const key = `${code} ${interval}`;
    if (!this.#series.has(key)) this.#series.set(key, new Map());
    return this.#series.get(key);
  }
}

function barOf({ start_us, open_ticks, high_ticks, low_ticks, close_ticks, listed_qty_tonnes }) {
  return {
    startUs: start_us,
    open: open_ticks,
    high: high_ticks,
    low: low_ticks,
    close: close_ticks,
    qty: listed_qty_tonnes,
  };
}
