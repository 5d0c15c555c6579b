// Numbers as people read them. Prices are ticks of 0.01 yuan, money fen, times microseconds.

const GROUPED = new Intl.NumberFormat("en-US");
const BEIJING_MS = 8 * 3600 * 1000;

export const PHASES = {
  new: ["before the first day", "未开市"],
  pre_open: ["pre-open", "开市前"],
  morning: ["morning", "上午交易"],
  lunch: ["lunch, cancels only", "午休"],
  afternoon: ["afternoon", "下午交易"],
  closed: ["closed, clearing", "闭市清算"],
  confirmed: ["confirmed", "已对账"],
  posted: ["settled", "已交收"],
  disputed: ["disputed", "对账不符"],
};

export function price(ticks) {
  const size = Math.abs(ticks);
  const cents = String(size % 100).padStart(2, "0");
  return `${ticks < 0 ? "-" : ""}${GROUPED.format(Math.floor(size / 100))}.${cents}`;
}

export function priceOrDash(ticks) {
  return ticks ? price(ticks) : "–";
}

/** Ticks of a typed price, null where it is none. */
export function ticksOf(text) {
  const found = /^(\d{1,7})(?:\.(\d{1,2}))?$/.exec(text.trim());
  return found ? Number(found[1]) * 100 + Number((found[2] ?? "").padEnd(2, "0")) : null;
}

/** Tonnes of a typed quantity, null where it is none. */
export function tonnesOf(text) {
  const plain = text.replaceAll(/[,\s]/g, "");
  return /^\d{1,10}$/.test(plain) ? Number(plain) : null;
}

export function tonnes(count) {
  return GROUPED.format(count);
}

export function yuan(fen) {
  return price(fen);
}

/** A large amount in 10,000 yuan, as the bulletins say it. */
export function wan(fen) {
  return `${GROUPED.format(Math.round(fen / 1e6))} 万`;
}

export function signed(ticks) {
  return `${ticks > 0 ? "+" : ""}${price(ticks)}`;
}

export function percent(basisPoints) {
  return `${basisPoints > 0 ? "+" : ""}${(basisPoints / 100).toFixed(2)} %`;
}

export function direction(change) {
  return change > 0 ? "up" : change < 0 ? "down" : "still";
}

/** HH:MM:SS in Beijing. */
export function clock(timeUs) {
  return new Date(timeUs / 1000 + BEIJING_MS).toISOString().slice(11, 19);
}

/** YYYYMMDD with dashes. */
export function day(date) {
  const text = String(date);
  return date ? `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}` : "–";
}

/** HH:MM of a minute after midnight. */
export function minute(count) {
  const two = (part) => String(part).padStart(2, "0");
  return `${two(Math.floor(count / 60))}:${two(count % 60)}`;
}

/** Seconds for a chart whose axis shows Beijing time as if it were UTC. */
export function chartSeconds(timeUs) {
  return Math.floor(timeUs / 1e6) + BEIJING_MS / 1000;
}
